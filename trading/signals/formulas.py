"""Indicator formulas on bare arrays; NaN while warming up, and value t knows the rows up to and including t."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import talib
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

NEUTRAL = 50.0
FLAT_BAND = 1e-7
"""A standard deviation under this share of the price is rounding noise of TA-Lib's running sums."""
VOLUME_RESIDUE = 1e-9
"""Running sums leave a residue of rounding behind a burst; a real trade is never that small beside it."""


class Macd(NamedTuple):
    """Moving average convergence divergence, in quote currency, each of shape (n,)."""

    line: Singles
    signal: Singles
    histogram: Singles


class Bands(NamedTuple):
    """Bollinger bands, in quote currency, each of shape (n,)."""

    upper: Floats
    middle: Floats
    lower: Floats


class Stochastic(NamedTuple):
    """Stochastic oscillator, 0 to 100, each of shape (n,)."""

    k: Singles
    d: Singles


def rsi(close: Floats, period: int) -> Floats:
    """Return Wilder's relative strength index, 0 to 100.

    TA-Lib answers 0, the deepest oversold value, for a price that does not move; here that is 50.

    Parameters
    ----------
    close : ndarray, shape (n,)
        Closing prices.
    period : int
        Candles that the averages reach back.
    """
    values = talib.RSI(close, period)
    if (values == 0.0).any():
        still = talib.MAX(close, period + 1) == talib.MIN(close, period + 1)
        values[(values == 0.0) & still] = NEUTRAL
    return values


def macd(close: Floats, fast: int, slow: int, signal: int) -> Macd:
    """Return MACD line, signal line and histogram."""
    return Macd(*(values.astype(np.float32) for values in talib.MACD(close, fast, slow, signal)))


def bollinger(close: Floats, period: int, deviations: float) -> Bands:
    """Return Bollinger bands around the simple moving average, with population standard deviations."""
    return Bands(*talib.BBANDS(close, period, deviations, deviations))


def percent_b(close: Floats, period: int, deviations: float) -> Singles:
    """Return where the close stands between the Bollinger bands: 0 lower, 1 upper; 0.5 when the bands meet."""
    bands = bollinger(close, period, deviations)
    width = bands.upper - bands.lower
    above = close - bands.lower
    flat = width <= FLAT_BAND * close
    width[flat], above[flat] = 1.0, 0.5
    above /= width
    return above.astype(np.float32)


def stochastic(high: Floats, low: Floats, close: Floats, period: int, smooth_k: int, smooth_d: int) -> Stochastic:
    """Return the slow stochastic oscillator; a range without height counts as its middle, not as its bottom.

    Parameters
    ----------
    high, low, close : ndarray, shape (n,)
        Prices, or any series three times.
    period : int
        Candles of the range.
    smooth_k, smooth_d : int
        Lengths of the moving averages over the raw value and over ``k``.
    """
    raw, _ = talib.STOCHF(high, low, close, period, 1)
    if (raw == 0.0).any():
        raw[(raw == 0.0) & (talib.MAX(high, period) == talib.MIN(low, period))] = NEUTRAL
    k = talib.SMA(raw, smooth_k) if smooth_k > 1 else raw
    return Stochastic(k.astype(np.float32), talib.SMA(k, smooth_d).astype(np.float32))


def efficiency_ratio(close: Floats, period: int) -> Singles:
    """Return Kaufman's efficiency ratio: net move over path length, 0 (noise) to 1 (straight line).

    A path too short to tell from rounding counts as 0.
    """
    values = np.full(len(close), np.nan, dtype=np.float32)
    if len(close) <= period:
        return values
    steps = np.abs(np.diff(close))
    path = talib.SUM(steps, period)[period - 1 :]
    net = np.abs(close[period:] - close[:-period])
    short = path <= FLAT_BAND * close[period:]
    path[short], net[short] = 1.0, 0.0
    np.minimum(np.divide(net, path, out=net), 1.0, out=net)
    values[period:] = net
    return values


def volatility_ratio(atr_share: Singles, period: int) -> Singles:
    """Return the present ATR over its own long average: over 1 when the market wakes up.

    Parameters
    ----------
    atr_share : ndarray of float32, shape (n,)
        ATR as a fraction of the price.
    period : int
        Candles of the long average.
    """
    long = talib.SMA(atr_share.astype(np.float64), period)
    long[long <= 0.0] = np.nan
    return np.divide(atr_share, long).astype(np.float32)


def volume_ratio(volume: Floats, period: int) -> Singles:
    """Return volume over the mean of the ``period`` candles before; NaN where those traded nothing."""
    values = np.full(len(volume), np.nan, dtype=np.float32)
    before = talib.SMA(volume[:-1], period)
    before[before <= VOLUME_RESIDUE * np.maximum.accumulate(volume[:-1])] = np.nan
    np.divide(volume[1:], before, out=before)
    values[1:] = before
    return values
