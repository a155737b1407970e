"""The volatility agent: how far to trail, and stretched prices against their Bollinger bands."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from trading.signals.agents.base import Agent, number, percent, vote
from trading.signals.conditions import ramp
from trading.signals.indicators import IndicatorSet
from trading.signals.records import AgentView
from trading.signals.regimes import class_name

CALM_MULTIPLE, MULTIPLE_SLOPE = 3.0, 1.0
LEAST_MULTIPLE, GREATEST_MULTIPLE = 1.25, 2.75
STRETCH_FULL = 0.35
STORM_RATIO = 1.8


class VolatilityAgent(Agent):
    """Trail by the average true range of the slow candles, wider in multiples of it when calm.

    The multiple is 3 minus the volatility ratio, within 1.25 and 2.75: a calm market needs room relative to its own
    noise, while a wild one already brings its room in the range itself. A close outside the Bollinger bands (20, 2)
    votes for a return, unless the range has grown to 1.8 times its average: then the move is news, not noise.
    """

    name: ClassVar[str] = "volatility"
    description: ClassVar[str] = "ATR trail distance, wider when calm; fades closes outside the Bollinger bands"

    def view(self, indicators: IndicatorSet) -> AgentView:
        """Return the votes; see the class."""
        ratio = indicators.volatility_ratio()
        known = np.where(np.isnan(ratio), np.float32(1.0), ratio)
        multiple = np.clip(CALM_MULTIPLE - MULTIPLE_SLOPE * known, LEAST_MULTIPLE, GREATEST_MULTIPLE)
        trail = indicators.slow_atr_share() * multiple
        percent_b = indicators.percent_b()
        quiet = known < STORM_RATIO
        buy = ramp(percent_b, 0.0, -STRETCH_FULL) * quiet
        sell = ramp(percent_b, 1.0, 1.0 + STRETCH_FULL) * quiet
        return vote(buy, sell, trail.astype(np.float32))

    def reasons(self, indicators: IndicatorSet, row: int) -> list[str]:
        """Return the numbers behind one value."""
        ratio = indicators.volatility_ratio()[row]
        lines = [
            f"slow ATR is {percent(indicators.slow_atr_share()[row])} of the price",
            f"ATR is {number(ratio, '.2f')} times its long average: {class_name(indicators.volatility_class()[row])}",
            f"close is at {number(indicators.percent_b()[row], '.2f')} between the Bollinger bands (0 lower, 1 upper)",
        ]
        if ratio >= STORM_RATIO:
            lines.append(f"no vote against the move while the ratio is at least {STORM_RATIO}")
        return lines
