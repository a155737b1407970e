"""At which price a slot arms, triggers and fills, and what becomes of an order that waits."""

from __future__ import annotations

import pytest

from tests.trading.engine.tapes import BTC, book_for, path_tape, play, settings_with
from tests.trading.engine.test_scenarios import START, candle, played, sides, slot_at
from trading.engine.codes import BUY, SELL, Action, FillReason, SlotState
from trading.engine.slots import cancel, trail_of
from trading.engine.trailing import away_from_clusters

WIDE = {"spread": 0.003}
TRAIL = {"buy_cap": 0.5, "cluster_window": 0.0}
LEVEL = 49_702.98
LIMIT = {"order_style": "limit"}


def slip_of(book: object) -> float:
    return int(book.params.slip_ppm) / 1e6


def test_a_taking_buy_pays_spread_and_slippage_and_a_taking_sell_loses_them():
    book, _ = played([49_650.0, 49_000.0])
    candle(book, 49_100.0, 49_700.0, 49_050.0, 49_690.0)
    play(book, path_tape([51_500.0]))
    candle(book, 51_400.0, 51_400.0, 50_900.0, 50_950.0)
    buy, sale = book.fills
    slip = slip_of(book)
    assert slip > 0
    assert (buy.reference_ticks, sale.reference_ticks) == (4_949_000, 5_098_500)
    assert buy.price_ticks == -(-4_949_000 * (10**6 + round(slip * 10**6)) // 10**6)
    assert sale.price_ticks == 5_098_500 * (10**6 - round(slip * 10**6)) // 10**6


def test_a_taking_order_never_fills_outside_its_candle():
    book, _ = played([49_650.0])
    candle(book, 49_691.0, 49_691.0, 49_691.0, 49_691.0)
    assert book.fills["price_ticks"].tolist() == [4_969_100]


@pytest.mark.parametrize(
    ("first", "price"), [(49_900.0, 4_970_298), (49_400.0, 4_940_000)], ids=["on the way", "at a gap"]
)
def test_a_resting_buy_fills_at_its_limit_or_at_a_better_open(first, price):
    book, _ = played([50_000.0], grid=LIMIT)
    candle(book, first, first, 49_300.0, 49_350.0)
    assert book.fills["price_ticks"][0] == pytest.approx(price, abs=1)


@pytest.mark.parametrize(("first", "price"), [(50_000.0, 5_020_000), (50_500.0, 5_050_000)])
def test_a_resting_sell_fills_at_its_limit_or_at_a_better_open(first, price):
    book, _ = played([50_000.0, 49_690.0, 49_700.0], grid=LIMIT)
    candle(book, first, 50_600.0, first, 50_550.0)
    assert book.fills["price_ticks"][-1] == pytest.approx(price, abs=1)
    assert sides(book) == [BUY, SELL]


@pytest.mark.parametrize(("rule", "price", "fills"), [
    ("touch", 0, 1), ("touch", 1, 0), ("penetration", 0, 0), ("penetration", -1, 1),
])  # fmt: skip
def test_a_resting_buy_needs_a_touch_or_a_tick_more(rule, price, fills):
    _, state = played([50_000.0], grid=LIMIT)
    limit = int(slot_at(state, -1).limit)
    book, _ = played([50_000.0], grid=LIMIT, fills={"rule": rule})
    play(book, path_tape([(limit + price) / 100]))
    assert len(book.fills) == fills


@pytest.mark.parametrize(("rule", "price", "sold"), [
    ("touch", 0, True), ("touch", -1, False), ("penetration", 0, False), ("penetration", 1, True),
])  # fmt: skip
def test_a_resting_sell_needs_a_touch_or_a_tick_more(rule, price, sold):
    book, state = played([50_000.0, 49_690.0, 49_700.0], grid=LIMIT, fills={"rule": rule})
    limit = int(slot_at(state, -1).limit)
    play(book, path_tape([(limit + price) / 100]))
    assert (SELL in sides(book)) is sold


def test_a_candle_s_volume_is_shared_by_all_its_fills():
    book, _ = played([50_100.0], grid=LIMIT | {"buy_levels": 3})
    tape = {"first": 50_100.0, "high": 50_100.0, "low": 48_000.0, "last": 48_100.0}
    candle(book, **tape, volume=800)
    assert len(book.fills) == 2
    assert book.fills["lots"].sum() == 800


@pytest.mark.parametrize(("last", "filled"), [(49_690.0, 1), (49_660.0, 1), (49_650.0, 1), (49_640.0, 0)])
def test_a_rising_or_flat_candle_goes_to_its_high_first_and_a_falling_one_to_its_low(last, filled):
    # armed with a trigger at 49,688: on the way to the high it is met before the low can pull it down to 49,490
    book, _ = played([49_650.0])
    candle(book, 49_650.0, 49_700.0, 49_000.0, last)
    assert (book.fills["reference_ticks"][0] == 4_968_805) == filled


def test_a_jump_to_the_open_sells_at_the_open_and_a_stop_too():
    book, _ = played([49_650.0, 49_690.0, 49_690.0, 51_500.0])
    play(book, path_tape([50_700.0]))
    assert book.fills["reference_ticks"][1] == 5_070_000
    book, _ = played([49_650.0, 49_690.0, 49_690.0], limits={"stop_loss": 0.05})
    play(book, path_tape([47_000.0]))
    assert (book.fills["reason"][1], book.fills["reference_ticks"][1]) == (FillReason.STOP, 4_700_000)


def test_a_stop_is_met_at_its_own_price_on_the_way_and_counts_when_just_reached():
    for low, sold in ((0, [BUY, SELL]), (1, [BUY]), (-50_000, [BUY, SELL])):
        book, state = played([49_650.0, 49_690.0, 49_690.0], limits={"stop_loss": 0.05})
        stop = int(slot_at(state, -1).stop_at)
        candle(book, 49_690.0, 49_690.0, (stop + low) / 100, (stop + low) / 100)
        assert sides(book) == sold
        assert book.fills["reference_ticks"][-1] == stop or sold == [BUY]


def test_a_stop_cancels_a_waiting_sell_and_an_armed_one():
    limits = {"stop_loss": 0.05}
    waiting, state = played([50_000.0, 49_690.0, 49_700.0], grid=LIMIT, limits=limits)
    assert slot_at(state, -1).state == SlotState.SELLING
    armed, state = played([49_650.0, 49_690.0, 49_690.0, 50_260.0], limits=limits)
    assert slot_at(state, -1).state == SlotState.ARMED_SELL
    for book in (waiting, armed):
        play(book, path_tape([47_000.0]))
        assert sides(book) == [BUY, SELL]
        assert book.fills["reason"][1] == FillReason.STOP
        assert (book.core.working, book.core.position_lots) == (0, 0)


def test_a_profit_is_taken_at_its_own_price_once_just_reached():
    for high, reasons in ((0, [1, 3]), (-1, [1]), (20_000, [1, 3])):
        book, state = played([49_650.0, 49_690.0, 49_690.0], limits={"take_profit": 0.012})
        take = int(slot_at(state, -1).take_at)
        assert take == pytest.approx(slot_at(state, -1).cost / (slot_at(state, -1).held * 10) * 1.012, abs=2)
        candle(book, 50_250.0, (take + high) / 100, 50_240.0, (take + high) / 100)
        assert book.fills["reason"].tolist() == reasons
        assert book.fills["reference_ticks"][-1] == take or reasons == [1]


def test_a_small_take_profit_still_covers_the_floor():
    _, state = played([49_650.0, 49_690.0], limits={"take_profit": 0.0001})
    assert slot_at(state, -1).take_at == slot_at(state, -1).floor


def test_a_slot_arms_at_its_level_and_low_enough_for_its_trigger():
    _, state = played([], trail={"buy_cap": 0.5})
    level = int(slot_at(state, -1).buy)
    book, state = played([(level + 1) / 100], trail=TRAIL)
    assert slot_at(state, -1).state == SlotState.FLAT
    play(book, path_tape([level / 100]))
    assert slot_at(state, -1).state == SlotState.ARMED_BUY
    # without room over the level the trigger must lie under it: spread and slippage come on top
    book, state = played([level / 100])
    assert slot_at(state, -1).state == SlotState.FLAT
    play(book, path_tape([level / 100 * (1 - 2 * slip_of(book))]))
    slot = slot_at(state, -1)
    assert slot.extreme < slot.trigger < slot.cap


def test_triggers_never_move_against_their_trade():
    book, state = played([49_000.0])
    first = int(slot_at(state, -1).trigger)
    assert first == 4_949_000
    play(book, path_tape([48_999.99]))
    assert slot_at(state, -1).trigger == pytest.approx(first, abs=2)
    state.core.trail_ppm, state.slots["trail_ppm"] = 30_000, 30_000
    play(book, path_tape([48_990.0]))
    assert slot_at(state, -1).trigger <= first
    book, state = played([49_650.0, 49_690.0, 49_690.0, 51_500.0])
    first = int(slot_at(state, -1).trigger)
    assert first == 5_098_500
    state.slots["trail_ppm"] = 30_000
    play(book, path_tape([51_510.0]))
    assert slot_at(state, -1).trigger == first


def test_a_sell_that_arms_has_its_trigger_at_what_nets_the_floor_at_least():
    _, state = played([49_650.0, 49_690.0, 49_690.0, 50_260.0])
    slot = slot_at(state, -1)
    assert slot.trigger > slot.floor
    assert slot.trigger == pytest.approx(slot.floor * (1 + slip_of(played([])[0])), abs=2)


def test_a_floor_is_the_cost_the_fee_and_the_margin():
    for margin in (0.0, 0.5, 0.9):
        _, state = played([49_650.0, 49_690.0], trail={"sell_margin": margin})
        slot = slot_at(state, -1)
        even = -(-int(slot.cost) // (int(slot.held) * BTC.units_per_tick_lot))
        # spacing of 1% less two fees of 0.1%
        assert slot.floor == even - -even * (1_000 + round(8_000 * margin)) // 10**6


@pytest.mark.parametrize(
    ("signal", "action", "volatility", "trail"),
    [
        (12_000, Action.HOLD, 0, 12_000),
        (12_000, Action.TRAIL_BUY, 0, 15_000),
        (12_000, Action.TRAIL_SELL, 0, 9_000),
        (100, Action.HOLD, 0, 5_000),
        (100, Action.HOLD, 1, 10_000),
        (100, Action.HOLD, 2, 20_000),
        (90_000, Action.HOLD, 0, 20_000),
        (90_000, Action.HOLD, 2, 50_000),
        (0, Action.HOLD, 0, 13_000),
    ],
)
def test_a_trail_follows_the_signal_within_the_bounds_of_its_volatility(signal, action, volatility, trail):
    book, state, _ = book_for(settings_with(trail={"base": 0.013}))
    state.core.trail_ppm, state.core.action, state.core.volatility = signal, int(action), volatility
    assert trail_of(book) == trail


@pytest.mark.parametrize(("trigger", "moved"), [(4_990_000, True), (4_950_000, False), (5_010_000, True)])
def test_a_trigger_is_moved_from_either_side_of_a_round_number(trigger, moved):
    book, state, _ = book_for(settings_with())
    state.core.round_step, state.core.swing_high = 100_000, 9_999_999
    assert bool(away_from_clusters(book, trigger, BUY) != trigger) is moved
    state.core.round_step, state.core.swing_low = 1_000_000_000, trigger + 1_000
    assert away_from_clusters(book, trigger, SELL) < trigger


def test_a_level_s_triggers_leave_crowded_prices_on_their_own_side():
    # the trail of 1% under 50,400 would trigger at 49,896, right under a round 50,000 (two leading digits)
    _, state = played([49_650.0, 49_690.0, 49_690.0, 50_600.0], trail={"cluster_window": 0.003, "sell_margin": 0.0})
    assert state.core.round_step == 100_000
    assert slot_at(state, -1).trigger == 5_009_400 - 5_009_400 * 5 // 1_000


def test_a_buy_that_rests_after_a_jump_is_cancelled_when_its_lifetime_ends():
    book, state = played([49_650.0, 49_900.0], orders={"lifetime_candles": 5})
    for _ in range(4):
        play(book, path_tape([49_900.0]))
        assert slot_at(state, -1).state == SlotState.BUYING
    play(book, path_tape([49_900.0]))
    assert slot_at(state, -1).order_id == 0
    assert state.core.reserved == 0


def test_a_plain_limit_waits_without_end():
    book, state = played([50_000.0], grid=LIMIT, orders={"lifetime_candles": 5})
    order = int(slot_at(state, -1).order_id)
    play(book, path_tape([50_000.0] * 12))
    assert slot_at(state, -1).order_id == order > 0


def test_a_re_priced_order_keeps_its_lifetime_and_its_cap():
    book, state = played([49_000.0, 49_550.0], market=WIDE, trail=TRAIL, orders={"lifetime_candles": 5})
    orders = [int(slot_at(state, -1).order_id)]
    for price in (49_700.0, 49_850.0, 50_100.0, 50_100.0):
        play(book, path_tape([price]))
        assert slot_at(state, -1).limit <= slot_at(state, -1).cap
        orders.append(int(slot_at(state, -1).order_id))
    assert len(set(orders)) == 4
    assert slot_at(state, -1).limit == slot_at(state, -1).cap
    play(book, path_tape([50_100.0]))
    assert slot_at(state, -1).order_id == 0


def test_a_price_that_hardly_moved_re_prices_nothing():
    book, state = played([49_000.0, 49_550.0], market=WIDE, trail=TRAIL, orders={"improvement": 0.002})
    order, limit = int(slot_at(state, -1).order_id), int(slot_at(state, -1).limit)
    play(book, path_tape([limit / 100 + 90]))
    assert slot_at(state, -1).order_id == order
    play(book, path_tape([limit / 100 + 110]))
    assert slot_at(state, -1).order_id > order


def test_a_part_filled_order_is_re_priced_with_its_rest_only():
    book, state = played([49_000.0, 49_550.0], market=WIDE, trail=TRAIL)
    slot = slot_at(state, -1)
    lots, limit = int(slot.lots), int(slot.limit) / 100
    candle(book, limit, limit, limit - 20, limit - 10, volume=100)
    assert slot_at(state, -1).state == SlotState.PARTIAL
    play(book, path_tape([limit + 200]))
    slot = slot_at(state, -1)
    assert slot.limit > limit * 100
    assert (slot.held, slot.lots) == (100, lots - 100)


def test_a_waiting_sell_is_re_priced_down_to_its_floor_and_no_further():
    prices = [49_000.0, 49_550.0, 49_300.0, 49_300.0, 52_000.0, 51_400.0]
    book, state = played(prices, market=WIDE, trail=TRAIL, grid={"recentre_confirm": 50})
    slot = slot_at(state, -1)
    assert (slot.state, slot.taker) == (SlotState.SELLING, 0)
    first = int(slot.limit)
    play(book, path_tape([50_900.0]))
    assert slot_at(state, -1).limit == 5_090_000 < first
    play(book, path_tape([49_600.0]))
    assert slot_at(state, -1).limit == slot_at(state, -1).floor > 4_960_000


def test_a_sell_signal_cancels_buys_that_wait_and_disarms_those_that_follow():
    book, state = played([50_000.0], grid=LIMIT)
    play(book, path_tape([50_000.0], action=Action.TRAIL_SELL))
    assert (slot_at(state, -1).state, state.core.working) == (SlotState.FLAT, 0)
    book, state = played([49_650.0])
    play(book, path_tape([49_650.0], action=Action.TRAIL_SELL))
    assert slot_at(state, -1).state == SlotState.FLAT


def test_a_limit_under_which_the_price_fell_waits_until_the_price_is_over_it():
    book, state = played([], grid=LIMIT)
    play(book, path_tape([START, 49_650.0], action=Action.TRAIL_SELL))
    play(book, path_tape([49_650.0, LEVEL]))
    assert (slot_at(state, -1).state, state.core.working) == (SlotState.FLAT, 0)
    play(book, path_tape([49_800.0]))
    assert slot_at(state, -1).state == SlotState.BUYING


def test_a_limit_sell_rests_at_its_floor_when_that_is_over_its_level():
    book, state = played([50_000.0], grid=LIMIT)
    candle(book, 50_000.0, 50_000.0, 49_600.0, 49_900.0)
    assert slot_at(state, -1).limit == slot_at(state, -1).sell
    book, state = played([49_650.0, 49_690.0, 49_695.0], grid=LIMIT | {"buy_levels": 2})
    index = [int(slot.pair) for slot in state.slots].index(-1)
    cancel(book, index)
    state.slots["floor"][index] = state.slots["sell"][index] + 500
    state.core.dirty = 1
    play(book, path_tape([49_695.0]))
    assert slot_at(state, -1).limit == slot_at(state, -1).sell + 500


def test_a_limit_stays_a_little_beyond_the_distance_at_which_it_is_placed():
    # pair -2 at 49,210.88: 2.5% under 50,473, 3% under 50,733
    near, state = played([50_100.0], grid=LIMIT | {"activation": 0.025, "buy_levels": 2, "sell_levels": 5})
    order = int(slot_at(state, -2).order_id)
    assert order > 0
    play(near, path_tape([50_600.0]))
    assert slot_at(state, -2).order_id == order
    play(near, path_tape([50_800.0]))
    assert slot_at(state, -2).order_id == 0


def test_a_limit_is_placed_when_the_price_comes_near():
    book, state = played([50_100.0], grid=LIMIT | {"activation": 0.025, "buy_levels": 5})
    assert slot_at(state, -3).order_id == 0
    play(book, path_tape([49_800.0]))
    assert slot_at(state, -3).order_id > 0


def test_a_slot_that_sold_arms_again_from_the_next_candle_on():
    book, state = played([49_650.0, 49_690.0, 50_300.0, 51_500.0])
    candle(book, 51_400.0, 51_400.0, 50_700.0, 50_800.0)
    assert sides(book) == [BUY, SELL]
    book, state = played([49_650.0, 49_690.0, 50_300.0, 51_500.0])
    candle(book, 51_400.0, 51_450.0, 50_900.0, 49_600.0)
    assert sides(book) == [BUY, SELL]
    assert slot_at(state, -1).state == SlotState.FLAT
    play(book, path_tape([49_600.0]))
    assert slot_at(state, -1).state == SlotState.ARMED_BUY


def test_what_was_bought_in_a_candle_arms_no_sell_before_the_next():
    book, state = played([49_650.0])
    candle(book, 49_690.0, 50_300.0, 49_680.0, 49_685.0)
    assert sides(book) == [BUY]
    assert slot_at(state, -1).state == SlotState.HELD
    play(book, path_tape([50_300.0]))
    assert slot_at(state, -1).state == SlotState.ARMED_SELL
