"""Failing over between real streams and real REST: each closed candle once, in order, whatever breaks."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.markets import random_market
from tests.trading.live.virtual_clock import VirtualClock
from tests.trading.market.feeds.test_rest import stale
from tests.trading.market.feeds.test_stream import spoiled
from tests.trading.market.feeds.venue_server import Venue, serving
from tests.trading.market.feeds.watching import (
    at_row,
    candles_told,
    failover_feed,
    last_closed,
    rightful,
    states_told,
    stream_feed,
    thinned,
    ticks_told,
    watched,
)
from trading.market.feeds import ClosedCandle, FailoverFeed, FeedEvent, FeedNews, FeedState, Tick, open_feed
from trading.market.feeds.mailbox import Mailbox

MARKET = random_market(1, 2_000, "1m")
SYMBOL = "TEST/USDT"
MINUTE = 60_000


def test_the_stream_is_first_and_rest_steps_in_when_it_breaks() -> None:
    clock = at_row(MARKET, 30)
    venue = Venue.of(clock, MARKET)

    async def outage(event: FeedEvent) -> None:
        if isinstance(event, ClosedCandle) and event.timestamp == MARKET.timestamp[35]:
            venue.ws_down = True
            await venue.cut()
        if isinstance(event, ClosedCandle) and event.timestamp == MARKET.timestamp[50]:
            venue.ws_down = False

    until_ms = clock.now_ms() + 40 * MINUTE
    events = watched(venue, clock, lambda url: failover_feed(clock, url, [SYMBOL]), until_ms, outage)
    assert candles_told(events) == rightful(MARKET, 29, clock.now_ms())
    assert states_told(events) == [FeedState.FALLBACK, FeedState.LIVE, FeedState.FALLBACK, FeedState.LIVE]
    changes = [place for place, event in enumerate(events) if isinstance(event, FeedNews)]
    between = events[changes[2] : changes[3]]
    assert any(isinstance(event, Tick) for event in between)
    assert len([event for event in between if isinstance(event, ClosedCandle)]) >= 14


def test_lesson_13_a_stream_that_dies_without_a_word_is_noticed() -> None:
    clock = at_row(MARKET, 30)
    venue = Venue.of(clock, MARKET)
    delays: list[float] = []

    async def fall_silent(event: FeedEvent) -> None:
        if isinstance(event, ClosedCandle):
            delays.append((clock.now_ms() - event.timestamp - MINUTE) / 1_000)
            venue.ws_silent |= event.timestamp == MARKET.timestamp[35]

    until_ms = clock.now_ms() + 40 * MINUTE
    events = watched(venue, clock, lambda url: failover_feed(clock, url, [SYMBOL]), until_ms, fall_silent)
    assert candles_told(events) == rightful(MARKET, 29, clock.now_ms())
    assert states_told(events)[-1] is FeedState.FALLBACK
    assert max(delays) <= 30


def test_lesson_15_both_ways_dead_is_told_as_stale_and_made_up_for() -> None:
    clock = at_row(MARKET, 30)
    venue = Venue.of(clock, MARKET)

    async def outage(event: FeedEvent) -> None:
        if isinstance(event, ClosedCandle) and event.timestamp == MARKET.timestamp[35]:
            venue.ws_silent, venue.rest_always, venue.ticker_always = True, 503, 503
        if isinstance(event, FeedNews) and event.state is FeedState.STALE:
            clock.advance(3_600)
            venue.ws_silent, venue.rest_always, venue.ticker_always = False, None, None

    until_ms = clock.now_ms() + 120 * MINUTE
    events = watched(venue, clock, lambda url: failover_feed(clock, url, [SYMBOL]), until_ms, outage)
    assert states_told(events)[:3] == [FeedState.FALLBACK, FeedState.LIVE, FeedState.STALE]
    assert states_told(events)[-1] is FeedState.LIVE
    assert candles_told(events) == rightful(MARKET, 29, clock.now_ms())


def test_lesson_15_zeroed_data_from_both_ways_is_never_handed_on() -> None:
    clock = at_row(MARKET, 30)
    venue = Venue.of(clock, MARKET)

    async def zero(event: FeedEvent) -> None:
        if isinstance(event, ClosedCandle) and event.timestamp == MARKET.timestamp[35]:
            venue.rest_always = lambda rows: [[row[0], "0", "0", "0", "0", "0", *row[6:]] for row in rows]
            venue.ticker_always = lambda told: told | {"lastPrice": "0", "bidPrice": "0", "askPrice": "0"}
            venue.change = _zeroed

    until_ms = clock.now_ms() + 40 * MINUTE
    events = watched(venue, clock, lambda url: failover_feed(clock, url, [SYMBOL]), until_ms, zero)
    assert candles_told(events) == rightful(MARKET, 29, int(MARKET.timestamp[36]))
    assert states_told(events)[-1] is FeedState.STALE


def _zeroed(message: dict[str, object]) -> list[object]:
    kline = message.get("k")
    if isinstance(kline, dict):
        return [message | {"k": kline | dict.fromkeys("ohlcv", "0")}]
    return [message | {"c": "0", "b": "0", "a": "0"}]


def test_without_a_history_the_events_begin_with_the_next_candle_that_closes() -> None:
    clock = at_row(MARKET, 30)
    until_ms = clock.now_ms() + 10 * MINUTE
    venue = Venue.of(clock, MARKET)
    events = watched(venue, clock, lambda url: failover_feed(clock, url, [SYMBOL]), until_ms, history=0)
    assert candles_told(events) == rightful(MARKET, 29, clock.now_ms())


def test_a_feed_that_is_opened_in_an_outage_waits_for_its_end() -> None:
    clock = at_row(MARKET, 30)
    venue = Venue.of(clock, MARKET, rest_always=503, ticker_always=503, ws_down=True)

    async def end(event: FeedEvent) -> None:
        if isinstance(event, FeedNews) and event.state is FeedState.STALE:
            venue.rest_always, venue.ticker_always, venue.ws_down = None, None, False

    until_ms = clock.now_ms() + 10 * MINUTE
    events = watched(venue, clock, lambda url: failover_feed(clock, url, [SYMBOL]), until_ms, end, history=0)
    assert states_told(events)[0] is FeedState.STALE
    assert states_told(events)[-1] is FeedState.LIVE
    assert candles_told(events) == rightful(MARKET, 29, clock.now_ms())


def test_several_symbols_fail_over_together() -> None:
    other = replace(random_market(9, 400, "1m"), symbol="OTHER/USDT")
    clock = at_row(MARKET, 30)
    venue = Venue.of(clock, MARKET, other)

    async def outage(event: FeedEvent) -> None:
        venue.ws_silent = MARKET.timestamp[35] < clock.now_ms() < MARKET.timestamp[45]

    until_ms = clock.now_ms() + 30 * MINUTE
    events = watched(venue, clock, lambda url: failover_feed(clock, url, [SYMBOL, "OTHER/USDT"]), until_ms, outage)
    for candles in (MARKET, other):
        assert candles_told(events, candles.symbol) == rightful(candles, 29, clock.now_ms())


def test_a_reader_that_sleeps_loses_ticks_and_no_candle_and_memory_stays_bounded() -> None:
    clock = at_row(MARKET, 30)
    venue = Venue.of(clock, MARKET)
    feeds: list[FailoverFeed] = []

    def open_it(url: str) -> FailoverFeed:
        feeds.append(failover_feed(clock, url, [SYMBOL], ticks=50, candles=10))
        return feeds[0]

    slept: list[bool] = []
    most = 0

    async def sleep_once(event: FeedEvent) -> None:
        nonlocal most
        if isinstance(event, ClosedCandle) and not slept:
            slept.append(True)
            for _ in range(180):
                await clock.sleep(60)
                most = max(most, len(feeds[0]._mail))

    until_ms = clock.now_ms() + 240 * MINUTE
    events = watched(venue, clock, open_it, until_ms, sleep_once)
    assert candles_told(events) == rightful(MARKET, 29, clock.now_ms())
    assert feeds[0].dropped_ticks > 0
    # Candles of one REST round may come on top of the ten.
    assert most <= 50 + 10 + 10


def test_a_stream_that_raises_leaves_rest_to_go_on() -> None:
    clock = at_row(MARKET, 30)
    venue = Venue.of(clock, MARKET)

    def open_it(url: str) -> FailoverFeed:
        feed = failover_feed(clock, url, [SYMBOL])
        feed._stream._connection = None  # type: ignore[attr-defined]
        return feed

    until_ms = clock.now_ms() + 15 * MINUTE
    events = watched(venue, clock, open_it, until_ms)
    told, right = candles_told(events), rightful(MARKET, 29, clock.now_ms())
    assert told == right[: len(told)]
    assert len(right) - len(told) <= 1
    assert states_told(events) == [FeedState.FALLBACK]


def test_the_factory_opens_rest_alone_without_a_stream_address_and_both_with_one() -> None:
    clock = at_row(MARKET, 30)
    venue = Venue.of(clock, MARKET)

    async def main() -> list[tuple[str, int]]:
        kinds = []
        async with serving(venue) as url:
            for ws_url in (None, url.replace("http", "ws")):
                feed = open_feed("binance", [SYMBOL], "1m", clock, rest_url=url, ws_url=ws_url)
                kinds.append((type(feed).__name__, len(await feed.history(SYMBOL, 7))))
                await feed.close()
        return kinds

    assert asyncio.run(main()) == [("RestFeed", 7), ("FailoverFeed", 7)]


def test_mail_that_lasts_is_kept_and_passing_mail_makes_room() -> None:
    async def main() -> list[int]:
        box: Mailbox[int] = Mailbox(passing=3, lasting=2)
        for number in range(10):
            box.put_passing(number)
            if number % 4 == 0:
                box.put(100 + number)
        assert not box.has_room
        waiting = asyncio.ensure_future(box.room())
        await asyncio.sleep(0)
        assert not waiting.done()
        read = [await box.get() for _ in range(len(box))]
        await waiting
        assert box.dropped == 7
        return read

    assert asyncio.run(main()) == [100, 104, 7, 8, 108, 9]


@settings(max_examples=4)
@given(st.integers(0, 2**32), st.sampled_from([0.0, 0.05, 0.4]))
def test_whatever_breaks_the_closed_candles_come_once_and_in_order(seed: int, share: float) -> None:
    rng = random.Random(seed)
    market = thinned(seed % 1_000, 200, share)
    clock = VirtualClock(int(market.timestamp[35]) + 20_000)
    venue = Venue.of(clock, market)
    row = last_closed(market, venue.market_ms)
    until_ms = clock.now_ms() + 40 * MINUTE

    async def misbehave(event: FeedEvent) -> None:
        calm = clock.now_ms() > until_ms - 12 * MINUTE
        venue.change = (lambda message: [message]) if calm else spoiled(rng, 0.3)  # type: ignore[assignment]
        venue.ws_down = not calm and rng.random() < 0.1
        venue.ws_silent = not calm and rng.random() < 0.1
        faults = [503, stale, lambda rows: [], None, None, None, None]
        venue.rest_faults = [] if calm else [rng.choice(faults) for _ in range(5)]
        if not calm and rng.random() < 0.03:
            await venue.cut()

    events = watched(venue, clock, lambda url: failover_feed(clock, url, [SYMBOL]), until_ms, misbehave)
    told, right = candles_told(events), rightful(market, row, venue.market_ms)
    assert told == right[: len(told)]
    assert len([candle for candle in right[len(told) :] if not candle.filled]) <= 1
    times = [tick.time_ms for tick in ticks_told(events)]
    assert times == sorted(times)


def test_two_feeds_of_one_venue_tell_the_same() -> None:
    clock = at_row(MARKET, 30)
    until_ms = clock.now_ms() + 10 * MINUTE
    first = watched(Venue.of(clock, MARKET), clock, lambda url: stream_feed(clock, url, [SYMBOL]), until_ms)
    clock = at_row(MARKET, 30)
    second = watched(Venue.of(clock, MARKET), clock, lambda url: failover_feed(clock, url, [SYMBOL]), until_ms)
    assert candles_told(first) == candles_told(second)
