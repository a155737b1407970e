"""What the report's charts draw: candles thinned to bars, every fill, and the grids, packed small."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trading.engine.codes import FillReason
from trading.market.timeframes import timeframe_of
from trading.report.result import BacktestResult

Ints = NDArray[np.int64]

MAX_BARS = 20_000
MAX_LEVEL_PRICES = 40_000
_NICE_MINUTES = (
    1,
    2,
    3,
    5,
    10,
    15,
    20,
    30,
    60,
    120,
    180,
    240,
    360,
    480,
    720,
    1_440,
    2_880,
    5_760,
    10_080,
    20_160,
    40_320,
)
_MINUTE_MS = 60_000
_INT32_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Candles grouped for display.

    Parameters
    ----------
    timeframe : str
        Length of a bar.
    start, end : ndarray of int64, shape (b,)
        First row of each bar, and one past its last.
    """

    timeframe: str
    start: Ints
    end: Ints

    def of_candles(self, rows: Ints) -> Ints:
        """Return the bar of each candle row."""
        return np.searchsorted(self.start, rows, side="right") - 1


def group_bars(result: BacktestResult, limit: int = MAX_BARS) -> Bars:
    """Group the candles into at most ``limit`` bars of equal, round length (a run with gaps may need fewer)."""
    candles = result.candles
    length = _bar_ms(len(candles), candles.step_ms, limit)
    slot = candles.timestamp // length
    start = np.append(0, np.flatnonzero(slot[1:] != slot[:-1]) + 1)
    return Bars(timeframe_of(length), start, np.append(start[1:], len(candles)))


def chart_data(result: BacktestResult, bars: Bars) -> dict[str, object]:
    """Return everything that the page's script draws, as JSON data.

    Parameters
    ----------
    result : BacktestResult
        The run.
    bars : Bars
        From `group_bars`.

    Returns
    -------
    dict
        Columns are ``{"type": …, "data": base64 of little-endian numbers}``; prices are ticks.
    """
    candles, last = result.candles, bars.end - 1
    ticks = result.market.ticks
    return {
        "tick": float(result.market.tick_size),
        "decimals": max(0, -int(result.market.tick_size.normalize().as_tuple().exponent)),
        "lot": float(result.market.lot_size),
        "quote": result.currency,
        "base": result.market.base,
        "capital": float(result.capital),
        "bar_seconds": _bar_ms(len(candles), candles.step_ms, MAX_BARS) // 1_000,
        "time": pack(candles.timestamp[bars.start] // 1_000),
        "open": pack(ticks(candles.open[bars.start])),
        "high": pack(np.maximum.reduceat(ticks(candles.high), bars.start)),
        "low": pack(np.minimum.reduceat(ticks(candles.low), bars.start)),
        "close": pack(ticks(candles.close[last])),
        "volume": pack(np.add.reduceat(candles.volume, bars.start)),
        "equity": pack(result.equity[last]),
        "drawdown": pack(np.minimum.reduceat(result.drawdown, bars.start)),
        "fills": _fills(result, bars),
        "grids": _grids(result, bars),
    }


def pack(column: NDArray[np.generic]) -> dict[str, str]:
    """Return a column as text: whole numbers in the smallest type that holds them, others as 32-bit floats."""
    if not np.issubdtype(column.dtype, np.integer):
        return _encoded("f4", column)
    low, high = (int(column.min()), int(column.max())) if len(column) else (0, 0)
    for kind, least, most in (("u1", 0, 255), ("i2", -(2**15), 2**15 - 1), ("i4", -_INT32_MAX, _INT32_MAX)):
        if least <= low and high <= most:
            return _encoded(kind, column)
    return _encoded("f8", column)


def shown_grids(result: BacktestResult) -> int:
    """Return how many of the newest grids the chart has room for."""
    prices = np.cumsum([len(grid.prices) for grid in reversed(result.grids)])
    return int(np.searchsorted(prices, MAX_LEVEL_PRICES, side="right"))


def _encoded(kind: str, column: NDArray[np.generic]) -> dict[str, str]:
    return {"type": kind, "data": base64.b64encode(column.astype("<" + kind).tobytes()).decode()}


def _bar_ms(candles: int, step_ms: int, limit: int) -> int:
    if candles <= limit:
        return step_ms
    least = step_ms * -(-candles // limit)
    nice = [minutes * _MINUTE_MS for minutes in _NICE_MINUTES]
    return next((length for length in nice if length >= least and length % step_ms == 0), least)


def _fills(result: BacktestResult, bars: Bars) -> dict[str, object]:
    fills = result.fills
    return {
        "bar": pack(bars.of_candles(fills.candle)),
        "price": pack(fills.price_ticks),
        "lots": pack(fills.lots),
        "buy": pack((fills.side > 0).astype(np.int64)),
        "reason": pack(fills.reason),
        "level": pack(fills.level),
        "reasons": [reason.name.lower().replace("_", " ") for reason in FillReason],
    }


def _grids(result: BacktestResult, bars: Bars) -> dict[str, object]:
    count = shown_grids(result)
    grids = result.grids[len(result.grids) - count :]
    first = bars.of_candles(np.array([grid.candle for grid in grids], np.int64))
    prices = np.array([price for grid in grids for price in grid.prices])
    return {
        "bar": pack(first),
        "count": pack(np.array([len(grid.prices) for grid in grids], np.int64)),
        "centre": pack(result.market.ticks(np.array([grid.centre for grid in grids], np.float64))),
        "price": pack(result.market.ticks(prices)),
    }
