"""The gate: every candle once, in order, closed and sound; short gaps bridged, and never too many of them."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.market.feeds.gate import Gate
from trading.market.feeds.protocol import ClosedCandle, Tick
from trading.market.feeds.sanity import Unsound, candle_of_row, tick_of_ticker

START = 1_704_067_200_000
STEP = 60_000
SYMBOL = "TEST/USDT"


def candle(n: int, close: float = 100.0, volume: float = 1.0) -> ClosedCandle:
    return ClosedCandle(SYMBOL, START + n * STEP, close, close + 1, close - 1, close, volume)


def gate(**settings: float) -> Gate:
    return Gate([SYMBOL], "1m", **settings)  # type: ignore[arg-type]


def numbers(candles: list[ClosedCandle]) -> list[int]:
    return [(one.timestamp - START) // STEP for one in candles]


@given(st.lists(st.integers(0, 60), max_size=80))
def test_whatever_comes_passes_in_order_and_once(order: list[int]) -> None:
    door = gate(bridge=0)
    passed = [one for n in order for one in door.candles(SYMBOL, [candle(n)])]
    assert numbers(passed) == sorted(set(numbers(passed)))
    records = [n for row, n in enumerate(order) if n > max(order[:row], default=-1)]
    assert numbers(passed) == records
    assert door.counts.duplicates == len(order) - len(records)


@given(st.sets(st.integers(0, 120), min_size=2), st.integers(0, 8))
def test_short_gaps_are_bridged_flat_and_long_ones_stay(present: set[int], bridge: int) -> None:
    door = gate(bridge=bridge, filled_share=1.0)
    told = [candle(n, close=50.0 + n) for n in sorted(present)]
    passed = door.candles(SYMBOL, told)
    assert [one for one in passed if not one.filled] == told
    for before, after in pairwise(passed):
        gap = (after.timestamp - before.timestamp) // STEP - 1
        assert gap == 0 or gap > bridge
        if after.filled:
            assert (after.open, after.high, after.low, after.close) == (before.close,) * 4
            assert after.volume == 0
    assert door.counts.filled == sum(one.filled for one in passed)
    assert door.counts.candles == len(passed)


def test_bridging_goes_on_after_the_history() -> None:
    door = gate()
    door.begin(SYMBOL, candle(0, 10.0), real=100)
    passed = door.candles(SYMBOL, [candle(3)])
    assert numbers(passed) == [1, 2, 3]
    assert [one.close for one in passed] == [10.0, 10.0, 100.0]


def test_lesson_23_a_market_of_mostly_missing_candles_is_not_made_up() -> None:
    door = gate()
    told = [candle(n) for n in range(0, 124, 3)]
    passed = door.candles(SYMBOL, told)
    made_up = sum(one.filled for one in passed)
    assert [one for one in passed if not one.filled] == told
    assert made_up <= max(5, 0.1 * len(passed))
    assert door.counts.gap_candles == 2 * (len(told) - 1) - made_up


@pytest.mark.parametrize(
    ("spoiled", "reason"),
    [
        ({"close": math.nan}, Unsound.NO_NUMBER),
        ({"high": math.inf}, Unsound.NO_NUMBER),
        ({"open": 0.0, "high": 0.0, "low": 0.0, "close": 0.0}, Unsound.NOT_POSITIVE),
        ({"low": -1.0}, Unsound.NOT_POSITIVE),
        ({"low": 100.5}, Unsound.IMPOSSIBLE_RANGE),
        ({"high": 99.5}, Unsound.IMPOSSIBLE_RANGE),
        ({"volume": -0.1}, Unsound.NEGATIVE_VOLUME),
        ({"timestamp": START + 30_000}, Unsound.OFF_GRID),
        ({"timestamp": 0}, Unsound.OFF_GRID),
    ],
)
def test_lesson_15_what_no_market_tells_is_refused_and_counted(spoiled: dict[str, float], reason: Unsound) -> None:
    door = gate()
    door.candles(SYMBOL, [candle(0)])
    assert door.candles(SYMBOL, [replace(candle(1), **spoiled), candle(2)]) == []  # type: ignore[arg-type]
    assert door.counts.unsound == {reason: 1}
    # What comes after a refused candle waits for it; told well, both pass.
    assert numbers(door.candles(SYMBOL, [candle(1), candle(2)])) == [1, 2]


def test_an_open_candle_does_not_pass() -> None:
    door = gate()
    assert numbers(door.candles(SYMBOL, [candle(0), candle(1)], closed_before_ms=START + STEP)) == [0]
    assert door.counts.unclosed == 1
    assert numbers(door.candles(SYMBOL, [candle(1)], closed_before_ms=START + 2 * STEP)) == [1]


def test_a_candle_told_again_with_other_values_is_counted() -> None:
    door = gate()
    door.candles(SYMBOL, [candle(0)])
    assert door.candles(SYMBOL, [candle(0, close=101.0)]) == []
    assert (door.counts.duplicates, door.counts.differing) == (1, 1)


def test_ticks_pass_once_and_not_backwards() -> None:
    door = gate()
    first, later = Tick(SYMBOL, START, 100.0), Tick(SYMBOL, START + 5, 101.0, 100.5, 101.5)
    assert door.tick(first) == first
    assert door.tick(later) == later
    assert door.tick(later) is None
    assert door.tick(first) is None
    assert (door.counts.ticks, door.counts.repeated_ticks, door.counts.late_ticks) == (2, 1, 1)


@pytest.mark.parametrize(
    "told",
    [
        {"last": 0},
        {"last": None},
        {"last": math.nan, "bid": 1.0, "ask": 1.1},
        {"last": 100.0, "bid": 101.0, "ask": 100.0},
        {"last": "many"},
        {"last": True},
        [],
        None,
    ],
)
def test_lesson_15_a_ticker_without_a_price_tells_none(told: object) -> None:
    assert isinstance(tick_of_ticker(SYMBOL, told, START), Unsound)


def test_the_middle_stands_where_no_trade_is_told() -> None:
    assert tick_of_ticker(SYMBOL, {"bid": 99, "ask": "101", "last": None}, START) == Tick(SYMBOL, START, 100, 99, 101)


_NONSENSE = (
    None,
    "",
    "x",
    "nan",
    "1e999",
    -1,
    0,
    math.inf,
    -math.inf,
    math.nan,
    True,
    [],
    {},
    10**400,
    "١٠٠",
    2**63,
    [1],
)


def _mutated(rng: random.Random, row: list[object]) -> object:
    kind = rng.randrange(8)
    if kind == 0:
        return rng.choice(_NONSENSE)
    if kind == 1:
        return row[: rng.randrange(6)]
    if kind == 2:
        return json.dumps(row)[: rng.randrange(40)]
    spoiled = list(row)
    for _ in range(rng.randrange(1, 3)):
        spoiled[rng.randrange(6)] = rng.choice(_NONSENSE)
    return spoiled


def test_a_hundred_thousand_spoiled_rows_pass_nothing_and_change_nothing() -> None:
    rng = random.Random(20)
    door = gate()
    door.candles(SYMBOL, [candle(0)])
    for n in range(100_000):
        good = [START + STEP * rng.randrange(-50, 50), 100.0, 101.0, 99.0, 100.0, 1.0]
        read = candle_of_row(SYMBOL, _mutated(rng, list(good)), STEP)
        if isinstance(read, ClosedCandle):
            # The mutation kept it sound: a zero volume, or a price written in other digits.
            assert read.low > 0 <= read.volume
        elif n % 10 == 0:
            told = {"last": rng.choice(_NONSENSE), "bid": rng.choice(_NONSENSE), "timestamp": rng.choice(_NONSENSE)}
            tick = tick_of_ticker(SYMBOL, told, START)
            assert isinstance(tick, Unsound) or tick.price > 0
    assert door.last(SYMBOL) == candle(0)


def test_a_hundred_thousand_reordered_and_spoiled_candles_leave_the_sequence_whole() -> None:
    rng = random.Random(21)
    door = gate(bridge=0)
    passed: list[ClosedCandle] = []
    spoils = ({"close": math.nan}, {"low": 0.0}, {"volume": -1.0}, {"high": 0.5}, {"timestamp": 7})
    for n in range(20_000):
        heap = [candle(n), candle(max(0, n - rng.randrange(1, 9))), candle(n), replace(candle(n), **rng.choice(spoils))]  # type: ignore[arg-type]
        heap += [replace(candle(n + 1), **rng.choice(spoils))]  # type: ignore[arg-type]
        rng.shuffle(heap)
        for one in heap:
            passed += door.candles(SYMBOL, [one])
    assert numbers(passed) == list(range(20_000))
    assert door.counts.refused == 40_000
