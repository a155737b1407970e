"""What always holds in the core, on random markets and settings."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.engine.tapes import BTC, BTC_FEE_IN_BASE, book_for, cut, play, random_tape, settings_with
from trading.engine.codes import BUY, PPM, SELL, FillReason, Halt, IntentKind, SlotState
from trading.engine.loop import run, step
from trading.engine.money import equity_at
from trading.engine.simulation import simulate
from trading.engine.state import Book, State, open_book

seeds = st.integers(0, 2**32)
markets = st.sampled_from([BTC, BTC_FEE_IN_BASE])
settings = st.builds(
    lambda style, rule, latency, stop, flatten, spread, cooldown, blackout, limits: settings_with(
        grid={"order_style": style, "regime_confirm": 5},
        fills={"rule": rule, "latency_candles": latency},
        limits={"stop_loss": stop, "flatten_on_halt": flatten, "cooldown_candles": cooldown, **limits},
        market={"spread": spread},
        orders={"blackouts": blackout, "lifetime_candles": 20},
    ),
    st.sampled_from(["trailing", "limit"]),
    st.sampled_from(["penetration", "touch"]),
    st.sampled_from([0, 1]),
    st.sampled_from([0.0, 0.02, 0.1]),
    st.booleans(),
    st.sampled_from([0.0002, 0.003]),
    st.sampled_from([0, 40]),
    st.sampled_from([(), ("00:30-01:00", "23:00-00:10")]),
    st.sampled_from(
        [
            {"max_drawdown": 0.005},
            {"daily_loss": 0.003},
            {"max_open_levels": 3},
            {"max_position": 1.0, "max_exposure": 1.0, "max_drawdown": 0.9, "daily_loss": 0.9},
            {"max_exposure": 0.1},
        ]
    ),
)


@given(seeds, markets, settings, st.booleans())
def test_cash_inventory_and_fees_are_conserved_to_the_unit(seed, market, chosen, thin):
    tape = random_tape(seed, 600, thin=thin)
    book, state, params = book_for(chosen, market)
    capital, units = int(state.core.capital), int(params[0].units)
    cash, microlots = capital, 0
    for fill in play(book, tape):
        value = int(fill.price_ticks) * int(fill.lots) * units
        cash -= int(fill.side) * value + int(fill.fee_units)
        microlots += int(fill.side) * int(fill.lots) * PPM - int(fill.fee_microlots)
        assert (fill.cash_units, fill.position_lots * PPM + fill.dust_microlots) == (cash, microlots)
    core = state.core
    assert core.cash == capital - core.bought_units + core.sold_units - core.fee_units == cash
    assert core.position_lots == state.slots["held"].sum() + core.carry_lots
    assert core.reserved == state.slots["reserved"].sum()
    price = int(tape.close[-1])
    equity = cash + microlots * price * units // PPM
    assert abs(int(equity_at(core, units, price)) - equity) <= 1


@given(seeds, markets, settings, st.booleans())
def test_no_balance_is_ever_negative_and_no_fill_leaves_its_candle(seed, market, chosen, thin):
    tape = random_tape(seed, 600, thin=thin)
    book, _, _ = book_for(chosen, market)
    fills = play(book, tape)
    assert (fills["cash_units"] >= 0).all()
    assert (fills["position_lots"] >= 0).all()
    assert (fills["dust_microlots"] >= 0).all()
    assert (fills["lots"] > 0).all()
    rows = fills["candle"]
    assert (fills["price_ticks"] >= tape.low[rows]).all()
    assert (fills["price_ticks"] <= tape.high[rows]).all()
    traded = np.bincount(rows, weights=fills["lots"], minlength=len(tape.low))
    assert (traded <= tape.volume).all()


@given(seeds, settings, st.booleans())
def test_one_slot_per_pair_of_levels_and_never_more_than_the_pair_s_lots(seed, chosen, thin):
    tape = random_tape(seed, 400, thin=thin)
    book, state, _ = book_for(chosen)
    for candle in range(len(tape.timestamp)):
        book.out.intent_count = 0
        step(book, tape, candle)
        check_slots(book, state)


def check_slots(book: Book, state: State) -> None:
    core, slots = state.core, state.slots
    current = slots[slots["grid_id"] == core.grid_id]
    assert len(set(current["pair"].tolist())) == len(current)
    working = np.isin(slots["state"], (SlotState.BUYING, SlotState.PARTIAL, SlotState.SELLING))
    assert (working == (slots["order_id"] > 0)).all()
    assert core.working == working.sum()
    assert (slots["filled"] <= slots["lots"]).all()
    rest = np.where(slots["side"] == BUY, slots["lots"] - slots["filled"], 0)
    assert (slots["held"] + rest <= np.maximum(slots["pair_lots"], slots["held"])).all()
    holding = np.isin(slots["state"], (SlotState.PARTIAL, SlotState.HELD, SlotState.ARMED_SELL, SlotState.SELLING))
    assert ((slots["held"] > 0) == holding).all()
    assert (slots["reason"][slots["state"] == SlotState.BLOCKED] > 0).all()
    assert 0 <= core.reserved <= core.cash


@given(seeds, markets, settings)
def test_a_trailing_buy_never_pays_over_its_cap_and_a_trailing_sell_never_gets_less_than_its_floor(
    seed, market, chosen
):
    tape = random_tape(seed, 600)
    book, state, _ = book_for(chosen, market)
    limits: dict[int, int] = {}
    for candle in range(len(tape.timestamp)):
        book.out.intent_count, seen = 0, len(book.fills)
        step(book, tape, candle)
        for intent in book.intents:
            if intent.kind == IntentKind.PLACE:
                limits[int(intent.order_id)] = int(intent.limit)
                slot = state.slots[intent.slot]
                if intent.side == SELL and slot.order_id == intent.order_id and intent.why == FillReason.TRAIL:
                    assert intent.limit * slot.held * int(book.params.units) > slot.cost
        for fill in book.fills[seen:]:
            limit = limits[int(fill.order_id)]
            assert fill.price_ticks <= limit if fill.side == BUY else fill.price_ticks >= limit


@given(seeds, settings)
def test_a_slot_never_buys_and_sells_within_one_candle(seed, chosen):
    tape = random_tape(seed, 600, volatility=0.01)
    book, _, _ = book_for(chosen)
    slot_of: dict[int, int] = {}
    sides: dict[tuple[int, int], set[int]] = {}
    for candle in range(len(tape.timestamp)):
        book.out.intent_count, seen = 0, len(book.fills)
        step(book, tape, candle)
        for intent in book.intents:
            slot_of[int(intent.order_id)] = int(intent.slot)
        for fill in book.fills[seen:]:
            sides.setdefault((candle, slot_of[int(fill.order_id)]), set()).add(int(fill.side))
    assert all(len(done) == 1 for done in sides.values())


@given(seeds, settings)
def test_a_halted_session_opens_nothing(seed, chosen):
    tape = random_tape(seed, 600, volatility=0.008)
    book, state, _ = book_for(chosen)
    for candle in range(len(tape.timestamp)):
        halted = state.core.halt != Halt.NONE
        day = int(tape.timestamp[candle]) >= int(state.core.day_end_ms)
        book.out.intent_count = 0
        step(book, tape, candle)
        if halted and not day and state.core.halt != Halt.NONE:
            placed = book.intents
            assert not ((placed["kind"] == IntentKind.PLACE) & (placed["side"] == BUY)).any()


@given(seeds, markets, settings, st.booleans())
def test_passing_over_quiet_candles_changes_nothing(seed, market, chosen, thin):
    tape = random_tape(seed, 800, thin=thin, volatility=0.0008)
    outcomes = []
    for skip in (True, False):
        book, state, _ = book_for(chosen, market)
        equity = np.zeros(len(tape.timestamp), np.int64)
        assert run(book, tape, equity, 0, skip) == len(equity)
        outcomes.append((state.to_bytes(), equity.tobytes(), book.fills.tobytes()))
    assert outcomes[0] == outcomes[1]


@given(seeds, settings, st.integers(1, 599))
def test_saving_and_restoring_in_the_middle_gives_the_same_rest(seed, chosen, middle):
    tape = random_tape(seed, 600)
    whole_book, whole, params = book_for(chosen)
    expected = play(whole_book, tape)
    book, state, _ = book_for(chosen)
    before = play(book, cut(tape, 0, middle)).copy()
    restored = State.from_bytes(state.to_bytes())
    after = play(open_book(restored, params), cut(tape, middle, 600))
    assert restored == whole
    assert np.concatenate([before, after]).tobytes() == expected.tobytes()


@given(seeds, settings, st.integers(1, 599))
def test_fills_of_a_cut_tape_are_a_prefix_of_the_whole_tape_s(seed, chosen, end):
    tape = random_tape(seed, 600)
    _, _, params = book_for(chosen)
    capital = BTC.cash_units(chosen.capital)
    whole, part = simulate(tape, params, capital), simulate(cut(tape, 0, end), params, capital)
    assert whole.fills[: len(part.fills)].tobytes() == part.fills.tobytes()
    assert (whole.fills["candle"][len(part.fills) :] >= end).all()
    assert (whole.equity[:end] == part.equity).all()
