"""Streams of a real server through ccxt.pro: certain candles at once, and REST for all that a stream leaves open."""

from __future__ import annotations

import asyncio
import gc
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.markets import random_market
from tests.trading.live.virtual_clock import VirtualClock
from tests.trading.market.feeds.test_rest import stale
from tests.trading.market.feeds.venue_server import Venue, serving
from tests.trading.market.feeds.watching import (
    at_row,
    candles_told,
    client,
    last_closed,
    rightful,
    states_told,
    stream_feed,
    thinned,
    ticks_told,
    watched,
)
from trading.market.feeds import ClosedCandle, FeedEvent, FeedNews, FeedState, StreamFeed
from trading.market.feeds.connection import StreamLimits
from trading.market.feeds.stream_client import closed_row

MARKET = random_market(1, 2_000, "1m")
SYMBOL = "TEST/USDT"
MINUTE = 60_000


def test_a_candle_comes_at_the_moment_the_stream_calls_it_closed() -> None:
    clock = at_row(MARKET, 30)
    venue = Venue.of(clock, MARKET)
    delays: list[int] = []

    async def note(event: FeedEvent) -> None:
        if isinstance(event, ClosedCandle):
            delays.append(clock.now_ms() - event.timestamp - MINUTE)

    until_ms = clock.now_ms() + 20 * MINUTE
    events = watched(venue, clock, lambda url: stream_feed(clock, url, [SYMBOL]), until_ms, note)
    assert candles_told(events) == rightful(MARKET, 29, clock.now_ms())
    assert set(delays) == {0}
    assert states_told(events) == [FeedState.LIVE]
    # The history took two calls, the first look one; the rest was told by the stream.
    assert venue.calls.count("/api/v3/klines") <= 5


def test_ticks_tell_bid_and_ask() -> None:
    clock = at_row(MARKET, 30)
    until_ms = clock.now_ms() + 5 * MINUTE
    ticks = ticks_told(watched(Venue.of(clock, MARKET), clock, lambda url: stream_feed(clock, url, [SYMBOL]), until_ms))
    assert len(ticks) > 20
    assert all(tick.bid is not None and tick.ask is not None for tick in ticks)


def test_several_symbols_share_a_feed() -> None:
    other = replace(random_market(9, 400, "1m"), symbol="OTHER/USDT")
    clock = at_row(MARKET, 30)
    until_ms = clock.now_ms() + 15 * MINUTE
    venue = Venue.of(clock, MARKET, other)
    events = watched(venue, clock, lambda url: stream_feed(clock, url, [SYMBOL, "OTHER/USDT"]), until_ms)
    for candles in (MARKET, other):
        assert candles_told(events, candles.symbol) == rightful(candles, 29, clock.now_ms())


def test_a_cut_stream_is_opened_again_and_what_it_missed_is_made_up_for() -> None:
    clock = at_row(MARKET, 30)
    venue = Venue.of(clock, MARKET)

    async def cut(event: FeedEvent) -> None:
        if isinstance(event, ClosedCandle) and event.timestamp == MARKET.timestamp[33]:
            await venue.cut()

    until_ms = clock.now_ms() + 10 * MINUTE
    events = watched(venue, clock, lambda url: stream_feed(clock, url, [SYMBOL]), until_ms, cut)
    assert states_told(events) == [FeedState.LIVE, FeedState.STALE, FeedState.LIVE]
    assert candles_told(events) == rightful(MARKET, 29, clock.now_ms())


def test_lesson_13_a_silent_stream_loses_no_candle() -> None:
    clock = at_row(MARKET, 30)
    venue = Venue.of(clock, MARKET)

    async def fall_silent(event: FeedEvent) -> None:
        venue.ws_silent = MARKET.timestamp[33] <= clock.now_ms() < MARKET.timestamp[60]

    until_ms = clock.now_ms() + 60 * MINUTE
    events = watched(venue, clock, lambda url: stream_feed(clock, url, [SYMBOL]), until_ms, fall_silent)
    assert candles_told(events) == rightful(MARKET, 29, clock.now_ms())
    assert FeedState.STALE in states_told(events)
    assert states_told(events)[-1] is FeedState.LIVE


def test_lesson_13_a_stream_that_tells_prices_but_no_candles_loses_none() -> None:
    clock = at_row(MARKET, 30)
    venue = Venue.of(clock, MARKET, ws_ticks_only=True)
    until_ms = clock.now_ms() + 20 * MINUTE
    events = watched(venue, clock, lambda url: stream_feed(clock, url, [SYMBOL]), until_ms)
    assert candles_told(events) == rightful(MARKET, 29, clock.now_ms())


