"""Where exactly a slot acts: to the tick, and only when it may."""

from __future__ import annotations

import numpy as np

from tests.trading.engine.tapes import book_for, path_tape, play, settings_with
from tests.trading.engine.test_scenarios import FAR, FLAT_START, START, candle, played, sides, slot_at
from trading.engine.codes import BUY, SELL, FillReason, Halt, SlotState
from trading.engine.loop import run
from trading.engine.trailing import on_price


def test_the_rest_of_a_taking_order_takes_the_next_price_not_the_old_one():
    book, _ = played([49_650.0])
    candle(book, 49_650.0, 49_695.0, 49_650.0, 49_695.0, volume=100)
    candle(book, 49_600.0, 49_750.0, 49_600.0, 49_600.0)
    first, rest = book.fills
    assert first.price_ticks > 4_968_000
    assert 4_960_000 <= rest.price_ticks <= 4_960_000 * 1.0004


def test_a_sell_arms_at_its_floor_where_that_lies_over_the_level():
    book, state = played([49_650.0], trail={"sell_margin": 0.99, "buy_cap": 0.25, "cluster_window": 0.0})
    candle(book, 49_700.0, 49_830.0, 49_700.0, 49_830.0)
    play(book, path_tape([50_201.0]))
    slot = slot_at(state, -1)
    assert slot.floor > slot.sell
    assert slot.state == SlotState.HELD


def test_a_take_profit_under_the_level_sells_before_the_level_is_reached():
    book, _ = played(
        [49_650.0, 49_690.0, 50_080.0],
        limits={"take_profit": 0.005},
        trail={"sell_margin": 0.2, "cluster_window": 0.0},
    )
    assert sides(book) == [BUY, SELL]
    assert book.fills[1].reason == FillReason.TAKE_PROFIT


def test_an_armed_buy_follows_each_tick_down_and_triggers_on_the_very_tick():
    book, state = played([49_000.0])
    slot = slot_at(state, -1)
    assert slot.state == SlotState.ARMED_BUY
    play(book, path_tape([48_999.99]))
    assert slot.extreme == 4_899_999
    play(book, path_tape([(slot.trigger - 1) / 100]))
    assert slot.state == SlotState.ARMED_BUY
    play(book, path_tape([slot.trigger / 100]))
    assert sides(book) == [BUY]


def test_a_slot_of_the_limit_style_never_arms():
    _, state = played([49_600.0, 49_500.0], grid={"order_style": "limit"}, orders={"blackouts": ["00:00-12:00"]})
    assert not np.isin(state.slots["state"], (SlotState.ARMED_BUY, SlotState.ARMED_SELL)).any()


def test_a_flat_slot_does_not_arm_while_trading_is_halted():
    book, state = played([50_150.0], grid={"buy_levels": 2})
    state.core.halt = Halt.DRAWDOWN
    state.core.dirty = 1
    play(book, path_tape([50_150.0, 49_600.0, 49_000.0]))
    assert (state.slots["state"] == SlotState.FLAT).all()


def test_a_halt_cancels_a_working_buy_at_once():
    limits = {"max_drawdown": 0.0001}
    book, state = played([50_150.0], grid={"order_style": "limit", "buy_levels": 2}, limits=limits)
    assert state.core.working == 2
    state.core.position_lots, state.core.cash = 1_000, state.core.cash - 1_000 * 5_015_000 * 10
    on_price(book, 5_000_000, False)
    assert state.core.halt == Halt.DRAWDOWN
    assert (state.core.working, state.core.reserved) == (0, 0)


def test_break_even_is_rounded_up():
    _, state = played([49_650.0, 49_690.01])
    slot = slot_at(state, -1)
    even = -(-int(slot.cost) // (int(slot.held) * 10))
    assert slot.cost % (slot.held * 10) != 0
    assert slot.floor == even - -even * (1_000 + int(slot.margin_ppm)) // 1_000_000


def test_an_order_decided_at_a_close_reaches_the_exchange_two_candles_later_with_latency():
    # the grid starts, and its limits are decided, at the close of candle 49
    _, state = played([], grid={"order_style": "limit", "buy_levels": 3}, fills={"latency_candles": 1})
    assert {int(slot.active_from) for slot in state.slots if slot.order_id} == {51}


def test_a_slot_that_sold_an_old_grid_s_inventory_joins_the_new_grid():
    book, state = played([49_650.0, 49_690.0, *[START * 1.06] * 4], grid={"sell_levels": 3})
    assert state.core.recentres == 1
    play(book, path_tape([START * 1.045] * 2))
    assert (state.slots["held"] == 0).all()
    assert (state.slots["grid_id"] == state.core.grid_id).all()


def test_a_quiet_pass_stops_where_the_price_leaves_the_grid_with_every_slot_held():
    prices = FLAT_START + [49_650.0, 49_690.0] + [49_500.0 - 40.0 * step for step in range(120)]
    chosen = settings_with(
        grid={"spacing": 0.01, "entry_levels": 0, "buy_levels": 1, "sell_levels": 0},
        limits=FAR,
        trail={"cluster_window": 0.0},
    )
    outcomes = []
    for skip in (True, False):
        book, state, _ = book_for(chosen)
        equity = np.zeros(len(prices), np.int64)
        run(book, path_tape(prices), equity, 0, skip)
        outcomes.append((state.to_bytes(), equity.tobytes()))
        assert state.core.recentres > 0
    assert outcomes[0] == outcomes[1]
