"""What the exchange did, held against what the journal says: at any instant of a dead session, and at rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from trading.market.rules import Market
from trading.orders.journal_reader import JournalReader
from trading.orders.journal_rows import JournalFill
from trading.orders.records import OrderRecord
from trading.orders.states import OrderState
from trading.sessions.books import decider_of, market_of
from trading.sessions.decider import Exchange

_MICROLOTS = 1_000_000
_OPEN = frozenset({"NEW", "PARTIALLY_FILLED"})
_STATES = {
    OrderState.FILLED: {"FILLED"},
    OrderState.CANCELLED: {"CANCELED", "EXPIRED_IN_MATCH"},
    OrderState.EXPIRED: {"EXPIRED", "EXPIRED_IN_MATCH"},
}


@dataclass
class _VenueSide:
    """What the exchange's audit tells of one session: its orders by client id, its trades, what it was sent.

    Parameters
    ----------
    told : mapping
        The answer of ``GET /sim/audit``.
    prefix : str
        What the session's client ids begin with.
    """

    told: Mapping[str, Any]
    prefix: str

    @cached_property
    def orders(self) -> dict[str, Mapping[str, Any]]:
        return {one["client_id"]: one for one in self.told["orders"] if self._is_ours(one)}

    @cached_property
    def trades(self) -> dict[tuple[str, int], Mapping[str, Any]]:
        return {(str(one["trade_id"]), _side(one)): one for one in self.told["executions"] if self._is_ours(one)}

    @cached_property
    def sends(self) -> Counter[str]:
        return Counter(one["client_id"] for one in self.told["received"] if one["kind"] == "place")

    @cached_property
    def repeated(self) -> list[str]:
        return [one for one in self.told["repeated_client_ids"] if one.startswith(self.prefix)]

    def total(self, asset: str) -> Decimal:
        free, locked = self.told["balances"]["main"].get(asset, ("0", "0"))
        return Decimal(free) + Decimal(locked)

    def _is_ours(self, one: Mapping[str, Any]) -> bool:
        return str(one["client_id"]).startswith(self.prefix)


def audit(told: Mapping[str, object], journal_file: Path, *, at_rest: bool) -> list[str]:
    """Return what does not agree, one sentence each; nothing when all does.

    Parameters
    ----------
    told : mapping
        The answer of ``GET /sim/audit``, asked while the session is not running.
    journal_file : Path
        The session's journal.
    at_rest : bool
        Whether the session ended in order: then nothing may be open, traded or paid that the journal does not have.
        After a kill the journal may only be behind.
    """
    with JournalReader.read(journal_file) as journal:
        venue = _VenueSide(told, f"gb-{journal.facts.name}-")
        return list(_findings(venue, journal, at_rest=at_rest))


def _findings(venue: _VenueSide, journal: JournalReader, *, at_rest: bool) -> Iterator[str]:
    records = {record.client_id: record for record in journal.orders()}
    fills = journal.fills()
    for client_id in venue.repeated:
        yield f"{client_id} was accepted twice"
    for client_id, order in venue.orders.items():
        if client_id not in records:
            yield f"{client_id} is at the venue ({order['status']}) and the journal does not know it"
    market, booked = market_of(journal.facts), Counter[str]()
    for fill in fills:
        booked[fill.client_id] += fill.lots
    for record in records.values():
        if record.filled_lots != booked[record.client_id]:
            yield f"{record.client_id} has {record.filled_lots} lots filled and fills of {booked[record.client_id]}"
        yield from _order_findings(record, venue, market, at_rest=at_rest)
    yield from _fill_findings(fills, venue, at_rest=at_rest)
    if at_rest:
        yield from _money_findings(fills, venue, journal)


def _order_findings(record: OrderRecord, venue: _VenueSide, market: Market, *, at_rest: bool) -> Iterator[str]:
    name = record.client_id
    order = venue.orders.get(name)
    if venue.sends[name] > record.sends:
        yield f"{name} reached the venue {venue.sends[name]} times and was written down for {record.sends} sends"
    if order is None:
        if record.exchange_id is not None or record.filled_lots:
            yield f"{name} is {record.exchange_id} in the journal and the venue does not know it"
        elif at_rest and not record.is_final and not record.is_planned:
            yield f"{name} is {record.command} in the journal and the venue does not know it"
        return
    yield from _same(name, "side", record.side, _side(order))
    yield from _same(name, "quantity", market.quantity(record.lots), Decimal(order["quantity"]))
    if record.limit_ticks:
        yield from _same(name, "price", market.price(record.limit_ticks), Decimal(order["price"]))
    yield from _state_findings(record, order, market, at_rest=at_rest)


def _state_findings(record: OrderRecord, order: Mapping[str, Any], market: Market, *, at_rest: bool) -> Iterator[str]:
    name, status = record.client_id, order["status"]
    if record.exchange_id is not None:
        yield from _same(name, "exchange id", record.exchange_id, str(order["order_id"]))
    if record.is_final or at_rest:
        yield from _same(name, "filled", market.quantity(record.filled_lots), Decimal(order["filled"]))
    if record.is_final:
        if status not in _STATES.get(record.state, set()):
            yield f"{name} is {record.state} in the journal ({record.note}) and {status} at the venue"
    elif at_rest and (status not in _OPEN or record.is_unresolved or record.is_planned):
        yield f"{name} is {status} at the venue and {record.state}, {record.command} in the journal"


def _fill_findings(fills: list[JournalFill], venue: _VenueSide, *, at_rest: bool) -> Iterator[str]:
    trades = dict(venue.trades)
    for booked in fills:
        trade = trades.pop((booked.fill.trade_id, booked.side), None)
        name = f"trade {booked.fill.trade_id} of {booked.client_id}"
        if trade is None:
            yield f"{name} was booked twice, or never happened"
            continue
        yield from _same(name, "order", booked.client_id, trade["client_id"])
        yield from _same(name, "quantity", booked.fill.quantity, Decimal(trade["quantity"]))
        yield from _same(name, "price", booked.fill.price, Decimal(trade["price"]))
        yield from _same(name, "fee", booked.fill.fee, Decimal(trade["fee"]))
        yield from _same(name, "fee asset", booked.fill.fee_asset, trade["fee_asset"])
    if at_rest:
        for trade in trades.values():
            yield f"trade {trade['trade_id']} of {trade['client_id']} is not in the journal"


def _money_findings(fills: list[JournalFill], venue: _VenueSide, journal: JournalReader) -> Iterator[str]:
    facts, market = journal.facts, market_of(journal.facts)
    other_base, other_quote = (Decimal(journal.meta(key) or 0) for key in ("other_base", "other_quote"))
    told = {market.base: other_base, market.quote: other_quote + facts.capital}
    for booked in fills:
        fill = booked.fill
        told[market.base] += fill.side * fill.quantity
        told[market.quote] -= fill.side * fill.quantity * fill.price
        told[fill.fee_asset] -= fill.fee
    core = decider_of(journal, Exchange.VENUE)
    held = Decimal(core.position_microlots) / _MICROLOTS * market.lot_size
    books = {
        market.base: other_base + held,
        market.quote: other_quote + market.money(int(core.state.core.cash)),
    }
    for asset in (market.base, market.quote):
        yield from _same(asset, "balance by the journal's fills", told[asset], venue.total(asset))
        yield from _same(asset, "balance by the core's books", books[asset], venue.total(asset))


def _side(one: Mapping[str, Any]) -> int:
    return 1 if one["side"] == "BUY" else -1


def _same(name: str, what: str, ours: object, theirs: object) -> Iterator[str]:
    if ours != theirs:
        yield f"{name}: {what} is {ours} in the journal and {theirs} at the venue"
