"""The built-in agents at one candle: the same votes as their arrays, in the same single and double precision."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trading.signals.agents import market_structure, momentum, regime, volatility, volume_profile
from trading.signals.agents.base import LEAST_CONFIDENCE, TRAIL_CEILING, TRAIL_FLOOR
from trading.signals.formulas import NEUTRAL
from trading.signals.indicators import SWING_LOOKBACK
from trading.signals.records import Regime
from trading.signals.regimes import TREND_LEAVE
from trading.signals.streaming_compiling import compiled
from trading.signals.streaming_indicators import CLOSE, HIGH, LOW, confirmed_swing
from trading.signals.streaming_state import RECENT, SLOTS, Base

Floats = NDArray[np.float64]
Single = np.float32

_VOLATILITY, _MOMENTUM, _PROFILE, _STRUCTURE, _REGIME = range(len(SLOTS))
_NONE, _FULL, _HALF = np.float32(0.0), np.float32(1.0), np.float32(0.5)
_UNKNOWN = np.float32(np.nan)


def _scale(start: float, full: float) -> np.float32:
    # As `conditions.ramp` rounds it.
    return np.float32(1.0 / (full - start))


_LEAST, _FLOOR, _CEILING = np.float32(LEAST_CONFIDENCE), np.float32(TRAIL_FLOOR), np.float32(TRAIL_CEILING)

_CALM_MULTIPLE, _MULTIPLE_SLOPE = np.float32(volatility.CALM_MULTIPLE), np.float32(volatility.MULTIPLE_SLOPE)
_LEAST_MULTIPLE = np.float32(volatility.LEAST_MULTIPLE)
_GREATEST_MULTIPLE = np.float32(volatility.GREATEST_MULTIPLE)
_STORM_RATIO = np.float32(volatility.STORM_RATIO)
_BAND_BUY, _BAND_SELL = _scale(0.0, -volatility.STRETCH_FULL), _scale(1.0, 1.0 + volatility.STRETCH_FULL)

_OVERSOLD, _OVERBOUGHT = np.float32(momentum.OVERSOLD), np.float32(momentum.OVERBOUGHT)
_TIRED_FALL, _TIRED_RISE = np.float32(momentum.MEAN_START), np.float32(100.0 - momentum.MEAN_START)
_FALL_SCALE = _scale(momentum.MEAN_START, momentum.MEAN_FULL)
_RISE_SCALE = _scale(100.0 - momentum.MEAN_START, 100.0 - momentum.MEAN_FULL)
_AGAINST_TURN, _MOMENTUM_TRAIL = np.float32(momentum.AGAINST_TURN), np.float32(momentum.TRAIL_MULTIPLE)
_NEUTRAL, _WEAK = np.float32(NEUTRAL), np.float32(momentum.RSI_WEAK - NEUTRAL)
_RSI_MARGIN = np.float32(momentum.RSI_MARGIN)
_DIVERGENCE_CANDLES = momentum.DIVERGENCE_CANDLES
_DIVERGENCE, _DOUBLE = np.float32(momentum.DIVERGENCE_STRENGTH), np.float32(momentum.DOUBLE_STRENGTH)

_SPIKE, _LEAST_SPIKE = np.float32(volume_profile.SPIKE), np.float32(volume_profile.LEAST_SPIKE)
_SPIKE_SCALE = _scale(volume_profile.SPIKE, volume_profile.WHALE)
_MORE_SPIKE = np.float32(1.0 - volume_profile.LEAST_SPIKE)
_AREA_NEAR, _AREA_SCALE = np.float32(volume_profile.NEAR_ATR), _scale(volume_profile.NEAR_ATR, volume_profile.FAR_ATR)
_ABSORBED_AT, _PUSH_CANDLES = volume_profile.ABSORBED_AT, volume_profile.PUSH_CANDLES

_LEVEL_ATR, _LEVEL_SCALE = np.float32(market_structure.LEVEL_ATR), _scale(market_structure.LEVEL_ATR, 0.0)
_NEAR_STRENGTH, _SWEEP = np.float32(market_structure.NEAR_STRENGTH), np.float32(market_structure.SWEEP_STRENGTH)
_BREAK, _BREAK_SCALE = np.float32(market_structure.BREAK_STRENGTH), _scale(0.0, -market_structure.BREAK_FULL_ATR)
_BREAK_CANDLES, _SWEEP_CANDLES = market_structure.BREAK_CANDLES, market_structure.SWEEP_CANDLES
_SWEEP_VOTES = market_structure.SWEEP_VOTES

_RANGE_NEAR = np.float32(regime.RANGE_NEAR_ATR)
_BELOW_SCALE = _scale(-regime.RANGE_NEAR_ATR, -regime.RANGE_FAR_ATR)
_ABOVE_SCALE = _scale(regime.RANGE_NEAR_ATR, regime.RANGE_FAR_ATR)
_TREND_START, _TREND_SCALE = np.float32(TREND_LEAVE), _scale(TREND_LEAVE, regime.TREND_FULL)
_LEAST_TREND, _MORE_TREND = np.float32(regime.LEAST_TREND), np.float32(1.0 - regime.LEAST_TREND)
_SWING_SHARE = np.float32(regime.SWING_SHARE)
_IS_TRENDING, _IS_VOLATILE = int(Regime.TRENDING), int(Regime.VOLATILE)


@compiled
def ramp(value: Single, start: Single, scale: Single) -> Single:
    """Return 0 at ``start``, rising by ``scale``, clipped within 0 and 1; 0 at NaN."""
    share = (value - start) * scale
    # Written so that NaN, which is neither, has no strength.
    if not share > _NONE:
        return _NONE
    return min(share, _FULL)


@compiled
def cast(one: Base, slot: int, buy: Single, sell: Single, trail: Single) -> None:
    """Write an agent's vote, as `agents.base.vote` makes it."""
    lead = buy - sell
    one.action[slot] = 0
    one.confidence[slot] = _NONE
    if lead != _NONE:
        one.action[slot] = 1 if lead > _NONE else -1
        one.confidence[slot] = abs(lead) * _HALF + _LEAST
    one.trail[slot] = _NONE if np.isnan(trail) else min(max(trail, _FLOOR), _CEILING)


