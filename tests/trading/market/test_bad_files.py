"""Each kind of bad file gets one sentence that names the place, and the store stays as it was."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.trading.market.series import (
    rows_of,
    steady,
    table,
    tree,
    write_csv,
    write_csv_gz,
    write_feather,
    write_json,
    write_parquet,
)
from trading.commands import result_of
from trading.errors import DataError, ExitCode, UsageError
from trading.market.commands import import_files
from trading.market.readers import read_candles
from trading.market.requests import ImportRequest
from trading.market.sources import home_store

HEADER = "timestamp,open,high,low,close,volume"


def _lines() -> list[str]:
    return [",".join(map(repr, row)) for row in rows_of(steady(20))]


def _csv(path: Path, lines: list[str], header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def _cell(path: Path, row: int, column: int, value: str) -> Path:
    lines = _lines()
    cells = lines[row].split(",")
    cells[column] = value
    lines[row] = ",".join(cells)
    return _csv(path, lines)


def _cut(path: Path, share: float) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def _text_in_parquet(path: Path) -> Path:
    closes = [str(value) for value in steady(20).close.tolist()]
    closes[6] = "n/a"
    pq.write_table(table(steady(20)).set_column(4, "close", pa.array(closes)), path)
    return path


def _json_item(path: Path, value: object) -> Path:
    rows = [list(row) for row in rows_of(steady(20))]
    rows[3][2] = value
    path.write_text(json.dumps(rows))
    return path


def _without(path: Path, column: str) -> Path:
    pq.write_table(table(steady(20)).drop_columns([column]), path)
    return path


def _null_time(path: Path) -> Path:
    times = steady(20).timestamp.tolist()
    times[4] = None
    pq.write_table(table(steady(20)).set_column(0, "timestamp", pa.array(times)), path)
    return path


def _swap(path: Path) -> Path:
    lines = _lines()
    lines[5], lines[6] = lines[6], lines[5]
    return _csv(path, lines)


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


BAD_FILES = {
    "truncated parquet": (lambda p: _cut(write_parquet(steady(20), p), 0.6), "damaged or cut off parquet"),
    "truncated feather": (lambda p: _cut(write_feather(steady(20), p), 0.6), "damaged or cut off feather"),
    "truncated gzip": (lambda p: _cut(write_csv_gz(steady(20), p), 0.6), "damaged or cut off gzip"),
    "truncated json": (lambda p: _cut(write_json(steady(20), p), 0.6), r"line 1, column \d+: not JSON"),
    "text in a price column": (lambda p: _cell(p, 7, 4, "oops"), "line 9, column 'close': 'oops' is not a number"),
    "number with separators": (lambda p: _cell(p, 7, 1, "1_000"), "line 9, column 'open': '1_000' is not a number"),
    "empty price": (lambda p: _cell(p, 7, 3, ""), "line 9, column 'low': nan is not a finite number"),
    "text in parquet": (_text_in_parquet, "row 7, column 'close': 'n/a' is not a number"),
    "text in json": (lambda p: _json_item(p, "high"), "row 4, column 'high': 'high' is not a number"),
    "true in json": (lambda p: _json_item(p, value=True), "row 4, column 'high': True is not a number"),
    "too many columns": (lambda p: _csv(p, [*_lines()[:3], _lines()[3] + ",1"]), "line 5: 7 columns and not 6"),
    "too few columns": (lambda p: _csv(p, [*_lines()[:3], "1,2"]), "line 5: 2 columns and not 6"),
    "headerless of odd width": (
        lambda p: _csv(p, ["1,2,3,4"], "1700006400000,1,2,1"),
        "line 1: no header and 4 columns",
    ),
    "missing column in csv": (
        lambda p: _csv(p, [], "timestamp,open,high,low,volume"),
        "line 1: there is no column 'close'",
    ),
    "missing column in parquet": (lambda p: _without(p, "volume"), "there is no column 'volume'"),
    "missing time column": (lambda p: _csv(p, ["a,1,2,3"], "name,open,high,low"), "there is no column 'timestamp"),
    "missing time": (_null_time, "row 5: the time is missing"),
    "short json row": (lambda p: p.write_text("[[1700006400000,1,2,1,2]]") and p, "row 1: 5 values and not 6"),
    "json of objects": (lambda p: p.write_text('[{"t": 1}]') and p, "row 1: dict and not a list"),
    "json object": (lambda p: p.write_text('{"error": "no"}') and p, "holds a JSON dict and not a list"),
    "empty json": (lambda p: p.write_text("[]") and p, "holds no candles"),
    "empty file": (lambda p: p.touch() or p, "is empty"),
    "blank file": (lambda p: p.write_text("\n \n") and p, "is empty"),
    "only a header": (lambda p: _csv(p, []), "holds no candles"),
    "unknown binary": (lambda p: p.write_bytes(bytes(range(256)) * 9) and p, "no candle file of a known kind"),
    "text with zero bytes": (lambda p: p.write_bytes(b"timestamp,open\0\n") and p, "no candle file of a known kind"),
    "prose": (lambda p: p.write_text("Dear all, nothing here\nis a candle") and p, "there is no column 'timestamp"),
    "negative price": (lambda p: _cell(p, 2, 3, "-1.5"), "line 4, column 'low': -1.5 is not above zero"),
    "zero price": (lambda p: _cell(p, 2, 1, "0"), "line 4, column 'open': 0 is not above zero"),
    "negative volume": (lambda p: _cell(p, 2, 5, "-3"), "line 4, column 'volume': -3 is below zero"),
    "not a number": (lambda p: _cell(p, 2, 4, "nan"), "line 4, column 'close': nan is not a finite number"),
    "infinite": (lambda p: _cell(p, 2, 5, "inf"), "line 4, column 'volume': inf is not a finite number"),
    "high under low": (lambda p: _cell(p, 2, 2, "0.5"), "line 4, column 'high': 0.5 is below"),
    "low over close": (lambda p: _cell(p, 2, 3, "99999"), "line 4, column 'high': .* is below low 99999"),
    "date as a number": (lambda p: _cell(p, 0, 0, "20210101"), "line 2, column 'timestamp': '20210101' is no time"),
    "time of no calendar": (
        lambda p: _cell(p, 3, 0, "2024-02-31"),
        "line 5, column 'timestamp': '2024-02-31' is no time",
    ),
    "folder": (_folder, "is a folder"),
    "missing file": (lambda p: p, "there is no file"),
}
ORDER_FAULTS = {
    "unsorted": (_swap, "line 8: the candle of .* is earlier than the one before"),
    "duplicate": (
        lambda p: _csv(p, [*_lines()[:9], _lines()[8], *_lines()[9:]]),
        "line 11: the candle of .* stands twice",
    ),
}


@pytest.mark.parametrize(("build", "message"), (BAD_FILES | ORDER_FAULTS).values(), ids=[*BAD_FILES, *ORDER_FAULTS])
def test_bad_file_is_refused_in_one_sentence_with_its_place(build, message, tmp_path):
    path = build(tmp_path / "BTC-USDT-5m")
    with pytest.raises(DataError, match=message) as caught:
        read_candles(path)
    sentence = str(caught.value)
    assert "BTC-USDT-5m" in sentence
    assert "\n" not in sentence
    assert not re.search(r"\. [A-Z]", sentence), "more than one sentence"
    assert caught.value.exit_code is ExitCode.REFUSED


@pytest.mark.parametrize(("build", "message"), BAD_FILES.values(), ids=BAD_FILES)
def test_bad_file_leaves_the_store_as_it_was(build, message, tmp_path):
    home = tmp_path / "home"
    home_store(home).append(steady(50))
    before = tree(home)
    good = write_csv(steady(50, seed=1), tmp_path / "ETH-USDT-5m.csv")
    bad = build(tmp_path / "BTC-USDT-5m")
    with pytest.raises(DataError, match=message):
        result_of(import_files(ImportRequest(files=[good, bad], home=home)))
    assert tree(home) == before


@pytest.mark.parametrize(("build", "_message"), ORDER_FAULTS.values(), ids=ORDER_FAULTS)
def test_import_mends_order_and_duplicates_and_says_so(build, _message, tmp_path):
    path = build(tmp_path / "BTC-USDT-5m")
    result = result_of(import_files(ImportRequest(files=[path], home=tmp_path / "home")))
    tidying = result.files[0].tidying
    assert tidying.out_of_order + tidying.duplicates == 1
    stored = home_store(tmp_path / "home").read("BTC/USDT", "5m")
    assert np.array_equal(stored.close, steady(20).close)


@pytest.mark.parametrize("text", [" 10.0 ", "1_0", "10,0", ""])
def test_text_in_parquet_that_only_python_would_read_is_named_with_its_row(text, tmp_path):
    columns = {name: pa.array(column) for name, column in steady(9).columns().items()}
    columns["close"] = pa.array(["10.0"] * 4 + [text] + ["10.0"] * 4)
    pq.write_table(pa.table(columns), tmp_path / "BTC-USDT.parquet")
    with pytest.raises(DataError, match=rf"row 5, column 'close': {text!r} is not a number"):
        read_candles(tmp_path / "BTC-USDT.parquet")


def test_price_beyond_float_in_json_is_named(tmp_path):
    path = tmp_path / "BTC-USDT.json"
    path.write_text("[[1700006400000,1,2,1," + "9" * 400 + ",1]]")
    with pytest.raises(DataError, match=r"row 1, column 'close': 9+ is not a number"):
        read_candles(path)


def test_quoted_text_with_a_line_break_keeps_line_numbers(tmp_path):
    path = tmp_path / "BTC-USDT.csv"
    path.write_text(HEADER + ',note\n1700006400000,1,2,1,2,3,"a\nb"\n1700006700000,1,2,1,x,3,c\n')
    with pytest.raises(DataError, match="line 4, column 'close': 'x' is not a number"):
        read_candles(path)


def test_gzip_of_nothing_known_is_refused(tmp_path):
    path = tmp_path / "BTC-USDT.csv.gz"
    path.write_bytes(gzip.compress(b"\x00\x01\x02\xff"))
    with pytest.raises(DataError, match="no candle file of a known kind"):
        read_candles(path)


def test_first_line_that_is_no_csv_is_named(tmp_path):
    path = tmp_path / "BTC-USDT.csv"
    path.write_text("1" * 200_000)
    with pytest.raises(DataError, match=r"BTC-USDT\.csv, line 1: not CSV \(field larger than"):
        read_candles(path)


@pytest.mark.parametrize("timeframe", ["99999999999w", "9" * 5_000 + "s", "6000w"])
def test_timeframe_longer_than_all_times_is_none(timeframe, tmp_path):
    path = write_csv(steady(50), tmp_path / "BTC-USDT-5m.csv")
    with pytest.raises(UsageError, match="is not a timeframe"):
        read_candles(path, timeframe=timeframe)
