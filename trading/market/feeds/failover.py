"""``FailoverFeed``: a stream while it lives, REST while it does not, one sequence of candles from both."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Protocol

from trading.errors import GridBotError
from trading.exchange.clock import Clock
from trading.market.candles import Candles
from trading.market.feeds.gate import Gate, GateCounts
from trading.market.feeds.mailbox import Mailbox
from trading.market.feeds.protocol import ClosedCandle, Feed, FeedEvent, FeedNews, FeedState
from trading.market.feeds.rest import RestFeed
from trading.market.feeds.venue_candles import closed_candle, is_passing
from trading.market.feeds.waiting import Backoff, Closing, FeedClosed, stop, unless_ended

_log = logging.getLogger(__name__)

_QUIET_CANDLES = 3


class Resumable(Feed, Protocol):
    """A feed that can go on where another one has come to."""

    def resume(self, symbol: str, last: ClosedCandle, real: int = 1, made_up: int = 0) -> None:
        """Go on after a candle that was handed over by another feed."""
        ...


class FailoverFeed:
    """Hands on what a stream tells, and asks by REST when the stream is broken, silent, or misses a candle.

    Both feeds tell every closed candle in order, each for itself; the gate takes each from the one that is first.

    Parameters
    ----------
    stream : Resumable
        Tells by `FeedNews` whether it is alive; closed with this feed.
    rest : RestFeed
        Asked when it is not; closed with this feed.
    clock : Clock
        Tells the time and sleeps.
    poll_s : float, optional
        Seconds of the clock between REST rounds while the stream is down; by default 30, at most a candle.
    silent_s : float
        Seconds without any event after which the stream counts as down, whatever it says.
    ticks, candles : int
        Ticks that wait to be read, the oldest making room, and candles that wait before the sources do.
    jitter : callable
        Uniform random numbers in [0, 1) for the pauses before a stream that has failed is read again.
    """

    def __init__(
        self,
        stream: Resumable,
        rest: RestFeed,
        clock: Clock,
        poll_s: float | None = None,
        silent_s: float = 60.0,
        ticks: int = 1_000,
        candles: int = 1_000,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        step_ms = rest.gate.step_ms
        self.symbols = rest.symbols
        self.gate = Gate(self.symbols, rest.timeframe, bridge=0)
        self._stream = stream
        self._rest = rest
        self._clock = clock
        self._step_ms = step_ms
        self._poll_s = min(30.0, step_ms / 1_000) if poll_s is None else poll_s
        self._silent_s = silent_s
        self._grace_ms = min(10_000, max(2_000, step_ms // 6))
        self._mail: Mailbox[FeedEvent] = Mailbox(ticks, candles)
        self._backoff = Backoff(clock, jitter)
        self._closing = Closing()
        self._tasks: list[asyncio.Task[None]] = []
        self._state: FeedState | None = None
        self._down: str | None = "the stream is not open yet"
        self._was_down = True
        self._changed = asyncio.Event()
        self._begun = asyncio.Event()
        self._heard_ms = clock.now_ms()
        self._candle_ms = dict.fromkeys(self.symbols, clock.now_ms())
        self._polled_ms = 0

    @property
    def counts(self) -> GateCounts:
        """What has been handed on, and what came twice; each source counts what it refuses in its own ``counts``."""
        return self.gate.counts

    @property
    def dropped_ticks(self) -> int:
        """Ticks that made room for later ones because nobody read them."""
        return self._mail.dropped

    @property
    def state(self) -> FeedState | None:
        """How data arrives; None before the events have begun."""
        return self._state

    async def history(self, symbol: str, count: int) -> Candles:
        """Return the latest closed candles, at most ``count``, oldest first; events go on after the last of them.

        Raises
        ------
        UsageError, ConnectionLost, RateLimited, FeedFailed, Refused, DataError
            When the venue lacks the symbol or timeframe, gives no usable answer, or too much would be made up.
        """
        candles = await self._rest.history(symbol, count)
        if len(candles):
            made_up = 0 if candles.filled is None else int(candles.filled.sum())
            last = closed_candle(candles, -1)
            for resumed in (self._stream.resume, self.gate.begin):
                resumed(symbol, last, len(candles) - made_up, made_up)
        return candles

    async def events(self) -> AsyncIterator[FeedEvent]:
        """Yield candles, prices and changes of how they arrive, until the feed is closed."""
        self._tasks = tasks = [asyncio.create_task(self._read_stream()), asyncio.create_task(self._mind())]
        try:
            while not self._closing.is_set():
                event = await self._closing.unless(unless_ended(self._mail.get(), tasks))
                if self._closing.is_set():
                    return
                yield event
        except FeedClosed:
            return
        finally:
            await stop(*tasks)

    async def close(self) -> None:
        """Let go of all connections; the events end."""
        self._closing.set()
        await stop(*self._tasks)
        await self._stream.close()
        await self._rest.close()

    async def _begin(self) -> None:
        # Without a history all begin with the next candle that closes, and at the same one.
        for symbol in self.symbols:
            while self.gate.last(symbol) is None:
                try:
                    if len(await self.history(symbol, 1)) == 0:
                        break
                except GridBotError as error:
                    if not is_passing(error) and not self._rest.opened:
                        raise
                    self._say(FeedState.STALE, str(error))
                    await self._backoff.pause()
        self._backoff.reset()
        self._begun.set()

    async def _read_stream(self) -> None:
        await self._begun.wait()
        while True:
            events = self._stream.events()
            try:
                async for event in events:
                    await self._mail.room()
                    self._take(event)
                reason = "the stream has ended"
            except Exception as error:  # noqa: BLE001 - whatever a stream dies of, REST goes on
                reason = str(error) or type(error).__name__
                _log.warning("event=stream_failed error=%r", error)
            finally:
                if isinstance(events, AsyncGenerator):
                    await events.aclose()
            self._say_down(reason)
            await self._backoff.pause()

    def _take(self, event: FeedEvent) -> None:
        self._heard_ms = self._clock.now_ms()
        if not isinstance(event, FeedNews):
            self._hand_on(event)
        elif event.state is FeedState.LIVE:
            self._backoff.reset()
            self._down = None
            self._changed.set()
        else:
            self._say_down(event.reason)

    def _say_down(self, reason: str) -> None:
        self._down = reason
        self._changed.set()

    def _hand_on(self, event: FeedEvent) -> None:
        # Gate and mailbox in one step without a wait between, so that no other source's candle slips in.
        if isinstance(event, ClosedCandle):
            for candle in self.gate.candles(event.symbol, [event]):
                self._candle_ms[candle.symbol] = self._clock.now_ms()
                self._mail.put(candle)
        elif not isinstance(event, FeedNews):
            tick = self.gate.tick(event)
            if tick is not None:
                self._mail.put_passing(tick)

    async def _mind(self) -> None:
        await self._begin()
        while True:
            self._changed.clear()
            reason = self._why_down()
            now_ms = self._clock.now_ms()
            if reason is not None and (not self._was_down or now_ms - self._polled_ms >= self._poll_s * 1_000):
                await self._fall_back(reason)
            elif reason is None and self._was_down:
                await self._come_back()
            elif reason is None and self._overdue(now_ms) and now_ms - self._polled_ms >= self._poll_s * 1_000:
                await self._ask_once()
            await self._pause()

    async def _pause(self) -> None:
        sleeping = asyncio.ensure_future(self._clock.sleep(min(1.0, self._poll_s / 4)))
        changed = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait({sleeping, changed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await stop(sleeping)
            await stop(changed)

    def _why_down(self) -> str | None:
        silence_ms = self._clock.now_ms() - self._heard_ms
        if self._down is None and silence_ms > self._silent_s * 1_000:
            return f"the stream has told nothing for {silence_ms // 1_000} s"
        return self._down

    def _overdue(self, now_ms: int) -> bool:
        return any(now_ms - then_ms > self._step_ms + self._grace_ms for then_ms in self._candle_ms.values())

    async def _fall_back(self, reason: str) -> None:
        self._was_down = True
        error = await self._ask_once()
        if error is not None:
            self._say(FeedState.STALE, f"{reason}; {error}")
        elif self._quiet():
            self._say(FeedState.STALE, f"{reason}; no candle has closed for {_QUIET_CANDLES} candle lengths")
        else:
            self._say(FeedState.FALLBACK, f"{reason}; asking by REST every {self._poll_s:g} s")

    async def _come_back(self) -> None:
        await self._ask_once()
        self._was_down = False
        self._say(FeedState.LIVE, "the stream is alive")

    def _quiet(self) -> bool:
        now_ms = self._clock.now_ms()
        return all(now_ms - then_ms > _QUIET_CANDLES * self._step_ms for then_ms in self._candle_ms.values())

    async def _ask_once(self) -> str | None:
        self._polled_ms = self._clock.now_ms()
        for symbol in self.symbols:
            last, asked = self.gate.last(symbol), self._rest.gate.last(symbol)
            if last is not None and (asked is None or asked.timestamp < last.timestamp):
                self._rest.resume(symbol, last, *self.gate.passed(symbol))
        try:
            found = await self._rest.poll()
        except GridBotError as error:
            if not is_passing(error) and not self._rest.opened:
                raise
            return str(error)
        await self._mail.room()
        for event in found:
            self._hand_on(event)
        return None

    def _say(self, state: FeedState, reason: str) -> None:
        if state is not self._state:
            self._state = state
            _log.info("event=feed_state feed=failover state=%s reason=%s", state.value, reason)
            self._mail.put(FeedNews(state, reason))
