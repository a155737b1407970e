"""Asking the venue about orders, and closing those that it says are over once all their trades are booked."""

from __future__ import annotations

import logging

from trading.brokers.desk_state import DeskState, Tracked
from trading.brokers.desk_trades import TradeBook
from trading.errors import GridBotError, RateLimited
from trading.orders.records import Accepted, Closed, OrderRecord, Refused, Silent
from trading.orders.states import OrderState
from trading.orders.venue import VenueOrder

_log = logging.getLogger(__name__)


class Checks:
    """Learns from the venue what became of an order; never guesses.

    Parameters
    ----------
    state : DeskState
        The desk's broker, books and memory.
    trades : TradeBook
        Books the trades found on the way.
    """

    def __init__(self, state: DeskState, trades: TradeBook) -> None:
        self._state = state
        self._trades = trades

    async def ask(self, record: OrderRecord) -> bool:
        """Ask the venue about one order that was sent, and return whether it answered."""
        state = self._state
        try:
            order = await state.pace.ask(state.broker.order(record.client_id, record.exchange_id))
        except GridBotError as error:
            self._in_vain(record, error)
            return False
        if order is None:
            await self._unknown(record.client_id)
        else:
            await self.observe(record.client_id, order)
        return True

    async def observe(self, client_id: str, order: VenueOrder) -> None:
        """Bring an order's record in line with what the venue just told of it."""
        record = self._state.keeper.record(client_id)
        if record is None:
            return
        tracked = self._state.track(record)
        tracked.unknowns, tracked.answered, tracked.absent, tracked.look = 0, True, False, False
        if not self.accept(record, order):
            return
        record = self._state.keeper.record(client_id) or record
        if order.is_final:
            tracked.ended, tracked.tries, tracked.due_ms = order, 0, 0
            await self.finish(client_id)
        elif tracked.ended is None and order.filled > self._state.booked(record):
            await self._catch_up(record, order, tracked)
        elif tracked.ended is None and not record.limit_ticks:
            self._look_again(tracked)  # an order at any price does not rest for long

    def accept(self, record: OrderRecord, order: VenueOrder) -> bool:
        """Confirm an order without an answer by what the venue tells; False when there is no more to learn from it."""
        state = self._state
        if record.exchange_id is not None and record.exchange_id != order.exchange_id:
            state.keeper.alert("twin_order", _twin(record, order))
            return False
        if not record.is_unresolved:
            return True
        if order.state is OrderState.REJECTED:
            state.apply(Refused(record.client_id, f"the venue rejected order {record.client_id} ({order.exchange_id})"))
            state.forget(record.client_id)
            return False
        state.apply(Accepted(record.client_id, order.exchange_id, resting=not order.is_final))
        return True

    async def finish(self, client_id: str) -> None:
        """Close an order that the venue says is over, once the booked trades are what it says was filled."""
        state = self._state
        record, tracked = state.keeper.record(client_id), state.tracked.get(client_id)
        if record is None or tracked is None or tracked.ended is None:
            state.forget(client_id)
            return
        if state.booked(record) != tracked.ended.filled:
            try:
                await self._look_for_trades(record, tracked, tracked.ended)
            except GridBotError as error:
                _log.info("trades_unanswered client_id=%s error=%s", client_id, error)
                tracked.due_ms = state.now_ms + state.policy.pause_ms(tracked.tries + 1)
                return
            record = state.keeper.record(client_id) or record
        if state.booked(record) == tracked.ended.filled:
            self._close(record, tracked.ended)
        else:
            self._still_missing(record, tracked, tracked.ended)

    async def _look_for_trades(self, record: OrderRecord, tracked: Tracked, ended: VenueOrder) -> None:
        state = self._state
        if tracked.tries > 0:
            fresh = await state.pace.ask(state.broker.order(record.client_id, ended.exchange_id))
            if fresh is not None and fresh.is_final and fresh.exchange_id == ended.exchange_id:
                tracked.ended = ended = fresh
        await self._trades.fetch(ended)

    def _still_missing(self, record: OrderRecord, tracked: Tracked, ended: VenueOrder) -> None:
        state = self._state
        tracked.tries += 1
        tracked.due_ms = state.now_ms + state.policy.pause_ms(tracked.tries)
        if tracked.tries != state.policy.trade_looks:
            return
        words = (
            f"the venue says that order {record.client_id} ({ended.exchange_id}) is {ended.state} with {ended.filled} "
            f"filled and its trades add up to {state.booked(record)}"
        )
        state.keeper.alert("trades_missing", words)
        if state.booked(record) > ended.filled:
            self._close(record, ended)  # trades are the truth, the order's own count is behind
        else:
            state.keeper.halt(f"{words} after {tracked.tries} questions; compare the account's trades by hand")

    def _close(self, record: OrderRecord, ended: VenueOrder) -> None:
        state = self._state
        final, reason = ended.state, f"the venue says {ended.state}"
        if final is OrderState.FILLED and record.filled_lots < record.lots:
            final = OrderState.CANCELLED
            reason = f"the venue took only {ended.quantity} of {state.keeper.market.quantity(record.lots)}"
        elif final is OrderState.REJECTED and record.filled_lots:
            final, reason = OrderState.CANCELLED, "the venue rejected the rest"
        if not record.is_final:
            state.apply(Closed(record.client_id, final, reason))
        state.forget(record.client_id)

    async def _catch_up(self, record: OrderRecord, order: VenueOrder, tracked: Tracked) -> None:
        state = self._state
        try:
            await self._trades.fetch(order)
        except GridBotError as error:
            _log.info("trades_unanswered client_id=%s error=%s", record.client_id, error)
        after = state.keeper.record(record.client_id) or record
        if order.filled > state.booked(after) or not record.limit_ticks:
            self._look_again(tracked)

    def _look_again(self, tracked: Tracked) -> None:
        tracked.look = True
        tracked.due_ms = self._state.now_ms + int(self._state.policy.check_s * 1000)

    def _in_vain(self, asked: OrderRecord, error: GridBotError) -> None:
        state = self._state
        record = state.keeper.record(asked.client_id)
        if record is None or record.is_final:
            return
        tracked = state.track(record)
        tracked.answered = False
        tracked.due_ms = state.now_ms + int(state.policy.check_s * 1000)
        if isinstance(error, RateLimited) or not record.is_unresolved:
            return
        state.apply(Silent(record.client_id, str(error), asked=True))
        if record.checks + 1 == state.policy.checks:
            state.keeper.alert(
                "unresolved",
                f"order {record.client_id} was sent, and {record.checks + 1} questions about it got no answer "
                f"({error}); it may rest at the venue, and each reconciliation asks again",
            )

    async def _unknown(self, client_id: str) -> None:
        state = self._state
        record = state.keeper.record(client_id)
        if record is None or record.is_final:
            return
        tracked = state.track(record)
        tracked.answered, tracked.look = True, True
        tracked.due_ms = state.now_ms + int(state.policy.check_s * 1000)
        if state.now_ms < tracked.quiet_until_ms:
            tracked.due_ms = min(tracked.due_ms, tracked.quiet_until_ms)
            return
        tracked.unknowns += 1
        if record.is_unresolved and tracked.unknowns >= state.policy.unknowns:
            tracked.absent, tracked.look, tracked.due_ms = True, False, 0
        elif not record.is_unresolved and tracked.unknowns >= state.policy.vanished:
            await self._vanished(record, tracked)

    async def _vanished(self, record: OrderRecord, tracked: Tracked) -> None:
        # The venue had confirmed it and says now, again and again, that there is none: that is its answer.
        state, market = self._state, self._state.keeper.market
        last_word = VenueOrder(
            client_id=record.client_id,
            exchange_id=record.exchange_id or "",
            symbol=state.keeper.symbol,
            side=record.side,
            state=OrderState.CANCELLED,
            quantity=market.quantity(record.lots),
            filled=state.booked(record),
            price=market.price(record.limit_ticks) if record.limit_ticks else None,
            time_ms=record.sent_ms,
        )
        try:
            await self._trades.fetch(last_word)
        except GridBotError as error:
            _log.info("trades_unanswered client_id=%s error=%s", record.client_id, error)
            tracked.unknowns -= 1
            return
        record = state.keeper.record(record.client_id) or record
        words = f"the venue confirmed order {record.client_id} ({record.exchange_id}) and no longer knows it"
        state.keeper.alert("order_vanished", f"{words}; it counts as cancelled with {state.booked(record)} filled")
        if not record.is_final:
            state.apply(Closed(record.client_id, OrderState.CANCELLED, words))
        state.forget(record.client_id)


def _twin(record: OrderRecord, order: VenueOrder) -> str:
    return (
        f"the venue has two orders with our id {record.client_id}: {record.exchange_id} and {order.exchange_id}; "
        "the next reconciliation cancels the one that is not ours"
    )
