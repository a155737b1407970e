"""``Market``: a market's rules, and exact conversion between prices, quantities, money and integers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from trading.errors import Refused
from trading.market.names import base_of, quote_of

PPM = 1_000_000
_INT64_ROOM = 2**62
_GROWTH = 1_000


@dataclass(frozen=True)
class Market:
    """The rules of one market and its integer units.

    Prices are counted in ticks, quantities in lots, money in cash units: the largest power of ten, at most 1e-8 of
    the quote currency, in which one lot at one tick is a whole number. Fees are parts per million of the value.

    Parameters
    ----------
    symbol : str
        ``BASE/QUOTE``.
    tick_size, min_notional : Decimal
        Quote currency.
    lot_size : Decimal
        Base currency.
    maker_fee, taker_fee, spread : Decimal
        Shares of the value or the price; rounded up to parts per million.
    fee_in_base : bool
        True when a buy's fee is taken from the bought quantity.
    source : str
        Where the rules come from, for the report.
    least_cash_decimals : int
        Decimals that the cash unit has at least; markets that share one capital need the same.
    """

    symbol: str
    tick_size: Decimal
    lot_size: Decimal
    min_notional: Decimal
    maker_fee: Decimal
    taker_fee: Decimal
    fee_in_base: bool = False
    spread: Decimal = Decimal("0.0002")
    source: str = "given"
    least_cash_decimals: int = 8

    @cached_property
    def cash_decimals(self) -> int:
        """Decimals of the cash unit."""
        exponent = (self.tick_size * self.lot_size).normalize().as_tuple().exponent
        return max(self.least_cash_decimals, -int(exponent))

    @cached_property
    def units_per_tick_lot(self) -> int:
        """Cash units in one lot at a price of one tick."""
        return int((self.tick_size * self.lot_size).scaleb(self.cash_decimals))

    @cached_property
    def maker_fee_ppm(self) -> int:
        """Maker fee in parts per million, rounded up."""
        return _ceil_ppm(self.maker_fee)

    @cached_property
    def taker_fee_ppm(self) -> int:
        """Taker fee in parts per million, rounded up."""
        return _ceil_ppm(self.taker_fee)

    @cached_property
    def spread_ppm(self) -> int:
        """Assumed spread in parts per million, rounded up."""
        return _ceil_ppm(self.spread)

    @cached_property
    def min_notional_units(self) -> int:
        """Least order value in cash units."""
        return self.cash_units(self.min_notional)

    @property
    def base(self) -> str:
        """The traded asset."""
        return base_of(self.symbol)

    @property
    def quote(self) -> str:
        """The currency of prices and money."""
        return quote_of(self.symbol)

    def ticks(self, prices: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return prices as ticks, rounded to the nearest; an off-tick price moves by at most half a tick."""
        return np.rint(prices / float(self.tick_size)).astype(np.int64)

    def lots(self, quantities: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return quantities as whole lots, rounded down."""
        counts = quantities / float(self.lot_size)
        # A whole number of lots may come out a few units in the last place short; it is still whole.
        lots = np.floor(counts + np.maximum(1e-9, counts * 2e-15))
        return np.minimum(lots, float(_INT64_ROOM)).astype(np.int64)

    def cash_units(self, money: Decimal) -> int:
        """Return an amount of quote currency in cash units, rounded down."""
        return int(money.scaleb(self.cash_decimals))

    def price(self, ticks: int) -> Decimal:
        """Return the exact price of a number of ticks."""
        return self.tick_size * int(ticks)

    def quantity(self, lots: int) -> Decimal:
        """Return the exact quantity of a number of lots."""
        return self.lot_size * int(lots)

    def money(self, units: int) -> Decimal:
        """Return the exact amount of quote currency of a number of cash units."""
        return Decimal(int(units)).scaleb(-self.cash_decimals)

    def check_fits(self, capital: Decimal, highest_price: float) -> None:
        """Refuse a market whose amounts could overflow 64-bit integers.

        What the core computes in 64 bits stays under 2**62 while the capital, or the price, grows a thousandfold:
        money and the value of any holding (ticks x lots x ``units_per_tick_lot`` is never more than the equity), prices
        and lots in parts per million, and, when fees are taken in base, a lot's value in parts per million at ten
        times the price.

        Parameters
        ----------
        capital : Decimal
            Quote currency that is put at work.
        highest_price : float
            Highest price that the run can meet.

        Raises
        ------
        Refused
            With the numbers, when any of them reaches 2**62.
        """
        money = self.cash_units(capital) * _GROWTH
        ticks = int((Decimal(repr(float(highest_price))) / self.tick_size).to_integral_value(rounding="ROUND_CEILING"))
        lot_value = max(1, ticks) * self.units_per_tick_lot
        amounts = {
            "the capital": money,
            "the price": ticks * _GROWTH * PPM,
            "the value of one lot": lot_value * (10 * PPM if self.fee_in_base else _GROWTH),
            "the quantity": money // lot_value * PPM,
            "the least order value": self.min_notional_units,
        }
        too_large = next((name for name, amount in amounts.items() if amount >= _INT64_ROOM), None)
        if too_large is not None:
            raise Refused(
                f"{self.symbol} cannot be counted exactly in 64 bits, {too_large} is too large for its units: tick "
                f"{self.tick_size}, lot {self.lot_size}, capital {capital}, price {highest_price:g}; "
                "set a coarser market.tick_size or market.lot_size"
            )


def _ceil_ppm(share: Decimal) -> int:
    return int((share * PPM).to_integral_value(rounding="ROUND_CEILING"))
