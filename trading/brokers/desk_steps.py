"""One order's next step: send it, ask for it, cancel it, close it, or give it back to the core."""

from __future__ import annotations

from trading.brokers.desk_checks import Checks
from trading.brokers.desk_gate import OrderGate
from trading.brokers.desk_sending import Sending
from trading.brokers.desk_state import DeskState, Tracked
from trading.orders.records import Closed, OrderRecord, Refused
from trading.orders.states import OrderState


class Steps:
    """Chooses and takes an order's next step.

    Parameters
    ----------
    state : DeskState
        The desk's broker, books and memory.
    checks : Checks
        Learns what became of an order.
    gate : OrderGate
        What may leave, and what is to be cancelled.
    """

    def __init__(self, state: DeskState, checks: Checks, gate: OrderGate) -> None:
        self._state = state
        self._checks = checks
        self._gate = gate
        self._sending = Sending(state, checks)

    def due_ms(self, record: OrderRecord) -> int | None:
        """Return when an order needs a step, the session's clock; None while it only rests or waits for others."""
        state = self._state
        tracked = state.tracked.get(record.client_id) or Tracked()
        if record.is_planned:
            ready = self._gate.wants_cancel(record) or (self._gate.lets_out(record) and not self._slot_is_taken(record))
            return 0 if ready else None
        if tracked.ended is not None or record.is_final:
            return tracked.due_ms
        if record.is_unresolved:
            given_up = record.checks >= state.policy.checks and not tracked.answered and not tracked.absent
            return None if given_up and not tracked.look else tracked.due_ms
        return tracked.due_ms if tracked.look or self._gate.wants_cancel(record) else None

    async def take(self, client_id: str) -> None:
        """Do what is due for an order, if anything is."""
        state = self._state
        record = state.keeper.record(client_id)
        if record is None or client_id in state.busy:
            return
        due_ms = self.due_ms(record)
        if due_ms is None or due_ms > state.now_ms:
            return
        with state.claim(client_id):
            if record.is_planned:
                await self._plan_step(record)
            elif state.pace.is_open or state.track(record).absent:
                await self._sent_step(record, state.track(record))

    async def _plan_step(self, record: OrderRecord) -> None:
        if self._gate.wants_cancel(record):
            self._state.apply(Closed(record.client_id, OrderState.CANCELLED, "it was never sent"))
            return
        denial = self._denial(record)
        if denial:
            self._state.apply(Refused(record.client_id, denial, denied=True))
        elif self._state.pace.is_open:
            await self._sending.send(record)

    def _denial(self, record: OrderRecord) -> str:
        # What the venue's own rules forbid is not sent; an order at any price is left to the venue.
        market = self._state.keeper.market
        value = market.quantity(record.lots) * market.price(record.limit_ticks)
        if record.limit_ticks == 0 or value >= market.min_notional:
            return ""
        return f"not sent: its value of {value:f} {market.quote} is under the market's least of {market.min_notional}"

    async def _sent_step(self, record: OrderRecord, tracked: Tracked) -> None:
        if tracked.ended is not None:
            await self._checks.finish(record.client_id)
        elif record.is_final:
            tracked.due_ms = self._state.now_ms + int(self._state.policy.check_s * 1000)
            await self._checks.ask(record)
        elif record.is_unresolved and tracked.absent:
            await self._absent_step(record, tracked)
        elif record.is_unresolved or tracked.look:
            await self._checks.ask(record)
        else:
            await self._sending.cancel(record)

    async def _absent_step(self, record: OrderRecord, tracked: Tracked) -> None:
        state, policy = self._state, self._state.policy
        age_ms = state.now_ms - record.sent_ms
        never = f"order {record.client_id} never reached the venue"
        if self._gate.wants_cancel(record):
            state.apply(Closed(record.client_id, OrderState.CANCELLED, f"{never} and is no longer wanted"))
        elif not self._gate.lets_out(record):
            shut = self._gate.reason or self._gate.held
            state.apply(Refused(record.client_id, f"{never} and the order gate is shut ({shut})"))
        elif age_ms > policy.resend_s * 1000:
            state.apply(Refused(record.client_id, f"{never} within {age_ms / 1000:.0f} s; decide anew", code="E001"))
        elif record.sends - tracked.spared >= policy.sends:
            state.apply(Refused(record.client_id, f"{never} in {record.sends} sends; decide anew", code="E001"))
        elif state.pace.is_open:
            await self._sending.send(record)

    def _slot_is_taken(self, record: OrderRecord) -> bool:
        return any(
            other.slot == record.slot
            and other.client_id != record.client_id
            and (not other.is_planned or other.core_id < record.core_id)
            for other in self._state.keeper.records()
        )
