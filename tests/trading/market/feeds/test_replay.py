"""Replay: what is stored comes as it would have come, at any speed."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from tests.markets import random_market
from tests.trading.live.virtual_clock import VirtualClock
from trading.errors import UsageError
from trading.market.candles import Candles
from trading.market.feeds import ClosedCandle, FeedEvent, FeedNews, FeedState, ReplayFeed
from trading.market.filling import fill_short_gaps

MARKET = random_market(3, 200, "1m")


def told(feed: ReplayFeed, most: int = 10_000) -> list[FeedEvent]:
    async def main() -> list[FeedEvent]:
        events = []
        async for event in feed.events():
            events.append(event)
            if len(events) == most:
                await feed.close()
        return events

    return asyncio.run(main())


def rows(candles: Candles) -> list[tuple[float, ...]]:
    filled = np.zeros(len(candles), dtype=bool) if candles.filled is None else candles.filled
    columns = [candles.timestamp, candles.open, candles.high, candles.low, candles.close, candles.volume, filled]
    return [tuple(column[row].item() for column in columns) for row in range(len(candles))]


def row(event: FeedEvent) -> tuple[float, ...]:
    assert isinstance(event, ClosedCandle)
    return (event.timestamp, event.open, event.high, event.low, event.close, event.volume, event.filled)


def test_the_events_go_on_where_the_history_ends() -> None:
    feed = ReplayFeed(MARKET, start=50)
    history = asyncio.run(feed.history("TEST/USDT", 20))
    events = told(feed)
    assert rows(history) == rows(MARKET[30:50])
    assert [row(event) for event in events[:-1]] == rows(MARKET[50:])
    assert events[-1] == FeedNews(FeedState.ENDED, "all stored candles have been replayed")


def test_short_gaps_are_bridged_as_in_a_backtest() -> None:
    sparse = random_market(4, 400, "1m", gap_every=60)
    assert [row(event) for event in told(ReplayFeed(sparse))[:-1]] == rows(fill_short_gaps(sparse))


def test_a_start_row_is_one_of_the_input_whatever_is_bridged_before() -> None:
    keep = np.delete(np.arange(200), [10, 11])
    columns = {name: column[keep] for name, column in MARKET.columns().items()}
    sparse = Candles.from_columns("TEST/USDT", "1m", columns)
    feed = ReplayFeed(sparse, start=100)
    assert row(told(feed)[0]) == rows(sparse[100:101])[0]
    assert len(asyncio.run(feed.history("TEST/USDT", 1000))) == 102


def test_several_symbols_come_merged_by_closing_time() -> None:
    other = replace(random_market(5, 40, "5m"), symbol="OTHER/USDT")
    events = told(ReplayFeed({"TEST/USDT": MARKET, "OTHER/USDT": other}))[:-1]
    steps = {"TEST/USDT": 60_000, "OTHER/USDT": 300_000}
    closes = [event.timestamp + steps[event.symbol] for event in events if isinstance(event, ClosedCandle)]
    assert closes == sorted(closes)
    for symbol, candles in (("TEST/USDT", MARKET), ("OTHER/USDT", other)):
        assert [row(event) for event in events if getattr(event, "symbol", None) == symbol] == rows(candles)


@pytest.mark.parametrize(("speed", "seconds"), [(1.0, 199 * 60), (60.0, 199), (1_000.0, 11.94)])
def test_the_speed_is_that_of_the_clock(speed: float, seconds: float) -> None:
    clock = VirtualClock(0)
    assert len(told(ReplayFeed(MARKET, speed=speed, clock=clock))) == 201
    assert clock.now_ms() == pytest.approx(seconds * 1_000, abs=2)


def test_without_a_speed_no_clock_is_waited_for() -> None:
    clock = VirtualClock(0)
    told(ReplayFeed(MARKET, clock=clock))
    assert clock.sleeps == []


def test_closing_ends_the_events_in_the_middle() -> None:
    events = told(ReplayFeed(MARKET), most=7)
    assert len(events) == 7


def test_closing_ends_a_wait_for_the_next_candle() -> None:
    clock = VirtualClock(0)
    feed = ReplayFeed(MARKET, speed=0.001, clock=clock)

    async def main() -> list[FeedEvent]:
        events = feed.events()
        first = [await anext(events)]
        rest = asyncio.ensure_future(anext(events, None))
        await asyncio.sleep(0)
        await feed.close()
        return [*first, await rest]

    assert asyncio.run(main())[1] is None


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ReplayFeed({}), "at least one"),
        (lambda: ReplayFeed(MARKET, speed=0.0, clock=VirtualClock()), "positive speed"),
        (lambda: ReplayFeed(MARKET, speed=2.0), "a clock"),
        (lambda: ReplayFeed(MARKET, start=201), "cannot start at row 201"),
        (lambda: ReplayFeed({"A/B": MARKET}), "was given as that of"),
        (lambda: asyncio.run(ReplayFeed(MARKET).history("A/B", 1)), "has no A/B"),
    ],
)
def test_what_cannot_be_replayed_is_refused(make: object, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make()  # type: ignore[operator]
