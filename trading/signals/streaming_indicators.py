"""One candle of the base series: the indicators that agents read, each carried on from its last value."""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from trading.signals.formulas import FLAT_BAND, VOLUME_RESIDUE
from trading.signals.indicators import SWING_LOOKBACK, VALUE_SHARE
from trading.signals.kernels import PROFILE_BINS, value_area
from trading.signals.records import Regime, VolatilityClass
from trading.signals.regimes import (
    CALM_ENTER,
    CALM_LEAVE,
    CONFIRM_CANDLES,
    TREND_ENTER,
    TREND_LEAVE,
    VOLATILE_ENTER,
    VOLATILE_LEAVE,
)
from trading.signals.streaming_compiling import compiled, fused
from trading.signals.streaming_series import PERIOD, is_swing
from trading.signals.streaming_state import RATIO_CANDLES, RECENT, Base, Records

Floats = NDArray[np.float64]

HIGH, LOW, CLOSE, VOLUME, TYPICAL = 1, 2, 3, 4, 5
"""Rows of the history's values."""
FAST, SLOW, SIGNAL = 12, 26, 9
BAND_CANDLES, BAND_DEVIATIONS = 20, 2.0
VOLUME_CANDLES = 20
PATH_CANDLES = 96
AREA_CANDLES, AREA_EVERY = 288, 24

_FAST_SHARE, _SLOW_SHARE, _SIGNAL_SHARE = 2.0 / (FAST + 1), 2.0 / (SLOW + 1), 2.0 / (SIGNAL + 1)
_FIRST_LINE, _FIRST_SIGNAL = SLOW - 1, SLOW + SIGNAL - 2
# How TA-Lib's Bollinger bands guard their running sums: anew after so many candles, when the variance is a small share
# of them, or when the candle that leaves was nearly all of them.
_BAND_SHARE, _BAND_RENEWAL = 1.0 / BAND_CANDLES, 32 * BAND_CANDLES
_LOST, _BURST, _NO_SPREAD = 1e-6, 1e6, 1e-12
_UNKNOWN = np.float32(np.nan)
_TRENDING_STATE = 2
_RANGING, _TRENDING = int(Regime.RANGING), int(Regime.TRENDING)
_VOLATILE, _CALM = int(Regime.VOLATILE), int(Regime.CALM)
_CLASS_VOLATILE, _CLASS_CALM = int(VolatilityClass.VOLATILE), int(VolatilityClass.CALM)


@compiled
def macd(one: Base, t: int, close: float) -> None:
    """Take the next close into the histogram of moving average convergence divergence."""
    one.histogram_before = one.histogram
    if t <= _FIRST_LINE:
        one.long += close
        if t >= SLOW - FAST:
            one.fast += close
        if t == _FIRST_LINE:
            one.long /= SLOW
            one.fast /= FAST
            one.signal = one.fast - one.long
        return
    one.fast = fused(close - one.fast, _FAST_SHARE, one.fast)
    one.long = fused(close - one.long, _SLOW_SHARE, one.long)
    line = one.fast - one.long
    if t <= _FIRST_SIGNAL:
        one.signal += line
        if t == _FIRST_SIGNAL:
            one.signal /= SIGNAL
    else:
        one.signal = fused(line - one.signal, _SIGNAL_SHARE, one.signal)
    if t >= _FIRST_SIGNAL:
        one.exact_histogram = line - one.signal
        one.histogram = np.float32(one.exact_histogram)


@compiled
def spread_anew(one: Base, t: int, closes: Floats) -> float:
    """Sum the window's deviations anew, around its mean; return the variance."""
    first = t - BAND_CANDLES + 1
    total = 0.0
    for k in range(first, t + 1):
        total += closes[k]
    centre = total * _BAND_SHARE
    deviations, squares = 0.0, 0.0
    for k in range(first, t + 1):
        deviation = closes[k] - centre
        deviations += deviation
        squares += deviation * deviation
    mean = deviations * _BAND_SHARE
    variance = squares * _BAND_SHARE - mean * mean
    if variance < _NO_SPREAD * (squares * _BAND_SHARE):
        variance = 0.0
    oldest = closes[first] - centre
    one.centre, one.deviations, one.squares = centre, deviations - oldest, squares - oldest * oldest
    one.until_renewal = _BAND_RENEWAL
    return variance


