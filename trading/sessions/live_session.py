"""``LiveSession``: one session on a clock, from its start or recovery to its orderly end.

Everything happens one after another in one task: an event of the feed, then what is due at the venue, then the next
event. Only waiting is shared, so that no two parts of a session ever see different books.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from trading.brokers.desk import OrderDesk
from trading.brokers.protocol import Broker, Hint
from trading.brokers.reconcile import Reconciler, ReconcileReport
from trading.engine.codes import Halt
from trading.errors import ExitCode, GridBotError, Refused
from trading.exchange.clock import Clock
from trading.market.candles import Candles
from trading.market.feeds.protocol import ClosedCandle, Feed, FeedEvent, FeedNews, FeedState, Tick
from trading.orders.venue import Balance
from trading.sessions.backtest import halt_sentence
from trading.sessions.control import StopRequest
from trading.sessions.decider import Decider, Exchange, past_candles
from trading.sessions.inputs import NewCandle, Ordered, PastCandle, Price
from trading.sessions.keeper import SessionKeeper

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often a session does what no event asks for, in seconds of its clock.

    Parameters
    ----------
    look_s : float
        Longest wait of the loop, real seconds; 0 waits for events only, where the venue's time stands still meanwhile.
    trades_s : float
        Between questions for the account's trades.
    reconcile_s : float
        Between comparisons of books and venue.
    watch_s : float
        Between looks at memory, disk, clock and feed.
    settle_s : float
        What an orderly end waits for answers.
    flatten_s : float
        What an end that sells everything waits for the sales.
    """

    look_s: float = 0.5
    trades_s: float = 5.0
    reconcile_s: float = 60.0
    watch_s: float = 5.0
    settle_s: float = 15.0
    flatten_s: float = 60.0


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """How a session ended.

    Parameters
    ----------
    reason : str
        Why, in words.
    exit_code : ExitCode
        DONE, or HALTED when a risk rule or a mismatch stopped it.
    unsettled : tuple of str
        Client ids of orders that still had no answer; the next start asks for them.
    """

    reason: str
    exit_code: ExitCode = ExitCode.DONE
    unsettled: tuple[str, ...] = ()


