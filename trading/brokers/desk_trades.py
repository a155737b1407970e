"""Trades from every source booked once: the account's list, an order's own list, and the stream's hints."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterable

from trading.brokers.desk_state import DeskState
from trading.errors import StateCorrupt
from trading.orders.records import Accepted, Filled, OrderRecord
from trading.orders.states import CommandState, IllegalTransition
from trading.orders.venue import VenueFill, VenueOrder

_REMEMBERED = 10_000

_log = logging.getLogger(__name__)


class TradeBook:
    """Books trades of our orders; the keeper's own deduplication stands behind this one's.

    Parameters
    ----------
    state : DeskState
        The desk's broker, books and memory.
    """

    def __init__(self, state: DeskState) -> None:
        self._state = state
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._newest_ms: int | None = None

    async def poll(self) -> int:
        """Book what the account's list of trades has since the newest known one, and return how many were new.

        Raises
        ------
        GridBotError
            When the venue did not answer; nothing is skipped by that.
        """
        state, policy = self._state, self._state.policy
        if self._newest_ms is None:
            since_ms = await self._first_ms() - int(policy.start_overlap_s * 1000)
        else:
            since_ms = self._newest_ms - int(policy.overlap_s * 1000)
        fills = await state.pace.ask(state.broker.fills_since(max(0, since_ms)))
        booked = self.book(fills)
        # Only what a complete list has shown moves this on: a hint may have jumped over trades.
        self._newest_ms = max([self._newest_ms or since_ms, *(fill.time_ms for fill in fills)])
        return booked

    async def fetch(self, order: VenueOrder) -> int:
        """Book the trades of one order and return how many were new.

        Raises
        ------
        GridBotError
            When the venue did not answer.
        """
        return self.book(await self._state.pace.ask(self._state.broker.fills_of(order)), order.client_id)

    def hear(self, fill: VenueFill) -> bool:
        """Book a trade that the stream told of, and return whether it fits; one that does not is left to REST.

        Parameters
        ----------
        fill : VenueFill
            As it was told: it proves nothing, so that what is impossible is no reason to halt.
        """
        record = self._owner(fill, None)
        if record is not None and fill.symbol == self._state.keeper.symbol and not self._fits(record, fill):
            _log.warning("stream_trade_left_out client_id=%s trade_id=%s", record.client_id, fill.trade_id)
            return False
        self.book([fill])
        return True

    def book(self, fills: Iterable[VenueFill], client_id: str | None = None) -> int:
        """Book trades that are ours and not known yet, and return how many were new.

        Parameters
        ----------
        fills : iterable of VenueFill
            In any order, also of other software.
        client_id : str, optional
            Our order that all of them belong to, where that is known.
        """
        booked = 0
        for fill in fills:
            if fill.symbol != self._state.keeper.symbol or fill.trade_id in self._seen:
                continue
            record = self._owner(fill, client_id)
            if record is not None:
                booked += self._book_one(record, fill)
        return booked

    async def _first_ms(self) -> int:
        # Trades of a run that died may be older than the newest that it booked: a hint had told that one.
        records = self._state.keeper.records()
        known = [self._state.keeper.last_fill_ms(), *(record.created_ms for record in records)]
        asked = [time_ms for time_ms in known if time_ms > 0]
        return min([await self._state.pace.ask(self._state.broker.time_ms()), *asked])

    def _owner(self, fill: VenueFill, client_id: str | None) -> OrderRecord | None:
        keeper, told = self._state.keeper, client_id or fill.client_id
        record = keeper.record(told) if told is not None else None
        return record or keeper.by_exchange_id(fill.exchange_id)

    def _fits(self, record: OrderRecord, fill: VenueFill) -> bool:
        market = self._state.keeper.market
        known = fill.trade_id in self._seen
        room = market.quantity(record.lots) - self._state.booked(record)
        on_steps = fill.quantity % market.lot_size == 0 and fill.price % market.tick_size == 0
        beyond = record.limit_ticks and record.side * fill.price > record.side * market.price(record.limit_ticks)
        named = record.exchange_id in {None, fill.exchange_id}
        return known or (named and fill.side == record.side and on_steps and fill.quantity <= room and not beyond)

    def _book_one(self, record: OrderRecord, fill: VenueFill) -> int:
        state = self._state
        if record.is_unresolved:
            traded = state.booked(record) + fill.quantity
            resting = traded < state.keeper.market.quantity(record.lots)
            state.apply(Accepted(record.client_id, fill.exchange_id, resting))
        elif record.command in (CommandState.REJECTED, CommandState.DENIED) or record.is_planned:
            state.keeper.alert("unexpected_trade", _unexpected(record, fill))
        try:
            state.apply(Filled(record.client_id, fill))
        except (IllegalTransition, StateCorrupt) as error:
            state.keeper.halt(f"trade {fill.trade_id} does not fit the books: {error}")
        self._seen[fill.trade_id] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        after = state.keeper.record(record.client_id)
        new = after is not None and after.filled_lots != record.filled_lots
        if new:
            _log.info("trade_booked client_id=%s trade_id=%s", record.client_id, fill.trade_id)
        return int(new)


def _unexpected(record: OrderRecord, fill: VenueFill) -> str:
    return (
        f"order {record.client_id} was given up ({record.note or 'never sent'}) and the venue tells of trade "
        f"{fill.trade_id} of {fill.quantity} at {fill.price}; it is booked, look at the order at the venue"
    )
