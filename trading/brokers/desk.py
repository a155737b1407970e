"""``OrderDesk``: carries orders between the books and the venue, and ends none that the venue has not ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from trading.brokers.desk_checks import Checks
from trading.brokers.desk_gate import Gate, OrderGate
from trading.brokers.desk_keeper import Keeper
from trading.brokers.desk_state import DeskPolicy, DeskState, VenuePace
from trading.brokers.desk_steps import Steps
from trading.brokers.desk_trades import TradeBook
from trading.brokers.error_tally import ErrorTally
from trading.brokers.protocol import Broker, Hint
from trading.errors import GridBotError
from trading.exchange.clock import Clock
from trading.orders.records import OrderRecord
from trading.orders.states import OrderState
from trading.orders.venue import VenueOrder

__all__ = ["DeskPolicy", "Gate", "Keeper", "OrderDesk", "VenuePace"]

_SHORTEST_WAIT_S = 0.05

_log = logging.getLogger(__name__)


class OrderDesk:
    """Sends what the books plan, cancels what they no longer want, and finds out what became of the rest.

    Every send is journalled before it leaves; an order without an answer is looked up by its own id before anything
    else, and sent again under the same id only when the venue says that it knows none. A slot's next order leaves when
    the one before is over and all its trades are booked.

    Parameters
    ----------
    broker : Broker
        The venue.
    keeper : Keeper
        The session's books.
    clock : Clock
        The session's clock.
    policy : DeskPolicy, optional
        Patience.
    errors : ErrorTally, optional
        Counts what goes wrong; one of its own where none is given.
    """

    def __init__(
        self,
        broker: Broker,
        keeper: Keeper,
        clock: Clock,
        policy: DeskPolicy | None = None,
        errors: ErrorTally | None = None,
    ) -> None:
        self.errors = errors or ErrorTally(clock)
        self._state = DeskState(broker, keeper, clock, policy or DeskPolicy(), self.errors)
        self._trades = TradeBook(self._state)
        self._checks = Checks(self._state, self._trades)
        self._gate = OrderGate()
        self._steps = Steps(self._state, self._checks, self._gate)
        self._reconcile_reason = ""
        self._again_ms: int | None = None

    @property
    def gate(self) -> Gate:
        """What may still be sent."""
        return self._gate.state

    @property
    def pace(self) -> VenuePace:
        """Whether the venue may be asked now."""
        return self._state.pace

    @property
    def reconcile_reason(self) -> str:
        """Why the books are to be compared with the venue now; empty when nothing calls for it."""
        if not self._reconcile_reason and self._again_ms is not None and self._state.now_ms >= self._again_ms:
            return "the last comparison came to no end"
        return self._reconcile_reason

    def reconciled(self) -> None:
        """Note that the books have been compared."""
        self._reconcile_reason = ""

    def reconcile_again_at(self, time_ms: int | None) -> None:
        """Note when the books are to be compared again, the session's clock; None: by the timer only."""
        self._again_ms = time_ms

    def close_gate(self, reason: str) -> None:
        """Send no order any more, not even again; cancels and questions go on."""
        self._gate.narrow(Gate.CLOSED, reason)

    def allow_exits_only(self, reason: str) -> None:
        """Send no order any more that buys."""
        if self._gate.state is not Gate.CLOSED:
            self._gate.narrow(Gate.EXITS_ONLY, reason)

    @property
    def held(self) -> str:
        """Why nothing that buys may leave for now; empty when it may."""
        return self._gate.held

    def pause(self) -> None:
        """Send no order at all until the gate is narrowed: it is not known yet what a stop will ask for."""
        self._gate.paused = True

    def hold_entries(self, reason: str) -> None:
        """Send no order that buys as long as there is a reason; an empty one lets them out again."""
        self._gate.hold(reason)

    def cancel_everything(self, reason: str) -> None:
        """Cancel every order that the books have now, wanted or not; orders planned later are not touched."""
        self._gate.drop({record.client_id for record in self._state.keeper.records()}, reason)

    async def work(self) -> None:
        """Do all that is due now: sends, cancels, questions; orders of different slots at the same time."""
        await self._try_the_line()
        for _ in range(self._state.policy.rounds):
            before = self._state.applied
            await self._one_pass()
            if self._state.applied == before:
                break

    async def book_trades(self) -> int | None:
        """Book the account's new trades and return how many were ours and new; None when the venue did not answer."""
        if not self._state.pace.is_open:
            return None
        try:
            return await self._trades.poll()
        except GridBotError as error:
            _log.info("trades_unanswered error=%s", error)
            return None

    def on_hint(self, hint: Hint) -> None:
        """Take what the venue's stream tells: a trade is booked, an order is looked up, a gap is compared."""
        if hint.fill is not None and not self._trades.hear(hint.fill):
            self._reconcile_reason = "the stream told of a trade that cannot be"
        if hint.order is not None:
            self._on_order(hint.order)
        if hint.reconnected:
            self._reconcile_reason = "the stream was interrupted"
        elif hint.balances_changed:
            self._reconcile_reason = "the venue told of other money"

    async def settle(self, timeout_s: float) -> tuple[str, ...]:
        """Work until nothing sent is without an answer, and return the client ids that still are after the time limit.

        Parameters
        ----------
        timeout_s : float
            Seconds of the session's clock.
        """
        state = self._state
        end_ms = state.now_ms + int(timeout_s * 1000)
        while True:
            await self.work()
            left, left_ms = self.unsettled(), end_ms - state.now_ms
            if not left or left_ms <= 0:
                return left
            due_ms = self.due_ms()
            wait_ms = left_ms if due_ms is None else min(due_ms - state.now_ms, left_ms)
            await state.clock.sleep(max(_SHORTEST_WAIT_S, wait_ms / 1000))

    def unsettled(self) -> tuple[str, ...]:
        """Return the ids of orders between question and answer: on their way, without an answer, being cancelled."""
        state = self._state
        between = {
            record.client_id: None
            for record in state.keeper.records()
            if record.client_id in state.busy or record.is_unresolved or self._gate.wants_cancel(record)
        }
        ended = {client_id: None for client_id, tracked in state.tracked.items() if tracked.ended is not None}
        return tuple(between | ended)

    def due_ms(self) -> int | None:
        """Return when ``work`` next has something to do, the session's clock; None while nothing waits."""
        dues = [self._steps.due_ms(record) for record in self._state.keeper.records()]
        known = [due for due in dues if due is not None]
        return max(min(known), self._state.pace.open_at_ms) if known else None

    async def observe(self, client_id: str, order: VenueOrder) -> None:
        """Bring a record in line with what the venue just told of its order, unless the desk is working on it."""
        if client_id not in self._state.busy:
            with self._state.claim(client_id):
                await self._checks.observe(client_id, order)

    async def ask(self, client_id: str) -> bool:
        """Ask the venue about an order that was sent, and return whether it answered."""
        record = self._state.keeper.record(client_id)
        if record is None or record.is_planned or client_id in self._state.busy:
            return False
        with self._state.claim(client_id):
            return await self._checks.ask(record)

    def is_quiet(self) -> bool:
        """Return whether books and venue can be compared: nothing between question and answer, no trade missing."""
        return not self.unsettled() and not any(tracked.look for tracked in self._state.tracked.values())

    async def adopt_trades(self, order: VenueOrder) -> int:
        """Book the trades of a second order under a used id, and return how many were new.

        Raises
        ------
        GridBotError
            When the venue did not answer.
        """
        return await self._trades.fetch(order)

    def is_busy(self, client_id: str) -> bool:
        """Return whether a request about the order is on its way."""
        return client_id in self._state.busy

    def _on_order(self, order: VenueOrder) -> None:
        keeper = self._state.keeper
        record = keeper.record(order.client_id) if order.client_id is not None else None
        record = record or keeper.by_exchange_id(order.exchange_id)
        if record is None or record.is_final or record.is_planned:
            return
        tracked = self._state.track(record)
        rejected = order.state is OrderState.REJECTED
        if record.is_unresolved and not rejected and self._checks.accept(record, order):
            tracked.absent = False
        if order.is_final or order.filled > self._state.booked(record):
            tracked.look, tracked.due_ms = True, 0  # what the stream says of an end or a fill, REST has to confirm

    async def _try_the_line(self) -> None:
        # After an outage a question goes first: an order sent into a dead line has to be looked for afterwards.
        pace = self._state.pace
        if pace.is_open and pace.is_doubtful and self.due_ms() is not None:
            try:
                await pace.ask(self._state.broker.time_ms())
            except GridBotError as error:
                _log.info("venue_still_away error=%s", error)

    async def _one_pass(self) -> None:
        slots: dict[int, list[str]] = {}
        for record in self._pending():
            slots.setdefault(record.slot, []).append(record.client_id)
        limit = asyncio.Semaphore(self._state.policy.at_once)

        async def work_on(client_ids: Sequence[str]) -> None:
            async with limit:
                for client_id in client_ids:
                    await self._steps.take(client_id)

        outcomes = await asyncio.gather(*map(work_on, slots.values()), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    def _pending(self) -> list[OrderRecord]:
        state = self._state
        records = {record.client_id: record for record in state.keeper.records()}
        for client_id, tracked in list(state.tracked.items()):
            record = records.get(client_id) or state.keeper.record(client_id)
            if record is not None and tracked.ended is not None:
                records[client_id] = record
            elif client_id not in records and client_id not in state.busy:
                state.forget(client_id)
        return sorted(records.values(), key=lambda record: record.core_id)
