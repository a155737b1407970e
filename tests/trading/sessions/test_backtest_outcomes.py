"""What a run comes to: halts and how they end, risk profiles, the two fill rules, and strategies of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from tests.markets import market_of, on_tick, random_market
from tests.trading.engine.tapes import settings_with
from tests.trading.sessions.strategies import steady
from trading import BacktestResult, Candles, Settings, backtest
from trading.engine.codes import FillReason
from trading.engine.parameters import derive_parameters
from trading.engine.state import Records
from trading.market.rules import Market
from trading.sessions.strategy import TRAILING_GRID, Strategy
from trading.signals.records import Action

HOLD = steady(Action.HOLD)
DAY_MS = 86_400_000
ALL_IN = {"max_position": 1.0, "max_exposure": 1.0, "stop_loss": 0.0, "take_profit": 0.0}


def sides(result: BacktestResult, side: int) -> np.ndarray:
    return result.fills.candle[result.fills.side == side]


def crash(fall: float = 0.4) -> Candles:
    """A calm day, then a straight fall, then a calm day at the bottom."""
    calm = 100 + 0.3 * np.sin(np.arange(288) / 5)
    down = np.linspace(100, 100 * (1 - fall), 200)
    return on_tick(market_of(np.concatenate([calm, down, calm * (1 - fall)]), volume=1_000.0))


def limits(**changes: float | bool) -> Settings:
    return settings_with(
        grid={"order_style": "limit", "spacing": 0.01, "sell_levels": 4, "buy_levels": 20, "regime_confirm": 0},
        limits=ALL_IN | {"daily_loss": 0.9} | changes,
    )


def test_a_crash_halts_by_drawdown_and_nothing_is_bought_afterwards():
    result = backtest(crash(), limits(max_drawdown=0.03), strategy=HOLD)
    assert result.halted == result.as_json()["halted"] == "maximum drawdown reached"
    assert any("halted once" in note for note in result.notes)
    halted_at = int(np.argmax(result.drawdown <= -0.03))
    bought = sides(result, 1)
    assert len(bought) > 2
    assert bought.max() <= halted_at
    # without flattening the inventory stays, and its loss with it
    assert result.position[-1] > 0
    assert result.metrics.max_drawdown < -0.03
    assert result.exit_code == 0


def test_without_a_limit_the_same_crash_goes_on_buying():
    result = backtest(crash(), limits(max_drawdown=0.9), strategy=HOLD)
    assert result.halted is None
    halted = backtest(crash(), limits(max_drawdown=0.03), strategy=HOLD)
    assert sides(result, 1).max() > sides(halted, 1).max()


def test_flattening_sells_everything_at_the_halt():
    result = backtest(crash(), limits(max_drawdown=0.03, flatten_on_halt=True), strategy=HOLD)
    assert result.halted == "maximum drawdown reached"
    assert result.position[-1] == 0
    flattened = result.fills.reason == FillReason.FLATTEN
    assert flattened.any()
    assert (result.fills.side[flattened] == -1).all()
    halted_at = int(np.argmax(result.drawdown <= -0.03))
    assert abs(result.fills.candle[flattened] - halted_at).max() <= 2
    assert (result.equity[halted_at + 3 :] == result.equity[-1]).all()
    assert result.metrics.max_drawdown > -0.05


def test_a_cool_down_resumes_a_drawdown_halt():
    forever = backtest(crash(), limits(max_drawdown=0.03, flatten_on_halt=True), strategy=HOLD)
    resumed = backtest(crash(), limits(max_drawdown=0.03, flatten_on_halt=True, cooldown_candles=250), strategy=HOLD)
    assert sides(resumed, 1).max() > sides(forever, 1).max() + 250
    assert resumed.halted is None or any("halted 2 times" in note for note in resumed.notes)


def test_a_daily_loss_halts_until_the_next_utc_day():
    # two days of five minutes: a dip on the first afternoon, then waves that would trade all the time
    steps = np.arange(576)
    close = 100 + 1.1 * np.sin(steps / 6) - 8 * np.clip((steps - 150) / 30, 0, 1)
    candles = on_tick(market_of(close, volume=1_000.0))
    result = backtest(candles, limits(max_drawdown=0.9, daily_loss=0.007), strategy=HOLD)
    lost = 1 - result.equity / 10_000
    halted_at = int(np.argmax(lost[:288] >= 0.007))
    assert 150 <= halted_at < 200
    bought = sides(result, 1)
    midnight = 288
    assert not ((bought > halted_at) & (bought < midnight)).any()
    assert ((bought >= midnight) & (bought < midnight + 100)).any()
    assert result.halted is None
    assert any("halted once" in note for note in result.notes)
    free = backtest(candles, limits(max_drawdown=0.9), strategy=HOLD)
    free_bought = sides(free, 1)
    assert ((free_bought > halted_at) & (free_bought < midnight)).any()


def test_the_three_risk_profiles_are_the_stated_numbers():
    stated = {
        "conservative": {"limits.max_drawdown": 0.10, "limits.min_confidence": 0.70, "trail.base": 0.02},
        "moderate": {"limits.max_drawdown": 0.15, "limits.min_confidence": 0.60, "trail.base": 0.015},
        "aggressive": {"limits.max_drawdown": 0.25, "limits.min_confidence": 0.50, "trail.base": 0.01},
    }
    candles = on_tick(random_market(5, 2_000, volatility=0.004))
    runs = {risk: backtest(candles, settings_with(risk=risk)) for risk in stated}
    for risk, numbers in stated.items():
        params = runs[risk].as_json()["params"]
        assert params["risk"] == risk
        assert {name: params[name] for name in numbers} == numbers
    exposures = [runs[risk].params["limits.max_exposure"] for risk in stated]
    assert exposures == sorted(set(exposures))
    assert len({run.fills.trade_hash() for run in runs.values()}) == 3


def test_a_pinned_value_beats_the_profile():
    candles = on_tick(random_market(5, 600))
    params = backtest(candles, settings_with(risk="aggressive", limits={"max_drawdown": 0.07})).as_json()["params"]
    assert params["limits.max_drawdown"] == 0.07
    assert params["limits.min_confidence"] == 0.50


def touching_waves(levels: tuple[float, ...], centre: float, waves: int) -> Candles:
    """Closes that swing between two neighbouring levels and only ever reach them, then a straight fall through more."""
    middle = int(np.searchsorted(levels, centre))
    low, high = levels[middle - 1], levels[middle]
    swings = np.tile([low, (low + high) / 2, high, (low + high) / 2], waves)
    fall = np.linspace(high, levels[middle - 5], 40)
    close = np.concatenate([np.full(60, centre), swings, fall])
    candles = market_of(np.round(close, 2), volume=1_000.0)
    # without wicks, so that no level is traded through before the fall
    ends = np.stack([candles.open, candles.close])
    return replace(candles, high=ends.max(axis=0), low=ends.min(axis=0))


@pytest.mark.parametrize("rule", ["touch", "penetration"])
def test_lesson_18_a_sign_that_hangs_on_the_fill_rule_is_reported_and_warned_of(rule: str):
    settings = settings_with(
        grid={"order_style": "limit", "spacing": 0.02, "entry_levels": 0, "recentre_margin": 0.5, "regime_confirm": 0},
        limits=ALL_IN | {"max_drawdown": 0.9, "daily_loss": 0.9},
        market={"tick_size": "0.01"},
        fills={"rule": rule},
    )
    flat = market_of(np.full(80, 100.0), wick=0.0)
    [grid] = backtest(flat, settings, strategy=HOLD).grids
    result = backtest(touching_waves(grid.prices, grid.centre, waves=60), settings, strategy=HOLD)
    touch, penetration = result.fill_rules["touch"], result.fill_rules["penetration"]
    assert touch > 0 > penetration
    assert result.metrics.total_return == {"touch": touch, "penetration": penetration}[rule]
    [warning] = [text for text in result.warnings if "fill rule" in text]
    assert f"{touch:+.2%} when a touch fills" in warning
    assert f"{penetration:+.2%} when the price must trade through" in warning
    assert warning in result.as_json()["warnings"]


def test_lesson_18_no_warning_where_both_fill_rules_agree_on_the_sign():
    result = backtest(crash(), limits(max_drawdown=0.03), strategy=HOLD)
    assert result.fill_rules["touch"] < 0 > result.fill_rules["penetration"]
    assert not [text for text in result.warnings if "fill rule" in text]


def test_a_strategy_of_one_s_own_decides_through_its_signals():
    candles, settings = on_tick(random_market(5, 3_000, volatility=0.004)), settings_with(grid={"spacing": 0.006})
    seller = backtest(candles, settings, strategy=steady(Action.TRAIL_SELL))
    assert len(seller.fills) == 0
    assert seller.final_equity == 10_000
    holder, buyer = (backtest(candles, settings, strategy=steady(action)) for action in (Action.HOLD, Action.TRAIL_BUY))
    assert len(holder.fills) > 100
    hashes = {run.fills.trade_hash() for run in (holder, buyer, backtest(candles, settings))}
    assert len(hashes) == 3
    assert holder.agents == ()


def test_a_strategy_of_one_s_own_decides_through_its_parameters():
    def wide(settings: Settings, market: Market) -> Records:
        grid: Mapping[str, object] = settings.grid.model_dump() | {"spacing": 0.03}
        return derive_parameters(settings.model_copy(update={"grid": type(settings.grid)(**grid)}), market)

    candles, settings = on_tick(random_market(5, 2_000, volatility=0.004)), settings_with(grid={"spacing": 0.006})
    own = backtest(candles, settings, strategy=Strategy("wide", TRAILING_GRID.signals, wide))
    pinned = backtest(candles, settings_with(grid={"spacing": 0.03}))
    assert own.fills.trade_hash() == pinned.fills.trade_hash()
    assert own.params["grid.spacing"] == 0.03
