"""What fills do to money, inventory and history, to the unit."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from tests.trading.engine.tapes import BTC, BTC_FEE_IN_BASE, book_for, path_tape, play, settings_with
from tests.trading.engine.test_scenarios import candle, played, slot_at
from trading.engine.codes import BUY, SELL, Action, FillReason, Rule, SlotState
from trading.engine.money import equity_at, share_of, share_up
from trading.engine.sizing import order_lots
from trading.market.rules import Market

TWO_FEES = Market("BTC/USDT", Decimal("0.01"), Decimal("0.00001"), Decimal(5), Decimal("0.000211"), Decimal("0.000713"))
UNITS = BTC.units_per_tick_lot
ROUND_TRIP = [49_650.0, 49_690.0, 50_300.0, 51_500.0, 50_900.0]


def value_of(fill: np.record) -> int:
    return int(fill.price_ticks) * int(fill.lots) * UNITS


def gain_of(buy: np.record, sale: np.record) -> float:
    cost = value_of(buy) + int(buy.fee_units)
    return (value_of(sale) - int(sale.fee_units) - cost) / cost


@pytest.mark.parametrize(
    ("value", "ppm"),
    [(0, 5), (1, 1), (1_000_000, 1), (999_999, 999_999), (12_345_678_901, 1_234), (2**61 + 1, 999_999), (8, 250_000)],
)
def test_a_share_rounds_down_and_a_fee_up_only_where_there_is_a_fraction(value, ppm):
    assert share_of(value, ppm) == value * ppm // 1_000_000
    assert share_up(value, ppm) == -(-value * ppm // 1_000_000)


def test_dust_counts_in_the_equity():
    _, state, _ = book_for(settings_with())
    state.core.position_lots, state.core.dust_microlots = 2, 500_000
    assert equity_at(state.core, UNITS, 5_000_000) == state.core.cash + 5_000_000 * UNITS * 5 // 2


def test_a_taking_order_pays_the_taker_fee_rounded_up_on_both_sides():
    book, _ = played(ROUND_TRIP, rules=TWO_FEES)
    assert book.fills["side"].tolist() == [BUY, SELL]
    assert [int(fill.fee_units) for fill in book.fills] == [-(-value_of(fill) * 713 // 10**6) for fill in book.fills]


def test_a_resting_order_pays_the_maker_fee_rounded_up_on_both_sides():
    book, _ = played([50_000.0], rules=TWO_FEES, grid={"order_style": "limit"})
    candle(book, 50_000.0, 50_000.0, 49_600.0, 49_900.0)
    candle(book, 49_900.0, 50_300.0, 49_900.0, 50_100.0)
    assert book.fills["side"].tolist() == [BUY, SELL]
    assert [int(fill.fee_units) for fill in book.fills] == [-(-value_of(fill) * 211 // 10**6) for fill in book.fills]


def test_a_slot_s_cost_is_what_was_paid_with_the_fee():
    book, state = played([49_650.0, 49_690.0])
    assert slot_at(state, -1).cost == value_of(book.fills[0]) + book.fills[0].fee_units


def test_a_part_filled_buy_keeps_money_back_for_its_rest_only():
    book, state = played([49_650.0])
    candle(book, 49_650.0, 49_695.0, 49_650.0, 49_695.0, volume=100)
    slot, (fill,) = slot_at(state, -1), book.fills
    whole = int(slot.lots * slot.limit) * UNITS
    part = value_of(fill)
    assert state.core.reserved == slot.reserved == whole - -whole // 1_000 - part - -(-part // 1_000)


def test_a_part_filled_buy_is_guarded_before_the_rest_is_filled():
    book, state = played([49_650.0], limits={"stop_loss": 0.05, "take_profit": 0.2})
    candle(book, 49_650.0, 49_695.0, 49_650.0, 49_695.0, volume=100)
    slot = slot_at(state, -1)
    assert slot.state == SlotState.PARTIAL
    assert 0 < slot.stop_at < book.fills[0].price_ticks < slot.floor < slot.take_at


@pytest.mark.parametrize(("missing", "state_after"), [(0, SlotState.HELD), (1, SlotState.PARTIAL)])
def test_exactly_four_fifths_are_enough_to_cancel_the_rest(missing, state_after):
    probe, _ = played([49_650.0, 49_690.0])
    lots = int(probe.fills["lots"][0])
    book, state = played([49_650.0])
    candle(book, 49_650.0, 49_690.0, 49_650.0, 49_690.0, volume=lots * 4 // 5 - missing)
    assert slot_at(state, -1).state == state_after


def test_a_closed_trade_decays_the_history_and_adds_its_return():
    book, state = played(ROUND_TRIP[:-1])
    core = state.core
    core.wins, core.losses, core.win_sum, core.loss_sum = 2.0, 3.0, 0.5, 0.25
    play(book, path_tape(ROUND_TRIP[-1:]))
    gain = gain_of(*book.fills)
    assert gain > 0
    history = (core.wins, core.losses, core.win_sum, core.loss_sum)
    assert history == pytest.approx((2 * 0.98 + 1, 3 * 0.98, 0.5 * 0.98 + gain, 0.25 * 0.98))


def test_a_losing_trade_counts_as_a_loss_of_its_size():
    book, state = played([49_650.0, 49_690.0, 47_000.0], limits={"stop_loss": 0.05})
    loss = -gain_of(*book.fills)
    assert loss > 0
    core = state.core
    assert (core.wins, core.losses, core.win_sum) == (0.0, 1.0, 0.0)
    assert core.loss_sum == pytest.approx(loss)


def test_a_slot_s_second_trade_is_measured_without_its_first():
    book, state = played(ROUND_TRIP + ROUND_TRIP)
    assert book.fills["side"].tolist() == [BUY, SELL, BUY, SELL]
    first, second = gain_of(*book.fills[:2]), gain_of(*book.fills[2:])
    assert state.core.wins == pytest.approx(1.98)
    assert state.core.win_sum == pytest.approx(0.98 * first + second)


def test_what_dust_cost_is_part_of_the_next_sale_s_cost():
    book, state = played([49_650.0])
    candle(book, 49_650.0, 49_695.0, 49_650.0, 49_695.0, volume=3)
    dust_cost = value_of(book.fills[0]) + int(book.fills[0].fee_units)
    play(book, path_tape([49_800.0, 51_500.0, 50_900.0], action=Action.TRAIL_SELL))
    assert state.core.carry_cost == dust_cost
    play(book, path_tape([50_000.0, 49_600.0, 49_690.0, 51_500.0, 50_900.0, 50_900.0]))
    bought = book.fills[book.fills["side"] == BUY]
    sold = book.fills[book.fills["side"] == SELL]
    cost = sum(value_of(fill) + int(fill.fee_units) for fill in bought)
    proceeds = sum(value_of(fill) - int(fill.fee_units) for fill in sold)
    assert state.core.win_sum == pytest.approx((proceeds - cost) / cost)
    assert state.core.carry_cost == 0


def test_lots_left_over_help_a_sale_over_the_least_value():
    book, state = played([49_650.0])
    candle(book, 49_650.0, 49_695.0, 49_650.0, 49_695.0, volume=8)
    # eight lots are worth under 5, with three of another slot over 5
    state.core.carry_lots = 3
    state.core.position_lots += 3
    play(book, path_tape([49_800.0, 51_500.0, 50_900.0], action=Action.TRAIL_SELL))
    assert book.fills["lots"][book.fills["side"] == SELL].sum() == 11
    assert state.core.refused[Rule.DUST] == 0
    assert (state.core.carry_lots, state.core.position_lots) == (0, 0)


def test_a_slot_that_sold_over_its_level_buys_there_again():
    book, state = played(ROUND_TRIP)
    play(book, path_tape([49_650.0]))
    assert slot_at(state, -1).state == SlotState.ARMED_BUY


def test_a_slot_that_was_stopped_under_its_level_waits_until_the_price_was_over_it():
    book, state = played([49_650.0, 49_690.0, 47_500.0], limits={"stop_loss": 0.05}, grid={"recentre_confirm": 50})
    assert book.fills["reason"][-1] == FillReason.STOP
    level = slot_at(state, -1).buy / 100
    play(book, path_tape([47_000.0, 48_000.0, 49_000.0, level]))
    assert slot_at(state, -1).state == SlotState.FLAT
    play(book, path_tape([level + 0.01, 49_650.0]))
    assert slot_at(state, -1).state == SlotState.ARMED_BUY


def test_fractions_of_a_lot_add_up_over_several_buys():
    book, state = played(ROUND_TRIP * 3, rules=BTC_FEE_IN_BASE)
    bought = book.fills[book.fills["side"] == BUY]
    assert len(bought) == 3
    received = sum(int(fill.lots) * 1_000_000 - int(fill.fee_microlots) for fill in bought)
    sold = int(book.fills["lots"][book.fills["side"] == SELL].sum())
    assert received == sold * 1_000_000 + state.core.position_lots * 1_000_000 + state.core.dust_microlots


def test_half_kelly_cuts_an_order_s_size():
    book, state, _ = book_for(settings_with())
    core = state.core
    core.last_price = 5_000_000
    core.trades, core.losses, core.loss_sum = 30, 10.0, 0.1
    # without a win the floor is a quarter of the order share: 1.25% of 10,000 buys 250 lots at 0.5
    assert order_lots(book, 5_000_000) == (250, Rule.NONE)


@pytest.mark.parametrize(("least", "lots"), [(600 * 50_000_000, 600), (600 * 50_000_000 + 1, 0)])
def test_an_order_of_exactly_the_least_value_is_placed(least, lots):
    book, state, params = book_for(settings_with())
    state.core.last_price = 5_000_000
    params[0].min_notional = least
    assert order_lots(book, 5_000_000)[0] == lots


@pytest.mark.parametrize(
    ("change", "lots"),
    [
        # a position of 23% leaves 2% of equity, an exposure elsewhere of 58% leaves 2% of 60%
        ({"reserved": 2_300 * 10**8}, 400),
        ({"external_exposure": 5_800 * 10**8}, 400),
        # equity elsewhere makes orders larger
        ({"external_equity": 10_000 * 10**8}, 1_200),
        # 100.1 of cash pay 100 and the fee
        ({"cash": 1_001 * 10**7, "external_equity": 9_900 * 10**8}, 199),
        ({"cash": 3_001 * 10**7, "reserved": 2_000 * 10**7, "external_equity": 9_700 * 10**8}, 199),
    ],
)
def test_an_order_is_cut_to_what_its_limits_leave(change, lots):
    book, state, _ = book_for(settings_with(limits={"max_exposure": 0.6, "max_position": 0.25}))
    state.core.last_price = 5_000_000
    for name, value in change.items():
        setattr(state.core, name, value)
    assert order_lots(book, 5_000_000)[0] == lots


def test_a_working_buy_counts_as_an_open_level():
    book, state = played([49_650.0, 49_900.0], grid={"buy_levels": 2}, limits={"max_open_levels": 1})
    assert slot_at(state, -1).state == SlotState.BUYING
    assert order_lots(book, 4_900_000) == (0, Rule.MAX_OPEN_LEVELS)


def test_a_buy_that_its_fee_eats_up_leaves_its_cost_to_the_next_sale():
    book, state = played([49_650.0], rules=BTC_FEE_IN_BASE, orders={"cancel_rest_at": 0.001})
    candle(book, 49_690.0, 49_690.0, 49_690.0, 49_690.0, volume=1)
    slot, core = slot_at(state, -1), state.core
    assert (slot.state, slot.held, slot.cost) == (SlotState.FLAT, 0, 0)
    assert (core.position_lots, core.dust_microlots) == (0, 999_000)
    assert core.carry_cost == value_of(book.fills[0])


def test_a_cancelled_buy_that_its_fee_ate_up_leaves_its_cost_to_the_next_sale():
    book, state = played([49_650.0], rules=BTC_FEE_IN_BASE)
    candle(book, 49_690.0, 49_690.0, 49_690.0, 49_690.0, volume=1)
    assert slot_at(state, -1).order_id > 0
    play(book, path_tape([49_690.0], action=Action.TRAIL_SELL)._replace(volume=np.array([0])))
    slot = slot_at(state, -1)
    assert (slot.state, slot.order_id, slot.cost) == (SlotState.FLAT, 0, 0)
    assert state.core.carry_cost == value_of(book.fills[0])