@compiled
def stretched(one: Base) -> None:
    """Vote as the volatility agent."""
    known = _FULL if np.isnan(one.ratio) else one.ratio
    multiple = min(max(_CALM_MULTIPLE - _MULTIPLE_SLOPE * known, _LEAST_MULTIPLE), _GREATEST_MULTIPLE)
    buy, sell = _NONE, _NONE
    if known < _STORM_RATIO:
        buy, sell = ramp(one.percent_b, _NONE, _BAND_BUY), ramp(one.percent_b, _FULL, _BAND_SELL)
    cast(one, _VOLATILITY, buy, sell, one.slow_atr * multiple)


@compiled
def diverge(one: Base, t: int, prices: Floats, swing: int, sign: Single) -> None:
    """Hold a swing that this candle confirms against the one before; ``swing`` is 0 for highs, 1 for lows."""
    row = t - SWING_LOOKBACK
    rsi, histogram = one.rsi_ring[row % RECENT], one.histogram_ring[row % RECENT]
    before = one.swing_row[swing]
    if before >= 0 and (prices[row] - prices[before]) * sign < 0.0:
        rsi_before, histogram_before = one.swing_rsi[swing], one.swing_histogram[swing]
        weak = (rsi_before - _NEUTRAL) * sign < _WEAK
        by_rsi = weak and (rsi - rsi_before) * sign > _RSI_MARGIN
        by_macd = (histogram - histogram_before) * sign > _NONE and histogram_before * sign < _NONE
        if by_rsi or by_macd:
            one.diverged[1 - swing] = t
        if by_rsi and by_macd:
            one.diverged_twice[1 - swing] = t
    one.swing_row[swing] = row
    one.level[swing] = prices[row]
    one.swing_rsi[swing], one.swing_histogram[swing] = rsi, histogram


@compiled
def swings(one: Base, t: int, values: Floats) -> None:
    """Renew the latest confirmed swings and the divergences between them."""
    one.level_before[0], one.level_before[1] = one.level[0], one.level[1]
    if confirmed_swing(t, values, 0):
        diverge(one, t, values[HIGH], 0, -_FULL)
    if confirmed_swing(t, values, 1):
        diverge(one, t, values[LOW], 1, _FULL)


@compiled
def divergence(one: Base, t: int, side: int) -> Single:
    """Return the strength of the latest divergences, bullish (0) or bearish (1)."""
    if t - one.diverged_twice[side] < _DIVERGENCE_CANDLES:
        return _DOUBLE
    return _DIVERGENCE if t - one.diverged[side] < _DIVERGENCE_CANDLES else _NONE


@compiled
def tired(one: Base, t: int, rsi: Single) -> None:
    """Vote as the momentum agent."""
    buy, sell = _NONE, _NONE
    if rsi < _OVERSOLD:
        buy = ramp(one.mean_rsi, _TIRED_FALL, _FALL_SCALE)
        if not one.histogram > one.histogram_before:
            buy *= _AGAINST_TURN
    if rsi > _OVERBOUGHT:
        sell = ramp(one.mean_rsi, _TIRED_RISE, _RISE_SCALE)
        if not one.histogram < one.histogram_before:
            sell *= _AGAINST_TURN
    buy, sell = max(buy, divergence(one, t, 0)), max(sell, divergence(one, t, 1))
    cast(one, _MOMENTUM, buy, sell, one.slow_atr * _MOMENTUM_TRAIL)


