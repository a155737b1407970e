"""When the grid starts, where its levels lie, and when it moves."""

from __future__ import annotations

import numpy as np
import pytest

from tests.trading.engine.tapes import book_for, path_tape, play, settings_with
from tests.trading.engine.test_scenarios import FAR, FLAT_START, START, played, slot_at
from trading.engine.codes import BUY, SELL, Action, Regime
from trading.engine.grid import lay_levels
from trading.engine.state import State

FIVE = {"regime_confirm": 5, "spacing": 0.01, "entry_levels": 0}


def started(prices: list[float], action: int = 0, confidence: int = 800_000, **grid: float) -> bool:
    book, state, _ = book_for(settings_with(grid={"spacing": 0.01} | grid))
    tape = path_tape(prices, action=action)
    play(book, tape._replace(confidence=np.full(len(prices), confidence, np.int32)))
    return bool(state.core.started)


@pytest.mark.parametrize(("candles", "starts"), [(49, False), (50, True)])
def test_the_grid_starts_with_the_last_candle_of_the_warm_up(candles, starts):
    assert started([START] * candles) is starts


@pytest.mark.parametrize(("later", "starts"), [([49_000.0], True), ([49_000.01], False), ([51_000.0, 49_500.0], False)])
def test_the_grid_starts_at_exactly_the_drop_from_the_first_price(later, starts):
    assert started([50_000.0] * 50 + later, entry_drop=0.02) is starts


@pytest.mark.parametrize(("confidence", "starts"), [(700_000, True), (699_999, False)])
def test_a_buy_signal_starts_the_grid_only_when_it_is_sure(confidence, starts):
    assert started([START] * 55, Action.TRAIL_BUY, confidence, entry_drop=0.5, entry_confidence=0.7) is starts


def test_levels_under_the_centre_round_up_and_those_over_it_down():
    levels = np.zeros(5, np.int64)
    lay_levels(levels, 5, 5_020_001, 10_000, 2)
    assert levels.tolist() == [4_921_089, 4_970_299, 5_020_001, 5_070_201, 5_120_903]
    lay_levels(levels, 5, 3, 10_000, 2)
    assert levels.tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("swing", "spacing"), [(0.0, 0.0275), (0.02, 0.006), (0.001, 0.005), (0.5, 0.05)])
def test_a_derived_spacing_is_a_share_of_the_swing_within_its_bounds(swing, spacing):
    book, state, _ = book_for(settings_with(limits=FAR))
    tape = path_tape([START] * 55)
    play(book, tape._replace(swing=np.full(55, round(swing * 1e6), np.int32)))
    assert state.core.spacing_ppm == round(spacing * 1e6)


def test_a_derived_spacing_pays_twice_its_fees():
    book, state, _ = book_for(settings_with(grid={"min_spacing": 0.001}, limits=FAR))
    tape = path_tape([START] * 55)
    play(book, tape._replace(swing=np.full(55, 1_000, np.int32)))
    assert state.core.spacing_ppm == 4_000


@pytest.mark.parametrize(("cap", "over"), [(0.0, 0), (0.5, 24_851)])
def test_a_buy_may_pay_a_share_of_the_spacing_over_its_level(cap, over):
    _, state = played([], trail={"buy_cap": cap})
    slot = slot_at(state, -1)
    assert slot.cap - slot.buy == over


def recentres(closes: list[float], **grid: float) -> int:
    _, state = played(closes, grid={"sell_levels": 1} | grid)
    return int(state.core.recentres)


@pytest.mark.parametrize("side", [1, -1])
def test_only_closes_beyond_the_margin_recentre(side):
    _, state = played([], grid={"sell_levels": 1})
    edge = int(state.core.plan_high if side == BUY else state.core.plan_low)
    outer = START * 1.01 if side == BUY else slot_at(state, -1).buy / 100
    assert edge / 100 == pytest.approx(outer * (1 + 0.005 * side), rel=1e-6)
    assert recentres([edge / 100] * 5) == 0
    assert recentres([(edge + side) / 100] * 3) == 1


def test_a_close_inside_starts_the_count_anew():
    up = START * 1.05
    assert recentres([up, up, START, up, up]) == 0
    assert recentres([up, up, START, up, up, up]) == 1


def test_a_recentred_grid_counts_anew():
    up, higher = START * 1.05, START * 1.2
    assert recentres([up, up, up, higher, higher]) == 1
    assert recentres([up, up, up, higher, higher, higher]) == 2


def trending(close: float, candles: int, regime: int = Regime.TRENDING) -> State:
    """Return the state after a new regime, off the centre, was seen for so many candles."""
    tape = path_tape(FLAT_START + [close] * candles)
    book, state, _ = book_for(settings_with(grid=FIVE, limits=FAR))
    since = np.arange(len(tape.open)) >= len(FLAT_START)
    play(book, tape._replace(regime=np.where(since, int(regime), 0).astype(np.int8)))
    return state


def test_a_trend_recentres_when_it_has_lasted_exactly_its_candles():
    # the trend is first seen in candle 1 of these
    assert trending(START * 1.025, 5).core.recentres == 0
    assert trending(START * 1.025, 6).core.recentres == 1


def test_a_trend_near_the_centre_and_another_regime_do_not_recentre():
    others = [regime for regime in Regime if regime not in (0, Regime.TRENDING)]
    assert others
    assert trending(START * 1.015, 12).core.recentres == 0
    assert [trending(START * 1.025, 12, regime).core.recentres for regime in others] == [0] * len(others)


def test_a_slot_of_an_old_grid_joins_the_new_one_when_it_has_sold():
    book, state = played([49_650.0, 49_690.0, *[46_000.0] * 4], grid={"sell_levels": 3})
    assert state.core.recentres == 1
    play(book, path_tape([51_500.0, 50_900.0, 50_900.0], action=Action.TRAIL_SELL))
    assert book.fills["side"].tolist()[-1] == SELL
    assert (state.slots["grid_id"] == state.core.grid_id).all()


def test_a_pair_whose_inventory_is_still_held_is_not_given_twice():
    _, state = played([49_650.0, 49_690.0, *[46_500.0] * 4], grid={"sell_levels": 20})
    (held,) = state.slots[state.slots["held"] > 0]
    assert held.grid_id < state.core.grid_id
    new = state.slots[state.slots["grid_id"] == state.core.grid_id]
    assert not ((new["buy"] <= held.buy) & (held.buy < new["sell"])).any()


def test_a_level_over_the_price_is_not_primed_by_the_new_grid():
    _, state = played([], grid={"sell_levels": 2})
    assert [int(slot_at(state, pair).primed) for pair in (-1, 0, 1)] == [1, 0, 0]
