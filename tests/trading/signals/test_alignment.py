"""A higher timeframe's value is seen only once its candle has closed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.markets import random_market
from trading.market.candles import Candles
from trading.market.timeframes import timeframe_ms
from trading.signals.alignment import align, higher_timeframes, swing_timeframe
from trading.signals.indicators import IndicatorSet

MINUTE = 60_000


def test_hourly_value_appears_with_the_last_five_minutes_of_its_hour() -> None:
    base = np.arange(0, 36) * 5 * MINUTE
    hours = np.arange(0, 3) * 60 * MINUTE
    seen = align(np.array([1.0, 2.0, 3.0]), hours, 60 * MINUTE, base, 5 * MINUTE)
    assert np.isnan(seen[:11]).all()
    assert (seen[11:23] == 1.0).all()
    assert (seen[23:35] == 2.0).all()
    assert seen[35] == 3.0


@given(
    slots=st.sets(st.integers(0, 200), min_size=1, max_size=80),
    slow_slots=st.sets(st.integers(0, 17), max_size=18),
)
def test_alignment_is_that_of_its_definition_with_gaps_on_both_sides(slots: set[int], slow_slots: set[int]) -> None:
    base = np.array(sorted(slots), dtype=np.int64) * 5 * MINUTE
    opens = np.array(sorted(slow_slots), dtype=np.int64) * 60 * MINUTE
    values = np.arange(len(opens), dtype=np.float32)
    seen = align(values, opens, 60 * MINUTE, base, 5 * MINUTE)
    assert seen.dtype == np.float32
    for t, moment in enumerate(base):
        closed = [
            value for value, opened in zip(values, opens, strict=True) if opened + 60 * MINUTE <= moment + 5 * MINUTE
        ]
        expected = closed[-1] if closed else math.nan
        assert seen[t] == pytest.approx(expected, nan_ok=True)


def test_aligned_average_is_that_of_the_closed_hours() -> None:
    candles = random_market(5, 600, "5m", gap_every=90)[4:]
    indicators = IndicatorSet(candles)
    seen = indicators.aligned("1h", indicators.higher("1h").sma(2))
    hour = 3_600_000
    for t in (100, 333, 595):
        closes = {}
        for moment, close in zip(candles.timestamp.tolist(), candles.close.tolist(), strict=True):
            bucket = moment // hour
            first_whole = candles.timestamp[0] // hour + 1
            if bucket >= first_whole and (bucket + 1) * hour <= candles.timestamp[t] + candles.step_ms:
                closes[bucket] = close
        assert seen[t] == pytest.approx(np.mean(list(closes.values())[-2:]))


@pytest.mark.parametrize(
    ("timeframe", "longer", "swings"),
    [
        ("1m", ("5m", "15m"), "1h"),
        ("5m", ("15m", "1h"), "1h"),
        ("15m", ("1h", "4h"), "1h"),
        ("1h", ("4h", "1d"), "4h"),
        ("4h", ("1d", "1w"), "4h"),
        ("1d", ("1w",), "1d"),
        ("7m", ("1w",), "7m"),
        ("1w", (), "1w"),
    ],
)
def test_longer_timeframes_are_multiples_of_the_base(timeframe: str, longer: tuple[str, ...], swings: str) -> None:
    assert higher_timeframes(timeframe) == longer
    assert swing_timeframe(timeframe) == swings
    assert all(timeframe_ms(one) % timeframe_ms(timeframe) == 0 for one in longer)


def test_an_hour_whose_end_is_missing_is_seen_once_time_has_gone_on() -> None:
    candles = random_market(6, 40, "5m")
    held = np.r_[0:9, 13:40]
    gappy = Candles.from_columns("T/USDT", "5m", {name: column[held] for name, column in candles.columns().items()})
    for rows in (len(gappy), 10):
        indicators = IndicatorSet(gappy[:rows])
        seen = indicators.aligned("1h", indicators.higher("1h").close)
        assert np.isnan(seen[8])
        assert seen[9] == candles.close[8]
