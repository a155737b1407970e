"""``ReplayFeed``: stored candles, handed on as if they came from a venue, at any speed."""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator, Iterator, Mapping
from operator import itemgetter

from trading.errors import UsageError
from trading.exchange.clock import Clock
from trading.market.candles import Candles
from trading.market.feeds.gate import Gate
from trading.market.feeds.protocol import ClosedCandle, FeedEvent, FeedNews, FeedState
from trading.market.feeds.venue_candles import closed_candle
from trading.market.feeds.waiting import Closing, FeedClosed
from trading.market.filling import fill_short_gaps


class ReplayFeed:
    """Candles of one or several symbols, merged in the order of their closing times.

    Parameters
    ----------
    candles : Candles or mapping of str to Candles
        What is replayed, by symbol; short gaps are bridged as in a backtest.
    start : int or mapping of str to int
        Row where the events begin, of one symbol or of each; `history` tells what lies before.
    speed : float, optional
        How much faster than the market: 60 plays an hour in a minute of the clock; None waits for nothing but the
        one who asks.
    clock : Clock, optional
        Sleeps between candles; needed with a speed.

    Raises
    ------
    UsageError
        When there is no candle series, a speed is not positive or has no clock, or a start lies outside.
    """

    def __init__(
        self,
        candles: Candles | Mapping[str, Candles],
        start: int | Mapping[str, int] = 0,
        speed: float | None = None,
        clock: Clock | None = None,
    ) -> None:
        series = {candles.symbol: candles} if isinstance(candles, Candles) else dict(candles)
        if not series:
            raise UsageError("a replay needs at least one candle series")
        if speed is not None and (not speed > 0 or clock is None):
            raise UsageError(f"a replay at speed {speed} needs a positive speed and a clock")
        self._series = {symbol: _bridged(one, _row(start, symbol), symbol) for symbol, one in series.items()}
        self._speed = speed
        self._clock = clock
        self._closing = Closing()
        self.gates = {symbol: Gate([symbol], one.timeframe) for symbol, (one, _) in self._series.items()}

    async def history(self, symbol: str, count: int) -> Candles:
        """Return the latest candles before the start row, at most ``count``, oldest first."""
        candles, start = self._of(symbol)
        return candles[max(0, start - count) : start]

    async def events(self) -> AsyncIterator[FeedEvent]:
        """Yield the candles from the start row on, and that they have ended."""
        began_ms = self._clock.now_ms() if self._clock is not None else 0
        first_ms: int | None = None
        for closed_ms, candle in heapq.merge(*(self._rows(symbol) for symbol in self._series), key=itemgetter(0)):
            first_ms = closed_ms if first_ms is None else first_ms
            try:
                await self._wait(began_ms, closed_ms - first_ms)
            except FeedClosed:
                return
            for passed in self.gates[candle.symbol].candles(candle.symbol, [candle]):
                yield passed
        if not self._closing.is_set():
            yield FeedNews(FeedState.ENDED, "all stored candles have been replayed")

    async def close(self) -> None:
        """End the events."""
        self._closing.set()

    async def _wait(self, began_ms: int, market_ms: int) -> None:
        if self._closing.is_set():
            raise FeedClosed
        if self._speed is None or self._clock is None:
            return
        wait_ms = began_ms + market_ms / self._speed - self._clock.now_ms()
        if wait_ms > 0:
            await self._closing.unless(self._clock.sleep(wait_ms / 1_000))

    def _rows(self, symbol: str) -> Iterator[tuple[int, ClosedCandle]]:
        candles, start = self._series[symbol]
        for row in range(start, len(candles)):
            yield int(candles.timestamp[row]) + candles.step_ms, closed_candle(candles, row)

    def _of(self, symbol: str) -> tuple[Candles, int]:
        if symbol not in self._series:
            raise UsageError(f"the replay has no {symbol}; it has {', '.join(self._series)}")
        return self._series[symbol]


def _row(start: int | Mapping[str, int], symbol: str) -> int:
    return start if isinstance(start, int) else start.get(symbol, 0)


def _bridged(candles: Candles, start: int, symbol: str) -> tuple[Candles, int]:
    if candles.symbol != symbol:
        raise UsageError(f"the series of {candles.symbol} was given as that of {symbol}")
    if not 0 <= start <= len(candles):
        raise UsageError(f"the replay of {symbol} cannot start at row {start} of {len(candles)}")
    whole = fill_short_gaps(candles)
    # The same candle starts the events, wherever bridging has moved it.
    moved = len(whole) if start == len(candles) else int(whole.timestamp.searchsorted(candles.timestamp[start]))
    return whole, moved
