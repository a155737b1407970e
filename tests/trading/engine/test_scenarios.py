"""What one slot does, step by step, along hand-made paths."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from tests.trading.engine.tapes import (
    BTC,
    BTC_FEE_IN_BASE,
    MINUTE_MS,
    book_for,
    path_tape,
    play,
    random_tape,
    settings_with,
)
from trading.engine.accounting import apply_fill
from trading.engine.codes import BUY, SELL, Action, FillReason, Halt, IntentKind, Rule, SlotState
from trading.engine.loop import step
from trading.engine.sizing import kelly_share, order_lots
from trading.engine.state import Book, State
from trading.engine.trailing import away_from_clusters
from trading.market.rules import Market

START = 50_200.0
# A flat start of 50 candles lays the grid at START; levels are 1% apart.
FLAT_START = [START] * 53
FAR = {"max_drawdown": 0.9, "daily_loss": 0.9, "stop_loss": 0.0, "take_profit": 0.0}


def played(
    prices: list[float], rules: Market = BTC, trail_ppm: int = 10_000, **sections: Mapping[str, object]
) -> tuple[Book, State]:
    """Play a path after the flat start and return book and state."""
    limits = FAR | dict(sections.pop("limits", {}))
    grid = {"spacing": 0.01, "entry_levels": 0, "buy_levels": 1, "sell_levels": 0} | dict(sections.pop("grid", {}))
    trail_section = {"cluster_window": 0.0} | dict(sections.pop("trail", {}))
    book, state, _ = book_for(settings_with(grid=grid, limits=limits, trail=trail_section, **sections), rules)
    play(book, path_tape(FLAT_START + prices, trail=trail_ppm))
    return book, state


def candle(book: Book, first: float, high: float, low: float, last: float, volume: int | None = None) -> None:
    """Trade one candle with a body and wicks."""
    tape = path_tape([first])
    ticks = {"open": first, "high": high, "low": low, "close": last}
    changed = {name: np.array([round(price * 100)]) for name, price in ticks.items()}
    if volume is not None:
        changed["volume"] = np.array([volume])
    step(book, tape._replace(**changed), 0)


def sides(book: Book) -> list[int]:
    return book.fills["side"].tolist()


def slot_at(state: State, pair: int) -> np.record:
    (found,) = [slot for slot in state.slots if slot.pair == pair and slot.grid_id == state.core.grid_id]
    return found


def test_a_level_arms_when_the_price_reaches_it_and_follows_the_low():
    _, state = played([49_700.0, 49_600.0, 49_550.0])
    slot = slot_at(state, -1)
    assert slot.state == SlotState.ARMED_BUY
    assert slot.extreme == 4_955_000
    assert slot.trigger <= slot.cap


def test_a_trailing_buy_fills_on_the_way_back_up_at_its_trigger():
    book, state = played([49_650.0, 49_000.0])
    candle(book, 49_100.0, 49_600.0, 49_050.0, 49_550.0)
    assert sides(book) == [BUY]
    fill = book.fills[0]
    # 1% over the low of 49,000 is 49,490; half a spread and the slippage come on top
    assert 4_949_000 <= fill.price_ticks <= 4_949_000 * 1.0004
    assert fill.reason == FillReason.TRAIL
    assert slot_at(state, -1).state == SlotState.HELD


def test_a_trail_wider_than_the_way_back_buys_at_the_level_and_never_above():
    book, state = played([49_600.0], trail_ppm=30_000)
    candle(book, 49_600.0, 49_900.0, 49_600.0, 49_900.0)
    assert sides(book) == [BUY]
    slot = slot_at(state, -1)
    assert book.fills[0].price_ticks <= slot.cap == slot.buy


def test_a_buy_whose_price_jumped_over_the_cap_rests_at_the_cap_and_fills_as_maker():
    book, state = played([49_650.0, 49_900.0])
    slot = slot_at(state, -1)
    assert slot.state == SlotState.BUYING
    assert slot.taker == 0
    assert slot.limit == slot.cap
    candle(book, 49_900.0, 49_900.0, 49_600.0, 49_600.0)
    assert sides(book) == [BUY]
    assert book.fills[0].price_ticks == slot.cap
    assert book.fills[0].fee_units == -(-int(book.fills[0].price_ticks * book.fills[0].lots * 10) // 1_000)


def test_a_sell_arms_at_the_next_level_follows_the_high_and_sells_on_the_way_down():
    book, state = played([49_650.0, 49_690.0, 50_300.0, 51_500.0])
    candle(book, 51_400.0, 51_400.0, 50_900.0, 50_950.0)
    assert sides(book) == [BUY, SELL]
    sale = book.fills[1]
    assert sale.reason == FillReason.TRAIL
    assert 51_500 * 0.99 * 0.9995 <= sale.price_ticks / 100 <= 51_500 * 0.99
    assert state.core.trades == 1
    assert state.core.wins == 1.0


def test_a_sell_never_triggers_under_its_floor():
    # armed just over the level, then a fall through the floor in one jump: it holds on
    book, state = played([49_650.0, 49_690.0, 50_260.0])
    slot = slot_at(state, -1)
    assert slot.state == SlotState.ARMED_SELL
    play(book, path_tape([49_000.0]))
    assert slot_at(state, -1).state == SlotState.HELD
    assert sides(book) == [BUY]


def test_a_floor_covers_both_fees_and_the_margin():
    _, state = played([49_650.0, 49_690.0])
    slot = slot_at(state, -1)
    paid = slot.cost / (slot.held * 10)
    assert slot.floor >= paid * (1 + 0.001)
    assert slot.floor * (1 - 0.001) * slot.held * 10 > slot.cost


def test_a_stop_sells_at_four_fifths_of_the_stop_distance():
    book, _ = played([49_650.0, 49_690.0, 48_600.0], limits={"stop_loss": 0.05})
    candle(book, 48_600.0, 48_600.0, 47_500.0, 47_600.0)
    assert sides(book) == [BUY, SELL]
    assert book.fills[1].reason == FillReason.STOP
    paid = book.fills[0].price_ticks * 1.001
    assert book.fills[1].price_ticks == pytest.approx(paid * 0.96, rel=1e-3)


def test_a_take_profit_sells_on_the_way_up():
    book, _ = played([49_650.0, 49_690.0, 50_100.0], limits={"take_profit": 0.03})
    candle(book, 50_100.0, 54_000.0, 50_100.0, 53_000.0)
    assert sides(book) == [BUY, SELL]
    assert book.fills[1].reason == FillReason.TAKE_PROFIT
    assert book.fills[1].price_ticks == pytest.approx(book.fills[0].price_ticks * 1.001 * 1.03, rel=1e-3)


def test_a_stop_counts_from_the_candle_after_the_purchase():
    # a falling candle: to its low, up through the trigger, and down through the stop; only the next one may sell
    book, state = played([49_650.0], limits={"stop_loss": 0.01})
    candle(book, 49_650.0, 49_750.0, 48_000.0, 48_000.0)
    assert sides(book) == [BUY]
    assert slot_at(state, -1).held > 0


def test_plain_limits_rest_at_their_levels_and_fill_as_maker_when_the_price_goes_through():
    book, _ = played([50_000.0], grid={"order_style": "limit"})
    candle(book, 50_000.0, 50_000.0, 49_600.0, 49_900.0)
    candle(book, 49_900.0, 50_300.0, 49_900.0, 50_100.0)
    assert sides(book) == [BUY, SELL]
    buy, sale = book.fills
    assert (buy.reason, sale.reason) == (FillReason.LIMIT, FillReason.LIMIT)
    assert buy.price_ticks == pytest.approx(5_020_000 / 1.01, abs=1)
    assert sale.price_ticks == 5_020_000


@pytest.mark.parametrize(("rule", "expected"), [("touch", [BUY]), ("penetration", [])])
def test_a_limit_that_is_only_touched_fills_under_the_touch_rule_alone(rule, expected):
    level = -(-5_020_000 * 1_000_000 // 1_010_000) / 100
    book, _ = played([level], grid={"order_style": "limit"}, fills={"rule": rule})
    assert sides(book) == expected


def test_limits_rest_only_near_the_price():
    _, state = played([50_100.0], grid={"order_style": "limit", "activation": 0.025, "buy_levels": 5})
    resting = sorted(int(slot.pair) for slot in state.slots if slot.order_id)
    assert resting == [-2, -1]


def test_limits_that_the_price_left_far_behind_are_cancelled():
    book, state = played(
        [50_100.0, 51_800.0, 51_800.0], grid={"order_style": "limit", "activation": 0.025, "sell_levels": 10}
    )
    assert not [slot for slot in state.slots if slot.order_id and slot.limit < 5_000_000]
    assert sides(book) == []


def test_the_grid_starts_after_a_drop_and_stocks_its_first_sell_levels():
    prices = [START] * 60 + [START * 0.975] * 3
    book, state, _ = book_for(settings_with(grid={"entry_drop": 0.02, "entry_levels": 2, "spacing": 0.01}))
    fills = play(book, path_tape(prices))
    assert state.core.started == 1
    assert fills["reason"].tolist() == [FillReason.ENTRY] * 2
    assert (fills["candle"] >= 60).all()
    assert sorted(fills["level"].tolist()) == [0, 1]


def test_the_grid_starts_at_a_confident_buy_signal():
    waiting = settings_with(grid={"entry_drop": 0.5, "entry_confidence": 0.7, "spacing": 0.01})
    for action, started in ((Action.HOLD, 0), (Action.TRAIL_BUY, 1)):
        book, state, _ = book_for(waiting)
        play(book, path_tape([START] * 60, action=action))
        assert state.core.started == started


def test_a_sell_signal_blocks_buys_and_lets_sells_go_on():
    book, state = played([49_650.0, 49_690.0])
    assert slot_at(state, -1).state == SlotState.HELD
    play(book, path_tape([48_500.0, 49_900.0, 51_500.0, 51_000.0, 49_000.0, 49_900.0], action=Action.TRAIL_SELL))
    assert sides(book) == [BUY, SELL]


def test_an_order_decided_in_one_candle_reaches_the_exchange_in_the_next_with_latency():
    prices = [49_650.0, 49_690.0, 49_685.0]
    instant, _ = played(prices)
    late, _ = played(prices, fills={"latency_candles": 1})
    assert late.fills["candle"].tolist() == [instant.fills["candle"][0] + 1]


def test_a_wide_spread_turns_a_trigger_into_a_resting_limit_that_follows_the_price():
    book, state = played([49_000.0, 49_550.0], market={"spread": 0.003}, trail={"buy_cap": 0.5, "cluster_window": 0.0})
    slot = slot_at(state, -1)
    assert slot.state == SlotState.BUYING
    assert (slot.taker, slot.why) == (0, FillReason.TRAIL)
    first = int(slot.limit)
    play(book, path_tape([49_700.0]))
    assert first < slot_at(state, -1).limit <= slot.cap


def test_a_triggered_order_that_rests_too_long_is_cancelled():
    book, state = played([49_000.0, 49_550.0], market={"spread": 0.003}, orders={"lifetime_candles": 5})
    order = int(slot_at(state, -1).order_id)
    assert order > 0
    play(book, path_tape([50_150.0] * 8))
    assert slot_at(state, -1).order_id == 0
    assert state.core.reserved == 0


def test_a_candle_s_volume_bounds_what_fills_and_the_rest_takes_the_next_price():
    book, state = played([49_650.0])
    candle(book, 49_650.0, 49_695.0, 49_650.0, 49_695.0, volume=100)
    assert book.fills["lots"].tolist() == [100]
    assert slot_at(state, -1).state == SlotState.PARTIAL
    play(book, path_tape([49_680.0]))
    assert slot_at(state, -1).state == SlotState.HELD
    assert book.fills["lots"].sum() == slot_at(state, -1).pair_lots


def test_the_rest_of_a_buy_is_cancelled_once_four_fifths_are_filled():
    book, state = played([49_650.0])
    candle(book, 49_650.0, 49_695.0, 49_650.0, 49_695.0, volume=500)
    assert slot_at(state, -1).state == SlotState.HELD
    assert book.intents[-1].kind == IntentKind.CANCEL
    assert state.core.reserved == 0


def test_a_close_beyond_the_grid_recentres_only_after_the_confirming_closes():
    up = START * 1.01**3 * 1.02
    _, early = played([up, up], grid={"sell_levels": 3})
    _, late = played([up, up, up], grid={"sell_levels": 3})
    assert (early.core.recentres, late.core.recentres) == (0, 1)
    assert late.core.centre == round(up * 100)


def test_a_recentred_grid_leaves_inventory_where_it_is():
    down = [49_650.0, 49_690.0] + [46_000.0] * 4
    _, state = played(down, grid={"sell_levels": 3})
    assert state.core.recentres == 1
    held = state.slots[state.slots["held"] > 0]
    assert len(held) >= 1
    assert (held["grid_id"] < state.core.grid_id).any()
    assert len({int(slot.pair) for slot in state.slots if slot.grid_id == state.core.grid_id}) >= 4 - len(held)


def test_a_trend_that_lasts_recentres_a_grid_that_is_off_its_centre():
    away = [START * 1.025] * 12
    tape = path_tape(FLAT_START + away)
    trending = tape._replace(regime=np.where(np.arange(len(tape.open)) >= 52, 1, 0).astype(np.int8))
    for confirm, recentres in ((5, 1), (0, 0)):
        grid = {"spacing": 0.01, "regime_confirm": confirm, "entry_levels": 0}
        book, state, _ = book_for(settings_with(grid=grid, limits=FAR))
        play(book, trending)
        assert state.core.recentres == recentres


def test_a_drawdown_halts_cancels_buys_and_waits_for_a_person():
    book, state = played([49_650.0, 49_690.0] + [45_000.0] * 30, limits={"max_drawdown": 0.002})
    assert state.core.halt == Halt.DRAWDOWN
    assert not [slot for slot in state.slots if slot.side == BUY]
    assert state.core.reserved == 0
    fills = len(book.fills)
    play(book, path_tape([45_000.0, 44_000.0, 46_000.0, 44_500.0] * 10))
    assert not (book.fills["side"][fills:] == BUY).any()


def test_a_drawdown_halt_resumes_after_its_cooldown_with_a_new_peak():
    limits = {"max_drawdown": 0.002, "cooldown_candles": 10}
    _, state = played([49_650.0, 49_690.0] + [45_000.0] * 4, limits=limits)
    assert state.core.halt == Halt.DRAWDOWN
    _, state = played([49_650.0, 49_690.0] + [45_000.0] * 20, limits=limits)
    assert state.core.halt == Halt.NONE
    assert state.core.peak_equity < state.core.capital


def test_a_daily_loss_halts_until_the_next_utc_day():
    limits = {"daily_loss": 0.002}
    book, state = played([49_650.0, 49_690.0, 45_000.0], limits=limits)
    assert state.core.halt == Halt.DAILY_LOSS
    tomorrow = path_tape([45_000.0])
    step(book, tomorrow._replace(timestamp=tomorrow.timestamp + 86_400_000), 0)
    assert state.core.halt == Halt.NONE


def test_flattening_sells_everything_at_the_halt():
    limits = {"max_drawdown": 0.002, "flatten_on_halt": True}
    book, state = played([49_650.0, 49_690.0, 45_000.0, 44_900.0], limits=limits)
    assert state.core.position_lots == 0
    assert book.fills["reason"][-1] == FillReason.FLATTEN


def test_nothing_new_is_placed_within_a_blackout():
    # the tape starts at midnight: minutes 52 to 70 are blacked out
    prices = [49_650.0, 49_690.0, 49_695.0]
    book, state = played(prices, orders={"blackouts": ["00:52-01:10"]})
    assert sides(book) == []
    assert slot_at(state, -1).state == SlotState.ARMED_BUY
    after = path_tape([49_690.0])
    step(book, after._replace(timestamp=after.timestamp + 75 * MINUTE_MS), 0)
    assert sides(book) == [BUY]


def test_lesson_09_a_level_that_was_not_placed_keeps_its_reason_is_counted_and_is_tried_again():
    book, state = played([49_650.0, 49_690.0], limits={"max_open_levels": 0}, orders={"retry_candles": 5})
    slot = slot_at(state, -1)
    assert (slot.state, slot.reason) == (SlotState.BLOCKED, Rule.MAX_OPEN_LEVELS)
    assert state.core.refused[Rule.MAX_OPEN_LEVELS] == 1
    play(book, path_tape([49_650.0, 49_690.0] * 4))
    assert state.core.refused[Rule.MAX_OPEN_LEVELS] >= 2


def test_lesson_10_every_pair_of_levels_has_a_slot_whatever_happened():
    for seed in range(5):
        book, state, params = book_for(settings_with())
        play(book, random_tape(seed, 400, volatility=0.006))
        assigned = {int(slot.pair) for slot in state.slots if slot.grid_id == state.core.grid_id}
        elsewhere = sum(1 for slot in state.slots if slot.grid_id != state.core.grid_id and slot.held > 0)
        assert len(assigned) + elsewhere >= params[0].pairs - elsewhere


def test_lesson_11_a_remainder_too_small_to_sell_is_carried_to_the_next_sale():
    book, state = played([49_650.0])
    candle(book, 49_650.0, 49_695.0, 49_650.0, 49_695.0, volume=3)
    slot = slot_at(state, -1)
    assert slot.held == 3
    # the sale of three lots, worth 1.5, is under the minimum of 5
    play(book, path_tape([49_800.0, 51_500.0, 50_900.0], action=Action.TRAIL_SELL))
    assert state.core.carry_lots == 3
    assert state.core.refused[Rule.DUST] == 1
    play(book, path_tape([50_000.0, 49_600.0, 49_690.0, 51_500.0, 50_900.0, 50_900.0]))
    assert state.core.carry_lots == 0
    assert state.core.position_lots == 0
    assert book.fills["lots"][book.fills["side"] == SELL].sum() == book.fills["lots"][book.fills["side"] == BUY].sum()


def test_lesson_12_a_fee_in_base_reduces_the_inventory_and_sells_are_rounded_down():
    book, state = played([49_650.0, 49_690.0, 50_300.0, 51_500.0, 50_900.0], rules=BTC_FEE_IN_BASE)
    bought, sold = book.fills
    microlots = bought.lots * 1_000_000 - bought.fee_microlots
    assert bought.fee_microlots == bought.lots * 1_000
    assert sold.lots == microlots // 1_000_000
    assert state.core.dust_microlots == microlots % 1_000_000
    assert state.core.position_lots == 0


def test_half_kelly_caps_the_size_only_with_a_history_and_never_under_its_floor():
    book, _, _ = book_for(settings_with())
    core, params = book.core, book.params
    core.wins, core.losses, core.win_sum, core.loss_sum = 6.0, 4.0, 0.06, 0.08
    core.trades = 29
    assert kelly_share(core, params) == 1.0
    core.trades = 30
    chance, ratio = 0.6, (0.06 / 6) / (0.08 / 4)
    assert kelly_share(core, params) == pytest.approx(max(0.5 * (chance - (1 - chance) / ratio), 0.25 * 0.05))
    core.losses, core.loss_sum = 2.0, 0.01
    assert kelly_share(core, params) == pytest.approx(0.5 * (0.75 - 0.25 / 2))
    core.wins = core.win_sum = 0.0
    assert kelly_share(core, params) == pytest.approx(0.0125)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"halt": int(Halt.DRAWDOWN)}, Rule.HALTED),
        ({"external_exposure": 10**15}, Rule.MAX_EXPOSURE),
        ({"reserved": 10_000 * 10**8}, Rule.MAX_POSITION),
        ({"cash": 4 * 10**8, "external_equity": 10_000 * 10**8}, Rule.CASH),
    ],
)
def test_a_refused_order_names_the_rule_that_binds(change, rule):
    book, state, _ = book_for(settings_with())
    state.core.last_price = 5_000_000
    for name, value in change.items():
        setattr(state.core, name, value)
    assert order_lots(book, 5_000_000) == (0, rule)


def test_an_order_is_a_share_of_equity_times_confidence_in_whole_lots():
    book, state, _ = book_for(settings_with())
    state.core.last_price = 5_000_000
    assert order_lots(book, 5_000_000) == (600, Rule.NONE)
    state.core.action, state.core.confidence_ppm = Action.TRAIL_BUY, 900_000
    assert order_lots(book, 5_000_000) == (900, Rule.NONE)


@pytest.mark.parametrize(
    ("trigger", "side", "expected"),
    [
        (5_001_000, BUY, 5_001_000 + 25_005),
        (4_999_000, SELL, 4_999_000 - 24_995),
        (5_050_000, BUY, 5_050_000),
        (5_129_000, SELL, 5_129_000 - 25_645),
    ],
)
def test_a_trigger_is_moved_out_of_round_numbers_and_swings(trigger, side, expected):
    book, state, _ = book_for(settings_with())
    state.core.round_step, state.core.swing_high = 100_000, 5_130_000
    assert away_from_clusters(book, trigger, side) == expected


def test_a_session_on_a_clock_applies_the_exchange_s_fills_itself():
    book, state = played([49_650.0], fills={"latency_candles": 1})
    play(book, path_tape([49_690.0]))
    slot = slot_at(state, -1)
    index = int(np.flatnonzero(state.slots["pair"] == -1)[0])
    assert slot.state == SlotState.BUYING
    apply_fill(book, index, int(slot.lots), 4_970_000, 1_000)
    assert slot.state == SlotState.HELD
    assert state.core.cash == state.core.capital - state.core.bought_units - state.core.fee_units


def test_no_field_of_a_record_hides_behind_numpy_s_own_attributes():
    book, _, _ = book_for(settings_with())
    records = (book.core, book.params, book.out, book.core.slots[0], book.out.intents[0], book.out.fills[0])
    own = set(dir(np.record))
    assert not [name for record in records for name in record.dtype.names if name in own]
