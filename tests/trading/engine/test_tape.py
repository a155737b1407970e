"""What the core is given: candles in whole ticks and lots, parameters, room, and saved states."""

from __future__ import annotations

import hashlib
from io import BytesIO

import numpy as np
import pytest

from tests.trading.engine.tapes import BTC, START_MS, book_for, cut, path_tape, random_tape, settings_with
from trading.engine.codes import NEVER
from trading.engine.loop import run, step
from trading.engine.parameters import derive_parameters
from trading.engine.records import FILL_ROOM, FILLS_PER_SLOT, GRID_ROOM, GRIDS_PER_CANDLE, MAX_PAIRS
from trading.engine.simulation import simulate
from trading.engine.state import State, new_state
from trading.engine.tape import Tape, pack_tape
from trading.errors import Refused, StateCorrupt, UsageError
from trading.market.candles import Candles
from trading.signals.records import Signals


def packed(
    rows: list[tuple[float, float, float, float, float]],
    share: float = 1.0,
    warmup: int = 1,
    filled: list[bool] | None = None,
    confidence: float = 0.5,
) -> Tape:
    n = len(rows)
    columns = np.array(rows, dtype=np.float64).T
    candles = Candles(
        symbol="BTC/USDT",
        timeframe="1m",
        timestamp=START_MS + np.arange(n, dtype=np.int64) * 60_000,
        open=columns[0],
        high=columns[1],
        low=columns[2],
        close=columns[3],
        volume=columns[4],
        filled=None if filled is None else np.array(filled),
    )
    codes, unknown = np.zeros(n, np.int8), np.full(n, np.nan)
    signals = Signals(
        action=codes,
        confidence=np.full(n, confidence),
        trail=unknown,
        regime=codes,
        volatility=codes,
        swing_high=unknown,
        swing_low=unknown,
        swing_size=unknown,
        disagreement=np.zeros(n),
        origin_ms=START_MS,
        agents=(),
    )
    return pack_tape(candles, signals, BTC, share, warmup)


def test_prices_off_the_tick_are_rounded_into_the_candle():
    tape = packed([(100.004, 100.019, 99.991, 100.016, 1.0)])
    assert [int(column[0]) for column in (tape.open, tape.high, tape.low, tape.close)] == [
        10_000,
        10_001,
        10_000,
        10_001,
    ]


def test_a_candle_between_two_ticks_fills_nothing():
    tape = packed([(100.0, 100.0, 100.0, 100.0, 1.0), (100.003, 100.004, 100.002, 100.003, 1.0)])
    assert tape.volume.tolist() == [100_000, 0]
    assert tape.low[1] == tape.high[1] == 10_000


def test_a_made_up_candle_fills_nothing():
    flat = (100.0, 100.0, 100.0, 100.0, 1.0)
    assert packed([flat] * 3, filled=[False, True, False]).volume.tolist() == [100_000, 0, 100_000]


@pytest.mark.parametrize(("share", "lots"), [(1.0, [100_000, 0]), (0.1, [10_000, 0]), (0.0, [NEVER, 0])])
def test_a_share_of_the_volume_may_be_ours_and_none_of_an_empty_candle(share, lots):
    assert packed([(100.0, 100.0, 100.0, 100.0, v) for v in (1.0, 0.0)], share).volume.tolist() == lots


def test_a_volume_that_the_warm_up_does_not_know_limits_nothing_later():
    assert packed([(100.0, 100.0, 100.0, 100.0, v) for v in (0.0, 0.0, 1.0)], 0.1, 2).volume.tolist() == [NEVER] * 3
    assert packed([(100.0, 100.0, 100.0, 100.0, v) for v in (0.0, 1.0, 1.0)], 0.1, 2).volume[0] == 0


def test_shares_are_rounded_to_parts_per_million_and_the_unknown_is_zero():
    tape = packed([(100.0, 100.0, 100.0, 100.0, 1.0)], confidence=0.7)
    assert (tape.confidence[0], tape.trail[0], tape.swing[0], tape.swing_high[0]) == (700_000, 0, 0, 0)
    assert packed([(100.0, 100.0, 100.0, 100.0, 1.0)], confidence=0.1234567).confidence[0] == 123_457