@compiled
def spread(one: Base, t: int, closes: Floats) -> float:
    """Return the variance of the window; its sums run around a centre that is renewed before rounding eats them."""
    if t == 0:
        one.centre, one.until_renewal = closes[0], _BAND_RENEWAL
    deviation = closes[t] - one.centre
    one.deviations += deviation
    one.squares += deviation * deviation
    if t < BAND_CANDLES - 1:
        return 0.0
    mean = one.deviations * _BAND_SHARE
    variance = one.squares * _BAND_SHARE - mean * mean
    oldest = closes[t - BAND_CANDLES + 1] - one.centre
    one.squares -= oldest * oldest
    if _LOST * (one.squares * _BAND_SHARE) > variance or oldest * oldest > _BURST * one.squares:
        return spread_anew(one, t, closes)
    one.until_renewal -= 1
    if one.until_renewal == 0:
        return spread_anew(one, t, closes)
    one.deviations -= oldest
    return variance


@compiled
def percent_b(one: Base, t: int, closes: Floats) -> None:
    """Take the next close into the Bollinger bands."""
    close = closes[t]
    one.closes += close
    variance = spread(one, t, closes)
    if t < BAND_CANDLES - 1:
        return
    middle = one.closes / BAND_CANDLES
    one.closes -= closes[t - BAND_CANDLES + 1]
    reach = sqrt(variance) * BAND_DEVIATIONS
    one.upper = middle + reach
    lower = middle - reach
    width = one.upper - lower
    one.percent_b = np.float32(0.5 if width <= FLAT_BAND * close else (close - lower) / width)


@compiled
def efficiency(one: Base, t: int, closes: Floats) -> None:
    """Take the next close into Kaufman's efficiency ratio and the move over the same candles."""
    if t == 0:
        return
    one.path += abs(closes[t] - closes[t - 1])
    if t < PATH_CANDLES:
        return
    oldest = t - PATH_CANDLES
    path = one.path
    one.path -= abs(closes[oldest + 1] - closes[oldest])
    net = abs(closes[t] - closes[oldest])
    one.efficiency = np.float32(0.0 if path <= FLAT_BAND * closes[t] else min(net / path, 1.0))
    one.move = np.float32(closes[t] / closes[oldest] - 1.0)


@compiled
def volatility_ratio(one: Base, t: int, atr_share: float) -> None:
    """Take the next true range into the ratio of the present one to its long average."""
    k = t - PERIOD
    if k < 0:
        return
    share = np.float64(atr_share)
    one.ranges += share
    one.range_ring[k % RATIO_CANDLES] = share
    if k < RATIO_CANDLES - 1:
        return
    average = one.ranges / RATIO_CANDLES
    one.ranges -= one.range_ring[(k + 1) % RATIO_CANDLES]
    one.ratio = np.float32(share / average) if average > 0.0 else _UNKNOWN


@compiled
def volume_ratio(one: Base, t: int, volumes: Floats) -> None:
    """Take the volume before into its average, and hold the present one against it."""
    if t == 0:
        return
    before = volumes[t - 1]
    one.volumes += before
    one.most_volume = max(one.most_volume, before)
    if t < VOLUME_CANDLES:
        return
    usual = one.volumes / VOLUME_CANDLES
    one.volumes -= volumes[t - VOLUME_CANDLES]
    one.volume_ratio = _UNKNOWN if usual <= VOLUME_RESIDUE * one.most_volume else np.float32(volumes[t] / usual)


@compiled
def rolling_vwap(one: Base, t: int, values: Floats) -> None:
    """Take the next candle into the rolling volume-weighted average price."""
    typical, volume = values[TYPICAL], values[VOLUME]
    value, traded = one.value, one.traded
    value += typical[t] * volume[t]
    traded += volume[t]
    if t >= PATH_CANDLES:
        value -= typical[t - PATH_CANDLES] * volume[t - PATH_CANDLES]
        traded -= volume[t - PATH_CANDLES]
    if t % PATH_CANDLES == PATH_CANDLES - 1:
        value, traded = 0.0, 0.0
        for k in range(t - PATH_CANDLES + 1, t + 1):
            value += typical[k] * volume[k]
            traded += volume[k]
    one.value, one.traded = value, traded
    one.vwap = value / traded if t >= PATH_CANDLES - 1 and traded > 0.0 else np.nan


