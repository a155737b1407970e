"""One candle of one series: RSI, average true range, swings, and the making of longer candles.

The recursions of TA-Lib are carried in its own order of operations, so that every bit is the same as the batch's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trading.signals.formulas import NEUTRAL
from trading.signals.indicators import SLOW_LEGS, SLOW_LOOKBACK
from trading.signals.kernels import SWING_LEGS
from trading.signals.streaming_compiling import compiled, fused
from trading.signals.streaming_state import FEW, Series

Floats = NDArray[np.float64]

PERIOD = 14
"""Of the RSI and the average true range."""
# As TA-Lib writes Wilder's smoothing, each in its own way.
_SHARE = 1.0 / PERIOD
_KEPT = (PERIOD - 1) / PERIOD
_RENEWED = 1.0 - _KEPT
_LAST_FEW = FEW - 1


@compiled
def rsi(one: Series, close: float) -> None:
    """Take the next close into Wilder's relative strength index."""
    n = one.count
    if n == 0:
        one.still = 1
        return
    one.still = one.still + 1 if close == one.close else 1
    change = close - one.close
    rise = max(change, 0.0)
    gain, loss = one.gain, one.loss
    if n > PERIOD:
        gain *= PERIOD - 1
        loss *= PERIOD - 1
    gain += rise
    loss += rise - change
    if n >= PERIOD:
        gain *= _SHARE
        loss *= _SHARE
    one.gain, one.loss = gain, loss
    if n < PERIOD:
        return
    total = gain + loss
    value = gain / total * 100.0 if total > 0.0 else 0.0
    if value == 0.0 and one.still > PERIOD:
        value = NEUTRAL
    one.exact_rsi = value
    one.rsi = np.float32(value)


@compiled
def average_true_range(one: Series, high: float, low: float, close: float) -> None:
    """Take the next candle into Wilder's average true range, and its share of the close."""
    n = one.count
    if n == 0:
        return
    greatest = max(high - low, abs(one.close - high), abs(one.close - low))
    if n <= PERIOD:
        one.atr += greatest
        if n == PERIOD:
            one.atr /= PERIOD
    else:
        one.atr = fused(one.atr, _KEPT, greatest * _RENEWED)
    if n >= PERIOD:
        one.atr_share = np.float32(one.atr / close)


@compiled
def is_swing(prices: Floats, mask: int, row: int, lookback: int, sign: float) -> bool:
    """Return whether the candle ``lookback`` before ``row`` is a swing high (sign 1) or low (sign -1).

    Parameters
    ----------
    prices : ndarray, shape (any,)
        Highs or lows, by row and ``mask``.
    mask : int
        -1 for a whole column, size - 1 for a ring.
    row : int
        The present row, at least twice the lookback.
    lookback : int
        Candles on either side.
    sign : float
        1.0 or -1.0.
    """
    middle = row - lookback
    candidate = sign * prices[middle & mask]
    for k in range(1, lookback + 1):
        if candidate <= sign * prices[(middle - k) & mask] or candidate < sign * prices[(middle + k) & mask]:
            return False
    return True


@compiled
def swing_leg(one: Series, side: int, price: float) -> bool:
    """Take a confirmed swing, high (1) or low (-1); return whether a leg is new or longer."""
    if one.kind != side:
        if one.kind != 0:
            one.legs += 1
        one.kind = side
        one.before = one.last
        one.last = price
    elif (price - one.last) * side > 0.0:
        one.last = price
    if one.legs == 0:
        return False
    one.sizes[(one.legs - 1) % SWING_LEGS] = abs(one.last - one.before) / one.before
    return True


@compiled
def average_swing(one: Series, high: float, low: float) -> None:
    """Take the next candle into the average size of the legs between swings."""
    row = one.count
    highs, lows = one.highs, one.lows
    highs[row & _LAST_FEW], lows[row & _LAST_FEW] = high, low
    if row < 2 * SLOW_LOOKBACK:
        return
    changed = False
    middle = (row - SLOW_LOOKBACK) & _LAST_FEW
    if is_swing(highs, _LAST_FEW, row, SLOW_LOOKBACK, 1.0):
        changed |= swing_leg(one, 1, highs[middle])
    if is_swing(lows, _LAST_FEW, row, SLOW_LOOKBACK, -1.0):
        changed |= swing_leg(one, -1, lows[middle])
    if changed and one.legs >= SLOW_LEGS:
        known = min(one.legs, SWING_LEGS)
        total = 0.0
        for k in range(known):
            total += one.sizes[k]
        one.swing = np.float32(total / known)


@compiled
def take(one: Series, high: float, low: float, close: float) -> None:
    """Take the next candle of a series."""
    rsi(one, close)
    average_true_range(one, high, low, close)
    average_swing(one, high, low)
    one.close = close
    one.count += 1


@compiled
def finish(one: Series) -> None:
    """Close the longer candle that is being made, if it is a whole one and not closed yet."""
    if one.kept and not one.done:
        take(one, one.part_high, one.part_low, one.part_close)
    one.done = 1


@compiled
def feed(
    one: Series, timestamp: int, step_ms: int, high: float, low: float, close: float, filled: bool, first: bool
) -> None:
    """Take a base candle into the longer candle that it is part of, as `trading.market.resampling` does."""
    bucket = timestamp - (timestamp - one.offset_ms) % one.length_ms
    if first or bucket != one.bucket_ms:
        if not first:
            finish(one)
        # The first longer candle counts only when its first part is there.
        one.kept = 1 if not first or bucket == timestamp else 0
        one.bucket_ms = bucket
        one.done, one.any_real = 0, 0
        one.part_high, one.part_low, one.part_close = high, low, close
    elif not filled and one.any_real == 0:
        # What was made up says nothing once a real part is there.
        one.part_high, one.part_low, one.part_close = high, low, close
    elif not filled or one.any_real == 0:
        one.part_high = max(one.part_high, high)
        one.part_low = min(one.part_low, low)
        one.part_close = close
    if not filled:
        one.any_real = 1
    if timestamp + step_ms >= bucket + one.length_ms:
        finish(one)
