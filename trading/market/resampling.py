"""Longer candles made of shorter ones, and pieces of one series joined."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from trading.errors import DataError, UsageError
from trading.market.candles import COLUMNS, Candles
from trading.market.timeframes import timeframe_ms, timeframe_of
from trading.market.times import iso

_WEEK_MS = 604_800_000
# 1970-01-01 was a Thursday; venues open their weekly candles on Mondays.
_MONDAY_MS = 4 * 86_400_000


def bucket_opens(timestamp: NDArray[np.int64], step_ms: int) -> NDArray[np.int64]:
    """Return the open time of the candle of ``step_ms`` that each time falls into.

    Parameters
    ----------
    timestamp : ndarray of int64, shape (n,)
        Times, ms UTC.
    step_ms : int
        Candle length; candles start at multiples of it since 1970 UTC, weeks on Mondays.
    """
    offset = _MONDAY_MS if step_ms % _WEEK_MS == 0 else 0
    return timestamp - (timestamp - offset) % step_ms


def resample(candles: Candles, timeframe: str) -> Candles:
    """Return longer candles: left-closed, labelled by open time, made of whole candles only.

    The last candle is dropped unless its last part is there, and the first one unless its first part is there: their
    prices and volume would be those of a part. A candle in between is kept if any of its parts is there; one without
    parts stays a gap. Made-up (``filled``) parts say nothing: a candle is made of its real parts, and is itself
    flagged as made up only when it has none.

    Parameters
    ----------
    candles : Candles
        The shorter candles.
    timeframe : str
        A multiple of their length.

    Raises
    ------
    UsageError
        When the timeframe is shorter, or no multiple.
    """
    step = timeframe_ms(timeframe)
    if step == candles.step_ms:
        return candles if timeframe == candles.timeframe else replace(candles, timeframe=timeframe)
    if step < candles.step_ms or step % candles.step_ms:
        raise UsageError(
            f"{candles.symbol} has candles of {candles.timeframe}, which cannot make {timeframe}; "
            f"ask for a multiple of {candles.timeframe}"
        )
    opens = bucket_opens(candles.timestamp, step)
    rows = _rows_of_whole_candles(candles, opens, step)
    return _aggregate(candles, timeframe, opens[rows], rows)


def _rows_of_whole_candles(candles: Candles, opens: NDArray[np.int64], step: int) -> NDArray[np.int64]:
    first, last = 0, len(candles)
    if last and candles.timestamp[0] != opens[0]:
        first = int(np.searchsorted(opens, opens[0], side="right"))
    if last and candles.timestamp[-1] + candles.step_ms < opens[-1] + step:
        last = int(np.searchsorted(opens, opens[-1]))
    rows = np.arange(first, max(first, last))
    if candles.filled is None or len(rows) == 0:
        return rows
    filled = candles.filled[rows]
    starts = _starts(opens[rows])
    none_real = np.repeat(np.logical_and.reduceat(filled, starts), np.diff(np.append(starts, len(rows))))
    kept: NDArray[np.int64] = rows[~filled | none_real]
    return kept


def _starts(opens: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.flatnonzero(np.diff(opens, prepend=opens[0] - 1))


def _aggregate(candles: Candles, timeframe: str, opens: NDArray[np.int64], rows: NDArray[np.int64]) -> Candles:
    if len(rows) == 0:
        return Candles.empty(candles.symbol, timeframe)
    starts = _starts(opens)
    ends = np.append(starts[1:], len(rows)) - 1
    filled = None
    if candles.filled is not None and candles.filled[rows].any():
        filled = np.logical_and.reduceat(candles.filled[rows], starts)
    return Candles(
        candles.symbol,
        timeframe,
        timestamp=opens[starts],
        open=candles.open[rows[starts]],
        high=np.maximum.reduceat(candles.high[rows], starts),
        low=np.minimum.reduceat(candles.low[rows], starts),
        close=candles.close[rows[ends]],
        volume=np.add.reduceat(candles.volume[rows], starts),
        filled=filled,
    )


def concatenate(first: Candles, *others: Candles) -> Candles:
    """Return pieces of one series as one, oldest first, whatever the order in which they are given.

    Candles that stand in several pieces must be equal in every column; one of them is kept. Where a made-up candle
    equals a real one, the real one is kept.

    Parameters
    ----------
    first, *others : Candles
        Of the same symbol and candle length.

    Raises
    ------
    UsageError
        When symbols or timeframes differ.
    DataError
        With the time of the first candle on which two pieces disagree.
    """
    pieces = (first, *others)
    for other in others:
        if other.symbol != first.symbol or other.step_ms != first.step_ms:
            raise UsageError(
                f"{other.symbol} {other.timeframe} cannot be joined to {first.symbol} {first.timeframe}; "
                "pieces must share symbol and timeframe"
            )
    columns = {name: np.concatenate([getattr(piece, name) for piece in pieces]) for name in COLUMNS}
    filled = np.concatenate([_filled(piece) for piece in pieces])
    order = np.lexsort((filled, columns["timestamp"]))
    columns = {name: column[order] for name, column in columns.items()}
    filled = filled[order]
    again = np.diff(columns["timestamp"], prepend=columns["timestamp"][:1] - 1) == 0
    _require_equal(first, columns, again)
    columns = {name: column[~again] for name, column in columns.items()}
    timeframe = timeframe_of(first.step_ms)
    made_up = filled[~again] if filled.any() else None
    return Candles(first.symbol, timeframe, **columns, filled=made_up)


def _filled(candles: Candles) -> NDArray[np.bool_]:
    return np.zeros(len(candles), dtype=bool) if candles.filled is None else candles.filled


def _require_equal(first: Candles, columns: dict[str, NDArray[np.generic]], again: NDArray[np.bool_]) -> None:
    rows = np.flatnonzero(again)
    for name in COLUMNS[1:]:
        column = columns[name]
        differing = rows[column[rows] != column[rows - 1]]
        if len(differing):
            row = int(differing[0])
            raise DataError(
                f"{first.symbol} {first.timeframe}: two pieces disagree on {name!r} at "
                f"{iso(int(columns['timestamp'][row]))} ({column[row - 1]:.12g} and {column[row]:.12g}); "
                "`gridbot data import` both files, the later wins"
            )
