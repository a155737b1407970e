"""When a session halts, when it goes on, and when it may place orders."""

from __future__ import annotations

import pytest

from tests.trading.engine.tapes import MINUTE_MS, book_for, path_tape, play, settings_with
from tests.trading.engine.test_scenarios import FAR, START, candle, played, sides, slot_at
from trading.engine.codes import BUY, SELL, Action, FillReason, Halt, Rule, SlotState
from trading.engine.loop import step
from trading.engine.state import Book

CAPITAL = 10_000 * 10**8
DAY = 1_440


def go(book: Book, price: float, minutes: int, elsewhere: float = 0.0) -> int:
    """Trade one candle that opens so many minutes after the tape's start, and return the halt."""
    book.core.external_equity = round(elsewhere * CAPITAL)
    tape = path_tape([price])
    step(book, tape._replace(timestamp=tape.timestamp + minutes * MINUTE_MS), 0)
    return int(book.core.halt)


@pytest.mark.parametrize(("spare", "halt"), [(0, Halt.DRAWDOWN), (1, Halt.NONE)])
def test_losses_elsewhere_halt_a_symbol_exactly_at_the_limit(spare, halt):
    book, state = played([])
    state.core.external_equity = -CAPITAL * 9 // 10 + spare
    play(book, path_tape([START]))
    assert state.core.halt == halt


def test_only_what_was_lost_since_midnight_counts_for_the_day():
    book, _ = played([], limits={"daily_loss": 0.002})
    assert go(book, START, 60, -0.0015) == Halt.NONE
    assert go(book, START, DAY, -0.0015) == Halt.NONE
    assert go(book, START, DAY + 1, -0.003) == Halt.NONE
    assert go(book, START, DAY + 2, -0.0036) == Halt.DAILY_LOSS


def test_a_new_day_does_not_end_a_drawdown_halt():
    book, _ = played([], limits={"max_drawdown": 0.002})
    assert go(book, START, 60, -0.01) == Halt.DRAWDOWN
    assert go(book, START, DAY, 0.0) == Halt.DRAWDOWN


def test_a_day_s_halt_becomes_a_drawdown_when_equity_falls_on():
    book, _ = played([], limits={"daily_loss": 0.01, "max_drawdown": 0.05})
    assert go(book, START, 60, -0.02) == Halt.DAILY_LOSS
    assert go(book, START, 61, -0.06) == Halt.DRAWDOWN


def test_a_higher_peak_raises_the_limit():
    book, _ = played([], limits={"max_drawdown": 0.1})
    assert go(book, START, 60, 1.0) == Halt.NONE
    assert go(book, START, 61, 0.7) == Halt.DRAWDOWN


def test_a_spike_inside_a_candle_is_no_peak():
    limits = {"max_drawdown": 0.01, "stop_loss": 0.0}
    book, state = played([49_650.0, 49_690.0, 49_690.0], limits=limits, fills={"latency_candles": 1})
    assert sides(book) == [BUY]
    candle(book, 49_700.0, 90_000.0, 49_690.0, 49_695.0)
    assert state.core.halt == Halt.NONE
    assert state.core.peak_equity == CAPITAL


def test_a_cooldown_ends_after_exactly_its_candles():
    book, state = played([], limits={"max_drawdown": 0.002, "cooldown_candles": 10})
    assert go(book, START, 60, -0.01) == Halt.DRAWDOWN
    assert [go(book, START, 61 + i, -0.01) for i in range(10)] == [Halt.DRAWDOWN] * 9 + [Halt.NONE]
    assert state.core.halts == 1


def test_what_was_lost_before_a_resumption_does_not_count_for_the_day_again():
    limits = {"max_drawdown": 0.002, "daily_loss": 0.003, "cooldown_candles": 10}
    book, _ = played([], limits=limits)
    assert go(book, START, 60, -0.0025) == Halt.DRAWDOWN
    for minute in range(61, 72):
        resumed = go(book, START, minute, -0.0025)
    assert resumed == Halt.NONE
    assert go(book, START, 73, -0.0035) == Halt.NONE


def test_a_daily_loss_sells_nothing():
    limits = {"daily_loss": 0.002, "flatten_on_halt": True}
    book, state = played([49_650.0, 49_690.0, 45_000.0, 44_900.0], limits=limits)
    assert state.core.halt == Halt.DAILY_LOSS
    assert sides(book) == [BUY]


def test_what_was_bought_in_the_candle_of_the_halt_is_flattened_in_the_next():
    book, _ = played([49_650.0], limits={"max_drawdown": 0.002, "flatten_on_halt": True})
    candle(book, 49_650.0, 49_700.0, 45_000.0, 49_660.0)
    assert sides(book) == [BUY]
    play(book, path_tape([49_660.0]))
    assert sides(book) == [BUY, SELL]
    assert book.fills["reason"][1] == FillReason.FLATTEN


def test_a_halt_cancels_a_resting_buy_and_releases_its_money():
    book, state = played([50_000.0], grid={"order_style": "limit"}, limits={"max_drawdown": 0.002})
    assert state.core.reserved > 0
    state.core.external_equity = -CAPITAL // 100
    play(book, path_tape([50_000.0]))
    assert (state.core.halt, state.core.reserved, state.core.working) == (Halt.DRAWDOWN, 0, 0)