@compiled
def absorbed(one: Base, t: int, values: Floats) -> tuple[bool, bool]:
    """Return whether a spike of volume absorbed a fall, or a rise; remember what it pushed."""
    opening, high, low, close = values[0, t], values[HIGH, t], values[LOW, t], values[CLOSE, t]
    before = values[CLOSE, t - 1] if t > 0 else opening
    height = high - low
    if not (one.volume_ratio >= _SPIKE and height > 0.0):
        return False, False
    upper = close >= low + _ABSORBED_AT * height
    lower = close <= high - _ABSORBED_AT * height
    deep = (before - low) > (high - before)
    if close < opening and lower:
        one.pushed[0] = t
    if close > opening and upper:
        one.pushed[1] = t
    return low < before and upper and deep, high > before and lower and not deep


@compiled
def profiled(one: Base, t: int, values: Floats) -> None:
    """Vote as the volume profile agent."""
    close = values[CLOSE, t]
    step = one.slow_atr * close
    below, above = _UNKNOWN, _UNKNOWN
    if step > 0.0:
        below, above = np.float32((one.area_low - close) / step), np.float32((close - one.area_high) / step)
    buy, sell = ramp(below, _AREA_NEAR, _AREA_SCALE), ramp(above, _AREA_NEAR, _AREA_SCALE)
    size = _LEAST_SPIKE + _MORE_SPIKE * ramp(one.volume_ratio, _SPIKE, _SPIKE_SCALE)
    fall, rise = absorbed(one, t, values)
    if fall:
        buy = max(buy, size)
    if rise:
        sell = max(sell, size)
    if t - one.pushed[0] < _PUSH_CANDLES:
        buy = _NONE
    if t - one.pushed[1] < _PUSH_CANDLES:
        sell = _NONE
    cast(one, _PROFILE, buy, sell, np.float32((one.area_high - one.area_low) / (2.0 * close)))


@compiled
def near(distance: Single) -> Single:
    """Return the strength of a level, as `agents.market_structure.near`."""
    return ramp(distance, _LEVEL_ATR, _LEVEL_SCALE) * _NEAR_STRENGTH if distance >= _NONE else _NONE


@compiled
def breaks(one: Base, t: int, closes: Floats) -> None:
    """Remember where structure broke and where a break was taken back: down (0) and up (1)."""
    if t == 0:
        return
    close, before = closes[t], closes[t - 1]
    high, low, high_before, low_before = one.level[0], one.level[1], one.level_before[0], one.level_before[1]
    if close < low_before and before >= low_before:
        one.broke[0] = t
    if close > high_before and before <= high_before:
        one.broke[1] = t
    if close > low and before <= low_before and t - one.broke[0] < _SWEEP_CANDLES:
        one.swept[0] = t
    if close < high and before >= high_before and t - one.broke[1] < _SWEEP_CANDLES:
        one.swept[1] = t


@compiled
def structured(one: Base, t: int, closes: Floats, atr_share: Single) -> None:
    """Vote as the market structure agent."""
    breaks(one, t, closes)
    close, high, low = closes[t], one.level[0], one.level[1]
    step = atr_share * close
    over_low, under_high = _UNKNOWN, _UNKNOWN
    if step > 0.0:
        over_low, under_high = np.float32((close - low) / step), np.float32((high - close) / step)
    buy, sell = near(over_low), near(under_high)
    if t - one.broke[1] < _BREAK_CANDLES and close > high:
        buy, sell = _BREAK + _HALF * ramp(under_high, _NONE, _BREAK_SCALE), _NONE
    if t - one.broke[0] < _BREAK_CANDLES and close < low:
        sell, buy = _BREAK + _HALF * ramp(over_low, _NONE, _BREAK_SCALE), _NONE
    if t - one.swept[0] < _SWEEP_VOTES and close > low:
        buy = max(buy, _SWEEP)
    if t - one.swept[1] < _SWEEP_VOTES and close < high:
        sell = max(sell, _SWEEP)
    width = (high - low) / close
    cast(one, _STRUCTURE, buy, sell, np.float32(0.5 * width) if width > 0.0 else _UNKNOWN)


@compiled
def with_regime(one: Base, close: float) -> None:
    """Vote as the regime agent."""
    buy, sell = _NONE, _NONE
    if one.regime == _IS_TRENDING:
        trend = _LEAST_TREND + _MORE_TREND * ramp(one.efficiency, _TREND_START, _TREND_SCALE)
        if one.move > _NONE:
            buy = trend
        elif one.move < _NONE:
            sell = trend
    elif one.regime != _IS_VOLATILE:
        step = one.slow_atr * close
        stretch = np.float32((close - one.vwap) / step) if step > 0.0 else _UNKNOWN
        buy, sell = ramp(stretch, -_RANGE_NEAR, _BELOW_SCALE), ramp(stretch, _RANGE_NEAR, _ABOVE_SCALE)
    cast(one, _REGIME, buy, sell, one.swing_size * _SWING_SHARE)


@compiled
def vote(one: Base, t: int, values: Floats, rsi: Single, atr_share: Single) -> None:
    """Let all built-in agents vote on a candle."""
    swings(one, t, values)
    stretched(one)
    tired(one, t, rsi)
    profiled(one, t, values)
    structured(one, t, values[CLOSE], atr_share)
    with_regime(one, values[CLOSE, t])
