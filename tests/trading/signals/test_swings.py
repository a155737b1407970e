"""Swings are known only when confirmed, and measured between alternating extremes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.markets import market_of, random_market
from trading.signals.indicators import IndicatorSet
from trading.signals.kernels import SWING_LEGS, average_swing
from trading.signals.swings import pivots, swing_size


def _zigzag(low: float, high: float, half: int, legs: int) -> np.ndarray:
    up, down = np.linspace(low, high, half, endpoint=False), np.linspace(high, low, half, endpoint=False)
    return np.concatenate([up if leg % 2 == 0 else down for leg in range(legs)])


def test_swing_high_is_seen_only_after_its_lookback() -> None:
    close = np.concatenate((np.linspace(100, 110, 30), np.linspace(109.5, 100, 30)))
    indicators = IndicatorSet(market_of(close, wick=0.0))
    # The candle after the peak opens at the peak's close, so the high of both is the same and the first one counts.
    assert np.isnan(indicators.swing_high(5)[:34]).all()
    assert indicators.swing_high(5)[34:] == pytest.approx(110.0)


@given(
    prices=st.lists(st.integers(1, 12), min_size=0, max_size=60),
    lookback=st.integers(2, 6),
)
def test_pivots_are_those_of_the_definition(prices: list[int], lookback: int) -> None:
    series = np.array(prices, dtype=np.float64)
    found = pivots(series, series, lookback)
    for t in range(len(series)):
        highs, lows = [-1], [-1]
        for row in range(lookback, t - lookback + 1):
            before, after = series[row - lookback : row], series[row + 1 : row + lookback + 1]
            if series[row] > before.max() and series[row] >= after.max():
                highs.append(row)
            if series[row] < before.min() and series[row] <= after.min():
                lows.append(row)
        assert found.high_row[t] == highs[-1]
        assert found.low_row[t] == lows[-1]


def test_swing_size_is_the_mean_leg_of_a_zigzag() -> None:
    close = _zigzag(100.0, 104.0, 20, 14)
    size = swing_size(close, close, 5, 3)
    up, down = 0.04, 4 / 104
    assert size[-1] == pytest.approx((up + down) / 2, rel=1e-5)
    assert np.isnan(size[:50]).all()


def test_a_further_extreme_lengthens_the_leg_instead_of_adding_one() -> None:
    high = np.array([100.0, 110.0, 109.0, 115.0, 112.0, 104.0])
    low = np.array([100.0, 108.0, 108.0, 113.0, 111.0, 92.0])
    high_row = np.array([-1, 1, 1, 3, 4, 4], dtype=np.int32)
    low_row = np.array([0, 0, 0, 0, 0, 5], dtype=np.int32)
    size = average_swing(high, low, high_row, low_row, 1, SWING_LEGS)
    # 100 to 110, stretched to 115 and not shortened by the lower high of 112; then 115 to 92.
    assert size.tolist() == pytest.approx([np.nan, 0.10, 0.10, 0.15, 0.15, (0.15 + 0.2) / 2], nan_ok=True, rel=1e-6)


def test_only_the_last_ten_legs_count() -> None:
    close = np.concatenate((_zigzag(100.0, 120.0, 20, 10), _zigzag(100.0, 102.0, 20, 16)))
    assert swing_size(close, close, 5, 3)[-1] == pytest.approx((0.02 + 2 / 102) / 2, rel=1e-5)


def test_swings_are_measured_on_hours_and_scaled_up_until_hours_are_known() -> None:
    candles = random_market(3, 6_000, "5m", volatility=0.002)
    indicators = IndicatorSet(candles)
    size = indicators.swing_size()
    hours = indicators.higher("1h").candles
    assert size[-1] == swing_size(hours.high, hours.low, 3, 3)[-1]
    own = swing_size(candles.high, candles.low, 3, 3)
    early = int(np.flatnonzero(np.isfinite(own))[0])
    assert early < 60
    assert size[early] == pytest.approx(own[early] * np.sqrt(12), rel=1e-6)


def test_swings_of_hourly_candles_are_measured_on_four_hours() -> None:
    indicators = IndicatorSet(random_market(3, 3_000, "1h"))
    slow = indicators.higher("4h").candles
    assert indicators.swing_size()[-1] == swing_size(slow.high, slow.low, 3, 3)[-1]
