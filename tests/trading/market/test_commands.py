"""The commands on candle files, from request to what a person and a program see."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pydantic import ValidationError
from rich.console import Console

from tests.trading.market.series import (
    candles_at,
    equal,
    steady,
    tree,
    write_csv,
    write_feather,
    write_json,
    write_parquet,
)
from trading.commands import Progress, result_of
from trading.errors import DataError, ExitCode, UsageError
from trading.market.commands import check, export, import_files, list_store
from trading.market.readers import read_candles
from trading.market.requests import CheckRequest, ExportRequest, ImportRequest, ListRequest
from trading.market.resampling import resample
from trading.market.sources import home_store, open_candles
from trading.registered import trading_registry


def _text(result) -> str:
    console = Console(width=400)
    with console.capture() as capture:
        console.print(result.as_text())
    return capture.get()


def test_import_stores_files_of_several_kinds_and_reports_each(tmp_path):
    candles = steady(60)
    files = [
        write_parquet(candles[:30], tmp_path / "BTC-USDT-a.parquet"),
        write_feather(candles[20:50], tmp_path / "BTC_USDT-b.feather"),
        write_json(candles[45:], tmp_path / "BTCUSDT-c.json"),
    ]
    result = result_of(import_files(ImportRequest(files=files)))
    assert equal(home_store().read("BTC/USDT", "5m"), candles)
    plain = json.loads(json.dumps(result.as_json()))["files"]
    assert [(one["added"], one["unchanged"], one["symbol"]) for one in plain] == [
        (30, 0, "BTC/USDT"),
        (20, 10, "BTC/USDT"),
        (10, 5, "BTC/USDT"),
    ]
    assert result.exit_code is ExitCode.DONE
    assert "BTC/USDT" in _text(result)


def test_import_yields_progress_up_to_the_number_of_steps(tmp_path):
    files = [write_csv(steady(20), tmp_path / "BTC-USDT-1.csv"), write_csv(steady(30), tmp_path / "BTC-USDT-2.csv")]
    steps = list(import_files(ImportRequest(files=files)))
    assert all(isinstance(step, Progress) for step in steps)
    assert [(step.done, step.total) for step in steps] == [(0, 4), (1, 4), (2, 4), (3, 4)]


def test_import_says_that_it_sorted_and_removed_duplicates(tmp_path):
    path = write_csv(steady(10), tmp_path / "BTC-USDT.csv")
    header, *lines = path.read_text().splitlines()
    path.write_text("\n".join([header, lines[3], *lines]))
    result = result_of(import_files(ImportRequest(files=[path])))
    assert "1 rows were out of order and 1 duplicates were removed, the later row kept" in _text(result)
    assert result.as_json()["files"][0]["duplicates_removed"] == 1


def test_import_may_resample_and_name_the_symbol(tmp_path):
    path = write_csv(steady(50), tmp_path / "mine.csv")
    result_of(import_files(ImportRequest(files=[path], symbol="sol/usdt", timeframe="1h", home=tmp_path / "h")))
    stored = home_store(tmp_path / "h").read("SOL/USDT", "1h")
    assert equal(stored, resample(steady(50), "1h"))


def test_check_of_a_file_shows_gaps_and_faults_and_says_so_to_the_shell(tmp_path):
    gappy = write_csv(candles_at(np.delete(steady(200).timestamp, range(50, 60))), tmp_path / "BTC-USDT.csv")
    result = result_of(check(CheckRequest(targets=[str(gappy)])))
    assert result.exit_code is ExitCode.DONE
    text = _text(result)
    assert "2023-11-15T04:10:00Z" in text
    assert "Usable with --allow-gaps" in text
    plain = json.loads(json.dumps(result.as_json()))["reports"][0]
    assert plain["gaps"] == [{"start": "2023-11-15T04:10:00Z", "end": "2023-11-15T05:00:00Z", "missing": 10}]

    header, *lines = gappy.read_text().splitlines()
    gappy.write_text("\n".join([header, *lines[:9], lines[4], *lines[9:]]))
    result = result_of(check(CheckRequest(targets=[str(gappy)])))
    assert result.exit_code is ExitCode.REFUSED
    assert "Unusable: BTC-USDT.csv, line 11" in _text(result)


def test_check_counts_against_the_given_limits(tmp_path):
    path = write_csv(steady(50), tmp_path / "BTC-USDT.csv")
    request = CheckRequest(targets=[str(path)], outlier_move=0.0001, stuck_run=2)
    moves = np.abs(np.diff(steady(50).close)) > 0.0001 * steady(50).close[:-1]
    assert result_of(check(request)).reports[0].outliers == moves.sum()


def test_check_takes_stored_symbols_with_all_their_timeframes():
    home_store().append(steady(50))
    home_store().append(steady(20, "1h"))
    result = result_of(check(CheckRequest(targets=["btcusdt"])))
    assert [(report.source, report.timeframe) for report in result.reports] == [("BTC/USDT", "5m"), ("BTC/USDT", "1h")]
    assert "Usable." in _text(result)
    only = result_of(check(CheckRequest(targets=["BTC/USDT"], timeframe="1h")))
    assert [report.candles for report in only.reports] == [20]


@pytest.mark.parametrize("target", ["SOL/USDT", "nothing", "nothing.csv", "n" * 5_000, "n" * 300 + ".csv"])
def test_check_of_what_is_not_there_is_refused(target):
    with pytest.raises(DataError, match=r"neither a file nor a stored symbol|there is no file|file name too long"):
        result_of(check(CheckRequest(targets=[target])))


def test_export_writes_the_period_of_the_stored_timeframe(tmp_path):
    home_store().append(steady(300))
    request = ExportRequest(
        symbol="BTC/USDT", timeframe="1h", start="2023-11-15T03:00", end="2023-11-15T07:00:00Z", out=tmp_path / "out"
    )
    result = result_of(export(request))
    candles = read_candles(result.report.file)
    assert equal(candles, resample(steady(300), "1h")[3:7])
    assert result.as_json()["candles"] == 4
    assert "4 candles of BTC/USDT 1h" in _text(result).replace("\n", "")


def test_export_takes_the_shortest_stored_timeframe_and_keeps_n(tmp_path):
    home_store().append(steady(50))
    home_store().append(steady(20, "1h"))
    for end in ("2023-11-15T01:00", "2023-11-15T02:00", "2023-11-15T03:00"):
        result = result_of(export(ExportRequest(symbol="BTC-USDT", out=tmp_path / "out", end=end, keep=2)))
        assert result.timeframe == "5m"
    assert len(result.report.removed) == 1
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_export_with_a_bad_time_or_an_unknown_symbol_writes_nothing(tmp_path):
    with pytest.raises(UsageError, match="'yesterday' is not a time"):
        result_of(export(ExportRequest(symbol="BTC/USDT", start="yesterday", out=tmp_path / "out")))
    with pytest.raises(DataError, match="neither a file nor a stored symbol"):
        result_of(export(ExportRequest(symbol="BTC/USDT", out=tmp_path / "out")))
    assert not (tmp_path / "out").exists()


def test_list_shows_the_store_and_how_to_fill_an_empty_one():
    assert "The store is empty" in _text(result_of(list_store(ListRequest())))
    home_store().append(candles_at(np.delete(steady(50).timestamp, [7])))
    result = result_of(list_store(ListRequest()))
    plain = result.as_json()["series"][0]
    assert (plain["symbol"], plain["candles"], plain["missing"]) == ("BTC/USDT", 49, 1)
    assert "BTC/USDT" in _text(result)


def test_reading_commands_leave_no_trace(own_home):
    result_of(list_store(ListRequest()))
    with pytest.raises(DataError):
        result_of(check(CheckRequest(targets=["BTC/USDT"])))
    assert not own_home.exists()


def test_candles_open_by_file_and_by_stored_symbol(tmp_path):
    store = home_store()
    store.append(steady(100))
    path = write_csv(steady(100), tmp_path / "BTC-USDT-5m.csv")
    start, end = int(steady(100).timestamp[10]), int(steady(100).timestamp[20])
    for target in (str(path), "BTC/USDT", "btc-usdt"):
        assert equal(open_candles(target, store, start_ms=start, end_ms=end), steady(100)[10:20])
        assert open_candles(target, store, timeframe="15m").timeframe == "15m"
        with pytest.raises(DataError, match="no candles in that period; check --start and --end"):
            open_candles(target, store, start_ms=end + 10**10)


def test_requests_refuse_unknown_fields_and_empty_lists():
    for model, words in ((ListRequest, {"extra": 1}), (ImportRequest, {"files": []}), (CheckRequest, {"targets": []})):
        with pytest.raises(ValidationError):
            model(**words)


def test_registered_commands_on_files_load_and_take_their_examples_words():
    registry = trading_registry()
    for name in ("data import", "data export", "data check", "data list"):
        command = registry[name]
        assert command.load_function() in {import_files, export, check, list_store}
        for field in command.load_request().model_fields.values():
            assert field.description


def test_real_files_import_and_come_back(shared_data, tmp_path):
    files = sorted(path for path in shared_data.iterdir() if path.is_file())
    result_of(import_files(ImportRequest(files=files, home=tmp_path)))
    store = home_store(tmp_path)
    whole = read_candles(shared_data / "BTC-USDT-1h-2017-2022.parquet")
    assert equal(store.read("BTC/USDT", "1h"), whole)
    assert {series.symbol for series in store.contents()} >= {"ADA/USDT", "BTC/PERP", "BTC/USDT", "ETH/USDT", "XRP/ETH"}
    before = tree(tmp_path)
    result_of(import_files(ImportRequest(files=files, home=tmp_path)))
    assert tree(tmp_path) == before


def test_tables_fit_a_terminal_of_80_columns_and_lose_no_sign(tmp_path):
    home = tmp_path / "home"
    path = write_csv(steady(20), tmp_path / "candles.csv")
    imported = result_of(import_files(ImportRequest(files=[path], symbol="1000SHIB/USDT:USDT-240628", home=home)))
    for result in (imported, result_of(list_store(ListRequest(home=home)))):
        console = Console(width=80)
        with console.capture() as capture:
            console.print(result.as_text())
        lines = capture.get().splitlines()
        assert max(map(len, lines)) <= 80
        assert "…" not in capture.get()
        assert any("2023-11-15" in line for line in lines), "a date is broken in two"
