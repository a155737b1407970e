"""``VenueCandles``: the closed candles of a venue by REST, page by page, and what is known of the venue's clock."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np

from trading.errors import ConnectionLost, FeedFailed, GridBotError, RateLimited, UsageError
from trading.exchange import Exchange, OhlcvRow
from trading.exchange.clock import Clock, LockstepClock, ScaledClock
from trading.exchange.retry import Retry
from trading.market.candles import Candles
from trading.market.feeds.gate import GateCounts
from trading.market.feeds.protocol import ClosedCandle
from trading.market.feeds.sanity import Unsound, candle_of_row, number
from trading.market.filling import fill_short_gaps
from trading.market.timeframes import timeframe_ms

T = TypeVar("T")

PAGE = 1_000
# No venue's pages are shorter; a shorter answer is the end of what there is.
_SHORTEST_PAGE = 100
# Some venues answer a window of time, none of them a shorter one.
_STRIDE = 250
_QUIET_ANSWERS = 3
_SYNC_EVERY_MS = 600_000
_SKEW_MS = 60_000
_RECENT_CANDLES = 3
_TOLD_TIMES = 3
# So many answers in a row with the same unsound row, and sound ones after it, make it one that the venue lacks.
_BAD_ANSWERS = 5

_log = logging.getLogger(__name__)


class MarketData(Exchange, Protocol):
    """The part of an asynchronous ccxt exchange that feeds need."""

    async def fetch_ticker(self, symbol: str) -> Mapping[str, object]:
        """Return ccxt's unified ticker of one symbol."""
        ...


@dataclass(frozen=True, slots=True)
class Closed:
    """What a venue has of one symbol after a time.

    Parameters
    ----------
    candles : list of ClosedCandle
        Closed candles, oldest first; the venue has none between them.
    newest_ms : int or None
        Open time of the newest sound row that was seen, closed or not; None when there was none.
    pending : bool
        True when the newest row has ended by the clock and is to be told a few times more before it counts as closed.
    """

    candles: list[ClosedCandle]
    newest_ms: int | None
    pending: bool = False


@dataclass(slots=True)
class _Known:
    ended: ClosedCandle | None = None
    ended_told: int = 0
    newest_ms: int = 0
    ahead_ms: int | None = None
    probe_at_ms: int = 0
    bad: dict[int, int] = field(default_factory=dict)


