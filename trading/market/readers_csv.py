"""Reading candles from CSV: any usual delimiter, with a header or as headerless klines."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from io import StringIO

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
from numpy.typing import NDArray

from trading.errors import DataError
from trading.market.buffers import arrow_owned
from trading.market.candles import COLUMNS
from trading.market.readers_columns import find_columns, is_time_name
from trading.market.rows import RawRows
from trading.market.times import EPOCH_HELP, text_times

_DELIMITERS = (",", ";", "\t", "|")
# Without a header: plain candles, or klines as Binance publishes them (open time, OHLCV, close time, ...).
_HEADERLESS_WIDTHS = (6, 12)


@dataclass(frozen=True, slots=True)
class _Layout:
    delimiter: str
    width: int
    columns: dict[str, int]
    names: dict[str, str]
    first_line: int
    body_at: int


def read_csv(text: bytes, source: str) -> RawRows:
    """Return the rows of a CSV file.

    Parameters
    ----------
    text : bytes
        The whole file, UTF-8 without byte order mark.
    source : str
        Its name, for messages.

    Raises
    ------
    DataError
        When a column is missing, a line has another number of columns, or a cell holds no number: with line and
        column.
    """
    layout = _layout(text, source)
    if not text[layout.body_at :].strip():
        return RawRows.empty(source)
    fast = _read_fast(text, layout)
    if fast is None:
        return _read_slowly(text, layout, source)
    cells, prices = fast
    lines = _line_numbers(text, layout, len(cells))
    return _rows(source, cells, prices, lines)


def _layout(text: bytes, source: str) -> _Layout:
    start, line_number = 0, 1
    line, end = _line(text, start)
    while not line.strip():
        start, line_number = end, line_number + 1
        line, end = _line(text, start)
    delimiter = max(_DELIMITERS, key=line.count)
    try:
        cells = next(csv.reader([line], delimiter=delimiter))
    except csv.Error as error:
        raise DataError(f"{source}, line {line_number}: not CSV ({error}); correct the line") from None
    width = len(cells)
    if _is_header(cells):
        columns = find_columns(cells, f"{source}, line {line_number}")
        names = {column: cells[position].strip() for column, position in columns.items()}
        return _Layout(delimiter, width, columns, names, line_number + 1, end)
    if width not in _HEADERLESS_WIDTHS:
        raise DataError(
            f"{source}, line {line_number}: no header and {width} columns; without a header there must be 6 "
            "(timestamp, open, high, low, close, volume) or the 12 of klines"
        )
    return _Layout(
        delimiter,
        width,
        {name: position for position, name in enumerate(COLUMNS)},
        {name: name for name in COLUMNS},
        line_number,
        start,
    )


def _line(text: bytes, start: int) -> tuple[str, int]:
    end = text.find(b"\n", start)
    end = len(text) if end < 0 else end + 1
    return text[start:end].decode().rstrip("\r\n"), end


def _is_header(cells: list[str]) -> bool:
    if any(is_time_name(cell) for cell in cells):
        return True
    _, known = text_times(pa.chunked_array([pa.array([cells[0].strip()])]))
    numbers = sum(_number(cell) is not None for cell in cells if cell.strip())
    return not known[0] and numbers < len(COLUMNS) - 1


def _read_fast(text: bytes, layout: _Layout) -> tuple[pa.ChunkedArray, dict[str, NDArray[np.float64]]] | None:
    names = [str(position) for position in range(layout.width)]
    wanted = [names[position] for position in layout.columns.values()]
    types = {name: pa.float64() for name in wanted[1:]} | {wanted[0]: pa.string()}
    try:
        table = arrow_csv.read_csv(
            arrow_owned(text[layout.body_at :]),
            read_options=arrow_csv.ReadOptions(column_names=names),
            parse_options=arrow_csv.ParseOptions(delimiter=layout.delimiter),
            convert_options=arrow_csv.ConvertOptions(
                column_types=types, include_columns=wanted, null_values=[""], strings_can_be_null=True
            ),
        )
    except pa.ArrowInvalid:
        return None
    prices = {name: table.column(position).to_numpy() for position, name in enumerate(COLUMNS) if position > 0}
    return table.column(0), prices


def _line_numbers(text: bytes, layout: _Layout, rows: int) -> range | NDArray[np.int64] | None:
    ends = text.count(b"\n", layout.body_at) + (not text.endswith(b"\n"))
    if ends == rows:
        return range(layout.first_line, layout.first_line + rows)
    body = text[layout.body_at :].split(b"\n")
    numbers = [number for number, line in enumerate(body, layout.first_line) if line.strip(b"\r")]
    return np.array(numbers, dtype=np.int64) if len(numbers) == rows else None


def _read_slowly(text: bytes, layout: _Layout, source: str) -> RawRows:
    # The fast reader gave up without saying where: read cell by cell, to name the place or to accept mixed forms.
    reader = csv.reader(StringIO(text[layout.body_at :].decode(), newline=""), delimiter=layout.delimiter)
    times: list[str] = []
    values: dict[str, list[float]] = {name: [] for name in COLUMNS[1:]}
    lines: list[int] = []
    try:
        for cells in reader:
            if len(cells) < 2 and not "".join(cells).strip():
                continue
            line = layout.first_line + reader.line_num - 1
            if len(cells) != layout.width:
                raise DataError(
                    f"{source}, line {line}: {len(cells)} columns and not {layout.width} as in the first line; "
                    "correct or remove the line"
                )
            lines.append(line)
            times.append(cells[layout.columns["timestamp"]].strip())
            for name, column in values.items():
                column.append(_cell(cells[layout.columns[name]], f"{source}, line {line}", layout.names[name]))
    except csv.Error as error:
        raise DataError(
            f"{source}, line {layout.first_line + reader.line_num - 1}: not CSV ({error}); correct the line"
        ) from None
    prices = {name: np.array(column, dtype=np.float64) for name, column in values.items()}
    return _rows(source, pa.chunked_array([pa.array(times, pa.string())]), prices, np.array(lines, dtype=np.int64))


def _cell(cell: str, place: str, name: str) -> float:
    number = _number(cell)
    if number is None:
        raise DataError(f"{place}, column {name!r}: {cell[:40]!r} is not a number; correct or remove the line")
    return number


def _number(cell: str) -> float | None:
    if not cell.strip():
        return float("nan")
    try:
        # Python alone reads 1_000 as a number.
        return float(cell) if "_" not in cell else None
    except ValueError:
        return None


def _rows(
    source: str,
    cells: pa.ChunkedArray,
    prices: dict[str, NDArray[np.float64]],
    lines: range | NDArray[np.int64] | None,
) -> RawRows:
    times, known = text_times(cells)
    rows = RawRows(source, times, **prices, lines=lines)
    if not known.all():
        row = int(np.argmin(known))
        raise DataError(
            f"{rows.place(row)}, column 'timestamp': {cells[row].as_py() or ''!r} is no time of a candle; {EPOCH_HELP}"
        )
    return rows
