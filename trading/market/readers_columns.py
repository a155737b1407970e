"""Which of a file's columns are the six of a candle."""

from __future__ import annotations

from collections.abc import Sequence

from trading.errors import DataError
from trading.market.candles import COLUMNS

_TIME_NAMES = ("timestamp", "open_time", "opentime", "time", "datetime", "date", "unix", "__index_level_0__")
_NAMES = {
    "timestamp": _TIME_NAMES,
    "open": ("open", "o", "open_price"),
    "high": ("high", "h", "high_price"),
    "low": ("low", "l", "low_price"),
    "close": ("close", "c", "close_price"),
    "volume": ("volume", "v", "vol", "base_volume"),
}


def find_columns(names: Sequence[str], place: str) -> dict[str, int]:
    """Return the position of each candle column among a file's column names.

    Parameters
    ----------
    names : sequence of str
        As the file has them; capitals and spaces do not matter.
    place : str
        The file's name, and the line of the names in a text file, for messages.

    Returns
    -------
    dict of int
        Position by canonical name, in the order of a candle's columns.

    Raises
    ------
    DataError
        When a column is missing.
    """
    plain = [name.strip().lower().replace(" ", "_") for name in names]
    found = {}
    for column in COLUMNS:
        position = next((plain.index(name) for name in _NAMES[column] if name in plain), None)
        if position is None:
            wanted = "timestamp, date, time or open_time" if column == "timestamp" else column
            shown = ", ".join(names[:12])
            raise DataError(f"{place}: there is no column {wanted!r}, only {shown}; rename or add the column")
        found[column] = position
    return found


def is_time_name(name: str) -> bool:
    """Return whether a column name is one of those that open times have."""
    return name.strip().lower().replace(" ", "_") in _TIME_NAMES
