"""Longer candles hold exactly what their parts hold; pieces join only when they agree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.market.series import MONDAY_MS, START_MS, candles_at, equal, gappy, rows_of, steady
from trading.errors import DataError, UsageError
from trading.market.filling import fill_short_gaps
from trading.market.resampling import bucket_opens, concatenate, resample

HOUR_MS = 3_600_000


@given(candles=gappy(most=200))
def test_each_longer_candle_is_made_of_its_parts_and_nothing_else(candles):
    longer = resample(candles, "1h")
    parts: dict[int, list[tuple]] = {}
    for row in rows_of(candles):
        parts.setdefault(row[0] - row[0] % HOUR_MS, []).append(row)
    opens = sorted(parts)
    if candles.timestamp[0] != opens[0]:
        del parts[opens[0]]
    if candles.timestamp[-1] + candles.step_ms < opens[-1] + HOUR_MS:
        parts.pop(opens[-1], None)
    assert longer.timestamp.tolist() == sorted(parts)
    for row in rows_of(longer):
        _, opened, high, low, close, volume = zip(*parts[row[0]], strict=True)
        assert row[1:5] == (opened[0], max(high), min(low), close[-1])
        assert row[5] == pytest.approx(sum(volume), rel=1e-12)


def test_partial_first_and_last_candles_are_dropped():
    whole = resample(steady(36), "1h")
    assert len(whole) == 3
    assert equal(resample(steady(36)[1:], "1h"), whole[1:])
    assert equal(resample(steady(36)[:-1], "1h"), whole[:-1])
    assert len(resample(steady(36)[1:12], "1h")) == 0
    assert len(resample(steady(36)[:0], "1h")) == 0


def test_missing_parts_are_not_bridged():
    without_an_hour = candles_at([*steady(12).timestamp, *steady(36).timestamp[24:]])
    assert np.diff(resample(without_an_hour, "1h").timestamp).tolist() == [2 * HOUR_MS]


@given(candles=gappy(most=120), cut=st.integers(1, 119))
def test_a_shorter_history_gives_the_same_candles_where_both_are_whole(candles, cut):
    # Neither what comes later nor where history begins may change a candle.
    whole = {row[0]: row for row in rows_of(resample(candles, "15m"))}
    for part in (candles[:cut], candles[cut:]):
        for row in rows_of(resample(part, "15m"))[1:-1]:
            assert whole[row[0]][:5] == row[:5]


def test_weeks_open_on_mondays():
    days = candles_at(MONDAY_MS + np.arange(21) * 86_400_000, "1d")
    assert resample(days, "1w").timestamp.tolist() == [MONDAY_MS + week * 604_800_000 for week in range(3)]
    assert bucket_opens(np.array([0]), 604_800_000).tolist() == [-3 * 86_400_000]


def test_made_up_parts_say_nothing():
    candles = steady(48)
    holes = candles_at(np.delete(candles.timestamp, [12, 13, 29]))
    filled = fill_short_gaps(holes)
    longer, real = resample(filled, "1h"), resample(holes, "1h")
    assert equal(longer, real)
    assert longer.filled is None
    quarters = resample(replace(filled, filled=np.isin(np.arange(48), [12, 13, 14, 29])), "15m")
    assert quarters.filled is not None
    assert np.flatnonzero(quarters.filled).tolist() == [4]


@pytest.mark.parametrize("timeframe", ["1m", "7m", "12m"])
def test_timeframe_that_is_no_multiple_is_refused(timeframe):
    with pytest.raises(UsageError, match=f"candles of 5m, which cannot make {timeframe}"):
        resample(steady(10), timeframe)


def test_same_length_under_another_name_keeps_the_rows():
    assert equal(resample(steady(10, "60m"), "1h"), steady(10, "1h"))


@given(candles=gappy(), cut=st.integers(0, 100), overlap=st.integers(0, 20))
def test_pieces_that_agree_join_in_any_order(candles, cut, overlap):
    first, second = candles[: cut + overlap], candles[cut:]
    assert equal(concatenate(first, second), candles)
    assert equal(concatenate(second, first, candles), candles)


def test_pieces_that_disagree_are_refused_with_the_time():
    candles = steady(20)
    changed = replace(candles, close=np.where(np.arange(20) == 7, candles.close + 0.25, candles.close))
    with pytest.raises(DataError, match=r"disagree on 'close' at 2023-11-15T00:35:00Z"):
        concatenate(candles, changed)


@pytest.mark.parametrize("other", [steady(5, symbol="ETH/USDT"), steady(5, "15m")])
def test_pieces_of_different_series_are_refused(other):
    with pytest.raises(UsageError, match="pieces must share symbol and timeframe"):
        concatenate(steady(5), other)


def test_real_candle_stands_above_an_equal_made_up_one():
    flat = candles_at([START_MS])
    made_up = replace(flat, filled=np.array([True]))
    assert concatenate(made_up, flat).filled is None or not concatenate(made_up, flat).filled.any()
    assert concatenate(made_up, made_up).filled.all()
