"""Figures of a session from its journal: what a day, or the whole session, came to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from trading.market.rules import Market
from trading.market.timeframes import timeframe_ms
from trading.orders.journal_reader import JournalReader
from trading.orders.journal_rows import JournalFill
from trading.orders.records import OrderRecord
from trading.orders.states import CommandState, OrderState
from trading.sessions.books import market_of
from trading.sessions.daily import DAY_MS, DayFigures, day_bounds_ms

MICROLOTS = 1_000_000


def day_figures(journal: JournalReader, day: date) -> DayFigures:
    """Return what happened to a session in one UTC day, by the session's clock.

    Parameters
    ----------
    journal : JournalReader
        The session's journal.
    day : date
        UTC.
    """
    facts, market = journal.facts, market_of(journal.facts)
    start, end = day_bounds_ms(day)
    orders = [order for order in journal.orders() if start <= order.created_ms < end]
    fills = journal.fills()
    # a trade's own time is the venue's, which may not be the session's: the order's time says which day it was
    todays = {order.client_id for order in orders}
    events = [event for event in journal.events() if start <= event.time_ms < end]
    points = [point for point in journal.equity(start) if point.time_ms <= end]
    equity = [market.money(point.equity_units) for point in points]
    last = journal.last_equity()
    return DayFigures(
        session=facts.name,
        symbol=facts.symbol,
        mode=facts.mode,
        day=day,
        placed=sum(order.sends > 0 for order in orders),
        confirmed=sum(order.exchange_id is not None for order in orders),
        cancelled=sum(order.state is OrderState.CANCELLED for order in orders),
        rejected=sum(order.command is CommandState.REJECTED for order in orders),
        unresolved=sum(order.is_unresolved for order in orders),
        buys=sum(fill.side > 0 for fill in fills if fill.client_id in todays),
        sells=sum(fill.side < 0 for fill in fills if fill.client_id in todays),
        volume=sum((value_of(fill, market) for fill in fills if fill.client_id in todays), Decimal(0)),
        fees=sum((fee_of(fill, market) for fill in fills if fill.client_id in todays), Decimal(0)),
        realised=round(realised(journal.orders(), list(fills), market, todays), market.cash_decimals),
        equity=equity or [facts.capital],
        position=Decimal(last.position_microlots) / MICROLOTS * market.lot_size if last is not None else Decimal(0),
        refusals=Counter(order.note for order in orders if order.command is CommandState.DENIED),
        alerts=Counter(str(event.data.get("kind")) for event in events if event.kind == "alert"),
        up_ms=min(DAY_MS, len(points) * timeframe_ms(facts.timeframe)),
        restarts=sum(event.kind == "started" and bool(event.data.get("recovered")) for event in events),
    )


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a session has now, its last fill included.

    Parameters
    ----------
    cash, equity : Decimal
        Quote currency; equity at the newest price that the journal knows.
    position : Decimal
        Base currency.
    paid_in : Decimal
        The session's capital, with what came in and went out later, quote currency.
    """

    cash: Decimal
    position: Decimal
    equity: Decimal
    paid_in: Decimal


def holdings(journal: JournalReader, market: Market) -> Holdings:
    """Return what a session has by its fills.

    Parameters
    ----------
    journal : JournalReader
        The session's journal; its equity is that of the last candle, and fills may have come since.
    market : Market
        Its units.
    """
    came = (event.data.get("units", 0) for event in journal.events() if event.kind == "funded")
    paid_in = journal.facts.capital + market.money(sum(int(str(units)) for units in came))
    fills, last = journal.fills(), journal.last_equity()
    microlots = sum(fill.side * fill.lots * MICROLOTS - fill.fee_microlots for fill in fills)
    cash = paid_in - sum(
        (fill.side * value_of(fill, market) + market.money(fill.fee_units) for fill in fills), Decimal(0)
    )
    position = Decimal(microlots) / MICROLOTS * market.lot_size
    if last is not None and (market.money(last.cash_units), last.position_microlots) == (cash, microlots):
        return Holdings(cash, position, market.money(last.equity_units), paid_in)
    price = market.price(fills[-1].price_ticks) if fills else Decimal(0)
    return Holdings(cash, position, round(cash + position * price, market.cash_decimals), paid_in)


def value_of(fill: JournalFill, market: Market) -> Decimal:
    """Return the value of a fill, quote currency."""
    return market.money(fill.lots * fill.price_ticks * market.units_per_tick_lot)


def fee_of(fill: JournalFill, market: Market) -> Decimal:
    """Return the fee of a fill, quote currency; a fee in base is valued at the fill's price."""
    in_base = Decimal(fill.fee_microlots) / MICROLOTS * market.lot_size
    return market.money(fill.fee_units) + in_base * market.price(fill.price_ticks)


def realised(
    orders: list[OrderRecord], fills: list[JournalFill], market: Market, counted: set[str] | None = None
) -> Decimal:
    """Return the profit of what was sold, after all fees, at the average cost of what was held.

    Parameters
    ----------
    orders : list of OrderRecord
        All orders of the session.
    fills : list of JournalFill
        All fills, in the order in which they were booked.
    market : Market
        Its units.
    counted : set of str, optional
        Only sales of these orders; None counts all.
    """
    known = {order.client_id for order in orders}
    lots, cost, profit = 0, Decimal(0), Decimal(0)
    for fill in fills:
        if fill.client_id not in known:
            continue
        value, fee = value_of(fill, market), fee_of(fill, market)
        if fill.side > 0:
            lots, cost = lots + fill.lots, cost + value + fee
            continue
        share = cost * fill.lots / lots if lots else Decimal(0)
        lots, cost = max(0, lots - fill.lots), cost - share
        if counted is None or fill.client_id in counted:
            profit += value - fee - share
    return profit
