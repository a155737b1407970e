"""No run knows the future: what a backtest of the first k candles did is how a backtest of all of them began."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.markets import on_tick, random_market, without
from tests.trading.engine.tapes import settings_with
from trading import BacktestResult, Candles, Settings, backtest
from trading.market.synthetic import synthetic_candles
from trading.orders import Fills

COLUMNS = [field.name for field in fields(Fills) if field.name != "market"]
ROWS = 1_500

runs = st.builds(
    lambda style, rule, latency, spacing, halts: settings_with(
        grid={"order_style": style, "spacing": spacing, "regime_confirm": 10},
        fills={"rule": rule, "latency_candles": latency},
        limits=halts,
    ),
    st.sampled_from(["trailing", "limit"]),
    st.sampled_from(["penetration", "touch"]),
    st.sampled_from([0, 1]),
    st.sampled_from([None, 0.006]),
    st.sampled_from([{}, {"daily_loss": 0.002}, {"max_drawdown": 0.004, "cooldown_candles": 60}]),
)


def check_prefix(whole: BacktestResult, candles: Candles, settings: Settings, end: int, *, gaps: bool = False) -> None:
    part = backtest(candles[:end], settings, allow_gaps=gaps)
    count = len(part.fills)
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(whole.fills, name)[:count], getattr(part.fills, name), name)
    assert (whole.fills.candle[count:] >= end).all()
    for name in ("equity", "cash", "position", "drawdown"):
        np.testing.assert_array_equal(getattr(whole, name)[:end], getattr(part, name), name)
    assert part.market == whole.market
    laid = [grid for grid in whole.grids if grid.candle < end]
    assert list(part.grids) == laid


@given(st.integers(0, 2**32), runs, st.integers(51, ROWS - 1), st.booleans())
def test_a_cut_random_market_gives_the_beginning_of_the_whole(seed, settings, end, round_prices):
    candles = random_market(seed, ROWS, volatility=0.004)
    candles = on_tick(candles) if round_prices else candles
    check_prefix(backtest(candles, settings), candles, settings, end)


@pytest.mark.parametrize("seed", [7, 8])
def test_a_cut_synthetic_market_gives_the_beginning_of_the_whole(seed):
    candles, settings = synthetic_candles("SIM/USDT", "5m", candles=6_000, seed=seed), settings_with()
    whole = backtest(candles, settings)
    assert len(whole.fills) > 20
    for end in (301, 1_000, 2_345, 4_000, 5_999):
        check_prefix(whole, candles, settings, end)


def test_every_cut_right_after_a_fill_gives_the_beginning_of_the_whole():
    candles, settings = on_tick(random_market(21, ROWS, volatility=0.004)), settings_with(grid={"spacing": 0.006})
    whole = backtest(candles, settings)
    rows = np.unique(whole.fills.candle)
    assert len(rows) > 50
    for row in rows[::7]:
        for end in (row, row + 1):
            check_prefix(whole, candles, settings, max(int(end), 51))


@given(st.integers(0, 2**32), st.integers(60, ROWS // 2))
def test_a_cut_market_with_gaps_gives_the_beginning_of_the_whole(seed, end):
    rng = np.random.default_rng(seed)
    missing = np.unique(np.concatenate([rng.choice(np.arange(1, ROWS - 1), 25), np.arange(700, 740)]))
    candles = without(on_tick(random_market(seed, ROWS, volatility=0.004)), missing)
    settings = settings_with(grid={"spacing": 0.006})
    check_prefix(backtest(candles, settings, allow_gaps=True), candles, settings, end, gaps=True)


@pytest.mark.parametrize("end", [400, 900])
def test_volume_that_only_comes_later_does_not_change_what_was_before(end):
    candles = on_tick(random_market(3, ROWS, volatility=0.004))
    candles = replace(candles, volume=np.where(np.arange(ROWS) < 1_000, 0.0, candles.volume))
    settings = settings_with(grid={"spacing": 0.006})
    check_prefix(backtest(candles, settings), candles, settings, end)


def test_the_rules_of_the_market_come_from_the_warm_up_only():
    candles, settings = on_tick(random_market(4, ROWS), 1), settings_with(grid={"spacing": 0.006})
    finer = {name: candles.columns()[name].copy() for name in ("open", "high", "low", "close")}
    for column in finer.values():
        column[1_200:] += 0.03
    later = replace(candles, **finer)
    assert backtest(later, settings).market == backtest(candles, settings).market
    check_prefix(backtest(later, settings), candles, settings, 1_199)


def test_a_far_future_price_changes_nothing_before_it():
    candles, settings = on_tick(random_market(6, ROWS, volatility=0.004)), settings_with()
    columns = {name: candles.columns()[name].copy() for name in ("open", "high", "low", "close")}
    for column in columns.values():
        column[1_300:] *= 8
    whole = backtest(replace(candles, **columns), settings)
    check_prefix(whole, candles, settings, 1_300)


def test_agents_and_notes_of_a_result_are_plain_data_without_arrays():
    result = backtest(on_tick(random_market(2, ROWS)), settings_with())
    assert json.loads(json.dumps(result.as_json())) == result.as_json()
