"""Swing highs and lows, known only once they are confirmed, and how large swings are on average."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import talib
from numpy.typing import NDArray

from trading.signals.kernels import SWING_LEGS, average_swing

Floats = NDArray[np.float64]


class Pivots(NamedTuple):
    """Rows of the latest confirmed swing high and low at each candle, int32, shape (n,); -1 while there is none."""

    high_row: NDArray[np.int32]
    low_row: NDArray[np.int32]


def pivots(high: Floats, low: Floats, lookback: int) -> Pivots:
    """Return the latest confirmed swings.

    A swing high is a high above the ``lookback`` highs before it and not under the ``lookback`` after it, so that of
    equal neighbours the first counts; it is seen from the last of those on, never earlier.

    Parameters
    ----------
    high, low : ndarray, shape (n,)
        Prices of the candles.
    lookback : int
        Candles on either side, at least 2.
    """
    return Pivots(_latest(high, lookback), _latest(-low, lookback))


def _latest(price: Floats, lookback: int) -> NDArray[np.int32]:
    n = len(price)
    latest = np.full(n, -1, dtype=np.int32)
    if n > 2 * lookback:
        window = talib.MAX(price, 2 * lookback + 1)[2 * lookback :]
        before = talib.MAX(price, lookback)[lookback - 1 : n - lookback - 1]
        candidate = price[lookback : n - lookback]
        rows = np.arange(lookback, n - lookback, dtype=np.int32)
        rows[(candidate < window) | (candidate <= before)] = -1
        np.maximum.accumulate(rows, out=latest[2 * lookback :])
    return latest


def levels(price: Floats, rows: NDArray[np.int32]) -> Floats:
    """Return the prices at given rows, which rise or stay; NaN where the row is -1."""
    values = price[rows]
    # Rows never fall back, so what is unknown stands at the front.
    values[: np.searchsorted(rows, 0)] = np.nan
    return values


def swing_size(high: Floats, low: Floats, lookback: int, at_least: int) -> NDArray[np.float32]:
    """Return the mean size of the last ten legs between alternating confirmed swings, fraction of the leg's start.

    Parameters
    ----------
    high, low : ndarray, shape (n,)
        Prices of the candles.
    lookback : int
        Candles on either side of a swing.
    at_least : int
        Legs below which the mean is NaN.
    """
    found = pivots(high, low, lookback)
    return average_swing(high, low, found.high_row, found.low_row, at_least, SWING_LEGS)
