"""Yes-or-no questions about series: crossings, oversold, overbought, what happened lately."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64] | NDArray[np.float32]
Flags = NDArray[np.bool_]


def crossover(series: Series, other: Series | float) -> Flags:
    """Return where a series rises above another: at or below one candle ago, above now; never at NaN."""
    other = np.broadcast_to(np.asarray(other, dtype=series.dtype), series.shape)
    crossed = np.zeros(len(series), dtype=np.bool_)
    crossed[1:] = (series[1:] > other[1:]) & (series[:-1] <= other[:-1])
    return crossed


def crossunder(series: Series, other: Series | float) -> Flags:
    """Return where a series falls below another: at or above one candle ago, below now; never at NaN."""
    other = np.broadcast_to(np.asarray(other, dtype=series.dtype), series.shape)
    crossed = np.zeros(len(series), dtype=np.bool_)
    crossed[1:] = (series[1:] < other[1:]) & (series[:-1] >= other[:-1])
    return crossed


def oversold(oscillator: Series, threshold: float = 30.0) -> Flags:
    """Return where an oscillator is under a threshold; never at NaN."""
    return oscillator < threshold


def overbought(oscillator: Series, threshold: float = 70.0) -> Flags:
    """Return where an oscillator is over a threshold; never at NaN."""
    return oscillator > threshold


def recently(event: Flags, candles: int) -> Flags:
    """Return where an event happened within the last ``candles`` candles, this one included."""
    seen = event.copy()
    for age in range(1, min(candles, len(event))):
        seen[age:] |= event[:-age]
    return seen


def ramp(series: Series, start: float, full: float) -> NDArray[np.float32]:
    """Return 0 at ``start``, 1 at ``full``, linear between and clipped outside; 0 at NaN.

    Parameters
    ----------
    series : ndarray, shape (n,)
        Any series.
    start, full : float
        Values of the series; ``full`` may be the smaller one, then the ramp rises downwards.
    """
    scaled = series.astype(np.float32)
    scaled -= np.float32(start)
    scaled *= np.float32(1.0 / (full - start))
    # fmax answers the number, not the NaN: what is unknown has no strength.
    np.fmax(scaled, np.float32(0.0), out=scaled)
    return np.minimum(scaled, np.float32(1.0), out=scaled)
