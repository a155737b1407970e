"""An account kept by hand: what a run's files must say, recomputed in exact decimals without the core's own units."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal

import numpy as np
import pyarrow as pa

FILL_COLUMNS = {
    "timestamp": pa.int64(),
    "candle": pa.int64(),
    "order_id": pa.int64(),
    "side": pa.string(),
    "price": pa.float64(),
    "quantity": pa.float64(),
    "fee": pa.float64(),
    "reason": pa.string(),
    "level": pa.int32(),
    "cash": pa.float64(),
    "position": pa.float64(),
}
EQUITY_COLUMNS = {
    "timestamp": pa.int64(),
    "equity": pa.float64(),
    "cash": pa.float64(),
    "position": pa.float64(),
    "drawdown": pa.float64(),
}


def exact(value: float, unit: Decimal) -> Decimal:
    """Return the multiple of a unit that a float stands for."""
    return Decimal(repr(value)).quantize(unit)


def money_unit(params: Mapping[str, object]) -> Decimal:
    """Return the smallest amount of the quote currency: one lot at one tick, and 1e-8 at most."""
    step = (Decimal(repr(params["market.tick_size"])) * Decimal(repr(params["market.lot_size"]))).normalize()
    return Decimal(1).scaleb(min(-8, int(step.as_tuple().exponent)))


def keep_account(fills: pa.Table, params: Mapping[str, object], capital: Decimal) -> tuple[Decimal, Decimal, Decimal]:
    """Check cash, position and fee of every fill against the fills before it.

    Parameters
    ----------
    fills : pyarrow.Table
        As ``--fills`` writes it; fees in the quote currency.
    params : mapping
        The ``params`` of the result.
    capital : Decimal
        Quote currency at the start.

    Returns
    -------
    tuple of Decimal
        Cash, position and the sum of the fees at the end.
    """
    unit, lot = money_unit(params), Decimal(repr(params["market.lot_size"]))
    rates = {Decimal(repr(params[f"market.{kind}_fee"])) for kind in ("maker", "taker")}
    cash, position, fees = capital, Decimal(0), Decimal(0)
    for fill in fills.to_pylist():
        price, quantity = Decimal(repr(fill["price"])), exact(fill["quantity"], lot)
        fee, value = exact(fill["fee"], unit), price * quantity
        assert quantity > 0
        assert fee in {(value * rate).quantize(unit, ROUND_CEILING) for rate in rates}
        sign = {"buy": 1, "sell": -1}[fill["side"]]
        cash, position, fees = cash - sign * value - fee, position + sign * quantity, fees + fee
        assert cash >= 0
        assert position >= 0
        assert exact(fill["cash"], unit) == cash
        assert exact(fill["position"], lot) == position
    return cash, position, fees


def check_places(fills: pa.Table, columns: Mapping[str, np.ndarray]) -> None:
    """Check that every fill names its own candle and stays within that candle's range."""
    row = fills["candle"].to_numpy()
    price = fills["price"].to_numpy()
    np.testing.assert_array_equal(fills["timestamp"].to_numpy(), columns["timestamp"][row])
    assert (np.diff(row) >= 0).all()
    assert (price >= columns["low"][row]).all()
    assert (price <= columns["high"][row]).all()
    assert (columns["volume"][row] > 0).all()


def check_equity(
    equity: pa.Table, fills: pa.Table, columns: Mapping[str, np.ndarray], capital: float, tick: float = 0.0
) -> None:
    """Check each row of ``--equity`` against the last fill before it and the close; off-tick closes count in ticks."""
    rows = len(columns["timestamp"])
    np.testing.assert_array_equal(equity["timestamp"].to_numpy(), columns["timestamp"])
    last = np.searchsorted(fills["candle"].to_numpy(), np.arange(rows), side="right")
    cash = np.append(capital, fills["cash"].to_numpy())[last]
    position = np.append(0.0, fills["position"].to_numpy())[last]
    np.testing.assert_allclose(equity["cash"].to_numpy(), cash, rtol=1e-13)
    np.testing.assert_allclose(equity["position"].to_numpy(), position, rtol=1e-13)
    worth = equity["equity"].to_numpy()
    off_tick = position.max(initial=0.0) * tick / 2
    np.testing.assert_allclose(worth, cash + position * columns["close"], rtol=1e-12, atol=off_tick)
    peak = np.maximum(np.maximum.accumulate(worth), capital)
    np.testing.assert_allclose(equity["drawdown"].to_numpy(), worth / peak - 1, atol=1e-12)


def hash_of(fills: pa.Table, params: Mapping[str, object]) -> str:
    """Return the trade hash of a ``--fills`` table whose fees are in the quote currency."""
    unit = money_unit(params)
    tick, lot = (Decimal(repr(params[f"market.{name}"])).normalize() for name in ("tick_size", "lot_size"))
    digest = hashlib.sha256(f"gridbot fills 1|{tick:f}|{lot:f}|{-int(unit.as_tuple().exponent)}\n".encode())
    for fill in fills.to_pylist():
        counts = (
            int((Decimal(repr(fill["price"])) / tick).to_integral_exact()),
            int((Decimal(repr(fill["quantity"])) / lot).to_integral_exact()),
            int((exact(fill["fee"], unit) / unit).to_integral_exact()),
        )
        sign = {"buy": 1, "sell": -1}[fill["side"]]
        digest.update(struct.pack("<qbqqqq", fill["timestamp"], sign, *counts, 0))
    return digest.hexdigest()
