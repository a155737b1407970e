"""Planted faults are counted exactly; gaps are found, bridged when short, and never beyond a share."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.market.series import START_MS, candles_at, equal, gappy, steady
from trading.errors import DataError, ExitCode
from trading.market.candles import COLUMNS
from trading.market.filling import fill_short_gaps
from trading.market.quality import inspect, require_usable
from trading.market.quality_report import Gap, QualityLimits
from trading.market.readers import read_candles, read_rows
from trading.market.rows import RawRows

STEP = 300_000


def _rows(candles, **changed) -> RawRows:
    columns = {name: np.array(changed.get(name, getattr(candles, name))) for name in COLUMNS}
    return RawRows("candles.csv", **columns)


@given(candles=gappy())
def test_gaps_missing_and_coverage_are_those_of_a_plain_count(candles):
    report = inspect(candles)
    there = set(candles.timestamp.tolist())
    every = range(int(candles.timestamp[0]), int(candles.timestamp[-1]) + STEP, STEP)
    absent = [time for time in every if time not in there]
    assert (report.expected, report.missing) == (len(every), len(absent))
    assert report.coverage == pytest.approx(len(there) / len(every))
    listed = [time for gap in report.gaps for time in range(gap.start_ms, gap.end_ms, STEP)]
    assert listed == absent
    assert all(gap.missing == (gap.end_ms - gap.start_ms) // STEP for gap in report.gaps)
    assert all(gap.end_ms in there and gap.start_ms - STEP in there for gap in report.gaps)


@given(
    rows=st.lists(st.integers(0, 99), min_size=4, max_size=20, unique=True),
    kinds=st.lists(st.sampled_from(["nan", "inf", "zero", "negative", "volume", "bracket"]), min_size=20, max_size=20),
)
def test_planted_values_are_counted_by_kind_and_the_first_is_named(rows, kinds):
    candles = steady(100)
    columns = {name: np.array(getattr(candles, name)) for name in COLUMNS}
    planted = dict(zip(rows, kinds, strict=False))
    for row, kind in planted.items():
        column, value = {
            "nan": ("close", np.nan),
            "inf": ("volume", np.inf),
            "zero": ("low", 0.0),
            "negative": ("open", -5.0),
            "volume": ("volume", -1.0),
            "bracket": ("high", columns["low"][row] / 2),
        }[kind]
        columns[column][row] = value
    report = inspect(_rows(candles, **columns))
    chosen = list(planted.values())
    assert report.non_finite == chosen.count("nan") + chosen.count("inf")
    assert report.non_positive == chosen.count("zero") + chosen.count("negative") + chosen.count("volume")
    assert report.bad_bracket == chosen.count("bracket")
    assert not report.usable
    assert report.fault.startswith(f"candles.csv, row {min(planted) + 1}, column")
    with pytest.raises(DataError, match=r"candles\.csv, row"):
        require_usable(report, allow_gaps=True)


@given(order=st.permutations(range(30)), again=st.lists(st.integers(0, 29), max_size=10))
def test_disorder_and_duplicates_are_counted(order, again):
    base = steady(30)
    rows = np.array([*order, *again])
    report = inspect(_rows(base, **{name: getattr(base, name)[rows] for name in COLUMNS}))
    assert report.duplicates == len(again)
    assert report.disorder == sum(later < earlier for earlier, later in pairwise(rows))
    assert (report.missing, report.gaps) == (0, ())
    assert report.usable == (list(rows) == sorted(set(rows)))


def test_outliers_stuck_prices_and_empty_candles_are_counted_against_the_limits():
    close = np.full(60, 100.0) + np.arange(60) * 0.01
    close[20:32] = 150.5
    close[40] = 300.0
    candles = steady(60)
    high, low = close * 1.01, close * 0.99
    high[50], low[50] = 250.0, 90.0
    volume = np.ones(60)
    volume[5:9] = 0
    odd = replace(candles, open=close, high=high, low=low, close=close, volume=volume)
    report = inspect(odd)
    assert (report.outliers, report.stuck, report.zero_volume) == (4, 12, 4)
    loose = inspect(odd, limits=QualityLimits(outlier_move=2.5, outlier_range=3, stuck_run=13))
    assert (loose.outliers, loose.stuck) == (0, 0)
    assert report.usable
    assert any("12" in warning and "identical" in warning for warning in report.warnings())


def test_candles_off_the_grid_are_counted():
    times = steady(20).timestamp + np.where(np.arange(20) == 9, 60_000, 0)
    assert inspect(candles_at(times)).off_grid == 2


def test_a_run_asks_for_allow_gaps_and_names_the_longest_gap():
    candles = candles_at(np.delete(steady(5_000).timestamp, [100, *range(200, 206)]))
    report = inspect(candles)
    assert report.usable
    assert report.needs_allow_gaps
    assert report.longest_gap == Gap(START_MS + 200 * STEP, START_MS + 206 * STEP, 6)
    with pytest.raises(
        DataError, match=r"from 2023-11-15T16:40:00Z to 2023-11-15T17:10:00Z \(6 candles\); add --allow-gaps"
    ) as e:
        require_usable(report)
    assert e.value.exit_code is ExitCode.REFUSED
    assert "7 of 5000 candles (0.14%) are missing in 2 gaps" in require_usable(report, allow_gaps=True)[0]


@pytest.mark.parametrize(("missing", "asks"), [(5, False), (6, True)])
def test_share_and_length_limits_are_inclusive(missing, asks):
    apart = np.arange(1, missing + 1) * 100
    assert inspect(candles_at(np.delete(steady(1_000).timestamp, apart))).needs_allow_gaps is asks
    in_a_row = np.arange(500, 500 + missing)
    assert inspect(candles_at(np.delete(steady(10_000).timestamp, in_a_row))).needs_allow_gaps is asks


@given(candles=gappy(), longest=st.integers(0, 6))
def test_short_gaps_are_bridged_flat_without_volume_and_flagged(candles, longest):
    filled = fill_short_gaps(candles, longest, filled_share=0.5)
    made_up = np.zeros(len(filled), bool) if filled.filled is None else filled.filled
    real = {name: getattr(filled, name)[~made_up] for name in COLUMNS}
    assert all(np.array_equal(real[name], getattr(candles, name)) for name in COLUMNS)
    bridged = sum(gap.missing for gap in inspect(candles).gaps if gap.missing <= longest)
    assert made_up.sum() == bridged
    assert all(gap.missing > longest for gap in inspect(filled).gaps)
    for row in np.flatnonzero(made_up):
        before = filled.close[row - 1]
        assert [getattr(filled, name)[row] for name in COLUMNS[1:]] == [before, before, before, before, 0.0]
    assert equal(fill_short_gaps(filled, longest, filled_share=0.5), filled)


def test_lesson_23_a_series_that_would_be_mostly_made_up_is_refused():
    # 39 real candles among 124: every gap is short enough to bridge, together they would be the market.
    times = START_MS + np.round(np.linspace(0, 123, 39)).astype(int) * STEP
    candles = candles_at(times)
    assert max(gap.missing for gap in inspect(candles, "5m").gaps) <= 5
    with pytest.raises(DataError, match=r"85 of 124 candles would be made up to bridge gaps, more than 10%"):
        fill_short_gaps(candles)
    padded = fill_short_gaps(candles, filled_share=1.0)
    with pytest.raises(DataError, match="would be made up"):
        require_usable(inspect(padded), allow_gaps=True)


def test_report_is_plain_json():
    plain = inspect(candles_at(np.delete(steady(50).timestamp, [20, 21]))).as_json()
    back = json.loads(json.dumps(plain))
    assert back["gaps"] == [{"start": "2023-11-15T01:40:00Z", "end": "2023-11-15T01:50:00Z", "missing": 2}]
    assert (back["missing"], back["expected"], back["usable"], back["needs_allow_gaps"]) == (2, 50, True, True)
    assert back["start"] == "2023-11-15T00:00:00Z"


def test_nothing_to_check_is_refused():
    with pytest.raises(DataError, match="nothing to check"):
        inspect(steady(0))


def test_real_hourly_file_shows_its_gaps(shared_data):
    candles = read_candles(shared_data / "BTC-USDT-1h-2017-2022.parquet")
    report = inspect(read_rows(shared_data / "BTC-USDT-1h-2017-2022.parquet"))
    assert (report.candles, report.missing, len(report.gaps)) == (46_981, 127, 27)
    assert report.longest_gap.missing == 33
    assert report.needs_allow_gaps
    assert report.usable
    filled = fill_short_gaps(candles)
    assert max(gap.missing for gap in inspect(filled).gaps) == 33
    assert min(gap.missing for gap in inspect(filled).gaps) == 6
    assert inspect(filled).filled == sum(gap.missing for gap in report.gaps if gap.missing <= 5)