@compiled
def renew_value_area(one: Base, t: int, values: Floats) -> None:
    """Renew the value area at its candles; without any volume it stays."""
    first = t - AREA_CANDLES + 1
    if first < 0 or first % AREA_EVERY != 0:
        return
    typical, volume = values[TYPICAL, first : t + 1], values[VOLUME, first : t + 1]
    _, high, low = value_area(typical, volume, AREA_CANDLES, AREA_EVERY, VALUE_SHARE, PROFILE_BINS)
    if not np.isnan(high[-1]):
        one.area_high, one.area_low = high[-1], low[-1]


@compiled
def settle(
    state: NDArray[np.int64], value: float, enter_low: float, leave_low: float, leave_high: float, enter_high: float
) -> int:
    """Take a value into a state with hysteresis: state, wanted state, candles seen; as `kernels.hysteresis`."""
    now: int = state[0]
    target = now
    if not np.isnan(value):
        if value >= enter_high:
            target = 2
        elif value <= enter_low:
            target = 0
        elif (now == 2 and value < leave_high) or (now == 0 and value > leave_low):
            target = 1
    if target == now:
        state[2] = 0
        return now
    state[2] = state[2] + 1 if target == state[1] else 1
    state[1] = target
    if state[2] >= CONFIRM_CANDLES:
        state[0], state[2] = target, 0
        return target
    return now


@compiled
def regime(one: Base) -> None:
    """Take efficiency and volatility into the regime and the volatility class."""
    kind = settle(one.storm, np.float64(one.ratio), CALM_ENTER, CALM_LEAVE, VOLATILE_LEAVE, VOLATILE_ENTER)
    trend = settle(one.trend, np.float64(one.efficiency), -1.0, -1.0, TREND_LEAVE, TREND_ENTER)
    one.storminess = kind
    if trend == _TRENDING_STATE:
        one.regime = _TRENDING
    elif kind == _CLASS_VOLATILE:
        one.regime = _VOLATILE
    else:
        one.regime = _CALM if kind == _CLASS_CALM else _RANGING


@compiled
def from_slow(one: Base, series: Records) -> None:
    """Look at the longer candles as they stand: mean RSI, slow range, slow swings."""
    own = series[0]
    total, count = own.rsi, np.float32(1.0)
    for k in range(one.means):
        value = series[one.mean_of[k]].rsi
        if not np.isnan(value):
            total += value
            count += np.float32(1.0)
    one.mean_rsi = total / count
    if one.slow == 0:
        one.slow_atr, one.swing_size = own.atr_share, own.swing
        return
    slow = series[one.slow]
    # Once known there, the slow candles' own values count for good.
    if not np.isnan(slow.atr_share):
        one.slow_atr_known = 1
    if not np.isnan(slow.swing):
        one.slow_swing_known = 1
    one.slow_atr = slow.atr_share if one.slow_atr_known else own.atr_share * one.slow_scale
    one.swing_size = slow.swing if one.slow_swing_known else own.swing * one.slow_scale


@compiled
def confirmed_swing(t: int, values: Floats, side: int) -> bool:
    """Return whether this candle confirms a swing high (side 0) or low (side 1)."""
    if t < 2 * SWING_LOOKBACK:
        return False
    if side == 0:
        return is_swing(values[HIGH], -1, t, SWING_LOOKBACK, 1.0)
    return is_swing(values[LOW], -1, t, SWING_LOOKBACK, -1.0)


@compiled
def measure(one: Base, series: Records, values: Floats, t: int) -> None:
    """Renew all indicators that look at one value each; the series have taken the candle already."""
    closes = values[CLOSE]
    macd(one, t, closes[t])
    percent_b(one, t, closes)
    efficiency(one, t, closes)
    volatility_ratio(one, t, series[0].atr_share)
    volume_ratio(one, t, values[VOLUME])
    rolling_vwap(one, t, values)
    renew_value_area(one, t, values)
    regime(one)
    from_slow(one, series)
    one.rsi_ring[t % RECENT] = series[0].rsi
    one.histogram_ring[t % RECENT] = one.histogram
