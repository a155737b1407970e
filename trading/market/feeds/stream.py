"""``StreamFeed``: what a venue's streams tell, with REST for all that they leave open."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from trading.errors import GridBotError
from trading.exchange.clock import Clock
from trading.exchange.retry import Retry, RetryPolicy
from trading.market.candles import Candles
from trading.market.feeds.connection import Check, StreamConnection, StreamLimits, StreamMail
from trading.market.feeds.gate import Gate, GateCounts
from trading.market.feeds.mailbox import Mailbox
from trading.market.feeds.protocol import ClosedCandle, FeedEvent, FeedNews, FeedState, Tick
from trading.market.feeds.stream_client import StreamExchange, let_go
from trading.market.feeds.venue_candles import VenueCandles, closed_candle, is_passing
from trading.market.feeds.waiting import Closing, FeedClosed, stop, unless_ended

_log = logging.getLogger(__name__)

_PATIENCE = RetryPolicy(attempts=2, nonsense_attempts=2, first_s=0.25)
_MOST_HELD = 1_000
_RECHECK_S = 1.0
_PENDING_MS = 5_000
_LONGEST_RECHECK_S = 30.0


@dataclass(slots=True)
class _Waiting:
    """Candles that a stream called closed while those before them are not known yet, and when REST is asked next."""

    held: dict[int, ClosedCandle] = field(default_factory=dict)
    check_at_ms: int = 0
    expected_ms: int = 0
    misses: int = 0


class StreamFeed:
    """Closed candles and prices from a venue's streams; REST settles gaps, reconnects and what is overdue.

    A candle is handed on when its values are certain: the stream called it closed, or its trades are told without a
    hole, or REST tells it closed. Streams are opened anew when they break, when they fall silent, and before venues
    cut them after a day.

    Parameters
    ----------
    exchange : StreamExchange
        A ccxt.pro exchange of public data; closed with the feed.
    symbols : sequence of str
        ``BASE/QUOTE``.
    timeframe : str
        Candle length.
    clock : Clock
        Tells the time and sleeps.
    retry : Retry, optional
        Repeats the REST calls; by default two tries.
    limits : StreamLimits, optional
        When a stream counts as silent, and when it is opened anew.
    jitter : callable
        Uniform random numbers in [0, 1) for the pauses after failures.
    """

    def __init__(
        self,
        exchange: StreamExchange,
        symbols: Sequence[str],
        timeframe: str,
        clock: Clock,
        retry: Retry | None = None,
        limits: StreamLimits | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.symbols = tuple(symbols)
        self.gate = Gate(self.symbols, timeframe)
        self._exchange = exchange
        self._clock = clock
        retry = retry or Retry(exchange.id, clock, _PATIENCE, jitter)
        self._venue = VenueCandles(exchange, timeframe, clock, retry, self.gate.counts)
        self._mail: Mailbox[StreamMail] = Mailbox()
        self._connection = StreamConnection(
            exchange, self.symbols, timeframe, clock, self._mail, self.gate.counts, limits or StreamLimits(), jitter
        )
        self._waiting = {symbol: _Waiting() for symbol in self.symbols}
        self._closing = Closing()
        self._tasks: list[asyncio.Task[None]] = []
        self._opening = asyncio.Lock()
        self._opened = False

    @property
    def counts(self) -> GateCounts:
        """What has passed and what was refused."""
        return self.gate.counts

    @property
    def heard_ms(self) -> int:
        """When the last stream message came, by the clock; milliseconds UTC."""
        return self._connection.heard_ms

    @property
    def connects(self) -> int:
        """How often the streams have been opened."""
        return self._connection.connects

    async def history(self, symbol: str, count: int) -> Candles:
        """Return the latest closed candles, at most ``count``, oldest first; events go on after the last of them.

        Raises
        ------
        UsageError, ConnectionLost, RateLimited, FeedFailed, Refused, DataError
            When the venue lacks the symbol or timeframe, gives no usable answer, or too much would be made up.
        """
        await self._open()
        candles = await self._venue.latest(symbol, count)
        if len(candles):
            made_up = 0 if candles.filled is None else int(candles.filled.sum())
            self.resume(symbol, closed_candle(candles, -1), len(candles) - made_up, made_up)
        return candles

    def resume(self, symbol: str, last: ClosedCandle, real: int = 1, made_up: int = 0) -> None:
        """Go on after a candle that was handed over by another feed."""
        self.gate.begin(symbol, last, real, made_up)

    async def events(self) -> AsyncIterator[FeedEvent]:
        """Yield candles and prices until the feed is closed."""
        self._tasks = tasks = [
            asyncio.create_task(self._connection.run()),
            asyncio.create_task(self._watch_clock()),
        ]
        try:
            while not self._closing.is_set():
                mail = await self._closing.unless(unless_ended(self._mail.get(), tasks))
                for event in await self._closing.unless(self._read(mail)):
                    if self._closing.is_set():
                        return
                    yield event
        except FeedClosed:
            return
        finally:
            await stop(*tasks)
            await let_go(self._exchange)

    async def close(self) -> None:
        """Let go of all connections; the events end."""
        self._closing.set()
        await stop(*self._tasks)
        await let_go(self._exchange)
        await self._exchange.close()

    async def _open(self) -> None:
        async with self._opening:
            if not self._opened:
                await self._venue.open(self.symbols)
                self._opened = True

    async def _read(self, mail: StreamMail) -> Sequence[FeedEvent]:
        if isinstance(mail, Tick):
            tick = self.gate.tick(mail)
            return [] if tick is None else [tick]
        if isinstance(mail, Check):
            return await self._check(mail)
        if isinstance(mail, ClosedCandle):
            return await self._take(mail)
        _log.info("event=feed_state feed=stream exchange=%s state=%s reason=%s", self._exchange.id, *_words(mail))
        if mail.state is FeedState.LIVE:
            # Whatever was told while nobody listened is missing.
            for waiting in self._waiting.values():
                waiting.check_at_ms = self._clock.now_ms()
        return [mail]

    async def _check(self, check: Check) -> Sequence[FeedEvent]:
        waiting, last = self._waiting[check.symbol], self.gate.last(check.symbol)
        if check.expected_ms:
            if last is not None and check.expected_ms <= last.timestamp:
                return []
            waiting.expected_ms = max(waiting.expected_ms, check.expected_ms)
        return await self._settle(check.symbol)

    async def _take(self, candle: ClosedCandle) -> Sequence[FeedEvent]:
        last, waiting = self.gate.last(candle.symbol), self._waiting[candle.symbol]
        if last is not None and candle.timestamp <= last.timestamp + self._venue.step_ms:
            return self._hand_on(candle.symbol, [candle])
        if len(waiting.held) < _MOST_HELD:
            waiting.held[candle.timestamp] = candle
        return await self._settle(candle.symbol)

    async def _settle(self, symbol: str) -> Sequence[FeedEvent]:
        waiting = self._waiting[symbol]
        try:
            await self._open()
            last = self.gate.last(symbol)
            if last is None:
                # Without a history the events begin with the next candle that closes.
                await self.history(symbol, 1)
                waiting.check_at_ms = self._clock.now_ms() + int(_RECHECK_S * 1_000)
                return []
            closed = await self._venue.after(symbol, last.timestamp)
        except GridBotError as error:
            if not is_passing(error) and not self._opened:
                raise
            self._put_off(waiting, symbol, error)
            return []
        known = {candle.timestamp: candle for candle in closed.candles}
        newest_ms = closed.newest_ms or 0
        known |= {time_ms: candle for time_ms, candle in waiting.held.items() if time_ms <= newest_ms}
        passed = self._hand_on(symbol, [known[time_ms] for time_ms in sorted(known)])
        if closed.pending:
            soon_ms = self._clock.now_ms() + min(_PENDING_MS, self._venue.step_ms // 12)
            waiting.check_at_ms = min(waiting.check_at_ms, soon_ms)
        return passed

    def _put_off(self, waiting: _Waiting, symbol: str, error: GridBotError) -> None:
        pause_s = self._next_pause_s(waiting)
        waiting.check_at_ms = self._clock.now_ms() + int(pause_s * 1_000)
        _log.warning("event=feed_check_failed symbol=%s pause_s=%g error=%s", symbol, pause_s, error)

    def _next_pause_s(self, waiting: _Waiting) -> float:
        pause_s = min(_LONGEST_RECHECK_S, _RECHECK_S * 2.0 ** min(waiting.misses, 10))
        waiting.misses += 1
        return pause_s

    def _hand_on(self, symbol: str, candles: list[ClosedCandle]) -> list[FeedEvent]:
        waiting, step_ms = self._waiting[symbol], self._venue.step_ms
        passed = self.gate.candles(symbol, candles)
        last = self.gate.last(symbol)
        while last is not None and last.timestamp + step_ms in waiting.held:
            passed += self.gate.candles(symbol, [waiting.held.pop(last.timestamp + step_ms)])
            if self.gate.last(symbol) is last:
                break
            last = self.gate.last(symbol)
        if last is not None:
            waiting.held = {time_ms: one for time_ms, one in waiting.held.items() if time_ms > last.timestamp}
        self._plan_check(waiting, last, bool(passed))
        return list(passed)

    def _plan_check(self, waiting: _Waiting, last: ClosedCandle | None, progress: bool) -> None:
        now_ms, step_ms = self._clock.now_ms(), self._venue.step_ms
        waiting.misses = 0 if progress else waiting.misses
        if waiting.held or last is None or last.timestamp < waiting.expected_ms:
            wait_ms = int(self._next_pause_s(waiting) * 1_000)
        elif progress:
            # The next candle's end by the venue's clock, or a candle's length where the market lags behind it.
            wait_ms = last.timestamp + 2 * step_ms + self._venue.grace_ms - self._venue.now_ms()
            wait_ms = wait_ms if 0 < wait_ms <= 2 * step_ms else step_ms + self._venue.grace_ms
        else:
            wait_ms = min(int(_LONGEST_RECHECK_S * 1_000), step_ms)
        waiting.check_at_ms = now_ms + wait_ms

    async def _watch_clock(self) -> None:
        every_s = min(5.0, self._venue.step_ms / 60_000)
        while True:
            for symbol, waiting in self._waiting.items():
                if self._clock.now_ms() >= waiting.check_at_ms and self._mail.has_room:
                    waiting.check_at_ms = self._clock.now_ms() + int(_LONGEST_RECHECK_S * 1_000)
                    self._mail.put(Check(symbol))
            await self._clock.sleep(every_s)


def _words(news: FeedNews) -> tuple[str, str]:
    return news.state.value, news.reason
