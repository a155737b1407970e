"""The regime agent: with a trend, against the edges of a range, silent in a storm."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from trading.signals.agents.base import Agent, number, percent, vote
from trading.signals.conditions import ramp
from trading.signals.indicators import IndicatorSet
from trading.signals.records import AgentView, Regime
from trading.signals.regimes import TREND_LEAVE, regime_name

TREND_PERIOD = 96
TREND_FULL = 0.5
LEAST_TREND = 0.3
RANGE_NEAR_ATR, RANGE_FAR_ATR = 0.75, 3.0
SWING_SHARE = 0.3

Singles = NDArray[np.float32]


class RegimeAgent(Agent):
    """Classifies the market, and says what a grid does in it.

    Trending: votes with the move of the last 96 candles, from 0.3 up to full at an efficiency ratio of 0.5; in a fall
    that keeps a grid from buying. Ranging or calm: buys under the rolling VWAP of 96 candles and sells over it, from
    0.75 to 3 slow ATR. Volatile: holds. Trails by 30% of the average swing.
    """

    name: ClassVar[str] = "regime"
    description: ClassVar[str] = "trending, ranging, volatile or calm: goes with trends, fades the edges of ranges"

    def view(self, indicators: IndicatorSet) -> AgentView:
        """Return the votes; see the class."""
        regime = indicators.regime()
        trending = regime == Regime.TRENDING
        ranging = (regime == Regime.RANGING) | (regime == Regime.CALM)
        stretch = vwap_stretch(indicators)
        buy = ramp(stretch, -RANGE_NEAR_ATR, -RANGE_FAR_ATR) * ranging
        sell = ramp(stretch, RANGE_NEAR_ATR, RANGE_FAR_ATR) * ranging
        trend = ramp(indicators.efficiency_ratio(), TREND_LEAVE, TREND_FULL)
        trend = (LEAST_TREND + (1.0 - LEAST_TREND) * trend).astype(np.float32)
        move = _move(indicators)
        np.copyto(buy, trend, where=trending & (move > 0))
        np.copyto(sell, trend, where=trending & (move < 0))
        return vote(buy, sell, indicators.swing_size() * np.float32(SWING_SHARE))

    def reasons(self, indicators: IndicatorSet, row: int) -> list[str]:
        """Return the numbers behind one value."""
        return [
            f"the market is {regime_name(indicators.regime()[row])}",
            f"efficiency ratio is {number(indicators.efficiency_ratio()[row], '.2f')}",
            f"volatility ratio is {number(indicators.volatility_ratio()[row], '.2f')}",
            f"price moved {percent(_move(indicators)[row])} in {TREND_PERIOD} candles",
            f"close is {number(vwap_stretch(indicators)[row], '+.2f')} slow ATR from the rolling VWAP",
            f"the average swing is {percent(indicators.swing_size()[row])}",
        ]


def vwap_stretch(indicators: IndicatorSet) -> Singles:
    """Return how far the close is over the rolling VWAP, in slow ATR; NaN while unknown."""
    close = indicators.close
    step = indicators.slow_atr_share() * close
    step[step <= 0.0] = np.nan
    return ((close - indicators.rolling_vwap(TREND_PERIOD)) / step).astype(np.float32)


def _move(indicators: IndicatorSet) -> Singles:
    close = indicators.close
    move = np.full(len(close), np.nan, dtype=np.float32)
    move[TREND_PERIOD:] = close[TREND_PERIOD:] / close[:-TREND_PERIOD] - 1.0
    return move
