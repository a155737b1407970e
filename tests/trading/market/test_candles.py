"""Candles are frozen, rising in time, and sliced without copies."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.market.series import START_MS, candles_at, equal, gappy, steady
from trading.errors import DataError, UsageError
from trading.market.candles import COLUMNS, Candles
from trading.market.timeframes import is_timeframe, timeframe_ms, timeframe_of


def test_columns_and_fields_cannot_be_changed():
    candles = steady(10)
    with pytest.raises(ValueError, match="read-only"):
        candles.close[0] = 1.0
    with pytest.raises(FrozenInstanceError):
        candles.symbol = "ETH/USDT"


def test_the_givers_own_arrays_stay_writable():
    close = np.array(steady(10).close)
    candles = replace(steady(10), close=close)
    close[0] += 1
    assert close.flags.writeable
    assert not candles.close.flags.writeable


@given(candles=gappy(), first=st.integers(0, 130), last=st.integers(0, 130))
def test_slices_are_views_of_the_same_rows(candles, first, last):
    part = candles[first:last]
    assert part.timestamp.tolist() == candles.timestamp.tolist()[first:last]
    assert len(part) == 0 or np.shares_memory(part.close, candles.close)


@given(candles=gappy(), start=st.integers(-10, 130), end=st.integers(-10, 130))
def test_between_takes_the_candles_that_open_in_the_period(candles, start, end):
    first, last = START_MS + start * 300_000, START_MS + end * 300_000
    kept = [time for time in candles.timestamp.tolist() if first <= time < last]
    assert candles.between(first, last).timestamp.tolist() == kept
    assert equal(candles.between(), candles)


@pytest.mark.parametrize("times", [[0, 0], [60_000, 0], [0, 120_000, 60_000]])
def test_time_that_does_not_rise_is_refused(times):
    with pytest.raises(DataError, match="is not later than the row before"):
        candles_at(times, "1m")


@pytest.mark.parametrize("column", [*COLUMNS[1:], "filled"])
def test_columns_of_different_lengths_are_refused(column):
    with pytest.raises(DataError, match=f"column '{column}' of BTC/USDT has shape"):
        replace(steady(10), **{column: np.zeros(9, dtype=bool if column == "filled" else float)})


def test_only_slices_of_rows_are_taken():
    with pytest.raises(UsageError, match="sliced by rows"):
        steady(10)[3]


@pytest.mark.parametrize(("symbol", "quote"), [("ETH/BTC", "BTC"), ("ETH/USDT:USDT", "USDT")])
def test_symbol_falls_into_base_and_quote(symbol, quote):
    candles = Candles.empty(symbol, "1h")
    assert (candles.base, candles.quote, candles.step_ms, len(candles)) == ("ETH", quote, 3_600_000, 0)


@given(count=st.integers(1, 5_000), unit=st.sampled_from("smhdw"))
def test_shortest_name_of_a_length_has_that_length(count, unit):
    length = timeframe_ms(f"{count}{unit}")
    name = timeframe_of(length)
    assert timeframe_ms(name) == length
    assert len(name) <= len(f"{count}{unit}")


@pytest.mark.parametrize("text", ["", "m", "0m", "5", "5M", "1.5h", "-1m", "5m "])
def test_what_is_no_timeframe_is_refused(text):
    assert not is_timeframe(text)
    with pytest.raises(UsageError, match="is not a timeframe"):
        timeframe_ms(text)


@pytest.mark.parametrize("length", [0, -60_000, 1_500])
def test_length_that_is_no_timeframe_is_refused(length):
    with pytest.raises(UsageError, match="is no timeframe"):
        timeframe_of(length)
