"""What each agent sees in markets that were built to show it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.markets import market_of, random_market
from trading.market.candles import Candles
from trading.signals.agents.base import Agent, vote
from trading.signals.agents.market_structure import MarketStructureAgent, breaks
from trading.signals.agents.momentum import MomentumAgent, divergence
from trading.signals.agents.regime import RegimeAgent
from trading.signals.agents.volatility import VolatilityAgent
from trading.signals.agents.volume_profile import VolumeProfileAgent, spikes
from trading.signals.indicators import IndicatorSet
from trading.signals.records import Action, Regime
from trading.signals.registry import BUILT_IN

BUY, SELL = Action.TRAIL_BUY, Action.TRAIL_SELL


def _range(seed: int, n: int, pull: float = 0.85, noise: float = 0.002) -> np.ndarray:
    rng = np.random.default_rng(seed)
    offset = np.zeros(n)
    for t in range(1, n):
        offset[t] = pull * offset[t - 1] + rng.normal(0, noise)
    return 100 * np.exp(offset)


def _with_candle(candles: Candles, row: int, **values: float) -> Candles:
    columns = {name: column.copy() for name, column in candles.columns().items()}
    for name, value in values.items():
        columns[name][row] = value
    return Candles.from_columns(candles.symbol, candles.timeframe, columns)


def _mirrored(candles: Candles) -> Candles:
    columns = dict(candles.columns())
    columns |= {
        "open": 1e4 / candles.open, "high": 1e4 / candles.low, "low": 1e4 / candles.high, "close": 1e4 / candles.close
    }  # fmt: skip
    return Candles.from_columns(candles.symbol, candles.timeframe, columns)


@pytest.mark.parametrize("agent", [agent() for agent in BUILT_IN.values()], ids=list(BUILT_IN))
def test_views_are_sound_and_hold_while_nothing_is_known(agent: Agent) -> None:
    candles = random_market(21, 1_500, volatility=0.004)
    view = agent.view(IndicatorSet(candles))
    assert (view.action.dtype, view.confidence.dtype, view.trail.dtype) == (np.int8, np.float32, np.float32)
    assert set(np.unique(view.action)) == {-1, 0, 1}
    voting = view.action != 0
    assert ((view.confidence[voting] >= 0.5) & (view.confidence[voting] <= 1.0)).all()
    assert (view.confidence[~voting] == 0).all()
    assert ((view.trail >= 0) & (view.trail <= 0.1)).all()
    assert (view.action[:5] == 0).all()
    assert (view.trail[:3] == 0).all()
    assert (view.trail[700:] > 0).any()


@pytest.mark.parametrize("agent", [agent() for agent in BUILT_IN.values()], ids=list(BUILT_IN))
def test_reasons_are_words_with_numbers_from_the_first_candle_on(agent: Agent) -> None:
    indicators = IndicatorSet(random_market(22, 900, volatility=0.004))
    for row in (0, 40, 899):
        reasons = agent.reasons(indicators, row)
        assert reasons
        assert not any("nan" in reason for reason in reasons)
    assert any(character.isdigit() for character in " ".join(agent.reasons(indicators, 899)))


@pytest.mark.parametrize(
    "agent", [MomentumAgent(), MarketStructureAgent(), VolumeProfileAgent()], ids=lambda agent: agent.name
)
def test_a_market_turned_upside_down_turns_most_votes(agent: Agent) -> None:
    candles = random_market(23, 4_000, volatility=0.003)
    upright, turned = agent.view(IndicatorSet(candles)).action, agent.view(IndicatorSet(_mirrored(candles))).action
    voted = (upright != 0) | (turned != 0)
    assert voted.sum() > 100
    assert (upright[voted] == -turned[voted]).mean() > 0.7
    assert (upright[voted] * turned[voted] > 0).mean() < 0.01


def test_the_stronger_side_wins_a_vote_and_a_tie_holds() -> None:
    buy, sell = np.array([0.8, 0.2, 0.5, 0.0, 1.0], np.float32), np.array([0.2, 0.4, 0.5, 0.0, 0.0], np.float32)
    view = vote(buy, sell, np.array([np.nan, 0.0, 0.5, 0.02, 0.03], np.float32))
    assert view.action.tolist() == [1, -1, 0, 0, 1]
    assert view.confidence.tolist() == pytest.approx([0.8, 0.6, 0.0, 0.0, 1.0])
    assert view.trail.tolist() == pytest.approx([0.0, 0.001, 0.1, 0.02, 0.03])


def test_volatility_trails_more_ranges_when_calm_than_when_wild() -> None:
    rng = np.random.default_rng(3)
    noise = np.full(1_800, 0.001)
    noise[900:1_050] = 0.0003
    noise[1_400:1_500] = 0.003
    candles = market_of(100 * np.exp(np.cumsum(rng.normal(0, 1, 1_800) * noise)), wick=0.0)
    indicators = IndicatorSet(candles)
    multiple = VolatilityAgent().view(indicators).trail / indicators.slow_atr_share()
    assert np.nanmean(multiple[1_000:1_050]) > 1.15 * np.nanmean(multiple[700:890])
    assert np.nanmean(multiple[1_450:1_500]) < 0.8 * np.nanmean(multiple[700:890])


def test_volatility_fades_a_stretched_price_but_not_a_storm() -> None:
    close = _range(4, 400)
    close[399] = close[380:399].min() * 0.985
    assert VolatilityAgent().view(IndicatorSet(market_of(close, wick=0.001))).action[399] == BUY
    storm = np.concatenate((_range(4, 400), 100 * np.cumprod(1 + np.tile([0.015, -0.02], 12))))
    indicators = IndicatorSet(market_of(storm, wick=0.001))
    assert indicators.volatility_ratio()[-1] > 1.8
    assert (VolatilityAgent().view(indicators).action[-5:] == 0).all()
    assert "no vote against the move" in VolatilityAgent().reasons(indicators, len(storm) - 1)[-1]


def test_momentum_finds_bullish_divergence_once_the_low_is_confirmed() -> None:
    legs = [(100, 100.5, 60), (100.5, 94, 14), (94, 98, 14), (98, 93.5, 40), (93.5, 96, 16)]
    wiggle = 0.02 * (np.arange(sum(n for *_, n in legs)) % 2)
    close = np.concatenate([np.linspace(a, b, n, endpoint=False) for a, b, n in legs]) + wiggle
    candles = market_of(close, wick=0.0002)
    indicators = IndicatorSet(candles)
    strength = divergence(indicators, 1)
    low = 60 + 14 + 14 + 40
    assert int(np.argmin(close)) in range(low - 1, low + 1)
    assert (strength[low - 5 : low + 9] == 0).all()
    assert strength[low + 11] > 0
    assert MomentumAgent().view(indicators).action[low + 11] == BUY
    assert any("bullish divergence" in reason for reason in MomentumAgent().reasons(indicators, low + 11))
    assert (divergence(indicators, -1)[low:] == 0).all()
    mirrored = IndicatorSet(_mirrored(candles))
    assert divergence(mirrored, -1)[low + 11] > 0


def test_momentum_sees_no_divergence_when_the_fall_gains_force() -> None:
    legs = [(100, 100.5, 60), (100.5, 98, 40), (98, 99, 14), (99, 91, 14), (91, 94, 16)]
    close = np.concatenate([np.linspace(a, b, n, endpoint=False) for a, b, n in legs])
    strength = divergence(IndicatorSet(market_of(close + 0.02 * (np.arange(len(close)) % 2), wick=0.0002)), 1)
    assert (strength[128:] == 0).all()


def test_momentum_buys_exhaustion_across_timeframes_more_surely_once_it_turns() -> None:
    fall = 100 * np.exp(-np.cumsum(np.geomspace(0.0002, 0.004, 120)))
    close = np.concatenate((_range(7, 900), fall, fall[-1] * np.array([1.001, 1.002])))
    indicators = IndicatorSet(market_of(close))
    view = MomentumAgent().view(indicators)
    assert (view.action[990:] == BUY).all()
    histogram = indicators.macd().histogram
    assert histogram[1_018] < histogram[1_017]
    assert histogram[1_021] > histogram[1_020]
    assert view.confidence[1_021] > view.confidence[1_018] + 0.2


def test_volume_spike_whose_fall_is_absorbed_votes_buy_and_a_whale_more_surely() -> None:
    quiet = market_of(_range(8, 400), wick=0.0005)
    row = 350
    opening = quiet.close[row - 1]
    hammer = {"open": opening, "low": opening * 0.99, "high": opening * 1.0005, "close": opening * 0.9995}
    confidences = []
    for volume in (30.0, 90.0):
        indicators = IndicatorSet(_with_candle(quiet, row, volume=volume, **hammer))
        assert [bool(flags[row]) for flags in spikes(indicators)] == [True, False, False, False]
        view = VolumeProfileAgent().view(indicators)
        assert view.action[row] == BUY
        confidences.append(view.confidence[row])
    assert confidences[1] == 1.0
    assert confidences[0] < 0.8
    reasons = VolumeProfileAgent().reasons(indicators, row)
    assert any("a whale" in reason for reason in reasons)
    assert any("absorbed" in reason for reason in reasons)


def test_nothing_is_bought_against_a_push_of_volume() -> None:
    close = _range(9, 400)
    close[395:] = close[394] * np.array([0.97, 0.965, 0.964, 0.963, 0.962])
    calm = market_of(close, wick=0.0)
    assert VolumeProfileAgent().view(IndicatorSet(calm)).action[395] == BUY
    volume = np.full(400, 10.0)
    volume[395] = 80.0
    pushed = VolumeProfileAgent().view(IndicatorSet(market_of(close, wick=0.0, volume=volume)))
    assert (pushed.action[395:398] != BUY).all()
    assert pushed.action[398] == BUY


def test_price_far_over_the_value_area_votes_sell() -> None:
    close = np.concatenate((_range(10, 390), 100 * np.linspace(1.005, 1.05, 10)))
    view = VolumeProfileAgent().view(IndicatorSet(market_of(close)))
    assert view.action[-1] == SELL
    assert view.confidence[-1] > 0.8


def _structure() -> np.ndarray:
    down, up = np.linspace(104, 100, 20, endpoint=False), np.linspace(100, 104, 20, endpoint=False)
    return np.concatenate((np.linspace(100, 104, 20, endpoint=False), down, up, down, up))


def test_support_votes_buy_and_resistance_votes_sell() -> None:
    agent, close = MarketStructureAgent(), _structure()
    at_support = np.concatenate((close, np.linspace(104, 100.05, 20)))
    assert agent.view(IndicatorSet(market_of(at_support))).action[-1] == BUY
    at_resistance = np.concatenate((at_support, np.linspace(100.2, 103.95, 20)))
    assert agent.view(IndicatorSet(market_of(at_resistance))).action[-1] == SELL


def test_broken_support_votes_sell_until_it_is_taken_back() -> None:
    agent = MarketStructureAgent()
    falling = np.concatenate((_structure(), np.linspace(104, 100.3, 20), [99.6, 99.2, 98.8]))
    indicators = IndicatorSet(market_of(falling))
    view = agent.view(indicators)
    assert (view.action[-3:] == SELL).all()
    assert view.confidence[-1] > view.confidence[-3]
    assert "structure broke down" in agent.reasons(indicators, len(falling) - 1)
    swept = IndicatorSet(market_of(np.append(falling, [100.6, 101.0])))
    assert (agent.view(swept).action[-2:] == BUY).all()
    assert [bool(flags[-1]) for flags in breaks(swept)] == [False, False, True, False]


def test_an_old_break_is_no_news() -> None:
    broken = np.concatenate((_structure(), np.linspace(104, 100.3, 20), [99.0], np.full(30, 98.9)))
    assert (MarketStructureAgent().view(IndicatorSet(market_of(broken))).action[-8:] != SELL).all()


def test_regime_goes_with_a_fall_so_that_a_grid_does_not_buy_it() -> None:
    rng = np.random.default_rng(13)
    fall = 100 * np.exp(np.cumsum(-0.001 + rng.normal(0, 0.0008, 500)))
    view = RegimeAgent().view(IndicatorSet(market_of(fall)))
    assert (view.action[200:] == SELL).mean() > 0.95
    climb = RegimeAgent().view(IndicatorSet(_mirrored(market_of(fall))))
    assert (climb.action[200:] == BUY).mean() > 0.95


def test_regime_buys_the_low_edge_of_a_range_and_sells_the_high_one() -> None:
    indicators = IndicatorSet(market_of(_range(14, 2_000, pull=0.97, noise=0.0015)))
    view = RegimeAgent().view(indicators)
    ranging = indicators.regime() == Regime.RANGING
    close, vwap = indicators.close, indicators.rolling_vwap(96)
    bought, sold = ranging & (view.action == BUY), ranging & (view.action == SELL)
    assert bought.sum() > 50
    assert sold.sum() > 50
    assert (close[bought] < vwap[bought]).all()
    assert (close[sold] > vwap[sold]).all()


def test_regime_holds_in_a_storm() -> None:
    rng = np.random.default_rng(15)
    noise = np.full(600, 0.001)
    noise[500:] = 0.006
    indicators = IndicatorSet(market_of(100 * np.exp(np.cumsum(rng.normal(0, 1, 600) * noise))))
    storm = indicators.regime() == Regime.VOLATILE
    assert storm[520:].any()
    assert (RegimeAgent().view(indicators).action[storm] == 0).all()
