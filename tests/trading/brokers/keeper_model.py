"""A keeper without a journal: strict about the order of facts, with the simplest core that mirrors its fills."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from tests.trading.brokers.venue_in_memory import MARKET
from trading.exchange.clock import Clock
from trading.market.rules import Market
from trading.orders.records import (
    Accepted,
    CancelFailed,
    CancelSent,
    Closed,
    Fact,
    Filled,
    OrderRecord,
    Refused,
    Sent,
    Silent,
)
from trading.orders.states import FINAL_STATES, CommandState, IllegalTransition, OrderState
from trading.orders.venue import VenueFill

PREFIX = "gb-test-"


class KeeperModel:
    """Implements `trading.brokers.desk.Keeper`; ``mirror`` answers every ended order with its opposite."""

    symbol = MARKET.symbol

    def __init__(
        self,
        clock: Clock,
        cash: Decimal = Decimal(100_000),
        base: Decimal = Decimal(10),
        *,
        mirror: bool = False,
        market: Market = MARKET,
        mirror_ticks: int = 100,
    ) -> None:
        self._clock = clock
        self.market = market
        self._mirror_ticks = mirror_ticks
        self._mirror = mirror
        self._records: dict[str, OrderRecord] = {}
        self._exchange_ids: dict[str, str] = {}
        self._mirrored: dict[str, int] = {}
        self.baseline = {MARKET.quote: cash, MARKET.base: base}
        self.trades: dict[str, VenueFill] = {}
        self.facts: list[Fact] = []
        self.alerts: list[tuple[str, str]] = []
        self.halts: list[str] = []
        self.funding: list[tuple[str, Decimal]] = []

    # the core's side

    def plan(self, slot: int, side: int, lots: int, limit_ticks: int = 10_000) -> str:
        number = len(self._records) + 1
        client_id = f"{PREFIX}{number}"
        self._records[client_id] = OrderRecord(
            client_id, number, slot, side, lots, limit_ticks, False, 0, self._clock.now_ms()
        )
        return client_id

    def want_cancel(self, client_id: str) -> None:
        self._records[client_id] = replace(self._records[client_id], cancel_wanted=True)

    def resize(self, client_id: str, lots: int) -> None:
        assert self._records[client_id].is_planned
        self._records[client_id] = replace(self._records[client_id], lots=lots)

    def all_records(self) -> list[OrderRecord]:
        return list(self._records.values())

    def get(self, client_id: str) -> OrderRecord:
        return self._records[client_id]

    def facts_of(self, client_id: str) -> list[str]:
        return [type(fact).__name__ for fact in self.facts if fact.client_id == client_id]

    # Keeper

    def records(self) -> Sequence[OrderRecord]:
        return [record for record in self._records.values() if not record.is_final]

    def record(self, client_id: str) -> OrderRecord | None:
        return self._records.get(client_id)

    def by_exchange_id(self, exchange_id: str) -> OrderRecord | None:
        return self._records.get(self._exchange_ids.get(exchange_id, ""))

    def last_fill_ms(self) -> int:
        return max((fill.time_ms for fill in self.trades.values()), default=0)

    def fill_count(self) -> int:
        return len(self.trades)

    def expected(self) -> Mapping[str, Decimal]:
        books = dict(self.baseline)
        for fill in self.trades.values():
            books[MARKET.base] += fill.side * fill.quantity
            books[MARKET.quote] -= fill.side * fill.price * fill.quantity
            books[fill.fee_asset] -= fill.fee
        return books

    def funded(self, asset: str, delta: Decimal) -> None:
        self.funding.append((asset, delta))
        self.baseline[asset] += delta

    def halt(self, reason: str) -> None:
        self.halts.append(reason)

    def alert(self, kind: str, reason: str) -> None:
        self.alerts.append((kind, reason))

    def apply(self, fact: Fact) -> None:
        record = self._records[fact.client_id]
        after = self._after(record, fact)
        self.facts.append(fact)
        self._records[fact.client_id] = after
        if self._mirror and after.is_final:
            self._answer(after)

    def _after(self, record: OrderRecord, fact: Fact) -> OrderRecord:  # noqa: PLR0911 - one return a fact
        match fact:
            case Sent():
                assert record.is_planned or record.is_unresolved, record
                command = record.command or CommandState.SENT
                return replace(record, command=command, sends=record.sends + 1, sent_ms=fact.time_ms, checks=0)
            case Accepted():
                assert record.sends, record
                assert not record.is_final, record
                self._exchange_ids[fact.exchange_id] = record.client_id
                state = OrderState.SUBMITTED if record.state is OrderState.PENDING else record.state
                return replace(record, command=CommandState.CONFIRMED, exchange_id=fact.exchange_id, state=state)
            case Refused():
                assert record.is_planned if fact.denied else record.is_unresolved, record
                command = CommandState.DENIED if fact.denied else CommandState.REJECTED
                return replace(record, command=command, state=OrderState.REJECTED, note=fact.reason)
            case Silent():
                assert record.is_unresolved, record
                return replace(record, command=CommandState.UNRESOLVED, checks=record.checks + fact.asked)
            case CancelSent():
                assert record.command in (CommandState.CONFIRMED, CommandState.CANCEL_PENDING), record
                return replace(record, command=CommandState.CANCEL_PENDING)
            case CancelFailed():
                assert record.command is CommandState.CANCEL_PENDING, record
                return replace(record, command=CommandState.CONFIRMED)
            case Filled():
                return self._filled(record, fact.fill)
            case Closed():
                assert not record.is_final, record
                assert fact.state in FINAL_STATES
                return replace(record, state=fact.state, note=fact.reason)

    def _filled(self, record: OrderRecord, fill: VenueFill) -> OrderRecord:
        if fill.trade_id in self.trades:
            return record
        lots = int(fill.quantity / self.market.lot_size)
        assert self.market.quantity(lots) == fill.quantity
        filled = record.filled_lots + lots
        if filled > record.lots:
            raise IllegalTransition(f"{record.client_id} would fill {filled} of {record.lots} lots")
        self.trades[fill.trade_id] = fill
        state = record.state
        if state not in FINAL_STATES:
            state = OrderState.FILLED if filled == record.lots else OrderState.PARTIAL
        return replace(record, filled_lots=filled, state=state)

    def _answer(self, record: OrderRecord) -> None:
        # Lesson 8: what filled is answered by the mirror order; a late fill by another one.
        new = record.filled_lots - self._mirrored.get(record.client_id, 0)
        if new > 0:
            self._mirrored[record.client_id] = record.filled_lots
            limit = record.limit_ticks + record.side * self._mirror_ticks
            self.plan(record.slot, -record.side, new, limit)
