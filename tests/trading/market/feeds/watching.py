"""Watching feeds of a real loopback venue on a virtual clock, and what they ought to have told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import numpy as np

from tests.markets import random_market
from tests.trading.live.virtual_clock import VirtualClock
from tests.trading.market.feeds.venue_server import Venue, serving
from trading.exchange import Retry, RetryPolicy
from trading.market.candles import Candles
from trading.market.feeds import (
    ClosedCandle,
    FailoverFeed,
    Feed,
    FeedEvent,
    FeedNews,
    FeedState,
    RestFeed,
    StreamFeed,
    Tick,
)
from trading.market.feeds.connection import StreamLimits
from trading.market.feeds.gate import Gate
from trading.market.feeds.stream_client import StreamExchange, open_streams
from trading.market.feeds.venue_candles import closed_candle

T = TypeVar("T")
HISTORY = 20


def thinned(seed: int, n: int, share: float, symbol: str = "TEST/USDT") -> Candles:
    """A market of one-minute candles that, after 40 of them, lacks a share, and once nine in a row."""
    whole = random_market(seed, n, "1m")
    keep = np.random.default_rng(seed).random(n) >= share
    keep[50:59] = False
    keep[:40] = True
    return Candles.from_columns(symbol, "1m", {name: column[keep] for name, column in whole.columns().items()})


def at_row(candles: Candles, row: int, seconds: float = 20.0) -> VirtualClock:
    """A clock that stands so many seconds into the interval of a row."""
    return VirtualClock(int(candles.timestamp[row]) + int(seconds * 1_000))


def client(clock: VirtualClock, url: str, *, streams: bool = True) -> StreamExchange:
    """A real ccxt client of the venue, without the wait at its end that only TLS needs."""
    exchange = open_streams("binance", clock, url, url.replace("http", "ws") if streams else None)
    exchange.timeout_on_exit = 0  # type: ignore[attr-defined]
    exchange.pace = None  # type: ignore[attr-defined]
    return exchange


def rest_feed(clock: VirtualClock, url: str, symbols: list[str], timeframe: str = "1m", **settings: object) -> RestFeed:
    exchange = client(clock, url, streams=False)
    return RestFeed(exchange, symbols, timeframe, clock, jitter=lambda: 0.5, **settings)  # type: ignore[arg-type]


def stream_feed(
    clock: VirtualClock, url: str, symbols: list[str], timeframe: str = "1m", limits: StreamLimits | None = None
) -> StreamFeed:
    return StreamFeed(client(clock, url), symbols, timeframe, clock, limits=limits, jitter=lambda: 0.5)


def failover_feed(clock: VirtualClock, url: str, symbols: list[str], **settings: object) -> FailoverFeed:
    stream = stream_feed(clock, url, symbols)
    rest = rest_feed(clock, url, symbols)
    return FailoverFeed(stream, rest, clock, jitter=lambda: 0.5, **settings)  # type: ignore[arg-type]


def impatient_retry(clock: VirtualClock) -> Retry:
    return Retry("binance", clock, RetryPolicy(attempts=1, nonsense_attempts=1))


@asynccontextmanager
async def market_runs(venue: Venue, until_ms: int, every_s: float = 10.0):
    """Let the venue's streams tell what happens, for the time of the context."""
    running = asyncio.ensure_future(venue.run(until_ms, every_s))
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def told(
    feed: Feed, clock: VirtualClock, until_ms: int, on_event: Callable[[FeedEvent], Awaitable[None]] | None = None
) -> list[FeedEvent]:
    """Everything that a feed tells until a time of the clock; then it is closed."""
    events: list[FeedEvent] = []

    async def read() -> None:
        async for event in feed.events():
            events.append(event)
            if on_event is not None:
                await on_event(event)

    reading = asyncio.ensure_future(read())
    alarm = asyncio.ensure_future(clock.sleep((until_ms - clock.now_ms()) / 1_000))
    await asyncio.wait({reading, alarm}, return_when=asyncio.FIRST_COMPLETED)
    alarm.cancel()
    await feed.close()
    await reading
    return events


def watched(
    venue: Venue,
    clock: VirtualClock,
    open_it: Callable[[str], Feed],
    until_ms: int,
    on_event: Callable[[FeedEvent], Awaitable[None]] | None = None,
    history: int = HISTORY,
    every_s: float = 10.0,
) -> list[FeedEvent]:
    """Serve a venue, open a feed of it, take histories, and return what it tells until a time."""

    async def main() -> list[FeedEvent]:
        async with serving(venue) as url:
            feed = open_it(url)
            try:
                for symbol in venue.series if history else ():
                    await feed.history(symbol, history)
                async with market_runs(venue, until_ms, every_s):
                    return await told(feed, clock, until_ms, on_event)
            finally:
                await feed.close()

    return asyncio.run(main())


def candles_told(events: list[FeedEvent], symbol: str | None = None) -> list[ClosedCandle]:
    return [event for event in events if isinstance(event, ClosedCandle) and symbol in (None, event.symbol)]


def ticks_told(events: list[FeedEvent]) -> list[Tick]:
    return [event for event in events if isinstance(event, Tick)]


def states_told(events: list[FeedEvent]) -> list[FeedState]:
    return [event.state for event in events if isinstance(event, FeedNews)]


def rightful(candles: Candles, after_row: int, to_ms: int, history: int = HISTORY) -> list[ClosedCandle]:
    """The closed candles from the one after a row on, short gaps bridged, that have ended at a time."""
    door = Gate([candles.symbol], candles.timeframe)
    door.begin(candles.symbol, closed_candle(candles, after_row), real=min(history, after_row + 1))
    rows = range(after_row + 1, len(candles))
    closed = [row for row in rows if int(candles.timestamp[row]) + candles.step_ms <= to_ms]
    return door.candles(candles.symbol, [closed_candle(candles, row) for row in closed])


def last_closed(candles: Candles, now_ms: int) -> int:
    """The row of the latest candle that has ended at a time."""
    return int((candles.timestamp + candles.step_ms <= now_ms).sum()) - 1
