"""Timeframes such as ``5m``, and their lengths in milliseconds."""

from __future__ import annotations

import re

from trading.errors import UsageError

_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_UNITS_BY_LENGTH = sorted(_UNIT_MS.items(), key=lambda unit: -unit[1])
_PATTERN = re.compile(r"([1-9]\d*)([smhdw])")
# Times run from 1990 to 2100: no two candles are further apart.
_LONGEST_MS = 110 * 366 * _UNIT_MS["d"]


def timeframe_ms(timeframe: str) -> int:
    """Return a timeframe's length in milliseconds.

    Parameters
    ----------
    timeframe : str
        A count and a unit of ``s m h d w``: ``"1m"``, ``"4h"``.

    Raises
    ------
    UsageError
        When the text is no timeframe.
    """
    match = _PATTERN.fullmatch(timeframe)
    # Ten digits of seconds are centuries; Python refuses to read thousands of digits.
    length_ms = int(match[1]) * _UNIT_MS[match[2]] if match is not None and len(match[1]) <= 10 else None
    if length_ms is None or length_ms > _LONGEST_MS:
        raise UsageError(
            f"{timeframe[:40]!r} is not a timeframe; write a count and a unit of s, m, h, d or w, such as 5m"
        )
    return length_ms


def is_timeframe(text: str) -> bool:
    """Return whether a text is a timeframe."""
    try:
        timeframe_ms(text)
    except UsageError:
        return False
    return True


def timeframe_of(length_ms: int) -> str:
    """Return the shortest name of a length: ``3_600_000`` is ``"1h"``."""
    for unit, unit_ms in _UNITS_BY_LENGTH:
        if length_ms > 0 and length_ms % unit_ms == 0:
            return f"{length_ms // unit_ms}{unit}"
    raise UsageError(f"{length_ms} ms is not a whole number of seconds, so it is no timeframe")
