"""Reading candles from JSON arrays ``[timestamp, open, high, low, close, volume]``."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trading.errors import DataError, UsageError
from trading.market.candles import COLUMNS
from trading.market.rows import RawRows
from trading.market.times import EPOCH_HELP, epoch_ms, time_ms

_WIDTH = len(COLUMNS)
_FORM = "write a list of [timestamp, open, high, low, close, volume]"


def read_json(text: bytes, source: str) -> RawRows:
    """Return the rows of a JSON list of lists; numbers may be written as strings, and further items are ignored.

    Parameters
    ----------
    text : bytes
        The whole file, UTF-8.
    source : str
        Its name, for messages.

    Raises
    ------
    DataError
        When it is no such list, or an item is no number: with row and column.
    """
    try:
        entries = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(
            f"{source}, line {error.lineno}, column {error.colno}: not JSON ({error.msg.lower()}); "
            "fetch the file again if it was cut off"
        ) from None
    except RecursionError:
        raise DataError(f"{source} nests too deeply for candles; {_FORM}") from None
    if not isinstance(entries, list):
        raise DataError(f"{source} holds a JSON {type(entries).__name__} and not a list of candles; {_FORM}")
    _require_width(entries, source)
    if not entries:
        return RawRows.empty(source)
    columns = list(zip(*entries, strict=False))[:_WIDTH]
    numbers = {name: _numbers(column, name, source) for name, column in zip(COLUMNS[1:], columns[1:], strict=True)}
    return RawRows(source, _times(columns[0], source), **numbers, lines=None)


def _require_width(entries: Sequence[object], source: str) -> None:
    for row, entry in enumerate(entries):
        if not isinstance(entry, list):
            raise DataError(f"{source}, row {row + 1}: {type(entry).__name__} and not a list; {_FORM}")
        if len(entry) < _WIDTH:
            raise DataError(f"{source}, row {row + 1}: {len(entry)} values and not {_WIDTH}; {_FORM}")


def _numbers(column: Sequence[object], name: str, source: str) -> NDArray[np.float64]:
    if set(map(type, column)) == {float}:
        return np.array(column, dtype=np.float64)
    numbers = np.empty(len(column))
    for row, value in enumerate(column):
        number = _number(value)
        if number is None:
            raise DataError(
                f"{source}, row {row + 1}, column {name!r}: {value!r} is not a number; correct or remove the row"
            )
        numbers[row] = number
    return numbers


def _number(value: object) -> float | None:
    if value is None:
        return float("nan")
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _times(column: Sequence[object], source: str) -> NDArray[np.int64]:
    if set(map(type, column)) == {int}:
        try:
            times, known = epoch_ms(np.array(column, dtype=np.int64))
        except OverflowError:
            times, known = _each_time(column)
    else:
        times, known = _each_time(column)
    if not known.all():
        row = int(np.argmin(known))
        raise DataError(
            f"{source}, row {row + 1}, column 'timestamp': {column[row]!r} is no time of a candle; {EPOCH_HELP}"
        )
    return times


def _each_time(column: Sequence[object]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    moments = [_moment(value) for value in column]
    known = np.array([moment is not None for moment in moments], dtype=bool)
    return np.array([moment or 0 for moment in moments], dtype=np.int64), known


def _moment(value: object) -> int | None:
    number = _number(value)
    if number is not None:
        whole = isinstance(value, int) and abs(value) < 2**63
        times, known = epoch_ms(np.array([value if whole else number]))
        return int(times[0]) if known[0] else None
    try:
        return time_ms(value) if isinstance(value, str) else None
    except UsageError:
        return None