def test_a_halted_session_neither_starts_nor_recentres():
    waiting, state, _ = book_for(settings_with(limits=FAR | {"max_drawdown": 0.002}))
    play(waiting, path_tape([START] * 40))
    assert [go(waiting, START, 41 + i, -0.01) for i in range(20)] == [Halt.DRAWDOWN] * 20
    assert state.core.started == 0
    book, state = played([], limits={"max_drawdown": 0.002})
    for minute in range(60, 70):
        go(book, START * 1.2, minute, -0.01)
    assert state.core.recentres == 0


@pytest.mark.parametrize(
    ("periods", "blacked_out"),
    [
        (["23:05-23:10"], {*range(1_385, 1_390)}),
        (["23:05-23:10", "23:10-23:12"], {*range(1_385, 1_392)}),
        (["23:58-00:02"], {1_438, 1_439, 0, 1}),
        (["00:00-00:03", "23:59-24:00"], {1_439, 0, 1, 2}),
    ],
)
def test_a_blackout_holds_from_its_first_minute_up_to_its_last(periods, blacked_out):
    book, state, _ = book_for(settings_with(orders={"blackouts": periods}))
    seen = set()
    for minute in range(23 * 60, 24 * 60 + 20):
        go(book, START, minute)
        if state.core.blackout:
            seen.add(minute % DAY)
    assert seen == blacked_out


def test_limits_are_placed_when_a_blackout_ends():
    book, state = played([50_000.0] * 3, grid={"order_style": "limit"}, orders={"blackouts": ["00:00-01:10"]})
    assert state.core.orders == 0
    go(book, 50_000.0, 69)
    assert state.core.orders == 0
    go(book, 50_000.0, 70)
    assert slot_at(state, -1).state == SlotState.BUYING


def test_a_limit_sell_waits_for_the_end_of_a_blackout():
    # the buy fills at minute 53, in the blackout that began with it
    book, state = played([49_690.0], grid={"order_style": "limit"}, orders={"blackouts": ["00:53-01:10"]})
    assert sides(book) == [BUY]
    go(book, 49_700.0, 54)
    assert slot_at(state, -1).state == SlotState.HELD
    go(book, 49_700.0, 70)
    assert slot_at(state, -1).state == SlotState.SELLING


def test_an_armed_sell_waits_for_the_end_of_a_blackout():
    prices = [49_650.0, 49_690.0, 50_300.0, 51_500.0]
    book, _ = played(prices, orders={"blackouts": ["00:57-01:10"]})
    go(book, 50_900.0, 57)
    assert sides(book) == [BUY]
    go(book, 50_890.0, 70)
    assert sides(book) == [BUY, SELL]


def test_a_profit_is_taken_only_after_a_blackout():
    book, _ = played([49_650.0, 49_690.0], limits={"take_profit": 0.015}, orders={"blackouts": ["00:55-01:10"]})
    go(book, 50_600.0, 55)
    assert sides(book) == [BUY]
    go(book, 50_600.0, 70)
    assert book.fills["reason"].tolist() == [FillReason.TRAIL, FillReason.TAKE_PROFIT]


def test_a_stop_sells_in_a_blackout():
    book, _ = played([49_650.0, 49_690.0], limits={"stop_loss": 0.05}, orders={"blackouts": ["00:55-01:10"]})
    go(book, 47_000.0, 55)
    assert book.fills["reason"].tolist() == [FillReason.TRAIL, FillReason.STOP]


def test_the_first_buys_wait_for_the_end_of_a_blackout():
    entry = {"entry_levels": 2, "spacing": 0.01}
    book, state, _ = book_for(settings_with(grid=entry, limits=FAR, orders={"blackouts": ["00:40-01:10"]}))
    play(book, path_tape([START] * 60))
    assert (state.core.started, state.core.orders) == (1, 0)
    go(book, START, 70)
    go(book, START - 1, 71)
    assert set(book.fills["reason"].tolist()) == {FillReason.ENTRY}


def test_the_first_buys_wait_for_the_end_of_a_sell_signal_and_come_once():
    book, state, _ = book_for(settings_with(grid={"entry_levels": 2, "spacing": 0.01}, limits=FAR))
    play(book, path_tape([START] * 60, action=Action.TRAIL_SELL))
    assert (state.core.started, state.core.orders, state.core.refused.sum()) == (1, 0, 0)
    play(book, path_tape([START, START, START - 10]))
    assert state.core.orders == 2
    play(book, path_tape([START * 1.03, START * 1.015, START * 1.014, START * 1.014]))
    assert SELL in sides(book)
    assert not [slot for slot in state.slots if slot.order_id and slot.why == FillReason.ENTRY and not slot.held]


def test_a_blocked_slot_is_tried_again_after_exactly_its_candles():
    book, state = played([49_650.0, 49_690.0], limits={"max_open_levels": 0}, orders={"retry_candles": 5})
    states = []
    for _ in range(5):
        states.append(slot_at(state, -1).state)
        play(book, path_tape([49_690.0]))
    assert states == [SlotState.BLOCKED] * 5
    assert (slot_at(state, -1).state, slot_at(state, -1).reason) == (SlotState.FLAT, Rule.NONE)
