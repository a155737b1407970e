"""Reading candles from parquet and feather files."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyarrow import feather

from trading.errors import DataError
from trading.market.buffers import arrow_owned
from trading.market.readers_columns import find_columns
from trading.market.rows import RawRows
from trading.market.times import EPOCH_HELP, epoch_ms, in_range, text_times


def read_parquet(content: bytes, source: str) -> RawRows:
    """Return the rows of a parquet file.

    Parameters
    ----------
    content : bytes
        The whole file.
    source : str
        Its name, for messages.

    Raises
    ------
    DataError
        When the file is damaged, lacks a column or holds text in a price column.
    """
    return _rows(source, "parquet", lambda: _parquet_table(content, source))


def _parquet_table(content: bytes, source: str) -> pa.Table:
    file = pq.ParquetFile(arrow_owned(content))
    names = file.schema_arrow.names
    wanted = find_columns(names, source)
    return file.read(columns=[names[position] for position in wanted.values()])


def read_feather(content: bytes, source: str) -> RawRows:
    """Return the rows of a feather file of version 1 or 2 (an Arrow file).

    Parameters
    ----------
    content : bytes
        The whole file.
    source : str
        Its name, for messages.

    Raises
    ------
    DataError
        When the file is damaged, lacks a column or holds text in a price column.
    """
    return _rows(source, "feather", lambda: _feather_table(content))


def _feather_table(content: bytes) -> pa.Table:
    with warnings.catch_warnings():
        # Version 1 still reads; that its days are numbered is no news for the owner of an old file.
        warnings.simplefilter("ignore", DeprecationWarning)
        return feather.read_table(arrow_owned(content), memory_map=False)


def _rows(source: str, kind: str, load: Callable[[], pa.Table]) -> RawRows:
    try:
        table = load()
    except (pa.ArrowException, OSError, KeyError):
        raise DataError(f"{source} is a damaged or cut off {kind} file; fetch it again") from None
    wanted = find_columns(table.column_names, source)
    columns = {
        name: _times(table.column(position), source) if name == "timestamp" else _numbers(table, position, source)
        for name, position in wanted.items()
    }
    return RawRows(source, **columns)  # type: ignore[arg-type]


def _times(column: pa.ChunkedArray, source: str) -> NDArray[np.int64]:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_date(kind):
        column, kind = column.cast(pa.timestamp("ms")), pa.timestamp("ms")
    present = column.is_valid().to_numpy()
    if not present.all():
        raise DataError(f"{source}, row {int(np.argmin(present)) + 1}: the time is missing; correct or remove the row")
    if pa.types.is_timestamp(kind):
        times = _to_ms(column.cast(pa.int64()).to_numpy(), kind.unit)
        known = in_range(times)
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
        times, known = epoch_ms(column.to_numpy())
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        times, known = text_times(column)
    else:
        raise DataError(f"{source}: the time column is of type {kind}; {EPOCH_HELP}")
    if not known.all():
        row = int(np.argmin(known))
        raise DataError(f"{source}, row {row + 1}: {str(column[row].as_py())!r} is no time of a candle; {EPOCH_HELP}")
    return times


def _to_ms(values: NDArray[np.int64], unit: str) -> NDArray[np.int64]:
    if unit == "s":
        return values * 1_000
    return values // {"ms": 1, "us": 1_000, "ns": 1_000_000}[unit]


def _numbers(table: pa.Table, position: int, source: str) -> NDArray[np.float64]:
    column = table.column(position)
    try:
        # A missing price is NaN, for the checks to count; whole numbers over 2**53 lose digits no price has.
        return np.asarray(column.cast(pa.float64(), safe=False).to_numpy())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        row, value = next((row, value) for row, value in enumerate(column) if not _is_number(value))
        name = table.column_names[position]
        raise DataError(
            f"{source}, row {row + 1}, column {name!r}: {value.as_py()!r} is not a number; correct or remove the row"
        ) from None


def _is_number(value: pa.Scalar) -> bool:
    # Arrow decides, as it does for the whole column: Python would also take " 10 " and "1_0"
    try:
        value.cast(pa.float64(), safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return False
    return True
