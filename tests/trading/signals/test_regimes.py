"""The market's regime on series that were made to be one."""

from __future__ import annotations

import numpy as np
import pytest

from tests.markets import market_of, random_market
from trading.signals.indicators import IndicatorSet
from trading.signals.kernels import hysteresis
from trading.signals.records import Regime, VolatilityClass
from trading.signals.regimes import regimes, volatility_classes


def _walk(seed: int, volatility: np.ndarray, drift: float = 0.0) -> IndicatorSet:
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(drift + rng.normal(0, 1, len(volatility)) * volatility))
    return IndicatorSet(market_of(close, wick=0.0))


def test_a_steady_climb_and_a_steady_fall_are_trends() -> None:
    for drift in (0.001, -0.001):
        regime = _walk(1, np.full(800, 0.001), drift).regime()
        assert (regime[150:] == Regime.TRENDING).mean() > 0.95


def test_a_mean_reverting_market_ranges() -> None:
    rng = np.random.default_rng(2)
    offset = np.zeros(1_500)
    for t in range(1, 1_500):
        offset[t] = 0.9 * offset[t - 1] + rng.normal(0, 0.002)
    regime = IndicatorSet(market_of(100 * np.exp(offset), wick=0.0)).regime()
    assert (regime[300:] == Regime.RANGING).mean() > 0.9


@pytest.mark.parametrize(
    ("factor", "regime", "volatility"),
    [(4.0, Regime.VOLATILE, VolatilityClass.VOLATILE), (0.2, Regime.CALM, VolatilityClass.CALM)],
)
def test_a_change_of_volatility_is_noticed_and_becomes_the_norm(
    factor: float, regime: Regime, volatility: VolatilityClass
) -> None:
    noise = np.full(1_600, 0.001)
    noise[800:] *= factor
    indicators = _walk(3, noise)
    changed = slice(840, 900)
    assert (indicators.volatility_class()[changed] == volatility).mean() > 0.9
    quiet_path = indicators.regime()[changed] != Regime.TRENDING
    assert quiet_path.any()
    assert (indicators.regime()[changed][quiet_path] == regime).mean() > 0.9
    assert (indicators.volatility_class()[400:800] == VolatilityClass.NORMAL).mean() > 0.9
    assert (indicators.volatility_class()[1_300:] == VolatilityClass.NORMAL).mean() > 0.9


def test_a_random_walk_seldom_trends() -> None:
    regime = IndicatorSet(random_market(4, 30_000)).regime()
    assert (regime == Regime.TRENDING).mean() < 0.10


def test_state_is_entered_after_confirmation_and_left_behind_another_threshold() -> None:
    value = np.array([1, 2, 2, 1, 2, 2, 2, 1.3, 1.3, 1.3, 1.1, 1.1, 1.1, 0.5, 0.5, 0.5, 0.75, 0.75, 0.9, 0.9, 0.9])
    states = hysteresis(value.astype(np.float32), 0.65, 0.8, 1.25, 1.6, 3)
    assert states.tolist() == [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 1, 1, 1, 0, 0, 0, 0, 0, 1]


def test_unknown_values_keep_the_state() -> None:
    value = np.array([np.nan, 2, 2, np.nan, np.nan, 2, 2], dtype=np.float32)
    assert hysteresis(value, 0.65, 0.8, 1.25, 1.6, 2).tolist() == [1, 1, 2, 2, 2, 2, 2]


def test_nothing_known_is_a_normal_ranging_market() -> None:
    unknown = np.full(50, np.nan, dtype=np.float32)
    classes = volatility_classes(unknown)
    assert (classes == VolatilityClass.NORMAL).all()
    assert (regimes(unknown, classes) == Regime.RANGING).all()
