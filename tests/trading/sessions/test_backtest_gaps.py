"""Missing candles: bridged for a run, never traded on, always said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.markets import on_tick, random_market, without
from tests.trading.engine.tapes import settings_with
from tests.trading.sessions.by_hand import check_places
from trading import BacktestResult, Candles, backtest
from trading.errors import DataError, ExitCode

N = 2_000
ACTIVE = settings_with(grid={"spacing": 0.006})


def whole_market(seed: int = 9) -> Candles:
    return on_tick(random_market(seed, N, volatility=0.004))


def check_rows(result: BacktestResult, candles: Candles, missing: np.ndarray) -> None:
    """Check that results count the caller's rows and that no fill stands on a missing candle."""
    check_places(result.fills.table(), candles.columns())
    absent = whole_market().timestamp[missing]
    assert not np.isin(result.fills.timestamp, absent).any()
    assert len(result.equity) == len(result.cash) == len(result.position) == len(candles)
    assert all(0 <= grid.candle < len(candles) for grid in result.grids)


def test_short_gaps_are_bridged_without_fills_and_counted():
    # nine candles in 2,000: under the limit, so nobody has to allow them
    missing = np.array([400, 800, 801, 1_200, 1_201, 1_202, 1_600, 1_601, 1_602])
    candles = without(whole_market(), missing)
    result = backtest(candles, ACTIVE)
    assert len(result.fills) > 100
    check_rows(result, candles, missing)
    assert result.data_quality["missing"] == result.data_quality["filled"] == 9
    assert "9 of 2000 candles" in result.warnings[0]
    assert "9 of 2000 candles" in result.as_json()["warnings"][0]


def test_long_gaps_stay_gaps_and_are_warned_of():
    missing = np.concatenate([np.arange(600, 640), np.arange(1_000, 1_004)])
    candles = without(whole_market(), missing)
    result = backtest(candles, ACTIVE, allow_gaps=True)
    check_rows(result, candles, missing)
    assert result.data_quality["missing"] == 44
    assert result.data_quality["filled"] == 4
    assert "(40 candles)" in result.warnings[0]
    after = result.fills.candle[result.fills.candle >= 600]
    assert len(after) > 20


@given(st.integers(0, 2**32))
def test_no_run_fills_on_a_candle_that_was_made_up(seed):
    rng = np.random.default_rng(seed)
    starts = rng.choice(np.arange(60, N - 60), 40, replace=False)
    missing = np.unique(np.concatenate([start + np.arange(rng.integers(1, 9)) for start in starts]))
    candles = without(whole_market(), missing)
    result = backtest(candles, ACTIVE, allow_gaps=True)
    assert len(result.fills) > 50
    check_rows(result, candles, missing)
    assert result.data_quality["missing"] == len(missing)


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        (range(500, 506), ["6 of 2000 candles (0.30%)", "(6 candles)", "--allow-gaps"]),
        (range(100, 1_900, 100), ["18 of 2000 candles (0.90%)", "18 gaps", "--allow-gaps"]),
    ],
    ids=["one long gap", "many short gaps"],
)
def test_gaps_beyond_the_limits_are_refused_unless_they_are_allowed(missing, words):
    candles = without(whole_market(), missing)
    with pytest.raises(DataError) as refusal:
        backtest(candles, ACTIVE)
    assert refusal.value.exit_code == ExitCode.REFUSED
    for word in words:
        assert word in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert backtest(candles, ACTIVE, allow_gaps=True).warnings


def test_lesson_23_a_series_that_is_mostly_made_up_is_refused_even_when_gaps_are_allowed():
    # as in the report: 39 real candles in every 124
    kept = np.flatnonzero(np.arange(N) % 124 % 3 == 0)
    candles = without(whole_market(), np.setdiff1d(np.arange(N), kept))
    with pytest.raises(DataError, match=r"made up to bridge gaps, more than 10%"):
        backtest(candles, ACTIVE, allow_gaps=True)


def test_lesson_23_a_sparse_series_earns_only_on_the_candles_that_are_there():
    # seven missing after each candle: too long to be bridged
    candles = without(whole_market(), np.flatnonzero(np.arange(N) % 8 != 0))
    result = backtest(candles, ACTIVE, allow_gaps=True)
    assert result.data_quality["filled"] == 0
    assert "(87." in result.warnings[0]
    assert np.isin(result.fills.timestamp, candles.timestamp).all()
    rows = result.fills.candle
    changed = np.flatnonzero(np.diff(result.position, prepend=0.0))
    assert set(changed) <= set(rows.tolist())
    gained = result.equity[-1] - 10_000
    moves = np.diff(candles.close, prepend=candles.close[0])
    held_before = np.append(0.0, result.position[:-1])
    quantity = result.fills.lots * float(result.market.lot_size)
    price = result.fills.price_ticks * float(result.market.tick_size)
    traded = (result.fills.side * quantity * (candles.close[rows] - price)).sum()
    assert gained == pytest.approx((held_before * moves).sum() + traded - float(result.fills.fees), abs=1e-6)
