"""Exports hold every digit, are named after what they hold, and only the newest stay."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from tests.trading.market.series import equal, gappy, steady
from trading.errors import DataError, Refused, UsageError
from trading.market.export import export_csv
from trading.market.readers import read_candles


@given(candles=gappy())
def test_export_reads_back_as_the_same_candles(candles, tmp_path_factory):
    report = export_csv(candles, tmp_path_factory.mktemp("exports"))
    back = read_candles(report.file)
    assert equal(back, candles)
    assert (back.symbol, back.timeframe, report.candles) == ("BTC/USDT", "5m", len(candles))


def test_name_holds_symbol_timeframe_and_range(tmp_path):
    report = export_csv(steady(13), tmp_path / "new" / "folder")
    assert report.file.name == "BTC-USDT-5m_20231115T000000_20231115T010000.csv"


def test_only_the_newest_exports_of_the_series_stay(tmp_path):
    other = tmp_path / "BTC-USDT-5m_notes.csv"
    other.write_text("mine")
    hourly = export_csv(steady(5, "1h"), tmp_path, keep=1).file
    files = []
    for age, count in enumerate((5, 6, 7, 8)):
        files.append(export_csv(steady(count), tmp_path).file)
        os.utime(files[-1], ns=(age * 10**9, age * 10**9))
    report = export_csv(steady(9), tmp_path, keep=3)
    assert report.removed == tuple(files[:2])
    assert {path.name for path in tmp_path.iterdir()} == {
        other.name,
        hourly.name,
        files[2].name,
        files[3].name,
        report.file.name,
    }
    # The export itself is the newest, even where an older file carries a later date.
    os.utime(files[3], ns=(2**62, 2**62))
    again = export_csv(steady(4), tmp_path, keep=1)
    assert again.file.exists()
    assert files[3] in again.removed


def test_the_same_export_twice_is_one_file(tmp_path):
    export_csv(steady(5), tmp_path, keep=2)
    export_csv(steady(5), tmp_path, keep=2)
    assert len(list(tmp_path.iterdir())) == 1


def test_nothing_or_made_up_candles_are_not_exported(tmp_path):
    with pytest.raises(DataError, match="no BTC/USDT 5m candles to export"):
        export_csv(steady(0), tmp_path)
    with pytest.raises(DataError, match="made-up"):
        export_csv(replace(steady(3), filled=np.array([False, True, False])), tmp_path)
    with pytest.raises(UsageError, match="keep 1 or more"):
        export_csv(steady(3), tmp_path, keep=0)
    assert list(tmp_path.iterdir()) == []


def test_folder_that_cannot_be_written_is_refused_in_one_sentence(tmp_path):
    occupied = tmp_path / "exports"
    occupied.write_text("a file, not a folder")
    with pytest.raises(Refused, match=r"exports.*cannot be written \(File exists\); choose another folder"):
        export_csv(steady(20), occupied)
    assert occupied.read_text() == "a file, not a folder"
