"""``IndicatorSet``: the indicators of one candle series, each computed once and shared by all agents."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from math import sqrt
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar, cast

import numpy as np
import talib
from numpy.typing import NDArray

from trading.errors import DataError
from trading.market.candles import PRICE_COLUMNS, Candles
from trading.market.resampling import resample
from trading.market.timeframes import timeframe_ms
from trading.signals import formulas, kernels, regimes, swings
from trading.signals.alignment import Value, align, higher_timeframes, swing_timeframe

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

DAY_MS = 86_400_000
SWING_LOOKBACK = 10
SLOW_LOOKBACK = 3
SLOW_LEGS = 3
VALUE_SHARE = 0.7

_Arguments = ParamSpec("_Arguments")
_Answer = TypeVar("_Answer")


class ValueArea(NamedTuple):
    """Rolling volume profile, quote currency, each of shape (n,): where most volume traded, and the area around it."""

    poc: Floats
    high: Floats
    low: Floats


def kept(
    method: Callable[Concatenate[IndicatorSet, _Arguments], _Answer],
) -> Callable[Concatenate[IndicatorSet, _Arguments], _Answer]:
    """Compute a method once for each set of arguments; its arrays become read-only, because all agents share them."""
    signature = inspect.signature(method)

    @wraps(method)
    def answer(self: IndicatorSet, *args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Answer:
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        key = (method.__name__, *list(bound.arguments.values())[1:])
        if key not in self._answers:
            found = method(self, *args, **kwargs)
            for array in found if isinstance(found, tuple) else (found,):
                if isinstance(array, np.ndarray):
                    array.flags.writeable = False
            self._answers[key] = found
        return cast("_Answer", self._answers[key])

    return cast("Callable[Concatenate[IndicatorSet, _Arguments], _Answer]", answer)


class IndicatorSet:
    """Indicators of one candle series; value t knows the candles up to and including t, NaN while warming up.

    Ratios, oscillators and volatilities are float32, prices float64; all arrays have shape (n,) and are read-only.

    Parameters
    ----------
    candles : Candles
        Closed candles of any length, an empty series included.

    Raises
    ------
    DataError
        When a price is not positive and finite, or a volume is negative or not finite.
    """

    def __init__(self, candles: Candles) -> None:
        _require_sound(candles)
        self.candles = candles
        self._answers: dict[tuple[object, ...], object] = {}

    def __len__(self) -> int:
        return len(self.candles)

    @property
    def close(self) -> Floats:
        """Closing prices."""
        return self.candles.close

    def _typical(self) -> Floats:
        typical = self.candles.high + self.candles.low
        typical += self.candles.close
        typical /= 3.0
        return typical

    @kept
    def sma(self, period: int) -> Floats:
        """Return the simple moving average of the close."""
        return talib.SMA(self.close, period)

    @kept
    def ema(self, period: int) -> Floats:
        """Return the exponential moving average of the close."""
        return talib.EMA(self.close, period)

    @kept
    def rsi(self, period: int = 14) -> Singles:
        """Return Wilder's relative strength index, 0 to 100; 50 for a price that stands still."""
        return formulas.rsi(self.close, period).astype(np.float32)

    @kept
    def macd(self, fast: int = 12, slow: int = 26, signal: int = 9) -> formulas.Macd:
        """Return moving average convergence divergence, quote currency."""
        return formulas.macd(self.close, fast, slow, signal)

    @kept
    def bollinger(self, period: int = 20, deviations: float = 2.0) -> formulas.Bands:
        """Return Bollinger bands, quote currency."""
        return formulas.bollinger(self.close, period, deviations)

    @kept
    def percent_b(self, period: int = 20, deviations: float = 2.0) -> Singles:
        """Return where the close stands between the Bollinger bands: 0 lower, 1 upper."""
        return formulas.percent_b(self.close, period, deviations)

    @kept
    def atr(self, period: int = 14) -> Floats:
        """Return Wilder's average true range, quote currency."""
        return talib.ATR(self.candles.high, self.candles.low, self.close, period)

    @kept
    def atr_share(self, period: int = 14) -> Singles:
        """Return Wilder's average true range as a fraction of the close."""
        values = talib.ATR(self.candles.high, self.candles.low, self.close, period)
        values /= self.close
        return values.astype(np.float32)

    @kept
    def stochastic(self, period: int = 14, smooth_k: int = 3, smooth_d: int = 3) -> formulas.Stochastic:
        """Return the slow stochastic oscillator, 0 to 100; 50 for a range without height."""
        return formulas.stochastic(self.candles.high, self.candles.low, self.close, period, smooth_k, smooth_d)

    @kept
    def stoch_rsi(self, period: int = 14, window: int = 14, smooth_d: int = 3) -> formulas.Stochastic:
        """Return the fast stochastic oscillator of the RSI, 0 to 100."""
        series = formulas.rsi(self.close, period)
        return formulas.stochastic(series, series, series, window, 1, smooth_d)

    @kept
    def volume_sma(self, period: int = 20) -> Floats:
        """Return the simple moving average of the volume, base currency."""
        return talib.SMA(self.candles.volume, period)

    @kept
    def volume_ratio(self, period: int = 20) -> Singles:
        """Return the volume over the mean of the candles before."""
        return formulas.volume_ratio(self.candles.volume, period)

    @kept
    def session_vwap(self) -> Floats:
        """Return the volume-weighted average price since UTC midnight."""
        return kernels.session_vwap(self.candles.timestamp, self._typical(), self.candles.volume, DAY_MS)

    @kept
    def rolling_vwap(self, period: int = 96) -> Floats:
        """Return the volume-weighted average price of the last ``period`` candles."""
        return kernels.rolling_vwap(self._typical(), self.candles.volume, period)

    @kept
    def value_area(self, period: int = 288, every: int = 24) -> ValueArea:
        """Return the rolling volume profile, renewed each ``every`` candles: 70% of the volume lies in the area."""
        bins = kernels.PROFILE_BINS
        volume = self.candles.volume
        return ValueArea(*kernels.value_area(self._typical(), volume, period, every, VALUE_SHARE, bins))

    @kept
    def pivots(self, lookback: int = SWING_LOOKBACK) -> swings.Pivots:
        """Return the rows of the latest confirmed swing high and low; -1 while there is none."""
        return swings.pivots(self.candles.high, self.candles.low, lookback)

    @kept
    def swing_high(self, lookback: int = SWING_LOOKBACK) -> Floats:
        """Return the latest confirmed swing high, quote currency."""
        return swings.levels(self.candles.high, self.pivots(lookback).high_row)

    @kept
    def swing_low(self, lookback: int = SWING_LOOKBACK) -> Floats:
        """Return the latest confirmed swing low, quote currency."""
        return swings.levels(self.candles.low, self.pivots(lookback).low_row)

    @kept
    def swing_size(self) -> Singles:
        """Return the average swing on candles of 1h (4h for base candles of 1h), fraction of the price.

        Until three swings are known there, the base candles' own swings stand in, scaled by the root of the ratio of
        the lengths, as the swings of a random walk grow.
        """
        return self._slow(lambda one: swings.swing_size(one.high, one.low, SLOW_LOOKBACK, SLOW_LEGS))

    @kept
    def slow_atr_share(self) -> Singles:
        """Return the average true range of candles of 1h (4h for base candles of 1h), fraction of the price.

        Until it is known there, that of the base candles stands in, scaled like `swing_size`.
        """
        return self._slow(lambda one: IndicatorSet(one).atr_share())

    def _slow(self, measure: Callable[[Candles], Singles]) -> Singles:
        timeframe = swing_timeframe(self.candles.timeframe)
        if timeframe == self.candles.timeframe:
            return measure(self.candles)
        values = self.aligned(timeframe, measure(self.higher(timeframe).candles))
        unknown = np.isnan(values)
        early = len(values) if unknown.all() else int(np.argmin(unknown))
        scale = sqrt(timeframe_ms(timeframe) / self.candles.step_ms)
        values[:early] = measure(self.candles[:early]) * np.float32(scale)
        return values

    @kept
    def efficiency_ratio(self, period: int = 96) -> Singles:
        """Return Kaufman's efficiency ratio: 0 noise, 1 a straight line."""
        return formulas.efficiency_ratio(self.close, period)

    @kept
    def volatility_ratio(self, period: int = 288) -> Singles:
        """Return the present ATR over its average of the last ``period`` candles."""
        return formulas.volatility_ratio(self.atr_share(), period)

    @kept
    def volatility_class(self) -> NDArray[np.int8]:
        """Return `VolatilityClass` values."""
        return regimes.volatility_classes(self.volatility_ratio())

    @kept
    def regime(self) -> NDArray[np.int8]:
        """Return `Regime` values."""
        return regimes.regimes(self.efficiency_ratio(), self.volatility_class())

    @kept
    def higher(self, timeframe: str) -> IndicatorSet:
        """Return the indicators of longer candles made of these; use `aligned` to see them without lookahead."""
        # Always from the base candles: over a gap, candles made in between would hide that time went on.
        return IndicatorSet(resample(self.candles, timeframe))

    @property
    def higher_timeframes(self) -> tuple[str, ...]:
        """The next two longer timeframes that these candles can make."""
        return higher_timeframes(self.candles.timeframe)

    def aligned(self, timeframe: str, values: NDArray[Value]) -> NDArray[Value]:
        """Return a higher timeframe's values at these candles, each only from its candle's close on.

        Parameters
        ----------
        timeframe : str
            Of ``higher(timeframe)``, where the values come from.
        values : ndarray of float
            One for each candle of that timeframe.
        """
        slow = self.higher(timeframe).candles
        return align(values, slow.timestamp, slow.step_ms, self.candles.timestamp, self.candles.step_ms)


def _require_sound(candles: Candles) -> None:
    for name in PRICE_COLUMNS:
        price = getattr(candles, name)
        if not (np.isfinite(price) & (price > 0)).all():
            row = int(np.argmin(np.isfinite(price) & (price > 0)))
            raise DataError(f"{candles.symbol} row {row}: {name} is {price[row]}; signals need positive, finite prices")
    if not (np.isfinite(candles.volume) & (candles.volume >= 0)).all():
        row = int(np.argmin(np.isfinite(candles.volume) & (candles.volume >= 0)))
        raise DataError(f"{candles.symbol} row {row}: volume is {candles.volume[row]}; signals need finite volumes")
