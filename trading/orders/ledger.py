"""The ledger: exact conservation of money and quantity, and the audit that every backtest passes.

cash = capital - buys + sells - quote fees; position = bought - sold - base fees; equity = cash + position x price.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from trading.errors import ExitCode, StateCorrupt
from trading.market.rules import Market
from trading.orders.fills import MICROLOTS, Fills

_VALUE_ROOM = float(2**62)


class LedgerMismatch(StateCorrupt):
    """E007: what was recorded and what the fills say are not the same."""

    exit_code = ExitCode.HALTED


@dataclass(frozen=True, slots=True)
class Ledger:
    """Cash and position of one market, in exact integers of any size.

    Parameters
    ----------
    market : Market
        Units of price, quantity and cash.
    cash_units : int
        Cash, in cash units of the quote currency.
    position_microlots : int
        Position in millionths of a lot.
    """

    market: Market
    cash_units: int
    position_microlots: int = 0

    @classmethod
    def opened(cls, market: Market, capital: Decimal) -> Ledger:
        """Return the ledger of an account that holds ``capital`` of the quote currency and nothing else."""
        return cls(market, market.cash_units(capital))

    def after(self, side: int, price_ticks: int, lots: int, fee_units: int = 0, fee_microlots: int = 0) -> Ledger:
        """Return the ledger after a fill.

        Parameters
        ----------
        side : int
            +1 bought, -1 sold.
        price_ticks, lots : int
            Price and quantity.
        fee_units, fee_microlots : int
            Fee in cash units, and fee taken from the quantity in millionths of a lot.

        Raises
        ------
        LedgerMismatch
            When cash or position would fall under zero: a spot account cannot owe.
        """
        value = price_ticks * lots * self.market.units_per_tick_lot
        cash = self.cash_units - side * value - fee_units
        position = self.position_microlots + side * lots * MICROLOTS - fee_microlots
        if cash < 0 or position < 0:
            raise LedgerMismatch(
                f"{self.market.symbol}: a fill of {side * lots} lots at {price_ticks} ticks leaves "
                f"{self.market.money(cash)} {self.market.quote} and {Decimal(position) / MICROLOTS} lots; "
                "look for a fill that is missing or counted twice"
            )
        return replace(self, cash_units=cash, position_microlots=position)

    def equity(self, price_ticks: int) -> Decimal:
        """Return the exact value of the account at a price, quote currency."""
        value = Decimal(self.position_microlots * price_ticks * self.market.units_per_tick_lot) / MICROLOTS
        return (Decimal(self.cash_units) + value).scaleb(-self.market.cash_decimals)


@dataclass(frozen=True, slots=True)
class LedgerCheck:
    """The outcome of an audit that found nothing wrong.

    Parameters
    ----------
    fills : int
        Rows that were checked.
    ledger : Ledger
        Cash and position after the last one.
    """

    fills: int
    ledger: Ledger


def replay(fills: Fills, capital: Decimal) -> LedgerCheck:
    """Derive cash and position anew from the fills and compare them with what was recorded after each.

    Parameters
    ----------
    fills : Fills
        In the order in which they happened.
    capital : Decimal
        Quote currency at the start.

    Returns
    -------
    LedgerCheck
        When every row agrees to the last unit.

    Raises
    ------
    LedgerMismatch
        At the first row that is impossible (side, quantity, price, fee, time, negative balance) or differs.
    """
    market = fills.market
    _require(fills, _possible(fills), "has an impossible side, price, quantity, fee or size")
    _require(fills, np.diff(fills.timestamp, prepend=fills.timestamp[:1]) >= 0, "is earlier than the fill before it")
    side = fills.side.astype(np.int64)
    cash = market.cash_units(capital) - np.cumsum(side * fills.value_units + fills.fee_units)
    _require(fills, cash == fills.cash_units, "records another cash than the fills add up to")
    _require(fills, cash >= 0, "leaves a negative cash balance")
    # Whole lots and millionths are compared as differences, which stay small where their product would not fit.
    bought = np.cumsum(side * fills.lots)
    owed = np.cumsum(fills.fee_microlots)
    agrees = (bought - fills.position_lots) * MICROLOTS == owed + fills.dust_microlots
    _require(fills, agrees, "records another position than the fills add up to")
    _require(fills, (bought >= 0) & (fills.position_lots >= 0), "sells more than is owned")
    if not len(fills):
        return LedgerCheck(0, Ledger.opened(market, capital))
    position = int(bought[-1]) * MICROLOTS - int(owed[-1])
    return LedgerCheck(len(fills), Ledger(market, int(cash[-1]), position))


def _possible(fills: Fills) -> NDArray[np.bool_]:
    value = fills.price_ticks.astype(np.float64) * fills.lots * fills.market.units_per_tick_lot
    fee_fits = (fills.fee_units >= 0) & (fills.fee_microlots >= 0) & (fills.fee_microlots // MICROLOTS <= fills.lots)
    dust_fits = (fills.dust_microlots >= 0) & (fills.dust_microlots < MICROLOTS)
    traded = (fills.price_ticks > 0) & (fills.lots > 0) & (value < _VALUE_ROOM)
    possible: NDArray[np.bool_] = (abs(fills.side) == 1) & traded & fee_fits & dust_fits
    return possible


def _require(fills: Fills, holds: NDArray[np.bool_], fault: str) -> None:
    if holds.all():
        return
    row = int(np.argmin(holds))
    order, candle = int(fills.order_id[row]), int(fills.candle[row])
    raise LedgerMismatch(
        f"fill {row} of {fills.market.symbol} (order {order}, candle {candle}) {fault}; "
        "the run cannot be trusted, keep it and report it"
    )
