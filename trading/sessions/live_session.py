"""``LiveSession``: one session on a clock, from its start or recovery to its orderly end.

Everything happens one after another in one task: an event of the feed, then what is due at the venue, then the next
event. Only waiting is shared, so that no two parts of a session ever see different books.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from trading.brokers.desk import OrderDesk
from trading.brokers.error_tally import ErrorTally
from trading.brokers.protocol import Broker
from trading.brokers.reconcile import Reconciler, ReconcileReport
from trading.engine.codes import Halt
from trading.errors import AgentFailed, FeedFailed, StateCorrupt
from trading.exchange.clock import Clock, SystemClock
from trading.market.feeds.protocol import ClosedCandle, Feed, FeedEvent, FeedNews, FeedState, Tick
from trading.orders.records import Refused as OrderRefused
from trading.sessions.backtest import halt_sentence
from trading.sessions.control import StopRequest
from trading.sessions.decider import Decider, Exchange, InvariantBroken
from trading.sessions.ending import SessionEnding, cancel_entries
from trading.sessions.inputs import NewCandle, PastCandle, Price
from trading.sessions.keeper import SessionKeeper
from trading.sessions.listening import Listening
from trading.sessions.rhythm import Rhythm, SessionEnd
from trading.sessions.starting import SessionStart, columns
from trading.sessions.status import session_facts, session_status

__all__ = ["LiveSession", "Rhythm", "SessionEnd"]

_BROKEN = (FeedState.FALLBACK, FeedState.STALE)


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
        self.broker = broker
        self.rhythm = rhythm or Rhythm()
        self.end_ms = end_ms
        self.errors = ErrorTally(clock)
        self.desk: OrderDesk | None = None
        self.reconciler: Reconciler | None = None
        self.candle_seen_ms = self.tick_seen_ms = clock.now_ms()
        self.feed_state = FeedState.LIVE
        self.patrol: Callable[[int], None] | None = None
        self.has_begun = False
        self._clock = clock
        self._resume = resume
        self._cancel_at_end = cancel_at_end
        self._stop: StopRequest | None = None
        self._listening = Listening()
        self._trades_ms = self._reconcile_ms = self._watch_ms = 0
        self._last_price: tuple[int, bool, int] = (0, True, 0)
        self._halted = False
        self._lag_ms: int | None = None
        self._asked = self._unfit = ""
        self._start = SessionStart(keeper, feed, broker, clock, history_candles)
        if broker is not None:
            self.desk = OrderDesk(broker, keeper, clock, errors=self.errors)
            self.reconciler = Reconciler(broker, keeper, self.desk, clock, f"gb-{keeper.journal.facts.name}-")
        self._ending = SessionEnding(keeper, self.desk, clock, self.rhythm)

    @property
    def is_simulated(self) -> bool:
        """Whether its time is not this machine's."""
        return not isinstance(self._clock, SystemClock)

    @property
    def decider(self) -> Decider:
        """The session's core."""
        return self.keeper.decider

    def request_stop(self, request: StopRequest) -> None:
        """Ask for an orderly end, and let no order out from now on; a second wish only adds to the first."""
        old = self._stop
        self._stop = StopRequest(
            request.cancel_orders or (old is not None and old.cancel_orders),
            request.flatten or (old is not None and old.flatten),
            request.source if old is None else old.source,
        )
        self._ending.shut()
        self._listening.call()

    def want_reconciliation(self, reason: str) -> None:
        """Ask for a comparison of books and venue, soon."""
        self._asked = reason
        self._listening.call()

    def hold_entries(self, reason: str) -> None:
        """Let nothing out that opens a position as long as there is a reason; exits go on.

        Parameters
        ----------
        reason : str
            Why, in words; empty lets orders out again.
        """
        self._unfit = reason
        self._hold()

    async def run(self) -> SessionEnd:
        """Start or recover, trade, and end in order.

        Raises
        ------
        InvariantBroken
            When the core's books do not add up; what could still open a position is cancelled first.
        """
        try:
            await self._begin()
            self.has_begun = True
            reason = await self._trade()
            stop = self._stop or StopRequest(False, False, reason)
            stop = StopRequest(stop.cancel_orders or self._cancel_at_end, stop.flatten, stop.source)
            return await self._ending.end(stop, reason)
        except InvariantBroken as broken:
            await self.cancel_entries(str(broken))
            raise
        finally:
            await self._listening.close()
            await self.feed.close()

    async def cancel_entries(self, reason: str) -> None:
        """Cancel at the venue what could open a position, past a core that cannot go on; exits stay."""
        if self.broker is not None:
            await cancel_entries(self.broker, self.keeper, reason)

    async def reconcile(self, reason: str) -> ReconcileReport | None:
        """Compare the books with the venue now."""
        if self.reconciler is None:
            return None
        await self._start.learn_other_money()
        report = await self.reconciler.run(reason)
        self._reconcile_ms = self._clock.now_ms()
        self.keeper.note("reconciled", report.as_json())
        return report

    async def _begin(self) -> None:
        if self._start.is_first:
            seen = await self._start.begin()
            self.keeper.note("started", {"recovered": False, "history": seen, **session_facts(self.keeper)})
        else:
            await self._recover()
        if self._lag_ms is None and self.decider.seen_ms:
            self._lag_ms = self._clock.now_ms() - self.decider.seen_ms
        if self.broker is not None and self.desk is not None:
            self._listening.to_hints(self.broker.hints())
            await self.desk.book_trades()
            await self.reconcile("the session starts")
            await self.desk.work()
        self._listening.to_events(self.feed.events())

    async def _recover(self) -> None:
        missed = await self._start.missed_candles()
        data: dict[str, object] = {"recovered": True, "missed_candles": len(missed), **session_facts(self.keeper)}
        data["open_orders"] = len(self.keeper.records())
        data["inputs"] = self.keeper.journal.inputs_recorded()
        self.keeper.note("started", data)
        self._start.go_on(missed, self._candle, resume=self._resume)
        if self.keeper.journal.restored_since:
            self.errors.met(StateCorrupt(f"went on from a checkpoint: {self.keeper.journal.restored_since}"))

    async def _trade(self) -> str:
        while True:
            self._tell_halt()
            if self._stop is not None:
                return f"stopped by {self._stop.source}"
            if self.end_ms is not None and self._clock.now_ms() >= self.end_ms:
                return "its time is over"
            if self.keeper.halt_reason is not None:
                return self.keeper.halt_reason
            if self._is_over():
                return "halted by a risk rule, and nothing is left to sell; start it with --resume to go on"
            heard = await self._listening.wait(self.rhythm.look_s or None)
            if heard.hint is not None and self.desk is not None:
                self.desk.on_hint(heard.hint)
            if heard.is_over:
                return "the market data ended"
            if heard.event is not None:
                self._hear(heard.event)
            await self._look_around()

    def _hear(self, event: FeedEvent) -> None:
        if self._stop is not None:
            return  # whatever it is, nothing is decided any more
        match event:
            case Tick():
                self._tick(event)
            case ClosedCandle():
                self._candle(event)
            case FeedNews():
                self.feed_state = event.state
                self.keeper.note("feed", {"state": event.state.value, "reason": event.reason})
                if event.state in _BROKEN:
                    self.errors.met(FeedFailed(event.reason))
                self._hold()

    def _hold(self) -> None:
        stale = "the market data is stale" if self.feed_state is FeedState.STALE else ""
        if self.desk is not None:
            self.desk.hold_entries("; ".join(reason for reason in (stale, self._unfit) if reason))

    def _tick(self, tick: Tick) -> None:
        if self.decider.exchange is Exchange.CANDLES:
            return
        self.tick_seen_ms = self._clock.now_ms()
        ticks = round(tick.price / float(self.decider.market.tick_size))
        # a spread that nobody tells is not known to be narrow
        narrow = False
        if tick.bid and tick.ask:
            narrow = (tick.ask - tick.bid) / tick.price < self.decider.settings.orders.market_spread
        seen = (ticks, narrow, tick.time_ms // self.decider.step_ms)
        if ticks > 0 and seen != self._last_price:
            self._last_price = seen
            self.keeper.tell(Price(tick.time_ms, ticks, narrow))

    def _candle(self, candle: ClosedCandle) -> None:
        self.candle_seen_ms = self._clock.now_ms()
        is_past = self._is_past(candle) and self.decider.exchange is not Exchange.CANDLES
        self.keeper.tell(PastCandle(*columns(candle)) if is_past else NewCandle(*columns(candle)))
        for name in sorted(self.decider.signals.skipped()):
            self.errors.met(AgentFailed(f"agent {name} was skipped at the candle of {candle.timestamp}"))

    def _is_past(self, candle: ClosedCandle) -> bool:
        # Nothing is decided on a price that has gone. How late a candle usually comes is measured and not assumed: a
        # venue may replay last year, at any speed.
        lag_ms = self._clock.now_ms() - candle.timestamp
        self._lag_ms = lag_ms if self._lag_ms is None else min(self._lag_ms, lag_ms)
        return lag_ms > self._lag_ms + 2 * self.decider.step_ms

    async def _look_around(self) -> None:
        now = self._clock.now_ms()
        if self.patrol is not None and now - self._watch_ms >= self.rhythm.watch_s * 1000:
            self._watch_ms = now
            self.patrol(now)
        if self.desk is None:
            return
        await self._work(self.desk)
        if now - self._trades_ms >= self.rhythm.trades_s * 1000:
            self._trades_ms = now
            if self.keeper.records():
                await self.desk.book_trades()
                await self._work(self.desk)
        due = now - self._reconcile_ms >= self.rhythm.reconcile_s * 1000
        reason = self.desk.reconcile_reason or self._asked or ("a minute has passed" if due else "")
        if reason:
            self._asked = ""
            await self.reconcile(reason)
            await self._work(self.desk)

    async def _work(self, desk: OrderDesk) -> None:
        await desk.work()
        if not desk.held:
            return
        # What was decided while entries are held would leave later at a price that has gone: it is decided anew.
        for record in self.keeper.records():
            if record.is_planned and record.side > 0 and not record.cancel_wanted:
                refused = f"not sent: {desk.held}"
                self.keeper.apply(OrderRefused(record.client_id, refused, code="E006", denied=True))

    def _tell_halt(self) -> None:
        halt = self.decider.halted
        if halt is not Halt.NONE and not self._halted and self.keeper.halt_reason is None:
            self.keeper.note("halted", {"reason": halt_sentence(halt), "rule": halt.name.lower()})
        elif halt is Halt.NONE and self._halted:
            self.keeper.note("resumed", {"reason": "the halt has ended by its own rule"})
        self._halted = halt is not Halt.NONE

    def _is_over(self) -> bool:
        final = self.decider.halted is Halt.DRAWDOWN and self.decider.settings.limits.cooldown_candles == 0
        return final and self.decider.position_microlots < 1_000_000 and not self.keeper.records()

    def status(self) -> Mapping[str, object]:
        """Return what the session is doing now, as JSON has it."""
        return session_status(self.keeper, self.desk, self.feed_state, self.errors)
