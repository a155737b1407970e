"""Several timeframes side by side: a higher timeframe's value is seen only after its candle has closed."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from trading.market.timeframes import timeframe_ms

Value = TypeVar("Value", bound=np.generic)

LADDER = ("1m", "5m", "15m", "1h", "4h", "1d", "1w")
_LEAST_RATIO = 3


def align(
    values: NDArray[Value],
    open_ms: NDArray[np.int64],
    length_ms: int,
    base_open_ms: NDArray[np.int64],
    base_length_ms: int,
) -> NDArray[Value]:
    """Return, for each base candle, the value of the latest higher-timeframe candle that closed no later than it.

    Parameters
    ----------
    values : ndarray of float, shape (m,)
        One value for each higher-timeframe candle.
    open_ms : ndarray of int64, shape (m,)
        Their open times, ms UTC, rising.
    length_ms : int
        Their length.
    base_open_ms : ndarray of int64, shape (n,)
        Open times of the base candles, rising.
    base_length_ms : int
        Their length.

    Returns
    -------
    ndarray, shape (n,)
        NaN before the first higher-timeframe candle has closed.
    """
    first_seen = np.searchsorted(base_open_ms, open_ms + (length_ms - base_length_ms))
    repeats = np.diff(np.concatenate(([0], first_seen, [len(base_open_ms)])))
    unseen = np.array([np.nan], dtype=values.dtype)
    return np.repeat(np.concatenate((unseen, values)), repeats)


def higher_timeframes(timeframe: str, count: int = 2) -> tuple[str, ...]:
    """Return the next longer timeframes that candles of this one can make, shortest first.

    Parameters
    ----------
    timeframe : str
        Of the base candles.
    count : int
        At most so many; each is at least three times as long as the base candles.
    """
    base = timeframe_ms(timeframe)
    fitting = (one for one in LADDER if timeframe_ms(one) >= _LEAST_RATIO * base and timeframe_ms(one) % base == 0)
    return tuple(fitting)[:count]


def swing_timeframe(timeframe: str) -> str:
    """Return the timeframe on which swings are measured: 1h, or 4h from 1h on, or its own where neither fits."""
    base = timeframe_ms(timeframe)
    for candidate in ("1h", "4h"):
        if timeframe_ms(candidate) > base and timeframe_ms(candidate) % base == 0:
            return candidate
    return timeframe
