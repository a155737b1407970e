"""REST polling of a real server: closed candles exactly once, whatever the answers are like."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.markets import random_market
from tests.trading.live.virtual_clock import VirtualClock
from tests.trading.market.feeds.venue_server import Row, Venue, serving
from tests.trading.market.feeds.watching import (
    at_row,
    candles_told,
    client,
    impatient_retry,
    last_closed,
    rest_feed,
    rightful,
    states_told,
    thinned,
    ticks_told,
    watched,
)
from trading.errors import ConnectionLost, UsageError
from trading.market.candles import Candles
from trading.market.feeds import ClosedCandle, FeedEvent, FeedNews, FeedState, RestFeed, Tick

MARKET = random_market(1, 400, "1m")
SYMBOL = "TEST/USDT"
MINUTE = 60_000


def polled(venue: Venue, clock: VirtualClock, minutes: float, **settings_: object) -> list[FeedEvent]:
    until_ms = clock.now_ms() + int(minutes * MINUTE)
    symbols = list(venue.series)
    return watched(venue, clock, lambda url: rest_feed(clock, url, symbols, **settings_), until_ms)


def stale(rows: list[Row], back: int = 2) -> list[Row]:
    """An old copy: the rows of the past, the last of them as it was when it was still open."""
    if len(rows) <= back:
        return rows
    kept = [list(row) for row in rows[: len(rows) - back]]
    kept[-1][2:5] = [kept[-1][1]] * 3
    kept[-1][5] = repr(float(str(kept[-1][5])) / 3)
    return kept


def test_each_closed_candle_comes_once_just_after_its_end() -> None:
    clock = at_row(MARKET, 30)
    delays: list[float] = []
    venue = Venue.of(clock, MARKET)

    async def note(event: FeedEvent) -> None:
        if isinstance(event, ClosedCandle):
            delays.append((clock.now_ms() - event.timestamp - MINUTE) / 1_000)

    until_ms = clock.now_ms() + 20 * MINUTE
    events = watched(venue, clock, lambda url: rest_feed(clock, url, [SYMBOL]), until_ms, note)
    assert candles_told(events) == rightful(MARKET, 29, clock.now_ms())
    assert max(delays) <= 1.0
    assert states_told(events) == [FeedState.LIVE]


def test_ticks_come_with_bid_and_ask_and_do_not_fall_in_time() -> None:
    clock = at_row(MARKET, 30)
    ticks = ticks_told(polled(Venue.of(clock, MARKET), clock, 5))
    assert len(ticks) > 30
    assert all(tick.bid is not None and tick.ask is not None and tick.bid < tick.price < tick.ask for tick in ticks)
    assert [tick.time_ms for tick in ticks] == sorted(tick.time_ms for tick in ticks)


def test_the_open_candle_is_in_no_history() -> None:
    clock = at_row(MARKET, 30)
    venue = Venue.of(clock, MARKET)

    async def main() -> Candles:
        async with serving(venue) as url:
            feed = rest_feed(clock, url, [SYMBOL])
            candles = await feed.history(SYMBOL, 12)
            await feed.close()
            return candles

    candles = asyncio.run(main())
    assert candles.timestamp.tolist() == MARKET.timestamp[18:30].tolist()
    assert candles.close.tolist() == MARKET.close[18:30].tolist()


def test_a_long_history_comes_page_by_page() -> None:
    market = random_market(2, 2_600, "1m")
    clock = at_row(market, 2_550)
    venue = Venue.of(clock, market)

    async def main() -> Candles:
        async with serving(venue) as url:
            feed = rest_feed(clock, url, [SYMBOL])
            candles = await feed.history(SYMBOL, 2_300)
            await feed.close()
            return candles

    assert asyncio.run(main()).timestamp.tolist() == market.timestamp[250:2_550].tolist()


def test_without_a_history_the_events_begin_with_the_next_candle_that_closes() -> None:
    clock = at_row(MARKET, 30)
    venue = Venue.of(clock, MARKET)
    until_ms = clock.now_ms() + 5 * MINUTE
    events = watched(venue, clock, lambda url: rest_feed(clock, url, [SYMBOL]), until_ms, history=0)
    assert candles_told(events) == rightful(MARKET, 29, clock.now_ms())


def test_several_symbols_come_side_by_side_in_the_order_of_time() -> None:
    other = replace(random_market(9, 400, "1m"), symbol="OTHER/USDT")
    clock = at_row(MARKET, 30)
    events = polled(Venue.of(clock, MARKET, other), clock, 15)
    for candles in (MARKET, other):
        assert candles_told(events, candles.symbol) == rightful(candles, 29, clock.now_ms())
    times = [candle.timestamp for candle in candles_told(events)]
    assert times == sorted(times)


def test_an_outage_is_told_and_made_up_for() -> None:
    clock = at_row(MARKET, 30)
    venue = Venue.of(clock, MARKET)

    async def outage(event: FeedEvent) -> None:
        if isinstance(event, ClosedCandle) and event.timestamp == MARKET.timestamp[34]:
            venue.rest_always = venue.ticker_always = 503
        if isinstance(event, FeedNews) and event.state is FeedState.STALE:
            clock.advance(1_200)
            venue.rest_always = venue.ticker_always = None

    until_ms = clock.now_ms() + 60 * MINUTE
    events = watched(venue, clock, lambda url: rest_feed(clock, url, [SYMBOL]), until_ms, outage)
    assert states_told(events) == [FeedState.LIVE, FeedState.STALE, FeedState.LIVE]
    assert candles_told(events) == rightful(MARKET, 29, clock.now_ms())


def test_pauses_after_failures_double_up_to_thirty_seconds() -> None:
    clock = at_row(MARKET, 30)
    venue = Venue.of(clock, MARKET)

    async def break_down(event: FeedEvent) -> None:
        venue.rest_always = venue.ticker_always = 503

    until_ms = clock.now_ms() + 10 * MINUTE
    watched(
        venue, clock, lambda url: rest_feed(clock, url, [SYMBOL], retry=impatient_retry(clock)), until_ms, break_down
    )
    pauses = [pause for pause in clock.sleeps if pause in {0.375, 0.75, 1.5, 3.0, 6.0, 12.0, 22.5}]
    assert pauses[:7] == [0.375, 0.75, 1.5, 3.0, 6.0, 12.0, 22.5]
    assert max(clock.sleeps[5:]) <= 30


def test_a_gap_longer_than_a_page_is_filled_page_by_page() -> None:
    market = random_market(8, 2_500, "1m")
    clock = at_row(market, 30)
    venue = Venue.of(clock, market)
    jumped: list[bool] = []

    async def jump(event: FeedEvent) -> None:
        if isinstance(event, ClosedCandle) and not jumped:
            jumped.append(True)
            clock.advance(2_300 * 60)

    until_ms = clock.now_ms() + 2_310 * MINUTE
    events = watched(venue, clock, lambda url: rest_feed(clock, url, [SYMBOL]), until_ms, jump)
    assert candles_told(events) == rightful(market, 29, clock.now_ms())


@pytest.mark.parametrize("share", [0.12, 0.3])
def test_minutes_without_trades_are_bridged_when_a_later_one_comes(share: float) -> None:
    market = thinned(6, 200, share)
    clock = at_row(market, 30)
    row = last_closed(market, clock.now_ms())
    events = polled(Venue.of(clock, market), clock, 90)
    told = candles_told(events)
    right = rightful(market, row, clock.now_ms())
    assert told == right[: len(told)]
    assert len(right) - len(told) <= 1
    assert any(candle.filled for candle in told)


@pytest.mark.parametrize("window", [None, 300])
def test_a_hole_longer_than_an_answer_stays_a_gap(window: int | None) -> None:
    keep = [*range(40), *range(700, 760)]
    whole = random_market(7, 760, "1m")
    market = Candles.from_columns(SYMBOL, "1m", {name: column[keep] for name, column in whole.columns().items()})
    clock = VirtualClock(int(whole.timestamp[38]) + 20_000)
    venue = Venue.of(clock, market, window=window)
    until_ms = int(whole.timestamp[715]) + 45_000
    events = watched(venue, clock, lambda url: rest_feed(clock, url, [SYMBOL], poll_s=60.0), until_ms, every_s=600.0)
    told = candles_told(events)
    right = rightful(market, 37, clock.now_ms())
    assert told == right[: len(told)]
    assert len(told) >= 12
    assert not any(candle.filled for candle in told)


def test_a_failed_answer_far_behind_skips_nothing() -> None:
    market = random_market(8, 2_500, "1m")
    clock = at_row(market, 30)
    venue = Venue.of(clock, market)

    async def jump(event: FeedEvent) -> None:
        if isinstance(event, ClosedCandle) and event.timestamp == market.timestamp[30]:
            clock.advance(2_000 * 60)
            venue.rest_faults = [lambda rows: [], lambda rows: rows[:1], lambda rows: rows[:50], None, lambda rows: []]

    until_ms = clock.now_ms() + 2_010 * MINUTE
    events = watched(venue, clock, lambda url: rest_feed(clock, url, [SYMBOL]), until_ms, jump)
    assert candles_told(events) == rightful(market, 29, clock.now_ms())


def test_candles_are_asked_for_only_while_one_may_have_closed() -> None:
    clock = at_row(MARKET, 30)
    asked_s: list[float] = []

    def feed_of(url: str) -> RestFeed:
        exchange = client(clock, url, streams=False)
        fetch = exchange.fetch_ohlcv

        async def counted(*values: object, **named: object) -> list[list[float]]:
            asked_s.append((clock.now_ms() % MINUTE) / 1_000)
            return await fetch(*values, **named)  # type: ignore[arg-type]

        exchange.fetch_ohlcv = counted  # type: ignore[method-assign]
        return RestFeed(exchange, [SYMBOL], "1m", clock, jitter=lambda: 0.5)

    events = watched(Venue.of(clock, MARKET), clock, feed_of, clock.now_ms() + 10 * MINUTE)
    after_history_s = asked_s[2:]

    assert len(candles_told(events)) == 10
    assert len(ticks_told(events)) > 60
    assert 10 <= len(after_history_s) <= 30
    # just before the end, clocks being a little apart, and after it until the candle was told
    assert all(second >= 57 or second < 15 for second in after_history_s)


def test_a_venue_that_replays_the_past_closes_a_candle_by_its_next_one_only() -> None:
    lag_ms = 500 * 86_400_000
    clock = VirtualClock(int(MARKET.timestamp[30]) + 20_000 + lag_ms)
    venue = Venue.of(clock, MARKET, lag_ms=lag_ms)
    events = polled(venue, clock, 20)
    assert candles_told(events) == rightful(MARKET, 29, clock.now_ms() - lag_ms)


def test_the_venues_clock_counts_not_ours() -> None:
    clock = at_row(MARKET, 30)
    venue = Venue.of(clock, MARKET)
    real_now = clock.now_ms
    behind = type("Behind", (), {"now_ms": lambda _: real_now() - 90_000, "sleep": lambda _, s: clock.sleep(s)})()
    until_ms = clock.now_ms() + 10 * MINUTE
    events = watched(venue, clock, lambda url: rest_feed(behind, url, [SYMBOL]), until_ms)
    assert candles_told(events) == rightful(MARKET, 29, clock.now_ms())


def test_lesson_15_zeroed_answers_pass_nothing_and_are_told_as_stale() -> None:
    clock = at_row(MARKET, 30)
    venue = Venue.of(clock, MARKET)

    async def zero(event: FeedEvent) -> None:
        if isinstance(event, ClosedCandle) and event.timestamp == MARKET.timestamp[33]:
            venue.rest_always = lambda rows: [[row[0], "0", "0", "0", "0", "0", *row[6:]] for row in rows]
            venue.ticker_always = lambda told: told | {"lastPrice": "0", "bidPrice": "0", "askPrice": "0"}

    until_ms = clock.now_ms() + 60 * MINUTE
    events = watched(venue, clock, lambda url: rest_feed(clock, url, [SYMBOL]), until_ms, zero)
    assert candles_told(events) == rightful(MARKET, 29, int(MARKET.timestamp[34]))
    assert states_told(events) == [FeedState.LIVE, FeedState.STALE]
    last = events.index(candles_told(events)[-1])
    assert len([event for event in events[last:] if isinstance(event, Tick)]) <= 1


def test_lesson_15_a_market_that_stands_still_is_told_as_stale() -> None:
    clock = at_row(MARKET, 395)
    events = polled(Venue.of(clock, MARKET), clock, 30)
    assert states_told(events) == [FeedState.LIVE, FeedState.STALE]


def test_a_row_that_stays_spoiled_is_left_out_in_the_end() -> None:
    clock = at_row(MARKET, 30)
    venue = Venue.of(clock, MARKET)
    bad_ms = int(MARKET.timestamp[35])
    venue.rest_always = lambda rows: [row if row[0] != bad_ms else [*row[:4], "0", *row[5:]] for row in rows]
    events = polled(venue, clock, 20)
    told = candles_told(events)
    right = rightful(MARKET, 29, clock.now_ms())
    assert [candle for candle in told if candle.timestamp != bad_ms] == [c for c in right if c.timestamp != bad_ms]
    assert [candle.filled for candle in told if candle.timestamp == bad_ms] == [True]


def test_a_row_of_the_future_closes_nothing() -> None:
    clock = at_row(MARKET, 30)
    venue = Venue.of(clock, MARKET)
    rng = random.Random(5)

    def future(rows: list[Row]) -> list[Row]:
        return [*rows[:-1], [int(str(rows[-1][0])) + rng.randrange(2, 99) * MINUTE, *rows[-1][1:]]]

    venue.rest_faults = [None, None, None, *([future, None] * 100)]
    events = polled(venue, clock, 12)
    assert candles_told(events) == rightful(MARKET, 29, clock.now_ms())


def test_an_unknown_symbol_and_timeframe_are_refused_at_once() -> None:
    clock = at_row(MARKET, 30)
    for symbols, timeframe, words in ((["NO/USDT"], "1m", "does not list NO/USDT"), ([SYMBOL], "7m", "choose one of")):

        async def main(symbols: list[str] = symbols, timeframe: str = timeframe) -> None:
            async with serving(Venue.of(clock, MARKET)) as url:
                feed = rest_feed(clock, url, symbols, timeframe)
                try:
                    await feed.history(symbols[0], 5)
                finally:
                    await feed.close()

        with pytest.raises(UsageError, match=words):
            asyncio.run(main())


def test_a_dead_venue_gives_no_history() -> None:
    clock = at_row(MARKET, 30)
    venue = Venue.of(clock, MARKET, rest_always=503)

    async def main() -> None:
        async with serving(venue) as url:
            feed = rest_feed(clock, url, [SYMBOL])
            try:
                await feed.history(SYMBOL, 5)
            finally:
                await feed.close()

    with pytest.raises(ConnectionLost):
        asyncio.run(main())


def faults(rng: random.Random) -> list[object]:
    """What meets an answer: mostly nothing."""
    kinds = [
        503,
        429,
        stale,
        lambda rows: [],
        lambda rows: {"unexpected": True},
        lambda rows: rows[: len(rows) // 2],
        lambda rows: [*rows, *rows],
        lambda rows: rows[::-1],
        lambda rows: [[*row[:2], None, *row[3:]] for row in rows],
        lambda rows: [row if rng.random() < 0.5 else [*row[:3], "0", *row[4:]] for row in rows],
        lambda rows: [["x"], 5, None],
        lambda rows: [[str(row[0]), *row[1:]] for row in rows],
    ]
    return [rng.choice(kinds) if rng.random() < 0.15 else None for _ in range(2_000)]


@settings(max_examples=5)
@given(st.integers(0, 2**32), st.sampled_from([0.0, 0.05, 0.4]), st.booleans())
def test_whatever_the_answers_the_closed_candles_come_once_and_in_order(seed: int, share: float, lagging: bool) -> None:
    rng = random.Random(seed)
    market = thinned(seed % 1_000, 200, share)
    lag_ms = 90 * 86_400_000 if lagging else 0
    clock = VirtualClock(int(market.timestamp[35]) + 20_000 + lag_ms)
    venue = Venue.of(clock, market, lag_ms=lag_ms)
    row = last_closed(market, venue.market_ms)
    until_ms = clock.now_ms() + 40 * MINUTE

    def open_it(url: str) -> object:
        return rest_feed(clock, url, [SYMBOL])

    async def begin_faults(event: FeedEvent) -> None:
        if not venue.rest_faults and clock.now_ms() < until_ms - 10 * MINUTE:
            venue.rest_faults = faults(rng)
        elif clock.now_ms() >= until_ms - 10 * MINUTE:
            venue.rest_faults = []

    events = watched(venue, clock, open_it, until_ms, begin_faults)  # type: ignore[arg-type]
    told, right = candles_told(events), rightful(market, row, venue.market_ms)
    assert told == right[: len(told)]
    # Only a candle that nothing has followed yet may be outstanding.
    later = [candle for candle in right[len(told) :] if not candle.filled]
    assert len(later) <= 1
