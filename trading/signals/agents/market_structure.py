"""The market structure agent: support and resistance at swings, structure breaks, sweeps."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from trading.signals.agents.base import Agent, percent, vote
from trading.signals.conditions import crossover, crossunder, ramp, recently
from trading.signals.indicators import IndicatorSet
from trading.signals.records import AgentView

BREAK_CANDLES, SWEEP_CANDLES, SWEEP_VOTES = 12, 6, 2
NEAR_STRENGTH = 0.4
SWEEP_STRENGTH = 0.7
BREAK_STRENGTH = 0.5
BREAK_FULL_ATR = 3.0
LEVEL_ATR = 0.75

Flags = NDArray[np.bool_]
Singles = NDArray[np.float32]


class MarketStructureAgent(Agent):
    """Buys at support, sells at resistance, and goes with a level that gives way.

    Near (0.75 ATR) the latest confirmed swing low it votes buy, more so the nearer. A close under that low is a
    break of structure: for 12 candles, while the close stays under it, it votes sell, so that a grid does not buy into
    the fall. A break that is taken back within 6 candles swept the stops and votes
    buy for 2 candles. The swing high is the mirror.
    """

    name: ClassVar[str] = "market_structure"
    description: ClassVar[str] = "support and resistance at confirmed swings, structure breaks and sweeps"

    def view(self, indicators: IndicatorSet) -> AgentView:
        """Return the votes; see the class."""
        broken_down, broken_up, swept_down, swept_up = breaks(indicators)
        over_low, under_high = distances(indicators)
        buy = near(over_low)
        sell = near(under_high)
        buy[broken_up] = (BREAK_STRENGTH + 0.5 * ramp(under_high, 0.0, -BREAK_FULL_ATR))[broken_up]
        sell[broken_up] = 0.0
        sell[broken_down] = (BREAK_STRENGTH + 0.5 * ramp(over_low, 0.0, -BREAK_FULL_ATR))[broken_down]
        buy[broken_down] = 0.0
        buy[swept_down] = np.maximum(buy[swept_down], np.float32(SWEEP_STRENGTH))
        sell[swept_up] = np.maximum(sell[swept_up], np.float32(SWEEP_STRENGTH))
        width = (indicators.swing_high() - indicators.swing_low()) / indicators.close
        trail = np.where(width > 0, 0.5 * width, np.nan).astype(np.float32)
        return vote(buy, sell, trail)

    def reasons(self, indicators: IndicatorSet, row: int) -> list[str]:
        """Return the numbers behind one value."""
        close = indicators.close[row]
        lines = []
        for word, level in (("support", indicators.swing_low()[row]), ("resistance", indicators.swing_high()[row])):
            if np.isnan(level):
                lines.append(f"no {word} is confirmed yet")
            else:
                lines.append(f"close {close:.8g} is {percent(close / level - 1)} from {word} {level:.8g}")
        words = (
            "structure broke down",
            "structure broke up",
            "a break down was taken back",
            "a break up was taken back",
        )
        lines += [text for text, flags in zip(words, breaks(indicators), strict=True) if flags[row]]
        return lines


def distances(indicators: IndicatorSet) -> tuple[Singles, Singles]:
    """Return how far the close is over the swing low and under the swing high, in ATR; NaN while unknown."""
    step = indicators.atr_share() * indicators.close
    step[step <= 0.0] = np.nan
    over_low = (indicators.close - indicators.swing_low()) / step
    under_high = (indicators.swing_high() - indicators.close) / step
    return over_low.astype(np.float32), under_high.astype(np.float32)


def near(distance: Singles) -> Singles:
    """Return the strength of a level: 0.4 at it, 0 from 0.75 ATR on and behind it."""
    return ramp(distance, LEVEL_ATR, 0.0) * (distance >= 0.0) * np.float32(NEAR_STRENGTH)


def breaks(indicators: IndicatorSet) -> tuple[Flags, Flags, Flags, Flags]:
    """Return where structure is broken down, broken up, where a break down was swept back, and a break up."""
    close, low, high = indicators.close, indicators.swing_low(), indicators.swing_high()
    fell, rose = np.zeros(len(close), dtype=np.bool_), np.zeros(len(close), dtype=np.bool_)
    # Held against the level of one candle before: a level that moves over the price breaks nothing.
    fell[1:] = (close[1:] < low[:-1]) & (close[:-1] >= low[:-1])
    rose[1:] = (close[1:] > high[:-1]) & (close[:-1] <= high[:-1])
    swept_down = recently(crossover(close, low) & recently(fell, SWEEP_CANDLES), SWEEP_VOTES) & (close > low)
    swept_up = recently(crossunder(close, high) & recently(rose, SWEEP_CANDLES), SWEEP_VOTES) & (close < high)
    return (
        recently(fell, BREAK_CANDLES) & (close < low),
        recently(rose, BREAK_CANDLES) & (close > high),
        swept_down,
        swept_up,
    )
