"""What kind of market it is: trend from the efficiency ratio, volatility against its own past, both with hysteresis."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trading.signals.kernels import hysteresis
from trading.signals.records import Regime, VolatilityClass

Singles = NDArray[np.float32]

TREND_ENTER, TREND_LEAVE = 0.30, 0.18
"""Efficiency ratio over 96 candles: a random walk averages 0.10 and exceeds 0.30 at 2% of its candles."""
CALM_ENTER, CALM_LEAVE = 0.65, 0.80
VOLATILE_LEAVE, VOLATILE_ENTER = 1.25, 1.60
"""Ratio of the present ATR to its average over 288 candles."""
CONFIRM_CANDLES = 4

_TRENDING = 2
_REGIME_OF_CLASS = np.array([Regime.CALM, Regime.RANGING, Regime.VOLATILE], dtype=np.int8)


def volatility_classes(ratio: Singles) -> NDArray[np.int8]:
    """Return `VolatilityClass` values from the volatility ratio; NORMAL while it is unknown.

    Parameters
    ----------
    ratio : ndarray of float32, shape (n,)
        Present over usual volatility.
    """
    return hysteresis(ratio, CALM_ENTER, CALM_LEAVE, VOLATILE_LEAVE, VOLATILE_ENTER, CONFIRM_CANDLES)


def regimes(efficiency: Singles, classes: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return `Regime` values: a trend counts before the volatility class does; RANGING while nothing is known.

    Parameters
    ----------
    efficiency : ndarray of float32, shape (n,)
        Efficiency ratio, 0 to 1.
    classes : ndarray of int8, shape (n,)
        `VolatilityClass` values.
    """
    trend = hysteresis(efficiency, -1.0, -1.0, TREND_LEAVE, TREND_ENTER, CONFIRM_CANDLES)
    found = _REGIME_OF_CLASS[classes]
    found[trend == _TRENDING] = Regime.TRENDING
    return found


def regime_name(value: int) -> str:
    """Return a regime in words."""
    return Regime(value).name.lower()


def class_name(value: int) -> str:
    """Return a volatility class in words."""
    return VolatilityClass(value).name.lower()
