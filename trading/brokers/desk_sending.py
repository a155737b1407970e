"""Sending orders and cancels: written down before they leave, and the answer taken for no more than it says."""

from __future__ import annotations

import logging

from trading.brokers.desk_checks import Checks
from trading.brokers.desk_state import DeskState, Tracked
from trading.brokers.protocol import OrderRejected
from trading.errors import ConnectionLost, GridBotError, RateLimited
from trading.orders.records import CancelFailed, CancelSent, OrderRecord, Refused, Sent, Silent
from trading.orders.venue import NewOrder, VenueOrder

_log = logging.getLogger(__name__)


class Sending:
    """Sends one order, or one cancel, and writes down what came of it.

    Parameters
    ----------
    state : DeskState
        The desk's broker, books and memory.
    checks : Checks
        Learns what became of an order.
    """

    def __init__(self, state: DeskState, checks: Checks) -> None:
        self._state = state
        self._checks = checks

    async def send(self, record: OrderRecord) -> None:
        """Send an order, the first time or again under the same id.

        Parameters
        ----------
        record : OrderRecord
            As it is now: planned, or proven not to have arrived.
        """
        state, client_id = self._state, record.client_id
        state.apply(Sent(client_id, state.now_ms))
        tracked = state.track(record)
        tracked.unknowns, tracked.absent, tracked.answered, tracked.look = 0, False, False, False
        try:
            answer = await state.pace.ask(state.broker.place(self._as_sent(record)))
        except OrderRejected as error:
            await self._rejected(record, error)
        except RateLimited as error:
            self._silent(client_id, f"the venue asks for a pause, the order did not arrive ({error})")
            self._turned_away(client_id)
        except GridBotError as error:
            self._silent(client_id, str(error))
        else:
            await self._placed(record, answer)
        finally:
            # The request may arrive until the venue's receive window ends, counted from when it cannot leave any more.
            tracked.quiet_until_ms = state.now_ms + int(state.policy.quiet_s * 1000)
            self._wait_quietly(client_id)

    async def cancel(self, record: OrderRecord) -> None:
        """Cancel an order that the venue confirmed.

        Parameters
        ----------
        record : OrderRecord
            As it is now.
        """
        state, client_id = self._state, record.client_id
        state.apply(CancelSent(client_id))
        tracked = state.track(record)
        try:
            answer = await state.pace.ask(state.broker.cancel(client_id, record.exchange_id))
        except OrderRejected as error:
            self._cancel_failed(record, tracked, error)
            await self._checks.ask(record)  # most often it has ended already
        except GridBotError as error:
            self._cancel_failed(record, tracked, error)
        else:
            tracked.due_ms = state.now_ms + int(state.policy.check_s * 1000)
            await self._checks.observe(client_id, answer)

    def _as_sent(self, record: OrderRecord) -> NewOrder:
        market = self._state.keeper.market
        return NewOrder(
            client_id=record.client_id,
            symbol=self._state.keeper.symbol,
            side=record.side,
            quantity=market.quantity(record.lots),
            price=market.price(record.limit_ticks) if record.limit_ticks else None,
        )

    async def _placed(self, record: OrderRecord, answer: VenueOrder) -> None:
        if answer.client_id not in {None, record.client_id}:
            self._silent(record.client_id, f"the venue answered with order {answer.client_id}")
            return
        await self._checks.observe(record.client_id, answer)
        now = self._state.keeper.record(record.client_id)
        if now is not None and not now.is_final and (record.taker or not record.limit_ticks):
            # What takes is done by now, and some venues answer with nothing but an id.
            tracked = self._state.track(now)
            tracked.look, tracked.due_ms = True, 0

    async def _rejected(self, record: OrderRecord, error: OrderRejected) -> None:
        # A second send may be refused because the first arrived after all: its id is taken, its money is locked.
        state = self._state
        if record.sends > state.track(record).spared:
            try:
                order = await state.pace.ask(state.broker.order(record.client_id, record.exchange_id))
            except GridBotError as silence:
                self._silent(record.client_id, f"{error}; the question whether an earlier send arrived: {silence}")
                return
            if order is not None:
                await self._checks.observe(record.client_id, order)
                return
        now = state.keeper.record(record.client_id)
        if now is not None and now.is_unresolved:
            state.apply(Refused(record.client_id, str(error), code=error.code or "E006"))
            _log.warning("order_rejected client_id=%s code=%s reason=%s", record.client_id, error.code, error)

    def _silent(self, client_id: str, reason: str) -> None:
        record = self._state.keeper.record(client_id)
        # The stream may have told of it while the answer was lost.
        if record is not None and record.is_unresolved:
            self._state.apply(Silent(client_id, reason))
            _log.warning("order_unresolved client_id=%s reason=%s", client_id, reason)

    def _turned_away(self, client_id: str) -> None:
        record = self._state.keeper.record(client_id)
        if record is not None and record.is_unresolved:
            tracked = self._state.track(record)
            tracked.absent, tracked.spared = True, tracked.spared + 1

    def _wait_quietly(self, client_id: str) -> None:
        record, tracked = self._state.keeper.record(client_id), self._state.tracked.get(client_id)
        if record is not None and tracked is not None and record.is_unresolved:
            tracked.due_ms = self._state.pace.open_at_ms if tracked.absent else tracked.quiet_until_ms

    def _cancel_failed(self, asked: OrderRecord, tracked: Tracked, error: GridBotError) -> None:
        state = self._state
        tracked.tries += 1
        tracked.due_ms = state.now_ms + state.policy.pause_ms(tracked.tries)
        record = state.keeper.record(asked.client_id)
        if record is not None and not record.is_final:
            state.apply(CancelFailed(asked.client_id, str(error)))
            unanswered = isinstance(error, ConnectionLost | RateLimited)
            _log.info("cancel_failed client_id=%s unanswered=%s reason=%s", asked.client_id, unanswered, error)
