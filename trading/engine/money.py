"""Exact integer money: shares, fees and equity, safe from overflow."""

from __future__ import annotations

from trading.engine.codes import PPM
from trading.engine.compiling import compiled, entry_point
from trading.engine.records import Core


@compiled
def share_of(value: int, ppm: int) -> int:
    """Return ``value * ppm / 1e6`` rounded down, without a product that could overflow."""
    return value // PPM * ppm + value % PPM * ppm // PPM


@compiled
def share_up(value: int, ppm: int) -> int:
    """Return ``value * ppm / 1e6`` rounded up: fees and prices that must not be too low."""
    return value // PPM * ppm - -(value % PPM) * ppm // PPM


@entry_point
def equity_at(core: Core, units: int, price: int) -> int:
    """Return this symbol's cash and inventory at a price in ticks, in cash units; ``units`` is of one tick and lot."""
    return core.cash + core.position_lots * price * units + core.dust_microlots * (price * units) // PPM


@entry_point
def exposure_at(core: Core, units: int, price: int) -> int:
    """Return the value of inventory and working buys, in cash units."""
    return core.position_lots * price * units + core.reserved
