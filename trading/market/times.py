"""Times as they come in files and from people, turned into int64 milliseconds UTC."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from trading.errors import UsageError

# A number belongs to the unit in which it falls between 1990 and 2100; the four ranges do not touch.
_EARLIEST_MS = 631_152_000_000
_LATEST_MS = 4_102_444_800_000
_MS_PER_UNIT = (("s", 1_000.0), ("ms", 1.0), ("us", 1e-3), ("ns", 1e-6))
_NS_PER_MS = 1_000_000

Numbers = NDArray[np.int64] | NDArray[np.float64]
EPOCH_HELP = "a time is ISO, or an epoch in s, ms, us or ns between 1990 and 2100"


def epoch_ms(values: Numbers) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return epoch times of any unit as milliseconds; each value's unit follows from its own magnitude.

    Parameters
    ----------
    values : ndarray of int64 or float64, shape (n,)
        Seconds, milliseconds, microseconds or nanoseconds since 1970, UTC.

    Returns
    -------
    tuple of ndarray, shape (n,)
        The times, and True where a value is a time between 1990 and 2100 in one of the units.
    """
    whole = values.dtype.kind in "iu"
    times = np.zeros(len(values), dtype=np.int64)
    known = np.zeros(len(values), dtype=bool)
    for _, factor in _MS_PER_UNIT:
        mask = (values >= _EARLIEST_MS / factor) & (values < _LATEST_MS / factor)
        if not mask.any():
            continue
        every = bool(mask.all())
        scaled = _scale(values if every else values[mask], factor, whole)
        if every:
            return scaled, mask
        times[mask] = scaled
        known |= mask
    return times, known


def _scale(values: Numbers, factor: float, whole: bool) -> NDArray[np.int64]:
    if not whole:
        return np.rint(values.astype(np.float64) * factor).astype(np.int64)
    integers = values.astype(np.int64)
    return integers * round(factor) if factor >= 1 else integers // round(1 / factor)


def in_range(times: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return True where a time in milliseconds lies between 1990 and 2100."""
    return (times >= _EARLIEST_MS) & (times < _LATEST_MS)


def text_times(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return a text column of epochs or ISO times as milliseconds; a time without zone is UTC.

    Parameters
    ----------
    column : pyarrow.ChunkedArray of string, shape (n,)
        One form for all rows is fast; mixed forms are read one by one.

    Returns
    -------
    tuple of ndarray, shape (n,)
        The times, and True where the text was understood.
    """
    if column.null_count == 0:
        for kind in (pa.int64(), pa.float64()):
            numbers = _cast(column, kind)
            if numbers is not None:
                return epoch_ms(numbers.to_numpy())
        for zone in ("UTC", None):
            moments = _cast(column, pa.timestamp("ns", zone))
            if moments is not None:
                times = moments.cast(pa.int64()).to_numpy() // _NS_PER_MS
                return times, in_range(times)
    parsed = [_moment_ms(text) for text in column.to_pylist()]
    known = np.array([moment is not None for moment in parsed], dtype=bool)
    return np.array([moment or 0 for moment in parsed], dtype=np.int64), known


def _cast(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray | None:
    try:
        return column.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def _moment_ms(text: str | None) -> int | None:
    try:
        number = float(text or "")
    except ValueError:
        try:
            return time_ms(text or "")
        except UsageError:
            return None
    times, known = epoch_ms(np.array([number]))
    return int(times[0]) if known[0] else None


def time_ms(text: str) -> int:
    """Return an ISO time as milliseconds; without a zone it is UTC.

    Parameters
    ----------
    text : str
        Such as ``"2024-05-01"``, ``"2024-05-01 12:00"`` or ``"2024-05-01T12:00:00Z"``.

    Raises
    ------
    UsageError
        When the text is no ISO time between 1990 and 2100.
    """
    bare = text.strip().removesuffix("UTC").rstrip()
    try:
        moment = datetime.fromisoformat(bare)
    except ValueError:
        raise UsageError(f"{text!r} is not a time; write it as 2024-05-01 or 2024-05-01T12:00") from None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    milliseconds = round((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000)
    if not _EARLIEST_MS <= milliseconds < _LATEST_MS:
        raise UsageError(f"{text!r} is not a time between 1990 and 2100")
    return milliseconds


def iso(milliseconds: int) -> str:
    """Return a time as ISO 8601 text in UTC, to the second: ``2025-01-01T00:00:00Z``."""
    return f"{datetime.fromtimestamp(milliseconds / 1_000, tz=UTC):%Y-%m-%dT%H:%M:%SZ}"