def test_lesson_14_streams_are_opened_anew_before_a_day_and_none_is_left_behind() -> None:
    market = random_market(1, 130, "15m")
    clock = at_row(market, 30)
    venue = Venue.of(clock, market)
    feeds: list[StreamFeed] = []

    def open_it(url: str) -> StreamFeed:
        feeds.append(stream_feed(clock, url, [SYMBOL], "15m", StreamLimits(silent_s=300.0)))
        return feeds[0]

    most = 0

    async def count(event: FeedEvent) -> None:
        nonlocal most
        most = max(most, len(venue.sockets))

    until_ms = int(market.timestamp[-1]) - MINUTE
    events = watched(venue, clock, open_it, until_ms, count, every_s=60.0)
    assert candles_told(events) == rightful(market, 29, clock.now_ms())
    assert feeds[0].connects == 2
    assert states_told(events) == [FeedState.LIVE, FeedState.LIVE]
    assert most == venue.opened / 2 == 2
    assert venue.sockets == []


def test_lesson_14_many_reconnects_leave_no_task_and_no_connection() -> None:
    clock = at_row(MARKET, 30)
    venue = Venue.of(clock, MARKET)
    limits = StreamLimits(rotate_s=120.0)

    async def main() -> int:
        async with serving(venue) as url:
            before = len(asyncio.all_tasks())
            feed = stream_feed(clock, url, [SYMBOL], limits=limits)
            await feed.history(SYMBOL, 5)
            running = asyncio.ensure_future(venue.run(clock.now_ms() + 120 * MINUTE))
            async for event in feed.events():
                if isinstance(event, ClosedCandle) and event.timestamp >= MARKET.timestamp[120]:
                    break
                assert len(venue.sockets) <= 2
            assert feed.connects > 30
            await feed.close()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            for _ in range(20):
                await asyncio.sleep(0)
            gc.collect()
            return len(asyncio.all_tasks()) - before

    assert asyncio.run(main()) <= 1
    assert venue.sockets == []


def test_bad_messages_do_not_end_a_stream() -> None:
    clock = at_row(MARKET, 30)
    rng = random.Random(4)
    spoils = [
        "{",
        "[]",
        "null",
        "[[[",
        '"text"',
        "{}",
        '{"e":"kline"}',
        '{"e":"kline","k":{}}',
        '{"e":"24hrTicker"}',
        "\\u0000",
    ]
    venue = Venue.of(clock, MARKET, change=lambda message: [rng.choice(spoils), message, rng.choice(spoils)])
    until_ms = clock.now_ms() + 20 * MINUTE
    feeds: list[StreamFeed] = []

    def open_it(url: str) -> StreamFeed:
        feeds.append(stream_feed(clock, url, [SYMBOL]))
        return feeds[0]

    events = watched(venue, clock, open_it, until_ms)
    assert candles_told(events) == rightful(MARKET, 29, clock.now_ms())
    assert feeds[0].connects == 1
    assert len(ticks_told(events)) > 50


def test_a_closed_feed_ends_its_events_and_lets_go() -> None:
    clock = at_row(MARKET, 30)
    venue = Venue.of(clock, MARKET)
    until_ms = clock.now_ms() + 2 * MINUTE
    watched(venue, clock, lambda url: stream_feed(clock, url, [SYMBOL]), until_ms)
    assert venue.sockets == []


def test_pauses_between_tries_to_connect_double_up_to_thirty_seconds() -> None:
    clock = at_row(MARKET, 30)
    venue = Venue.of(clock, MARKET, ws_down=True)
    until_ms = clock.now_ms() + 10 * MINUTE
    events = watched(venue, clock, lambda url: stream_feed(clock, url, [SYMBOL]), until_ms)
    pauses = [pause for pause in clock.sleeps if pause in {0.375, 0.75, 1.5, 3.0, 6.0, 12.0, 22.5}]
    assert pauses[:7] == [0.375, 0.75, 1.5, 3.0, 6.0, 12.0, 22.5]
    assert candles_told(events) == rightful(MARKET, 29, clock.now_ms())