class VenueCandles:
    """Asks a venue for closed candles and tells them from the one that is still open.

    A row is closed when the venue has a newer row. The newest row is closed by time only at venues that give no rows
    for intervals without trades (the others will give the next row), when it ended a quarter of a candle to three
    candles ago by the venue's clock, three answers in a row tell it the same, and none has ever told a newer one:
    an old copy of the market must not pass for its end.

    Parameters
    ----------
    exchange : MarketData
        An asynchronous ccxt exchange.
    timeframe : str
        Candle length, one that the exchange offers.
    clock : Clock
        Tells the time and sleeps.
    retry : Retry
        Repeats the calls.
    counts : GateCounts
        Where refused rows are counted.
    """

    def __init__(self, exchange: MarketData, timeframe: str, clock: Clock, retry: Retry, counts: GateCounts) -> None:
        self.exchange = exchange
        self.timeframe = timeframe
        self.step_ms = timeframe_ms(timeframe)
        self.grace_ms = min(5_000, max(1_000, self.step_ms // 30))
        self._clock = clock
        self._retry = retry
        self._counts = counts
        self._known: dict[str, _Known] = {}
        self._offset_ms = 0
        # a simulated clock is the market's own; what such a venue tells is the real time that it checks signatures by
        self._is_market_time = isinstance(clock, LockstepClock | ScaledClock)
        self._sync_at_ms: int | None = None
        self._ahead = False
        self._gives_empty_candles = False

    def now_ms(self) -> int:
        """Return the venue's time in milliseconds UTC."""
        return self._clock.now_ms() + self._offset_ms

    async def open(self, symbols: Sequence[str]) -> None:
        """Load the markets and check that the venue has what is asked for.

        Raises
        ------
        UsageError
            When it lacks a symbol or the timeframe.
        ConnectionLost, RateLimited, FeedFailed, Refused
            When the list of markets cannot be had.
        """
        await self.ask(f"the list of markets of {self.exchange.id}", self.exchange.load_markets)
        missing = [symbol for symbol in symbols if symbol not in self.exchange.symbols]
        if missing:
            raise UsageError(f"{self.exchange.id} does not list {', '.join(missing)}; check the spelling BASE/QUOTE")
        if self.timeframe not in (self.exchange.timeframes or {}):
            offered = ", ".join(self.exchange.timeframes or {}) or "none"
            raise UsageError(f"{self.exchange.id} has no {self.timeframe} candles; choose one of: {offered}")
        await self.sync()

    async def sync(self) -> None:
        """Measure the venue's clock again when the last measure is old; a venue that does not tell keeps the old."""
        if self._sync_at_ms is not None and self._clock.now_ms() < self._sync_at_ms:
            return
        if self.exchange.has.get("fetchTime") and not self._is_market_time:
            before_ms = self._clock.now_ms()
            with suppress(ConnectionLost, RateLimited, FeedFailed):
                time_ms = await self.ask(f"the time of {self.exchange.id}", self.exchange.fetch_time)
                if time_ms is not None:
                    self._offset_ms = int(time_ms) - (before_ms + self._clock.now_ms()) // 2
        self._sync_at_ms = self._clock.now_ms() + _SYNC_EVERY_MS

    async def ask(self, what: str, call: Callable[[], Awaitable[T]]) -> T:
        """Return what a safe call returns, repeated while that is of use.

        Raises
        ------
        GridBotError
            As `Retry` says; an answer that ccxt cannot read is a FeedFailed.
        """

        async def once() -> T:
            try:
                return await call()
            except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
                # ccxt's parsers take a well-formed answer for granted.
                raise FeedFailed(
                    f"{self.exchange.id} answered {what} with what cannot be read ({type(error).__name__}: {error})"
                ) from error

        return await self._retry(what, once)

    def may_have_closed(self, open_ms: int) -> bool:
        """Return whether a candle that opened at a time can have closed, clocks a little apart allowed for.

        Parameters
        ----------
        open_ms : int
            Milliseconds UTC.
        """
        return self._ahead or self.now_ms() >= open_ms + self.step_ms - self.grace_ms

    async def after(self, symbol: str, after_ms: int) -> Closed:
        """Return all closed candles that open after a time.

        Parameters
        ----------
        symbol : str
            ``BASE/QUOTE``.
        after_ms : int
            Open time of the candle before the first one wanted, milliseconds UTC; the venue is asked for it too, so
            that an answer without anything new can be told from no answer.

        Raises
        ------
        ConnectionLost, RateLimited, FeedFailed, Refused
            When the venue gives no usable answer; FeedFailed also when all its rows are unsound.
        """
        await self.sync()
        found: dict[int, ClosedCandle] = {}
        cursor_ms, quiet = after_ms, 0
        while True:
            rows = await self._rows(symbol, cursor_ms, PAGE)
            candles = self._sound(symbol, rows, after_ms)
            found.update((candle.timestamp, candle) for candle in candles)
            quiet += 1
            if candles and candles[-1].timestamp > cursor_ms:
                cursor_ms, quiet = candles[-1].timestamp, 0
                if len(rows) >= _SHORTEST_PAGE:
                    continue
            if not await self._goes_on(symbol, cursor_ms):
                break
            # One answer without anything new may have failed; several of them are a hole of the venue's own.
            if quiet >= _QUIET_ANSWERS:
                cursor_ms, quiet = cursor_ms + _STRIDE * self.step_ms, 0
        return self._closed(symbol, [found[time_ms] for time_ms in sorted(found)], after_ms)

    async def latest(self, symbol: str, count: int) -> Candles:
        """Return the latest closed candles, at most ``count``, short gaps bridged, oldest first.

        Raises
        ------
        DataError
            When more of them would be made up than is allowed.
        ConnectionLost, RateLimited, FeedFailed, Refused
            When the venue gives no usable answer.
        """
        await self.sync()
        newest = await self._newest(symbol)
        if not newest:
            return Candles.empty(symbol, self.timeframe)
        candles: list[ClosedCandle] = []
        for reach in (count + 1, 3 * count):
            since_ms = newest[-1].timestamp - reach * self.step_ms
            candles = (await self.after(symbol, since_ms - 1)).candles[-count:]
            if len(candles) >= count:
                break
        return fill_short_gaps(candles_of(symbol, self.timeframe, candles))[-count:]

    async def _rows(self, symbol: str, since_ms: int | None, limit: int) -> list[OhlcvRow]:
        what = f"the {self.timeframe} candles of {symbol}"
        rows = await self.ask(
            what, lambda: self.exchange.fetch_ohlcv(symbol, self.timeframe, since=since_ms, limit=limit)
        )
        if not isinstance(rows, list):
            raise FeedFailed(f"{self.exchange.id} answered {what} with no list of rows")
        return rows

    async def _newest(self, symbol: str) -> list[ClosedCandle]:
        newest = self._sound(symbol, await self._rows(symbol, None, 5), 0)
        # Where ccxt makes "the latest" of this machine's time, a venue with a time of its own answers nothing.
        for now_ms in dict.fromkeys((self.now_ms(), self._clock.now_ms())):
            if not newest:
                since_ms = now_ms - (_STRIDE - 1) * self.step_ms
                newest = self._sound(symbol, await self._rows(symbol, since_ms, _STRIDE), 0)
        return newest

    def _sound(self, symbol: str, rows: Sequence[object], from_ms: int) -> list[ClosedCandle]:
        known = self._known.setdefault(symbol, _Known())
        good: list[ClosedCandle] = []
        bad: list[int] = []
        reason, time_ms = None, from_ms - self.step_ms
        for row in rows:
            read = candle_of_row(symbol, row, self.step_ms)
            if isinstance(read, Unsound):
                self._counts.refuse(read)
                reason, time_ms = read, _time_of(row) or time_ms + self.step_ms
                bad.append(time_ms)
                continue
            time_ms = read.timestamp
            if time_ms >= from_ms:
                good.append(read)
        if bad and not good:
            raise FeedFailed(f"{self.exchange.id}: all {len(bad)} rows of {symbol} are unsound ({reason})")
        told_well = {candle.timestamp for candle in good}
        counts = {time: answers for time, answers in known.bad.items() if time >= from_ms and time not in told_well}
        known.bad = counts | {time: counts.get(time, 0) + 1 for time in bad if time not in told_well}
        # What follows a bad row waits until the row is told well, or has been told badly often enough.
        waiting = [time for time in bad if known.bad.get(time, _BAD_ANSWERS) < _BAD_ANSWERS]
        good = sorted((c for c in good if not waiting or c.timestamp < min(waiting)), key=lambda c: c.timestamp)
        return self._without_future(known, good)

    def _without_future(self, known: _Known, good: list[ClosedCandle]) -> list[ClosedCandle]:
        # One row of the future is nonsense that would close the open candle; a market that runs ahead tells it again.
        limit_ms = self.now_ms() + _SKEW_MS
        if self._ahead or not good or good[-1].timestamp <= limit_ms:
            return good
        future = [candle.timestamp for candle in good if candle.timestamp > limit_ms]
        if known.ahead_ms in future:
            self._ahead = True
            return good
        known.ahead_ms = future[-1]
        return good[: -len(future)]

    async def _goes_on(self, symbol: str, cursor_ms: int) -> bool:
        # Some venues answer a window of time: an empty one says nothing of later ones.
        known = self._known.setdefault(symbol, _Known())
        now_ms = self._clock.now_ms()
        if cursor_ms + _SHORTEST_PAGE * self.step_ms > self.now_ms() or now_ms < known.probe_at_ms:
            return False
        newest = await self._newest(symbol)
        more = bool(newest) and newest[-1].timestamp > cursor_ms + _STRIDE * self.step_ms
        if not more:
            known.probe_at_ms = now_ms + 10 * self.step_ms
        return more

    def _closed(self, symbol: str, found: list[ClosedCandle], after_ms: int) -> Closed:
        self._gives_empty_candles |= any(candle.volume == 0 for candle in found)
        candles = [candle for candle in found[:-1] if candle.timestamp > after_ms]
        newest_ms = found[-1].timestamp if found else None
        if not found or found[-1].timestamp <= after_ms:
            return Closed(candles, newest_ms)
        closed = self._closed_by_time(self._known[symbol], found[-1])
        if closed:
            candles.append(found[-1])
        return Closed(candles, newest_ms, pending=not closed and self._known[symbol].ended_told > 0)

    def _closed_by_time(self, known: _Known, candle: ClosedCandle) -> bool:
        ended_ms = self.now_ms() - candle.timestamp - self.step_ms
        told_newer = candle.timestamp < known.newest_ms
        known.newest_ms = max(known.newest_ms, candle.timestamp)
        recent = max(self.grace_ms, self.step_ms // 4) <= ended_ms <= _RECENT_CANDLES * self.step_ms
        if self._gives_empty_candles or told_newer or not recent:
            known.ended, known.ended_told = None, 0
            return False
        known.ended_told = known.ended_told + 1 if known.ended == candle else 1
        known.ended = candle
        return known.ended_told >= _TOLD_TIMES


def candles_of(symbol: str, timeframe: str, candles: Sequence[ClosedCandle]) -> Candles:
    """Return closed candles as one columnar series."""
    table = np.array(
        [(one.open, one.high, one.low, one.close, one.volume) for one in candles], dtype=np.float64
    ).reshape(len(candles), 5)
    times = np.array([one.timestamp for one in candles], dtype=np.int64)
    filled = np.array([one.filled for one in candles], dtype=np.bool_)
    opened, high, low, close, volume = table.T
    return Candles(symbol, timeframe, times, opened, high, low, close, volume, filled=filled if filled.any() else None)


def closed_candle(candles: Candles, row: int) -> ClosedCandle:
    """Return one row of a columnar series."""
    return ClosedCandle(
        candles.symbol,
        int(candles.timestamp[row]),
        float(candles.open[row]),
        float(candles.high[row]),
        float(candles.low[row]),
        float(candles.close[row]),
        float(candles.volume[row]),
        candles.filled is not None and bool(candles.filled[row]),
    )


def is_passing(error: GridBotError) -> bool:
    """Return whether a feed can go on after an error: the venue was silent, busy, or answered nonsense."""
    return isinstance(error, ConnectionLost | RateLimited | FeedFailed)


def _time_of(row: object) -> int | None:
    time_ms = number(row[0]) if isinstance(row, Sequence) and not isinstance(row, str) and row else None
    return int(time_ms) if time_ms is not None and 0 < time_ms < 2**62 else None
