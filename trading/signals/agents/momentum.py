"""The momentum agent: divergence of price and RSI or MACD, and exhaustion across timeframes."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from trading.signals import formulas
from trading.signals.agents.base import Agent, number, vote
from trading.signals.conditions import overbought, oversold, ramp, recently
from trading.signals.indicators import IndicatorSet
from trading.signals.records import AgentView

OVERSOLD, OVERBOUGHT = 32.0, 68.0
MEAN_START, MEAN_FULL = 42.0, 20.0
RSI_MARGIN, RSI_WEAK = 3.0, 42.0
DIVERGENCE_CANDLES = 12
DIVERGENCE_STRENGTH, DOUBLE_STRENGTH = 0.4, 0.7
AGAINST_TURN = 0.4
TRAIL_MULTIPLE = 1.5

Flags = NDArray[np.bool_]
Singles = NDArray[np.float32]


class MomentumAgent(Agent):
    """Buys tired falls and sells tired rises.

    Exhaustion: the RSI (14) is under 32 and the mean of it and the RSI of the next two timeframes is under 42; full at
    20, and 0.4 of that while the MACD histogram still falls. Divergence: a confirmed swing low under the one before,
    with the RSI there 3 points higher (from under 42) or the MACD histogram less negative, votes buy for 12 candles,
    stronger with both.
    Selling is the mirror image.
    """

    name: ClassVar[str] = "momentum"
    description: ClassVar[str] = "RSI and MACD divergence, exhaustion across three timeframes"

    def view(self, indicators: IndicatorSet) -> AgentView:
        """Return the votes; see the class."""
        rsi, mean = indicators.rsi(), mean_rsi(indicators)
        rising, falling = _turns(indicators.macd().histogram)
        buy = ramp(mean, MEAN_START, MEAN_FULL) * oversold(rsi, OVERSOLD)
        buy *= np.where(rising, np.float32(1.0), np.float32(AGAINST_TURN))
        sell = ramp(mean, 100.0 - MEAN_START, 100.0 - MEAN_FULL) * overbought(rsi, OVERBOUGHT)
        sell *= np.where(falling, np.float32(1.0), np.float32(AGAINST_TURN))
        np.maximum(buy, divergence(indicators, 1), out=buy)
        np.maximum(sell, divergence(indicators, -1), out=sell)
        return vote(buy, sell, indicators.slow_atr_share() * np.float32(TRAIL_MULTIPLE))

    def reasons(self, indicators: IndicatorSet, row: int) -> list[str]:
        """Return the numbers behind one value."""
        histogram = indicators.macd().histogram
        longer = " and ".join(indicators.higher_timeframes)
        turn = "rises" if _turns(histogram)[0][row] else "does not rise"
        lines = [
            f"RSI is {number(indicators.rsi()[row], '.1f')}, oversold is under {OVERSOLD:g}, overbought {OVERBOUGHT:g}",
            f"mean RSI with {longer or 'no longer timeframe'} is {number(mean_rsi(indicators)[row], '.1f')}",
            f"MACD histogram {turn}, now {number(histogram[row], '.4g')}",
        ]
        for side, word in ((1, "bullish"), (-1, "bearish")):
            strength = float(divergence(indicators, side)[row])
            if strength:
                both = "RSI and MACD" if strength == np.float32(DOUBLE_STRENGTH) else "RSI or MACD"
                lines.append(f"{word} divergence of {both} confirmed within {DIVERGENCE_CANDLES} candles")
        return lines


def mean_rsi(indicators: IndicatorSet) -> Singles:
    """Return the mean RSI of the base candles and the next two timeframes; those not yet known do not count."""
    total = indicators.rsi().copy()
    count = np.ones(len(total), dtype=np.float32)
    for timeframe in indicators.higher_timeframes:
        slow = indicators.aligned(timeframe, indicators.higher(timeframe).rsi())
        known = ~np.isnan(slow)
        count += known
        slow[~known] = 0.0
        total += slow
    total /= count
    return total


def divergence(indicators: IndicatorSet, side: int) -> Singles:
    """Return the strength of the latest divergences, seen from the candle that confirms the swing on.

    Parameters
    ----------
    indicators : IndicatorSet
        Of the candles.
    side : int
        1 for bullish (lower low, higher oscillator), -1 for bearish (higher high, lower oscillator).
    """
    pivots, candles = indicators.pivots(), indicators.candles
    rows, price = (pivots.low_row, candles.low) if side == 1 else (pivots.high_row, candles.high)
    confirmed = np.flatnonzero(rows[1:] != rows[:-1]) + 1
    confirmed = confirmed[rows[confirmed - 1] >= 0]
    now, before = rows[confirmed], rows[confirmed - 1]
    further = (price[now] - price[before]) * side < 0
    rsi = indicators.rsi()
    weak = (rsi[before] - formulas.NEUTRAL) * side < RSI_WEAK - formulas.NEUTRAL
    by_rsi = further & weak & ((rsi[now] - rsi[before]) * side > RSI_MARGIN)
    histogram = indicators.macd().histogram
    # Only a histogram on the swing's own side of zero speaks of a push that weakens.
    weaker = ((histogram[now] - histogram[before]) * side > 0) & (histogram[before] * side < 0)
    by_macd = further & weaker
    strength = np.zeros(len(rows), dtype=np.float32)
    for flags, value in ((by_rsi | by_macd, DIVERGENCE_STRENGTH), (by_rsi & by_macd, DOUBLE_STRENGTH)):
        event = np.zeros(len(rows), dtype=np.bool_)
        event[confirmed[flags]] = True
        strength[recently(event, DIVERGENCE_CANDLES)] = value
    return strength


def _turns(histogram: Singles) -> tuple[Flags, Flags]:
    rising = np.zeros(len(histogram), dtype=np.bool_)
    falling = rising.copy()
    rising[1:] = histogram[1:] > histogram[:-1]
    falling[1:] = histogram[1:] < histogram[:-1]
    return rising, falling
