"""Compiled loops behind the indicators; each stands alone, because numba's disk cache does not look into callees."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

PROFILE_BINS = 48
SWING_LEGS = 10


@njit(cache=True, nogil=True)
def session_vwap(timestamp: NDArray[np.int64], typical: Floats, volume: Floats, session_ms: int) -> Floats:
    """Return the volume-weighted average price since the session's start; NaN before its first trade."""
    n = len(typical)
    vwap = np.empty(n)
    session, value, traded = -1, 0.0, 0.0
    for t in range(n):
        if timestamp[t] // session_ms != session:
            session, value, traded = timestamp[t] // session_ms, 0.0, 0.0
        value += typical[t] * volume[t]
        traded += volume[t]
        vwap[t] = value / traded if traded > 0.0 else np.nan
    return vwap


@njit(cache=True, nogil=True)
def rolling_vwap(typical: Floats, volume: Floats, length: int) -> Floats:
    """Return the volume-weighted average price of the last ``length`` candles; NaN while there are fewer."""
    n = len(typical)
    vwap = np.full(n, np.nan)
    value, traded = 0.0, 0.0
    for t in range(n):
        value += typical[t] * volume[t]
        traded += volume[t]
        if t >= length:
            value -= typical[t - length] * volume[t - length]
            traded -= volume[t - length]
        if t % length == length - 1:
            # Summed anew once per window, or rounding errors of a year would outlive a burst of volume.
            value, traded = 0.0, 0.0
            for k in range(t - length + 1, t + 1):
                value += typical[k] * volume[k]
                traded += volume[k]
        if t >= length - 1 and traded > 0.0:
            vwap[t] = value / traded
    return vwap


@njit(cache=True, nogil=True)
def _widest(profile: Floats, target: float) -> tuple[int, int, int]:
    # From the peak outwards, always into the fuller neighbour, until the target is inside.
    bins = len(profile)
    peak = 0
    for b in range(1, bins):
        if profile[b] > profile[peak]:
            peak = b
    first, last, inside = peak, peak, profile[peak]
    while inside < target and (first > 0 or last < bins - 1):
        below = profile[first - 1] if first > 0 else -1.0
        above = profile[last + 1] if last < bins - 1 else -1.0
        if above >= below:
            last += 1
            inside += above
        else:
            first -= 1
            inside += below
    return first, peak, last


@njit(cache=True, nogil=True)
def value_area(
    typical: Floats, volume: Floats, length: int, every: int, share: float, bins: int
) -> tuple[Floats, Floats, Floats]:
    """Return point of control, value-area high and low of the last ``length`` candles, renewed each ``every``."""
    n = len(typical)
    poc, high, low = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
    profile = np.empty(bins)
    centre, top, bottom = np.nan, np.nan, np.nan
    for t in range(length - 1, n):
        if (t - length + 1) % every == 0:
            window = typical[t - length + 1 : t + 1]
            traded = volume[t - length + 1 : t + 1]
            floor, ceiling = window[0], window[0]
            for price in window:
                floor, ceiling = min(floor, price), max(ceiling, price)
            width = (ceiling - floor) / bins
            scale = 1.0 / width if width > 0.0 else 0.0
            profile[:] = 0.0
            total = 0.0
            for k in range(length):
                profile[min(int((window[k] - floor) * scale), bins - 1)] += traded[k]
                total += traded[k]
            if total > 0.0:
                first, peak, last = _widest(profile, share * total)
                centre, bottom, top = floor + (peak + 0.5) * width, floor + first * width, floor + (last + 1) * width
        poc[t], high[t], low[t] = centre, top, bottom
    return poc, high, low


@njit(cache=True, nogil=True)
def average_swing(
    high: Floats, low: Floats, high_row: NDArray[np.int32], low_row: NDArray[np.int32], at_least: int, legs: int
) -> Singles:
    """Return the mean size of the last legs between confirmed swings; NaN with fewer than ``at_least``."""
    n = len(high)
    average = np.full(n, np.nan, dtype=np.float32)
    sizes = np.zeros(legs)
    count, kind, last, before = 0, 0, np.nan, np.nan
    rows = (high_row, low_row)
    prices = (high, low)
    for t in range(n):
        changed = False
        for index in range(2):
            side = 1 - 2 * index
            row = rows[index][t]
            if row == (rows[index][t - 1] if t > 0 else -1):
                continue
            price = prices[index][row]
            if kind != side:
                count += kind != 0
                kind, before, last = side, last, price
            # A further extreme of the same kind lengthens the leg that ends here.
            elif (price - last) * side > 0.0:
                last = price
            if count > 0:
                sizes[(count - 1) % legs] = abs(last - before) / before
                changed = True
        if changed and count >= at_least:
            average[t] = sizes[: min(count, legs)].sum() / min(count, legs)
        elif t > 0:
            average[t] = average[t - 1]
    return average


@njit(cache=True, nogil=True)
def hysteresis(
    value: Singles, enter_low: float, leave_low: float, leave_high: float, enter_high: float, confirm: int
) -> NDArray[np.int8]:
    """Return 0 (low), 1 (middle) or 2 (high): entered beyond one threshold, left behind another, after some candles."""
    n = len(value)
    states = np.empty(n, dtype=np.int8)
    state, wanted, seen = 1, 1, 0
    for t in range(n):
        target = state
        x = value[t]
        if not np.isnan(x):
            if x >= enter_high:
                target = 2
            elif x <= enter_low:
                target = 0
            elif (state == 2 and x < leave_high) or (state == 0 and x > leave_low):
                target = 1
        if target == state:
            seen = 0
        else:
            seen = seen + 1 if target == wanted else 1
            wanted = target
            if seen >= confirm:
                state, seen = target, 0
        states[t] = state
    return states