@pytest.mark.parametrize(
    "message",
    [
        None,
        [],
        {"e": "kline"},
        {"e": "kline", "k": 5},
        {"e": "kline", "k": {"x": "true", "s": "TESTUSDT"}},
        {"e": "trade", "k": {"x": True}},
        {"data": [1]},
    ],
)
def test_what_does_not_call_a_candle_closed_is_none(message: object) -> None:
    assert closed_row("binance", message) is None


def test_the_word_of_other_venues_is_not_guessed() -> None:
    message = {"e": "kline", "k": {"x": True, "s": "TESTUSDT", "i": "1m", "t": 1}}
    assert closed_row("kraken", message) is None
    assert closed_row("binance", {"stream": "x", "data": message}) is not None


def trades_only(clock: VirtualClock, url: str) -> StreamFeed:
    """A feed of a venue that streams no candles, as Coinbase does not."""
    exchange = client(clock, url)
    exchange.has = exchange.has | {"watchOHLCV": False, "watchTicker": False}
    return StreamFeed(exchange, [SYMBOL], "1m", clock, jitter=lambda: 0.5)


@pytest.mark.parametrize("lost_share", [0.0, 0.2])
def test_candles_are_built_from_trades_where_no_others_are_streamed(lost_share: float) -> None:
    clock = at_row(MARKET, 30)
    rng = random.Random(6)
    venue = Venue.of(clock, MARKET, change=lambda message: [] if rng.random() < lost_share else [message])
    until_ms = clock.now_ms() + 20 * MINUTE
    events = watched(venue, clock, lambda url: trades_only(clock, url), until_ms)
    assert candles_told(events) == rightful(MARKET, 29, clock.now_ms())
    assert len(ticks_told(events)) > 50
    if lost_share == 0:
        assert venue.calls.count("/api/v3/klines") <= 6


def spoiled(rng: random.Random, share: float) -> object:
    """Messages lost, told twice, late, and mutated; a mutated one never calls a candle closed with sound values."""
    kept: list[object] = []

    def change(message: dict[str, object]) -> list[object]:
        out: list[object] = [message]
        if rng.random() < share:
            kind = rng.randrange(6)
            if kind == 0:
                out = []
            elif kind == 1:
                out = [message, message]
            elif kind == 2:
                kept.append(message)
                out = []
            elif kind == 3:
                out = [_mutated(rng, message)]
            elif kind == 4:
                out = ["{" * rng.randrange(1, 9), message]
            else:
                out = [*kept, message, *kept[::-1]]
                kept.clear()
        return out

    return change


def _mutated(rng: random.Random, message: dict[str, object]) -> dict[str, object]:
    kline = message.get("k")
    nonsense = rng.choice([None, "", "0", -1, "NaN", [], {}, "x"])
    if isinstance(kline, dict):
        return message | {"k": kline | {rng.choice(["t", "o", "h", "l", "c", "x", "s", "i"]): nonsense}}
    return message | {rng.choice(["e", "c", "b", "a", "s", "E"]): nonsense}


@settings(max_examples=5)
@given(st.integers(0, 2**32), st.sampled_from([0.0, 0.05, 0.4]))
def test_whatever_a_stream_does_the_closed_candles_come_once_and_in_order(seed: int, share: float) -> None:
    rng = random.Random(seed)
    market = thinned(seed % 1_000, 200, share)
    clock = VirtualClock(int(market.timestamp[35]) + 20_000)
    venue = Venue.of(clock, market)
    row = last_closed(market, venue.market_ms)
    until_ms = clock.now_ms() + 40 * MINUTE

    async def misbehave(event: FeedEvent) -> None:
        calm = clock.now_ms() > until_ms - 12 * MINUTE
        venue.change = (lambda message: [message]) if calm else spoiled(rng, 0.3)  # type: ignore[assignment]
        venue.ws_down = not calm and rng.random() < 0.05
        venue.ws_silent = not calm and rng.random() < 0.02
        venue.rest_faults = [
            rng.choice([503, stale, lambda rows: [], None, None, None, None]) for _ in range(0 if calm else 5)
        ]
        if not calm and rng.random() < 0.02:
            await venue.cut()

    events = watched(venue, clock, lambda url: stream_feed(clock, url, [SYMBOL]), until_ms, misbehave)
    told, right = candles_told(events), rightful(market, row, venue.market_ms)
    assert told == right[: len(told)]
    assert len([candle for candle in right[len(told) :] if not candle.filled]) <= 1
    assert all(isinstance(event, FeedNews) or event.symbol == SYMBOL for event in events)
