"""``StreamConnection``: keeps a venue's streams open and puts what they tell into a mailbox."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass

import ccxt.async_support as ccxt

from trading.exchange.clock import Clock
from trading.market.feeds.builder import CandleBuilder, trade_of
from trading.market.feeds.gate import GateCounts
from trading.market.feeds.mailbox import Mailbox
from trading.market.feeds.protocol import ClosedCandle, FeedNews, FeedState, Tick
from trading.market.feeds.sanity import Unsound, candle_of_row, tick_of_ticker
from trading.market.feeds.stream_client import StreamExchange, closed_row, let_go
from trading.market.feeds.waiting import Backoff, stop
from trading.market.timeframes import timeframe_ms

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """When a stream is given up.

    Parameters
    ----------
    heartbeat_s : float
        A stream that lives sends something at least this often, seconds of the clock.
    silent_s : float
        Least silence that breaks a stream; two heartbeats are waited for in any case.
    rotate_s : float
        Age at which the streams are opened anew: venues cut them after 24 hours.
    """

    heartbeat_s: float = 15.0
    silent_s: float = 30.0
    rotate_s: float = 23 * 3_600.0

    @property
    def longest_silence_s(self) -> float:
        """Silence after which a stream counts as broken, seconds."""
        return max(2 * self.heartbeat_s, self.silent_s)


@dataclass(frozen=True, slots=True)
class Check:
    """REST is to be asked for what is new of a symbol; a candle at ``expected_ms`` or later should be closed by now."""

    symbol: str
    expected_ms: int = 0


StreamMail = ClosedCandle | Tick | FeedNews | Check


class StreamConnection:
    """Opens the streams of several symbols, and opens them anew when they break, fall silent, or grow old.

    Parameters
    ----------
    exchange : StreamExchange
        A ccxt.pro exchange without streams.
    symbols : sequence of str
        ``BASE/QUOTE``.
    timeframe : str
        Candle length.
    clock : Clock
        Tells the time and sleeps.
    mail : Mailbox
        Where candles that are certain, ticks, needs of a check, and changes of state are put.
    counts : GateCounts
        Where unreadable messages are counted.
    limits : StreamLimits
        When a stream is given up.
    jitter : callable
        Uniform random numbers in [0, 1).
    """

    def __init__(
        self,
        exchange: StreamExchange,
        symbols: Sequence[str],
        timeframe: str,
        clock: Clock,
        mail: Mailbox[StreamMail],
        counts: GateCounts,
        limits: StreamLimits,
        jitter: Callable[[], float],
    ) -> None:
        self.heard_ms = clock.now_ms()
        self.connects = 0
        self.bad_messages = 0
        self._exchange = exchange
        self._symbols = symbols
        self._timeframe = timeframe
        self._step_ms = timeframe_ms(timeframe)
        self._clock = clock
        self._mail = mail
        self._counts = counts
        self._limits = limits
        self._backoff = Backoff(clock, jitter)
        self._lives = False
        self._newest_ms = dict.fromkeys(symbols, 0)
        # Binance's ids of spot markets, the only ones that are read here.
        self._ids = {symbol.replace("/", ""): symbol for symbol in symbols}
        exchange.on_raw, exchange.on_dropped = self._heard, self._count_bad

    async def run(self) -> None:
        """Keep the streams open until cancelled."""
        try:
            while True:
                reason = await self._watch_once()
                self._lives = False
                await let_go(self._exchange)
                if reason is None:
                    _log.info("event=stream_rotated exchange=%s", self._exchange.id)
                    continue
                self._mail.put(FeedNews(FeedState.STALE, reason))
                await self._backoff.pause()
        finally:
            await let_go(self._exchange)

    async def _watch_once(self) -> str | None:
        self.connects += 1
        self.heard_ms = began_ms = self._clock.now_ms()
        try:
            await self._exchange.load_markets()
        except (ccxt.BaseError, LookupError, TypeError, ValueError) as error:
            return f"the markets of {self._exchange.id} cannot be had: {error}"
        watchers = [asyncio.create_task(watch) for symbol in self._symbols for watch in self._watches(symbol)]
        try:
            return await self._until_broken(watchers, began_ms)
        finally:
            await stop(*watchers)

    async def _until_broken(self, watchers: list[asyncio.Task[None]], began_ms: int) -> str | None:
        limit_s = self._limits.longest_silence_s
        while True:
            timer = asyncio.ensure_future(self._clock.sleep(limit_s / 4))
            try:
                await asyncio.wait({*watchers, timer}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await stop(timer)
            for ended in [watcher for watcher in watchers if watcher.done()]:
                if ended.cancelled():
                    return f"{self._exchange.id} closed the stream"
                error = ended.exception()
                if error is not None:
                    words = " ".join(str(error).split()) or type(error).__name__
                    return f"the stream of {self._exchange.id} broke: {words}"
                watchers.remove(ended)
            if not watchers:
                return f"{self._exchange.id} offers no stream of {', '.join(self._symbols)}"
            now_ms = self._clock.now_ms()
            if now_ms - self.heard_ms >= limit_s * 1_000:
                return f"the stream of {self._exchange.id} has been silent for {(now_ms - self.heard_ms) // 1_000} s"
            if now_ms - began_ms >= self._limits.rotate_s * 1_000:
                return None

    def _watches(self, symbol: str) -> list[Coroutine[None, None, None]]:
        exchange, has = self._exchange, self._exchange.has
        watches: list[Coroutine[None, None, None]] = []
        if has.get("watchOHLCV"):
            watches.append(self._watch(lambda: exchange.watch_ohlcv(symbol, self._timeframe), self._rows(symbol)))
        if has.get("watchTicker"):
            watches.append(self._watch(lambda: exchange.watch_ticker(symbol), self._ticker(symbol)))
        if has.get("watchTrades") and len(watches) < 2:
            watches.append(self._watch(lambda: exchange.watch_trades(symbol), self._trades(symbol)))
        return watches

    async def _watch(self, ask: Callable[[], Awaitable[object]], tell: Callable[[object], None]) -> None:
        while True:
            try:
                told = await ask()
            except ccxt.NotSupported:
                return
            try:
                tell(told)
            except Exception as error:  # noqa: BLE001 - whatever a venue sends must not end the stream
                self._refused(error)

    def _rows(self, symbol: str) -> Callable[[object], None]:
        def tell(rows: object) -> None:
            for row in rows if isinstance(rows, Sequence) else ():
                candle = candle_of_row(symbol, row, self._step_ms)
                if isinstance(candle, Unsound):
                    self._counts.refuse(candle)
                elif candle.timestamp > self._newest_ms[symbol]:
                    self._began(symbol, candle.timestamp)

        return tell

    def _ticker(self, symbol: str) -> Callable[[object], None]:
        def tell(ticker: object) -> None:
            tick = tick_of_ticker(symbol, ticker, self._clock.now_ms())
            if isinstance(tick, Unsound):
                self._counts.refuse(tick)
            else:
                self._mail.put_passing(tick)

        return tell

    def _trades(self, symbol: str) -> Callable[[object], None]:
        builder = CandleBuilder(symbol, self._timeframe)
        ticks = not self._exchange.has.get("watchTicker")
        candles = not self._exchange.has.get("watchOHLCV")

        def tell(trades: object) -> None:
            for told in trades if isinstance(trades, Sequence) else ():
                trade = trade_of(told)
                if trade is None:
                    self._counts.refuse(Unsound.NO_NUMBER)
                    continue
                if ticks:
                    self._mail.put_passing(Tick(symbol, trade.time_ms, float(trade.price)))
                for built in builder.add(trade) if candles else ():
                    if built.complete:
                        self._certain(built.candle)
                    elif self._mail.has_room:
                        self._mail.put(Check(symbol, built.candle.timestamp))

        return tell

    def _began(self, symbol: str, time_ms: int) -> None:
        # That a candle has begun says that the one before has closed; a time far off says nothing.
        first = self._newest_ms[symbol] == 0
        if not first and time_ms > self._newest_ms[symbol] + 1_000 * self._step_ms:
            return
        self._newest_ms[symbol] = time_ms
        if not first and self._mail.has_room:
            self._mail.put(Check(symbol, time_ms - self._step_ms))

    def _certain(self, candle: ClosedCandle) -> None:
        # What does not fit is not lost: REST tells it again.
        self._mail.put(candle if self._mail.has_room else Check(candle.symbol, candle.timestamp))

    def _heard(self, message: object) -> None:
        told = closed_row(self._exchange.id, message)
        self.heard_ms = self._clock.now_ms()
        if not self._lives and _is_data(message):
            self._lives = True
            self._backoff.reset()
            self._mail.put(FeedNews(FeedState.LIVE, f"the stream of {self._exchange.id} is alive"))
        if told is None or told[1] != self._exchange.timeframes.get(self._timeframe, self._timeframe):
            return
        symbol = self._ids.get(told[0])
        if symbol is None:
            return
        candle = candle_of_row(symbol, told[2], self._step_ms)
        if isinstance(candle, Unsound):
            self._counts.refuse(candle)
        else:
            self._certain(candle)

    def _count_bad(self) -> None:
        self.bad_messages += 1

    def _refused(self, error: Exception) -> None:
        self._count_bad()
        _log.warning("event=stream_message_refused exchange=%s error=%r", self._exchange.id, error)


def _is_data(message: object) -> bool:
    # Answers to a subscription say nothing about data coming.
    return not (isinstance(message, dict) and "result" in message and "id" in message)
