"""``RestFeed``: closed candles and prices asked for at an interval."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Sequence

from trading.errors import GridBotError
from trading.exchange.clock import Clock
from trading.exchange.retry import Retry, RetryPolicy
from trading.market.candles import Candles
from trading.market.feeds.gate import Gate, GateCounts
from trading.market.feeds.protocol import ClosedCandle, FeedEvent, FeedNews, FeedState, Tick
from trading.market.feeds.sanity import Unsound, tick_of_ticker
from trading.market.feeds.venue_candles import MarketData, VenueCandles, closed_candle, is_passing
from trading.market.feeds.waiting import Backoff, Closing, FeedClosed
from trading.market.timeframes import timeframe_ms

_log = logging.getLogger(__name__)

# The feed itself goes on after a failed round; long patience with one call would keep it from saying so.
_PATIENCE = RetryPolicy(attempts=4, nonsense_attempts=2, first_s=0.25)
_QUIET_CANDLES = 3
_AFTER_END_MS = 250


class RestFeed:
    """Asks a venue for what is new, round by round, and hands on each closed candle once.

    Parameters
    ----------
    exchange : MarketData
        An asynchronous ccxt exchange of public data; closed with the feed.
    symbols : sequence of str
        ``BASE/QUOTE``.
    timeframe : str
        Candle length.
    clock : Clock
        Tells the time and sleeps.
    retry : Retry, optional
        Repeats the calls; by default three tries.
    poll_s : float, optional
        Seconds of the clock between rounds; by default a twelfth of a candle, from 1 to 5 s.
    jitter : callable
        Uniform random numbers in [0, 1) for the pauses after failures.
    """

    def __init__(
        self,
        exchange: MarketData,
        symbols: Sequence[str],
        timeframe: str,
        clock: Clock,
        retry: Retry | None = None,
        poll_s: float | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.symbols = tuple(symbols)
        self.timeframe = timeframe
        self.gate = Gate(self.symbols, timeframe)
        self._exchange = exchange
        self._clock = clock
        self._poll_s = min(5.0, max(1.0, timeframe_ms(timeframe) / 12_000)) if poll_s is None else poll_s
        self._retry = retry or Retry(exchange.id, clock, _PATIENCE, jitter)
        self._venue = VenueCandles(exchange, timeframe, clock, self._retry, self.gate.counts)
        self._backoff = Backoff(clock, jitter)
        self._closing = Closing()
        self._opening = asyncio.Lock()
        self.opened = False
        self._state: FeedState | None = None
        self._progress_ms = 0
        self._failing = False

    @property
    def counts(self) -> GateCounts:
        """What has passed and what was refused."""
        return self.gate.counts

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
        self._progress_ms = self._clock.now_ms()
        while not self._closing.is_set():
            try:
                for event in await self._closing.unless(self._round()):
                    if self._closing.is_set():
                        return
                    yield event
                await self._closing.unless(self._clock.sleep(self._next_pause_s()))
            except FeedClosed:
                return

    async def poll(self) -> list[FeedEvent]:
        """Return what is new since the last poll, all candles first: those of several symbols in the order of time.

        Raises
        ------
        ConnectionLost, RateLimited, FeedFailed
            When nothing at all could be had.
        """
        await self._open()
        answers = await asyncio.gather(*(self._ask(symbol) for symbol in self.symbols))
        candles = sorted((candle for found, _, _ in answers for candle in found), key=lambda candle: candle.timestamp)
        ticks = [tick for _, tick, _ in answers if tick is not None]
        errors = [error for _, _, error in answers if error is not None]
        if errors and len(errors) == len(answers) and not candles and not ticks:
            raise errors[0]
        for error in errors:
            _log.warning("event=feed_answer_refused exchange=%s error=%s", self._exchange.id, error)
        return [*candles, *ticks]

    async def close(self) -> None:
        """Let go of all connections; the events end."""
        self._closing.set()
        await self._exchange.close()

    async def _open(self) -> None:
        async with self._opening:
            if not self.opened:
                await self._venue.open(self.symbols)
                self.opened = True

    async def _round(self) -> list[FeedEvent]:
        try:
            found = await self.poll()
        except GridBotError as error:
            if not is_passing(error) and not self.opened:
                raise
            self._failing = True
            return self._news(FeedState.STALE, str(error))
        self._failing = False
        self._backoff.reset()
        now_ms = self._clock.now_ms()
        quiet_ms = _QUIET_CANDLES * self._venue.step_ms + int(self._poll_s * 1_000)
        if any(isinstance(event, ClosedCandle) for event in found) or self._state is None:
            self._progress_ms = now_ms
        if now_ms - self._progress_ms > quiet_ms:
            news = self._news(FeedState.STALE, f"no candle has closed for {(now_ms - self._progress_ms) // 1_000} s")
        else:
            news = self._news(FeedState.LIVE, f"asking {self._exchange.id} every {self._poll_s:g} s")
        return [*news, *found]

    def _next_pause_s(self) -> float:
        if self._failing:
            return self._backoff.next_s()
        # Just after a candle's end, so that it is not learned of a whole interval later.
        ends = [last.timestamp + 2 * self._venue.step_ms for symbol in self.symbols if (last := self.gate.last(symbol))]
        until_s = (min(ends) + _AFTER_END_MS - self._venue.now_ms()) / 1_000 if ends else 0.0
        return min(self._poll_s, until_s) if until_s > 0 else self._poll_s

    def _news(self, state: FeedState, reason: str) -> list[FeedEvent]:
        if state is self._state:
            return []
        self._state = state
        _log.info("event=feed_state feed=rest exchange=%s state=%s reason=%s", self._exchange.id, state, reason)
        return [FeedNews(state, reason)]

    async def _ask(self, symbol: str) -> tuple[list[ClosedCandle], Tick | None, GridBotError | None]:
        candles: list[ClosedCandle] = []
        try:
            candles = await self._new_candles(symbol)
            return candles, await self._tick(symbol), None
        except GridBotError as error:
            return candles, None, error

    async def _new_candles(self, symbol: str) -> list[ClosedCandle]:
        last = self.gate.last(symbol)
        if last is None:
            # Without a history the events begin with the next candle that closes.
            await self.history(symbol, 1)
            return []
        if not self._venue.may_have_closed(last.timestamp + self._venue.step_ms):
            return []
        closed = await self._venue.after(symbol, last.timestamp)
        return self.gate.candles(symbol, closed.candles)

    async def _tick(self, symbol: str) -> Tick | None:
        if not self._exchange.has.get("fetchTicker"):
            return None
        ticker = await self._venue.ask(f"the price of {symbol}", lambda: self._exchange.fetch_ticker(symbol))
        tick = tick_of_ticker(symbol, ticker, self._venue.now_ms())
        if isinstance(tick, Unsound):
            self.gate.counts.refuse(tick)
            return None
        return self.gate.tick(tick)