def test_a_price_under_a_tick_is_refused():
    with pytest.raises(Refused, match="under one tick"):
        packed([(0.004, 0.004, 0.0, 0.004, 1.0)])


@pytest.mark.parametrize(
    ("sections", "name", "value"),
    [
        ({"fills": {"slippage": 0.0005}}, "slip_ppm", 600),
        ({"limits": {"stop_loss": 0.05, "early_stop": 0.5}}, "stop_ppm", 25_000),
        ({"market": {"spread": 0.002}, "orders": {"market_spread": 0.002}}, "take_market", 0),
        ({"market": {"spread": 0.0019}, "orders": {"market_spread": 0.002}}, "take_market", 1),
        ({"limits": {"max_exposure": 0.31}}, "max_open_levels", 10),
        ({}, "fee_floor_ppm", 4_000),
    ],
)
def test_a_parameter_follows_from_its_settings(sections, name, value):
    assert int(derive_parameters(settings_with(**sections), BTC)[0][name]) == value


def test_only_what_pays_its_fees_and_can_be_placed_is_accepted():
    derive_parameters(settings_with(grid={"spacing": 0.004}), BTC)
    with pytest.raises(Refused, match="twice the round-trip fee"):
        derive_parameters(settings_with(grid={"spacing": 0.0039}), BTC)
    with pytest.raises(Refused, match="minimum"):
        derive_parameters(settings_with(size={"order_share": 0.0008}), BTC)
    eight = [f"0{hour}:00-0{hour}:30" for hour in range(8)]
    assert int(derive_parameters(settings_with(orders={"blackouts": eight}), BTC)[0].blackout_count) == 8
    with pytest.raises(UsageError, match="9 periods"):
        derive_parameters(settings_with(orders={"blackouts": [*eight, "09:00-09:30"]}), BTC)


def test_a_damaged_state_and_one_of_another_layout_are_refused():
    saved = bytearray(new_state(10**12, 4).to_bytes())
    saved[-9] ^= 1
    with pytest.raises(StateCorrupt, match="checksum"):
        State.from_bytes(bytes(saved))
    buffer = BytesIO()
    np.save(buffer, np.zeros(1, [("cash", np.int64)]))
    body = buffer.getvalue()
    with pytest.raises(StateCorrupt, match="layout"):
        State.from_bytes(hashlib.sha256(body).digest() + body)


def test_the_loop_stops_before_its_room_for_fills_or_grids_is_full():
    tape = path_tape([50_200.0] * 4)
    rooms = {"fill_count": FILL_ROOM - FILLS_PER_SLOT * MAX_PAIRS, "grid_count": GRID_ROOM - GRIDS_PER_CANDLE}
    for name, room in rooms.items():
        book, _, _ = book_for(settings_with())
        setattr(book.out, name, room)
        assert run(book, tape, np.zeros(4, np.int64), 0, True) == 4
        setattr(book.out, name, room + 1)
        assert run(book, tape, np.zeros(4, np.int64), 0, True) == 0


def test_a_simulation_that_fills_its_room_loses_and_repeats_nothing():
    # every close beyond the grid lays a new one: more of them than there is room for
    chosen = settings_with(grid={"recentre_confirm": 1, "spacing": 0.01, "buy_levels": 2, "sell_levels": 1})
    walk = random_tape(3, 900, volatility=0.05)
    book, state, params = book_for(chosen)
    fills = []
    for candle in range(len(walk.timestamp)):
        book.out.fill_count = book.out.grid_count = book.out.intent_count = 0
        step(book, walk, candle)
        fills.extend(book.fills.tolist())
    result = simulate(walk, params, BTC.cash_units(chosen.capital))
    assert state.core.recentres > GRID_ROOM
    assert len(result.grids) == state.core.recentres + 1
    assert (np.diff(result.grids["candle"]) > 0).all()
    assert result.fills.tolist() == fills
    assert result.state == state
    part = simulate(cut(walk, 0, 300), params, BTC.cash_units(chosen.capital))
    rest = simulate(cut(walk, 300, 900), params, 0, part.state)
    assert rest.state == state
