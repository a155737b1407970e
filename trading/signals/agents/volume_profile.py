"""The volume profile agent: distance from the value area, volume spikes and whales."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from trading.signals.agents.base import Agent, number, percent, vote
from trading.signals.conditions import ramp, recently
from trading.signals.indicators import IndicatorSet
from trading.signals.records import AgentView

SPIKE, WHALE = 2.5, 6.0
ABSORBED_AT = 0.6
PUSH_CANDLES = 3
NEAR_ATR, FAR_ATR = 0.75, 3.0
LEAST_SPIKE = 0.3

Flags = NDArray[np.bool_]
Singles = NDArray[np.float32]


class VolumeProfileAgent(Agent):
    """Buys under the value area and where heavy selling is absorbed; the mirror image sells.

    Outside the area of 70% of the volume of 288 candles, strength grows from 0.75 to 3 slow ATR. A volume spike (2.5
    times the mean of 20 candles before) whose fall closes in the upper 40% of its range was absorbed and votes buy; a
    whale (6 times) does so in full. A spike that closes at the far end of its move is a push: for three candles
    nothing is voted against it.
    """

    name: ClassVar[str] = "volume_profile"
    description: ClassVar[str] = "volume spikes, whales, and distance from the value area"

    def view(self, indicators: IndicatorSet) -> AgentView:
        """Return the votes; see the class."""
        below, above = value_distance(indicators)
        buy, sell = ramp(below, NEAR_ATR, FAR_ATR), ramp(above, NEAR_ATR, FAR_ATR)
        ratio = indicators.volume_ratio()
        size = ramp(ratio, SPIKE, WHALE)
        size = (LEAST_SPIKE + (1.0 - LEAST_SPIKE) * size).astype(np.float32)
        absorbed_fall, absorbed_rise, push_down, push_up = spikes(indicators)
        np.maximum(buy, size * absorbed_fall, out=buy)
        np.maximum(sell, size * absorbed_rise, out=sell)
        buy[recently(push_down, PUSH_CANDLES)] = 0.0
        sell[recently(push_up, PUSH_CANDLES)] = 0.0
        area = indicators.value_area()
        trail = (area.high - area.low) / (2.0 * indicators.close)
        return vote(buy, sell, trail.astype(np.float32))

    def reasons(self, indicators: IndicatorSet, row: int) -> list[str]:
        """Return the numbers behind one value."""
        area, close = indicators.value_area(), indicators.close[row]
        below, above = value_distance(indicators)
        place = "inside the value area"
        if below[row] > 0:
            place = f"{below[row]:.2f} slow ATR under the value area"
        elif above[row] > 0:
            place = f"{above[row]:.2f} slow ATR over the value area"
        ratio = indicators.volume_ratio()[row]
        kind = "a whale" if ratio >= WHALE else "a spike" if ratio >= SPIKE else "no spike"
        lines = [f"volume is {number(ratio, '.2f')} times its usual: {kind}"]
        if np.isnan(area.poc[row]):
            lines.append("the value area is not known yet")
        else:
            lines.append(f"close {close:.8g} is {place} {area.low[row]:.8g} to {area.high[row]:.8g}")
            lines.append(f"most volume traded at {area.poc[row]:.8g}, {percent(close / area.poc[row] - 1)} away")
        words = ("a fall was absorbed", "a rise was absorbed", "volume pushes down", "volume pushes up")
        lines += [text for text, flags in zip(words, spikes(indicators), strict=True) if flags[row]]
        return lines


def value_distance(indicators: IndicatorSet) -> tuple[Singles, Singles]:
    """Return how far the close is below and above the value area, in slow ATR; negative inside, NaN while unknown."""
    area, close = indicators.value_area(), indicators.close
    step = indicators.slow_atr_share() * close
    step[step <= 0.0] = np.nan
    return ((area.low - close) / step).astype(np.float32), ((close - area.high) / step).astype(np.float32)


def spikes(indicators: IndicatorSet) -> tuple[Flags, Flags, Flags, Flags]:
    """Return spikes of volume by what became of them: fall absorbed, rise absorbed, push down, push up."""
    candles = indicators.candles
    spike = indicators.volume_ratio() >= SPIKE
    height = candles.high - candles.low
    upper = candles.close >= candles.low + ABSORBED_AT * height
    lower = candles.close <= candles.high - ABSORBED_AT * height
    moved = spike & (height > 0)
    before = np.concatenate((candles.open[:1], candles.close[:-1]))
    fell, rose = candles.low < before, candles.high > before
    falling, rising = candles.close < candles.open, candles.close > candles.open
    # The wick tells an absorbed fall: low reached under the close before, further than high over it.
    deep = (before - candles.low) > (candles.high - before)
    return moved & fell & upper & deep, moved & rose & lower & ~deep, moved & falling & lower, moved & rising & upper