class LiveSession:
    """Runs one session until it is asked to stop, its data ends, or a mismatch halts it.

    Parameters
    ----------
    keeper : SessionKeeper
        Its books.
    feed : Feed
        Its market data.
    broker : Broker, optional
        The venue; None where the core plays the exchange.
    clock : Clock
        Its clock.
    rhythm : Rhythm, optional
        How often it looks around.
    history_candles : int
        Candles asked for at the first start, for the signals to warm up on.
    end_ms : int, optional
        When to end, the session's clock.
    resume : bool
        Whether a person lets a halted session go on.
    cancel_at_end : bool
        Whether open orders are cancelled at every orderly end.
    """

    def __init__(
        self,
        keeper: SessionKeeper,
        feed: Feed,
        broker: Broker | None,
        clock: Clock,
        *,
        rhythm: Rhythm | None = None,
        history_candles: int = 1_000,
        end_ms: int | None = None,
        resume: bool = False,
        cancel_at_end: bool = False,
    ) -> None:
        self.keeper = keeper
        self.feed = feed
        self.rhythm = rhythm or Rhythm()
        self.desk: OrderDesk | None = None
        self.reconciler: Reconciler | None = None
        self.candle_seen_ms = self.tick_seen_ms = clock.now_ms()
        self.feed_state = FeedState.LIVE
        self.patrol: Callable[[int], None] | None = None
        self.has_begun = False
        self._broker = broker
        self._clock = clock
        self._history = history_candles
        self._end_ms = end_ms
        self._resume = resume
        self._cancel_at_end = cancel_at_end
        self._stop: StopRequest | None = None
        self._wake = asyncio.Event()
        self._events: AsyncIterator[FeedEvent] | None = None
        self._hints: AsyncIterator[Hint] | None = None
        self._tasks: dict[str, asyncio.Task[object]] = {}
        self._trades_ms = self._reconcile_ms = 0
        self._last_price: tuple[int, bool, int] = (0, True, 0)
        self._halted = False
        self._lag_ms: int | None = None
        self._asked = ""
        self._watch_ms = 0
        if broker is not None:
            self.desk = OrderDesk(broker, keeper, clock)
            self.reconciler = Reconciler(broker, keeper, self.desk, clock, _prefix(keeper))

    @property
    def decider(self) -> Decider:
        """The session's core."""
        return self.keeper.decider

    def request_stop(self, request: StopRequest) -> None:
        """Ask for an orderly end; a second wish only adds to the first."""
        old = self._stop
        self._stop = StopRequest(
            request.cancel_orders or (old is not None and old.cancel_orders),
            request.flatten or (old is not None and old.flatten),
            request.source if old is None else old.source,
        )
        self._wake.set()

    def want_reconciliation(self, reason: str) -> None:
        """Ask for a comparison of books and venue, soon."""
        self._asked = reason
        self._wake.set()

    def refuse_orders(self, reason: str) -> None:
        """Let nothing out that opens a position, until the session starts anew; exits go on."""
        if self.desk is not None:
            self.desk.allow_exits_only(reason)

    async def run(self) -> SessionEnd:
        """Start or recover, trade, and end in order."""
        try:
            await self._begin()
            self.has_begun = True
            reason = await self._trade()
            return await self._finish(reason)
        finally:
            await self._let_go()

    async def reconcile(self, reason: str) -> ReconcileReport | None:
        """Compare the books with the venue now."""
        if self.reconciler is None or self.desk is None:
            return None
        await self._learn_other_money()
        report = await self.reconciler.run(reason)
        self.desk.reconciled()
        self._reconcile_ms = self._clock.now_ms()
        self.keeper.note("reconciled", report.as_json())
        return report

    async def _learn_other_money(self) -> None:
        if self._broker is None or not self.keeper.may_learn_other_quote or self.keeper.records():
            return
        market = self.decider.market
        with suppress(GridBotError):
            balances = await self._broker.balances()
            quote, base = (balances.get(asset, Balance()).total for asset in (market.quote, market.base))
            held = self.keeper.expected()[market.base]
            self.keeper.set_other_money(quote - self.keeper.cash, base - held + self.keeper.other_base)

    async def _begin(self) -> None:
        fresh = not self.keeper.journal.has_core()
        if fresh:
            await self._first_start()
        else:
            await self._recover()
        if self._broker is not None:
            self._hints = self._broker.hints()
            await self._settle_books("the session starts" if fresh else "the session recovers")
        self._events = self.feed.events()

    async def _first_start(self) -> None:
        candles = await self.feed.history(self.keeper.symbol, self._history)
        past = self.decider.see_history(candles)
        if self._broker is not None:
            await self._claim_money()
        self.keeper.begin(past)
        self.keeper.note("started", {"recovered": False, "history": len(past), **self._facts()})

    async def _claim_money(self) -> None:
        assert self._broker is not None  # noqa: S101 - the caller has looked
        market, capital = self.decider.market, self.decider.settings.capital
        balances = await self._broker.balances()
        quote, base = (balances.get(asset, Balance()) for asset in (market.quote, market.base))
        free = quote.free
        if free < capital:
            raise Refused(
                f"the account has {free} free {market.quote} and the session's capital is {capital}; "
                "use a smaller --capital or deposit"
            )
        self.keeper.set_other_money(quote.total - capital, base.total)

    async def _recover(self) -> None:
        journal = self.keeper.journal
        missed = await self._missed_candles()
        for candle in missed[:-1]:
            self.keeper.tell(PastCandle(*_columns(candle)))
        if missed:
            self._candle(missed[-1])
        data: dict[str, object] = {"recovered": True, "missed_candles": len(missed), **self._facts()}
        data["open_orders"] = len(self.keeper.records())
        data["inputs"] = journal.inputs_recorded()
        self.keeper.note("started", data)
        if self._resume:
            self.keeper.resume()

    async def _missed_candles(self) -> list[ClosedCandle]:
        core, step_ms = self.decider.state.core, self.decider.step_ms
        seen_ms = self.decider.seen_ms
        due = max(2, (self._clock.now_ms() - seen_ms) // step_ms + 2) if seen_ms else self._history
        candles = await self.feed.history(self.keeper.symbol, min(int(due), 100_000))
        _log.info("recovering candle=%s missed_at_most=%s", int(core.candle), due)
        return [candle for candle in _closed(candles, self.keeper.symbol) if candle.timestamp > seen_ms]

    async def _settle_books(self, reason: str) -> None:
        assert self.desk is not None  # noqa: S101 - only called with a venue
        await self.desk.book_trades()
        await self.reconcile(reason)
        await self.desk.work()

    async def _trade(self) -> str:
        while True:
            if self._stop is not None:
                return f"stopped by {self._stop.source}"
            if self._end_ms is not None and self._clock.now_ms() >= self._end_ms:
                return "its time is over"
            if self.keeper.halt_reason is not None:
                return self.keeper.halt_reason
            if self._is_over():
                return "halted by a risk rule, and nothing is left to sell"
            if not await self._next():
                return "the market data ended"
            await self._look_around()

    async def _next(self) -> bool:
        """Wait for one event and take it in; False when the feed has ended."""
        await self._wait()
        hint = self._take("hint")
        if isinstance(hint, Hint) and self.desk is not None:
            self.desk.on_hint(hint)
        event = self._take("event")
        if event is _ENDED or (isinstance(event, FeedNews) and event.state is FeedState.ENDED):
            return False
        if event is not None:
            self._hear(event)
        return True

    async def _wait(self) -> None:
        if self._events is not None and "event" not in self._tasks:
            self._tasks["event"] = asyncio.ensure_future(_one(self._events))
        if self._hints is not None and "hint" not in self._tasks:
            self._tasks["hint"] = asyncio.ensure_future(_one(self._hints))
        self._tasks.setdefault("wake", asyncio.ensure_future(self._wake.wait()))
        timeout = self.rhythm.look_s or None
        await asyncio.wait(self._tasks.values(), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        if self._wake.is_set():
            self._wake.clear()
            self._tasks.pop("wake", None)

    def _take(self, name: str) -> object:
        task = self._tasks.get(name)
        if task is None or not task.done():
            return None
        del self._tasks[name]
        found = task.result()
        if found is _ENDED and name == "hint":
            self._hints = None
        return found

    def _hear(self, event: object) -> None:
        match event:
            case Tick():
                self._tick(event)
            case ClosedCandle():
                self._candle(event)
            case FeedNews():
                self.feed_state = event.state
                self.keeper.note("feed", {"state": event.state.value, "reason": event.reason})

    def _tick(self, tick: Tick) -> None:
        if self.decider.exchange is Exchange.CANDLES:
            return
        self.tick_seen_ms = self._clock.now_ms()
        ticks = round(tick.price / float(self.decider.market.tick_size))
        narrow = True
        if tick.bid and tick.ask:
            narrow = (tick.ask - tick.bid) / tick.price < self.decider.settings.orders.market_spread
        seen = (ticks, narrow, tick.time_ms // self.decider.step_ms)
        if ticks > 0 and seen != self._last_price:
            self._last_price = seen
            self.keeper.tell(Price(tick.time_ms, ticks, narrow))

    def _candle(self, candle: ClosedCandle) -> None:
        self.candle_seen_ms = self._clock.now_ms()
        columns = _columns(candle)
        is_past = self._is_past(candle) and self.decider.exchange is not Exchange.CANDLES
        self.keeper.tell(PastCandle(*columns) if is_past else NewCandle(*columns))

    def _is_past(self, candle: ClosedCandle) -> bool:
        # Nothing is decided on a price that has gone. How late a candle usually comes is measured and not assumed: a
        # venue may replay last year, at any speed.
        lag_ms = self._clock.now_ms() - candle.timestamp
        self._lag_ms = lag_ms if self._lag_ms is None else min(self._lag_ms, lag_ms)
        return lag_ms > self._lag_ms + 2 * self.decider.step_ms

    async def _look_around(self) -> None:
        now = self._clock.now_ms()
        self._tell_halt()
        if self.patrol is not None and now - self._watch_ms >= self.rhythm.watch_s * 1000:
            self._watch_ms = now
            self.patrol(now)
        if self.desk is None:
            return
        await self.desk.work()
        if now - self._trades_ms >= self.rhythm.trades_s * 1000:
            self._trades_ms = now
            if self.keeper.records():
                await self.desk.book_trades()
                await self.desk.work()
        due = now - self._reconcile_ms >= self.rhythm.reconcile_s * 1000
        reason = self.desk.reconcile_reason or self._asked or ("a minute has passed" if due else "")
        if reason:
            self._asked = ""
            await self.reconcile(reason)
            await self.desk.work()

    def _tell_halt(self) -> None:
        halt = self.decider.halted
        if halt is not Halt.NONE and not self._halted and self.keeper.halt_reason is None:
            self.keeper.note("halted", {"reason": halt_sentence(halt), "rule": halt.name.lower()})
        self._halted = halt is not Halt.NONE

    def _is_over(self) -> bool:
        final = self.decider.halted is Halt.DRAWDOWN and self.decider.settings.limits.cooldown_candles == 0
        return final and self.decider.position_microlots < 1_000_000 and not self.keeper.records()

    async def _finish(self, reason: str) -> SessionEnd:
        stop = self._stop or StopRequest(self._cancel_at_end, False, reason)
        unsettled: tuple[str, ...] = ()
        if self.desk is not None:
            unsettled = await self._end_orders(stop, reason)
        elif stop.flatten or stop.cancel_orders:
            self.keeper.tell(Ordered(flatten=stop.flatten))
        self.keeper.flush()
        halted = self.keeper.halt_reason is not None or self.decider.halted in (Halt.DRAWDOWN, Halt.DAILY_LOSS)
        return SessionEnd(reason, ExitCode.HALTED if halted else ExitCode.DONE, unsettled)

    async def _end_orders(self, stop: StopRequest, reason: str) -> tuple[str, ...]:
        assert self.desk is not None  # noqa: S101 - the caller has looked
        if stop.flatten:
            await self._sell_everything(reason)
        self.desk.close_gate(reason)
        if stop.cancel_orders or self._cancel_at_end:
            self.desk.cancel_everything(reason)
        unsettled = await self.desk.settle(self.rhythm.settle_s)
        with suppress(GridBotError):
            await self.desk.book_trades()
            await self.desk.work()
        return unsettled

    async def _sell_everything(self, reason: str) -> None:
        assert self.desk is not None  # noqa: S101 - only called with a venue
        self.desk.allow_exits_only(reason)
        end_ms = self._clock.now_ms() + int(self.rhythm.flatten_s * 1000)
        while self._clock.now_ms() < end_ms:
            self.keeper.tell(Ordered(flatten=True))
            await self.desk.settle(self.rhythm.settle_s)
            await self.desk.book_trades()
            if not any(int(slot.held) for slot in self.decider.state.slots) and not self.keeper.records():
                return
            await self._clock.sleep(1.0)
        self.keeper.alert("flatten", "not everything could be sold in time; look at the open orders")

    def _facts(self) -> dict[str, object]:
        facts = self.keeper.journal.facts
        return {
            "mode": facts.mode,
            "exchange": facts.exchange,
            "symbol": facts.symbol,
            "timeframe": facts.timeframe,
            "capital": str(facts.capital),
        }

    def status(self) -> Mapping[str, object]:
        """Return what the session is doing now, as JSON has it."""
        market, core = self.decider.market, self.decider.state.core
        return {
            **self._facts(),
            "session": self.keeper.journal.facts.name,
            "candle": int(core.candle),
            "price": str(market.price(int(core.last_price))),
            "equity": str(market.money(self.decider.equity_units)),
            "cash": str(market.money(int(core.cash))),
            "position": str(market.quantity(int(core.position_lots))),
            "open_orders": len(self.keeper.records()),
            "halted": self.keeper.halt_reason or halt_sentence(self.decider.halted),
            "feed": self.feed_state.value,
            "gate": self.desk.gate.value if self.desk is not None else None,
        }

    async def _let_go(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
        for source in (self._events, self._hints):
            if isinstance(source, AsyncGenerator):
                with suppress(Exception):
                    await source.aclose()
        await self.feed.close()


_ENDED = object()


async def _one(source: AsyncIterator[object]) -> object:
    try:
        return await anext(source)
    except StopAsyncIteration:
        return _ENDED


def _columns(candle: ClosedCandle) -> tuple[int, float, float, float, float, float, bool]:
    return (
        candle.timestamp,
        candle.open,
        candle.high,
        candle.low,
        candle.close,
        candle.volume,
        candle.filled,
    )


def _closed(candles: Candles, symbol: str) -> list[ClosedCandle]:
    return [
        ClosedCandle(symbol, one.timestamp, one.open, one.high, one.low, one.close, one.volume, one.filled)
        for one in past_candles(candles)
    ]


def _prefix(keeper: SessionKeeper) -> str:
    return f"gb-{keeper.journal.facts.name}-"
