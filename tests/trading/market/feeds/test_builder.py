"""Candles from trades: the same whatever the order, the repeats and the losses, and each given out once."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import DataError
from trading.market.feeds.builder import BuiltCandle, CandleBuilder, Trade, trade_of

START = 1_704_067_200_000
STEP = 60_000

steps = st.lists(
    st.tuples(st.integers(0, 90_000), st.integers(9_000, 11_000), st.integers(1, 500)), min_size=1, max_size=60
)


def tape(walk: list[tuple[int, int, int]], first_id: int = 100) -> list[Trade]:
    trades, time_ms = [], START
    for number, (wait_ms, cents, amount) in enumerate(walk):
        time_ms += wait_ms
        trades.append(Trade(str(first_id + number), time_ms, Decimal(cents) / 100, Decimal(amount) / 1000))
    return trades


def by_hand(trades: list[Trade]) -> dict[int, tuple[float, ...]]:
    """Candles of trades that are in order, added up the plain way."""
    groups: dict[int, list[Trade]] = defaultdict(list)
    for trade in trades:
        groups[trade.time_ms // STEP * STEP].append(trade)
    return {
        opened: (
            float(group[0].price),
            float(max(trade.price for trade in group)),
            float(min(trade.price for trade in group)),
            float(group[-1].price),
            float(sum((trade.amount for trade in group), Decimal(0))),
        )
        for opened, group in groups.items()
    }


def values(built: list[BuiltCandle]) -> dict[int, tuple[float, ...]]:
    return {
        one.candle.timestamp: (
            one.candle.open,
            one.candle.high,
            one.candle.low,
            one.candle.close,
            one.candle.volume,
        )
        for one in built
    }


def fed(builder: CandleBuilder, trades: list[Trade]) -> list[BuiltCandle]:
    return [one for trade in trades for one in builder.add(trade)]


@given(steps, st.randoms(use_true_random=False), st.data())
def test_any_order_within_the_lateness_and_any_repeats_give_the_same_candles(
    walk: list[tuple[int, int, int]], rng: random.Random, data: st.DataObject
) -> None:
    trades = tape(walk)
    late_ms = data.draw(st.sampled_from([0, 1_000, 45_000, 200_000]))
    # Each trade comes up to the lateness after its time, and some come again later.
    arrivals = [(trade.time_ms + rng.randrange(late_ms + 1), trade) for trade in trades]
    arrivals += [(at_ms + rng.randrange(500_000), trade) for at_ms, trade in arrivals if rng.random() < 0.3]
    rng.shuffle(arrivals)
    arrivals.sort(key=lambda arrival: arrival[0])
    if late_ms == 0:
        arrivals.sort(key=lambda arrival: (arrival[0], int(arrival[1].id)))
    builder = CandleBuilder("TEST/USDT", "1m", lateness_ms=late_ms)
    builder.start(START)
    built = fed(builder, [trade for _, trade in arrivals]) + builder.advance(START + 10_000 * STEP)
    assert values(built) == by_hand(trades)
    assert len(built) == len(values(built))
    assert [one.candle.timestamp for one in built] == sorted(values(built))
    assert builder.open_intervals == 0
    assert builder.late_trades == 0
    assert builder.duplicate_trades == len(arrivals) - len(trades)


@given(steps, st.sets(st.integers(0, 59)))
def test_a_candle_counts_as_complete_only_when_no_trade_is_missing(
    walk: list[tuple[int, int, int]], lost: set[int]
) -> None:
    trades = tape(walk)
    kept = [trade for number, trade in enumerate(trades) if number not in lost]
    builder = CandleBuilder("TEST/USDT", "1m")
    builder.start(START)
    truth = by_hand(trades)
    for one in fed(builder, kept):
        if one.complete:
            assert values([one]) == {one.candle.timestamp: truth[one.candle.timestamp]}


def test_all_but_the_first_candle_of_an_unbroken_tape_are_complete() -> None:
    builder = CandleBuilder("TEST/USDT", "1m")
    built = fed(builder, tape([(20_000, 10_000 + n, 5) for n in range(40)]))
    assert len(built) > 8
    assert all(one.complete for one in built)


def test_the_first_interval_is_not_given_out_when_its_beginning_was_not_seen() -> None:
    builder = CandleBuilder("TEST/USDT", "1m")
    trades = [Trade(str(n), START + 30_000 + n * 30_000, Decimal(100), Decimal(1)) for n in range(1, 7)]
    assert [one.candle.timestamp for one in fed(builder, trades)] == [START + 2 * STEP]


def test_a_trade_that_comes_after_its_candle_changes_nothing_and_is_counted() -> None:
    builder = CandleBuilder("TEST/USDT", "1m")
    builder.start(START)
    early = Trade("1", START + 1, Decimal(100), Decimal(1))
    late = Trade("2", START + 2, Decimal(999), Decimal(1))
    built = fed(builder, [early, Trade("3", START + STEP, Decimal(101), Decimal(1)), late])
    assert [one.candle.high for one in built] == [100.0]
    assert builder.late_trades == 1
    assert not built[0].complete


def test_intervals_without_trades_have_no_candle() -> None:
    builder = CandleBuilder("TEST/USDT", "1m")
    builder.start(START)
    assert builder.add(Trade("1", START, Decimal(100), Decimal(1))) == []
    assert [one.candle.timestamp for one in builder.advance(START + 9 * STEP)] == [START]
    assert builder.advance(START + 20 * STEP) == []


def test_starting_again_in_the_past_is_refused() -> None:
    builder = CandleBuilder("TEST/USDT", "1m")
    builder.start(START + STEP)
    with pytest.raises(DataError, match="given out to"):
        builder.start(START)


def test_weeks_begin_on_mondays() -> None:
    builder = CandleBuilder("TEST/USDT", "1w")
    builder.start(START)
    builder.add(Trade("1", START + 3 * 86_400_000, Decimal(100), Decimal(1)))
    assert [one.candle.timestamp for one in builder.advance(START + 8 * 86_400_000)] == [START]


def test_ids_without_a_count_are_told_apart_too() -> None:
    builder = CandleBuilder("TEST/USDT", "1m")
    builder.start(START)
    trades = [Trade(name, START, Decimal(100), Decimal(1)) for name in ("a-1", "a-2", "a-1")]
    fed(builder, trades)
    built = builder.advance(START + STEP)
    assert built[0].candle.volume == 2.0
    assert not built[0].complete


def test_a_long_tape_leaves_nothing_behind() -> None:
    builder = CandleBuilder("TEST/USDT", "1m")
    fed(builder, tape([(1_000, 10_000, 1)] * 5_000))
    assert builder.open_intervals == 1
    assert len(builder._seen.starts) == 1
    assert not builder._seen.names


_NONSENSE = (
    None,
    "",
    "NaN",
    "sNaN",
    "Infinity",
    -1,
    0,
    math.nan,
    math.inf,
    True,
    [],
    {},
    "9" * 500,
    10**400,
    b"1",
    "1e999999",
)


def test_a_hundred_thousand_spoiled_trades_change_no_candle() -> None:
    rng = random.Random(22)
    trades = tape([(700, 10_000 + n % 50, 3) for n in range(2_000)])
    builder = CandleBuilder("TEST/USDT", "1m")
    builder.start(START)
    built: list[BuiltCandle] = []
    for trade in trades:
        told = {"id": trade.id, "timestamp": trade.time_ms, "price": str(trade.price), "amount": str(trade.amount)}
        for _ in range(50):
            spoiled: object = told | {rng.choice(tuple(told)): rng.choice(_NONSENSE)}
            if rng.random() < 0.1:
                spoiled = rng.choice(_NONSENSE)
            assert trade_of(spoiled) is None or spoiled == told | {"id": spoiled["id"]}  # type: ignore[index]
        good = trade_of(told)
        assert good == trade
        built += builder.add(trade)
    built += builder.advance(START + 10_000 * STEP)
    assert values(built) == by_hand(trades)
