"""What a download asks for, and what it takes for an answer: missing spans of time, and pages of candles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trading.errors import FeedFailed
from trading.market.candles import COLUMNS
from trading.market.times import iso

PAGE = 1_000
_DAY_MS = 86_400_000
_SKEW_MS = 60_000

Page = NDArray[np.float64]


class Span(NamedTuple):
    """Open times ``[start_ms, end_ms)``."""

    start_ms: int
    end_ms: int


def missing_spans(stored: NDArray[np.int64], span: Span, step_ms: int, page: int = PAGE) -> list[Span]:
    """Return what of a span is not stored, spans that one page covers joined into one.

    Holes inside the stored candles count: an interrupted download of older candles leaves one. A hole of the
    exchange's own is asked for again in each download, which costs one call.

    Parameters
    ----------
    stored : ndarray of int64, shape (n,)
        Open times in the span, rising, milliseconds.
    span : Span
        What is wanted.
    step_ms : int
        Candle length, milliseconds.
    page : int
        Candles in one answer.
    """
    before = np.concatenate(([span.start_ms], stored + step_ms))
    after = np.concatenate((stored, [span.end_ms]))
    spans: list[Span] = []
    for row in np.flatnonzero(after - before >= step_ms):
        hole = Span(int(before[row]), int(after[row]))
        if spans and hole.end_ms - spans[-1].start_ms <= page * step_ms:
            hole = Span(spans.pop().start_ms, hole.end_ms)
        spans.append(hole)
    return spans


def aligned(span: Span, step_ms: int, now_ms: int) -> Span:
    """Return a span rounded inwards to open times of closed candles.

    Candles of a day or less open at multiples of their length; longer ones where the exchange wants, so those are only
    cut at the present.
    """
    if _DAY_MS % step_ms:
        return Span(span.start_ms, min(span.end_ms, now_ms))
    first, last = (-(-time_ms // step_ms) * step_ms for time_ms in span)
    return Span(first, min(last, now_ms // step_ms * step_ms))


def slots(span: Span, step_ms: int) -> int:
    """Return how many candles fit into a span."""
    return -(-(span.end_ms - span.start_ms) // step_ms)


def checked_page(rows: Sequence[Sequence[float]], cursor: int, step_ms: int, now_ms: int) -> Page:
    """Return the closed candles of an answer from a time on, once each, or refuse the answer.

    Parameters
    ----------
    rows : sequence of rows
        Timestamp, open, high, low, close, volume.
    cursor : int
        Oldest open time that was asked for, milliseconds.
    step_ms : int
        Candle length, milliseconds.
    now_ms : int
        The exchange's time, milliseconds; a candle that closes later is still open and left out.

    Returns
    -------
    ndarray of float64, shape (n, 6)
        Rising in time.

    Raises
    ------
    FeedFailed
        When all rows are older than asked for, a row is impossible, or two rows of one time differ.
    """
    if not rows:
        return np.empty((0, len(COLUMNS)))
    table = np.array([row[: len(COLUMNS)] for row in rows], dtype=np.float64)
    if not np.isfinite(table).all():
        raise FeedFailed("a candle has a value that is no number")
    if (np.diff(table[:, 0]) < 0).any():
        raise FeedFailed("the candles are not in the order of time")
    if table[-1, 0] < cursor:
        raise FeedFailed(f"all {len(rows)} candles are older than the time asked for, {iso(cursor)}")
    if table[-1, 0] > now_ms + _SKEW_MS:
        raise FeedFailed(f"a candle opens in the future, {iso(int(table[-1, 0]))}")
    table = table[(table[:, 0] >= cursor) & (table[:, 0] + step_ms <= now_ms)]
    _refuse_impossible(table, step_ms)
    return _once_each(table)


def _refuse_impossible(table: Page, step_ms: int) -> None:
    times, opens, highs, lows, closes, volumes = table.T
    good = (lows > 0) & (volumes >= 0)
    good &= (lows <= np.minimum(opens, closes)) & (highs >= np.maximum(opens, closes))
    if _DAY_MS % step_ms == 0:
        good &= times % step_ms == 0
    if not good.all():
        raise FeedFailed(
            f"the candle of {iso(int(times[np.argmin(good)]))} is impossible: {table[np.argmin(good), 1:]}"
        )


def _once_each(table: Page) -> Page:
    same = np.flatnonzero(np.diff(table[:, 0]) == 0)
    differing = same[(table[same] != table[same + 1]).any(axis=1)]
    if len(differing):
        raise FeedFailed(f"two different candles open at {iso(int(table[differing[0], 0]))}")
    return np.delete(table, same, axis=0)
