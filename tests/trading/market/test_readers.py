"""Files of every kind give the same candles, whatever their names, units and layout."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import feather

from tests.trading.market.series import WRITERS, candles_at, equal, gappy, rows_of, steady, table, write_csv
from trading.errors import DataError, UsageError
from trading.market.readers import read_candles, read_rows
from trading.market.resampling import resample


@pytest.mark.parametrize("kind", WRITERS)
@given(candles=gappy())
def test_every_kind_of_file_gives_back_the_same_candles(kind, candles, tmp_path_factory):
    # The ending lies: the kind is found from the content.
    path = WRITERS[kind](candles, tmp_path_factory.mktemp("kinds") / "BTC-USDT-1d.dat")
    back = read_candles(path)
    assert (back.symbol, back.timeframe) == ("BTC/USDT", "5m")
    assert equal(back, candles)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@given(candles=gappy())
def test_epochs_of_every_unit_are_told_apart_by_their_size(unit, candles, tmp_path_factory):
    factor = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}[unit]
    times = candles.timestamp // 1_000 * factor
    path = tmp_path_factory.mktemp("epochs") / "BTC-USDT.parquet"
    pq.write_table(table(candles).set_column(0, "open_time", pa.array(times)), path)
    assert np.array_equal(read_candles(path).timestamp, candles.timestamp)
    pq.write_table(table(candles).set_column(0, "time", pa.array(times.astype(np.float64))), path)
    assert np.array_equal(read_candles(path).timestamp, candles.timestamp)


@pytest.mark.parametrize(
    "form",
    [
        "%Y-%m-%d %H:%M:%S+00:00",
        "%Y-%m-%dT%H:%M:%SZ",
        "%Y-%m-%dT%H:%M:%S.000Z",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%d %H:%M:%S UTC",
    ],
)
def test_iso_times_with_and_without_zone_are_utc(form, tmp_path):
    candles = steady(30)
    moments = [np.datetime64(time, "ms").item().strftime(form) for time in candles.timestamp.tolist()]
    lines = [",".join([moment, *map(repr, row[1:])]) for moment, row in zip(moments, rows_of(candles), strict=True)]
    path = tmp_path / "BTCUSDT_5m.csv"
    path.write_text("Date,Open,High,Low,Close,Volume\n" + "\n".join(lines))
    assert equal(read_candles(path), candles)


def test_a_time_in_another_zone_is_turned_into_utc(tmp_path):
    path = tmp_path / "BTCUSDT.csv"
    path.write_text(
        "date,open,high,low,close,volume\n2024-05-01T02:00:00+02:00,1,2,1,2,3\n2024-05-01T02:05:00+02:00,2,2,1,2,3\n"
    )
    assert read_candles(path).timestamp.tolist() == [1_714_521_600_000, 1_714_521_900_000]


def test_mixed_forms_of_time_in_one_column_are_understood(tmp_path):
    path = tmp_path / "BTCUSDT.csv"
    path.write_text(
        "date,open,high,low,close,volume\n1714521000,1,2,1,2,3\n2024-04-30T23:55Z,2,2,1,2,3\n2024-05-01,2,2,1,2,3\n"
    )
    assert np.diff(read_candles(path).timestamp).tolist() == [300_000, 300_000]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_line_ends_byte_order_marks_and_foreign_columns_do_not_matter(delimiter, end, tmp_path):
    candles = steady(20)
    lines = [delimiter.join(["x y", *(repr(value) for value in row[::-1])]) for row in rows_of(candles)]
    header = delimiter.join(["note", "Volume", " CLOSE", "Low", "High", "Open", "Open Time"])
    text = end.join([header, *lines]) + end
    for content in (text.encode(), b"\xef\xbb\xbf" + text.encode(), text.encode("utf-16")):
        path = tmp_path / "BTC-USDT.csv"
        path.write_bytes(content)
        assert equal(read_candles(path), candles)


def test_blank_lines_are_skipped_and_still_counted(tmp_path):
    path = tmp_path / "BTC-USDT.csv"
    path.write_text(
        "\ntimestamp,open,high,low,close,volume\n\n1714521600000,1,2,1,2,3\n\n1714521900000,1,2,1,-2,3\n1714522200000,1,2,1,2,3\n"
        " \t \n"
    )
    rows = read_rows(path)
    assert [rows.lines[row] for row in range(len(rows))] == [4, 6, 7]
    with pytest.raises(DataError, match=r"BTC-USDT\.csv, line 6, column 'close': -2 is not above zero"):
        read_candles(path)


def test_old_feather_files_without_arrow_magic_still_read(tmp_path):
    candles = steady(20)
    path = tmp_path / "BTC-USDT.feather"
    with pytest.warns(DeprecationWarning, match="Feather V1"):
        feather.write_feather(table(candles), path, version=1)
    assert path.read_bytes().startswith(b"FEA1")
    assert equal(read_candles(path), candles)


def test_timeframe_comes_from_the_data_and_not_from_the_name(tmp_path):
    path = write_csv(steady(50, "15m"), tmp_path / "BTC-USDT-1m.csv")
    assert read_candles(path).timeframe == "15m"


def test_larger_timeframe_resamples_and_smaller_one_is_refused(tmp_path):
    candles = steady(50)
    path = write_csv(candles, tmp_path / "BTC-USDT-5m.csv")
    assert equal(read_candles(path, timeframe="1h"), resample(candles, "1h"))
    assert read_candles(path, timeframe="1h").timeframe == "1h"
    with pytest.raises(UsageError, match="candles of 5m, which cannot make 1m"):
        read_candles(path, timeframe="1m")


def test_one_candle_needs_a_timeframe(tmp_path):
    path = write_csv(steady(1), tmp_path / "BTC-USDT.csv")
    with pytest.raises(DataError, match="--timeframe"):
        read_candles(path)
    assert read_candles(path, timeframe="5m").timeframe == "5m"


def test_given_symbol_stands_above_the_name_and_a_silent_name_asks_for_one(tmp_path):
    path = write_csv(steady(20), tmp_path / "candles.csv")
    assert read_candles(path, symbol="eth-usdt").symbol == "ETH/USDT"
    with pytest.raises(DataError, match=r"name of candles\.csv holds no symbol; add --symbol"):
        read_candles(path)


@given(order=st.permutations(range(12)), twice=st.integers(0, 11))
def test_tidying_sorts_and_lets_the_later_of_two_rows_win(order, twice, tmp_path_factory):
    candles = steady(12)
    lines = [",".join(map(repr, row)) for row in rows_of(candles)]
    stale = lines[twice].rsplit(",", 1)[0] + ",999.0"
    path = tmp_path_factory.mktemp("tidy") / "BTC-USDT.csv"
    shuffled = [stale, *(lines[row] for row in order)]
    path.write_text("timestamp,open,high,low,close,volume\n" + "\n".join(shuffled))
    rows, tidying = read_rows(path).tidied()
    assert equal(rows, candles)
    assert tidying.duplicates == 1
    times = [int(line.split(",", 1)[0]) for line in shuffled]
    assert tidying.out_of_order == sum(later < earlier for earlier, later in pairwise(times))


@pytest.mark.parametrize(
    ("name", "symbol", "timeframe", "count"),
    [
        ("ADA-USDT-1m.parquet", "ADA/USDT", "1m", 43_200),
        ("BTC-PERP-1m-2022-01.parquet", "BTC/PERP", "1m", 45_031),
        ("BTC-USDT-1h-2017-2022.parquet", "BTC/USDT", "1h", 46_981),
        ("ETHUSDT_5m-sample.csv", "ETH/USDT", "5m", 5_000),
        ("XRP_ETH-5m-sample.feather", "XRP/ETH", "5m", 706),
    ],
)
def test_real_files_of_three_kinds_read(name, symbol, timeframe, count, shared_data: Path):
    candles = read_candles(shared_data / name)
    assert (candles.symbol, candles.timeframe, len(candles)) == (symbol, timeframe, count)


def test_real_csv_equals_the_head_of_the_real_parquet(shared_data: Path):
    sample = read_candles(shared_data / "ETHUSDT_5m-sample.csv")
    whole = read_candles(shared_data / "ETH-USDT-5m.parquet")
    assert equal(sample, whole[: len(sample)])


def test_weekly_steps_and_odd_steps_name_the_right_timeframe(tmp_path):
    weekly = candles_at(1_699_833_600_000 + np.arange(6) * 604_800_000, "1w")
    assert read_candles(write_csv(weekly, tmp_path / "BTC-USDT.csv")).timeframe == "1w"
    odd = candles_at(1_699_833_600_000 + np.arange(6) * 61_234, "1m")
    with pytest.raises(DataError, match="61234 ms apart, which is no timeframe"):
        read_candles(write_csv(odd, tmp_path / "BTC-USDT.csv"))


@pytest.mark.parametrize(
    "kind",
    [
        pa.timestamp("s"),
        pa.timestamp("us", "Europe/Berlin"),
        pa.string(),
        pa.large_string(),
        pa.dictionary(pa.int32(), pa.string()),
    ],
    ids=str,
)
def test_arrow_files_may_hold_times_in_any_type(kind, tmp_path):
    candles = steady(30)
    times = pa.array(np.array(candles.timestamp)).cast(pa.timestamp("ms", "UTC"))
    if pa.types.is_timestamp(kind):
        column = times.cast(kind) if kind.tz else times.cast(pa.timestamp("ms")).cast(kind)
    else:
        texts = pa.array([moment.isoformat() for moment in times.to_pylist()])
        column = texts.dictionary_encode() if pa.types.is_dictionary(kind) else texts.cast(kind)
    path = tmp_path / "BTC-USDT"
    pq.write_table(table(candles).set_column(0, "Date", column), path)
    assert equal(read_candles(path), candles)


def test_arrow_days_and_whole_number_or_decimal_prices_read(tmp_path):
    days = pa.array(np.arange(19_000, 19_010, dtype=np.int32)).cast(pa.date32())
    whole = pa.array(np.arange(10) + 5)
    columns = {"date": days, "open": whole, "high": whole.cast(pa.decimal128(24, 2)), "low": whole, "close": whole}
    pq.write_table(pa.table(columns | {"volume": whole.cast(pa.string())}), tmp_path / "BTC-USDT")
    candles = read_candles(tmp_path / "BTC-USDT")
    assert (candles.timeframe, candles.high.tolist()) == ("1d", [float(price) for price in range(5, 15)])
    assert candles.volume.tolist() == candles.close.tolist()


def test_time_column_of_a_foreign_type_is_refused(tmp_path):
    flags = pa.array([True] * 20)
    pq.write_table(table(steady(20)).set_column(0, "time", flags), tmp_path / "BTC-USDT")
    with pytest.raises(DataError, match="the time column is of type bool"):
        read_rows(tmp_path / "BTC-USDT")
    pq.write_table(table(steady(20)).set_column(0, "time", pa.array(np.arange(20))), tmp_path / "BTC-USDT")
    with pytest.raises(DataError, match="row 1: '0' is no time of a candle"):
        read_rows(tmp_path / "BTC-USDT")


@pytest.mark.parametrize("form", [str, lambda time: time / 1_000, lambda time: str(np.datetime64(time, "ms"))])
def test_json_times_may_be_text_fractions_or_iso(form, tmp_path):
    candles = steady(20)
    path = tmp_path / "BTC-USDT"
    path.write_text(json.dumps([[form(row[0]), *row[1:], "ignored"] for row in rows_of(candles)]))
    assert equal(read_candles(path), candles)


@pytest.mark.parametrize("time", [None, True, "soon", 5, 10**30, [1]])
def test_json_entry_without_a_time_is_named(time, tmp_path):
    path = tmp_path / "BTC-USDT"
    path.write_text(json.dumps([[1_700_006_400_000, 1, 2, 1, 2, 3], [time, 1, 2, 1, 2, 3]]))
    with pytest.raises(DataError, match=r"row 2, column 'timestamp': .* is no time of a candle"):
        read_rows(path)


def test_missing_value_in_json_counts_as_not_finite(tmp_path):
    path = tmp_path / "BTC-USDT"
    path.write_text("[[1700006400000, 1, 2, 1, null, 3]]")
    with pytest.raises(DataError, match="row 1, column 'close': nan is not a finite number"):
        read_candles(path, timeframe="5m")
