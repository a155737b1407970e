"""What is wrong with a candle series, how much is missing, and whether a run may use it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trading.errors import DataError
from trading.market.candles import Candles
from trading.market.quality_report import Gap, QualityLimits, QualityReport
from trading.market.rows import (
    RawRows,
    fault_sentence,
    first_fault,
    place_of,
    value_faults,
)
from trading.market.timeframes import timeframe_ms, timeframe_of


def inspect(
    columns: RawRows | Candles, timeframe: str | None = None, limits: QualityLimits | None = None
) -> QualityReport:
    """Count everything that is wrong or odd in a series.

    Parameters
    ----------
    columns : RawRows or Candles
        Rows of a file as they stand, or candles.
    timeframe : str, optional
        Candle length; else the candles' own, else the most common step.
    limits : QualityLimits, optional
        What counts as an anomaly.

    Returns
    -------
    QualityReport
        With the first fault, if any, as a sentence.

    Raises
    ------
    DataError
        When there are no rows, or no timeframe can be found.
    """
    limits = limits or QualityLimits()
    timestamp = columns.timestamp
    source = columns.source if isinstance(columns, RawRows) else columns.symbol
    if len(timestamp) == 0:
        raise DataError(f"{source} holds no candles; there is nothing to check")
    length = _timeframe(columns, timeframe)
    steps = np.diff(timestamp)
    ordered = bool((steps > 0).all())
    times = timestamp if ordered else np.unique(timestamp)
    gaps, off_grid = _gaps(times, timeframe_ms(length))
    missing = sum(gap.missing for gap in gaps)
    faults = {kind: int(mask.sum()) for kind, mask in value_faults(columns).items()}
    filled = columns.filled if isinstance(columns, Candles) else None
    return QualityReport(
        source=source,
        timeframe=length,
        candles=len(timestamp),
        start_ms=int(times[0]),
        end_ms=int(times[-1]),
        expected=len(times) + missing,
        missing=missing,
        gaps=gaps,
        duplicates=len(timestamp) - len(times),
        disorder=0 if ordered else int((steps < 0).sum()),
        off_grid=off_grid,
        **faults,
        outliers=_outliers(columns, limits),
        stuck=_stuck(columns.close, limits.stuck_run),
        zero_volume=int((columns.volume == 0).sum()),
        filled=0 if filled is None else int(filled.sum()),
        fault=_fault(columns, any(faults.values()), ordered),
        limits=limits,
    )


def _timeframe(columns: RawRows | Candles, timeframe: str | None) -> str:
    if timeframe is not None:
        return timeframe_of(timeframe_ms(timeframe))
    return columns.timeframe if isinstance(columns, Candles) else columns.timeframe()


def _gaps(times: NDArray[np.int64], step_ms: int) -> tuple[tuple[Gap, ...], int]:
    steps = np.diff(times)
    odd = np.flatnonzero(steps != step_ms)
    missing = steps[odd] // step_ms - 1
    rows = odd[missing > 0]
    gaps = tuple(
        Gap(start + step_ms, end, count)
        for start, end, count in zip(
            times[rows].tolist(), times[rows + 1].tolist(), missing[missing > 0].tolist(), strict=True
        )
    )
    return gaps, int((steps[odd] % step_ms != 0).sum())


def _outliers(columns: RawRows | Candles, limits: QualityLimits) -> int:
    with np.errstate(all="ignore"):
        odd = columns.high > limits.outlier_range * columns.low
        before = columns.close[:-1]
        odd[1:] |= np.abs(columns.close[1:] - before) > limits.outlier_move * np.abs(before)
    return int(odd.sum())


def _stuck(close: NDArray[np.float64], run: int) -> int:
    starts = np.flatnonzero(np.append(True, close[1:] != close[:-1]))
    lengths = np.diff(np.append(starts, len(close)))
    return int(lengths[lengths >= run].sum())


def _fault(columns: RawRows | Candles, bad_values: bool, ordered: bool) -> str:
    fault = first_fault(columns) if bad_values else None
    if fault is not None:
        return fault_sentence(columns, fault)
    if ordered:
        return ""
    row = int(np.argmin(np.diff(columns.timestamp) > 0)) + 1
    same = columns.timestamp[row] == columns.timestamp[row - 1]
    what = "has the time of the row before" if same else "is earlier than the row before"
    return f"{place_of(columns, row)}: the candle {what}; `gridbot data import` sorts and removes duplicates"


def require_usable(report: QualityReport, allow_gaps: bool = False) -> list[str]:
    """Refuse a series that no run may use; else return what its result must say.

    Parameters
    ----------
    report : QualityReport
        The series' report.
    allow_gaps : bool
        Whether gaps beyond the limits are accepted.

    Returns
    -------
    list of str
        Warnings, one sentence each.

    Raises
    ------
    DataError
        With the first fault; or with the longest gap, when too much is missing and gaps are not allowed; or when more
        is made up than ever is allowed.
    """
    if report.fault:
        raise DataError(report.fault)
    require_mostly_real(report.source, report.filled, report.candles, report.limits.filled_share)
    if report.needs_allow_gaps and not allow_gaps:
        raise DataError(
            f"{report.source} {report.timeframe}: {report.gap_sentence()}; add --allow-gaps to run with them"
        )
    return list(report.warnings())


def require_mostly_real(source: str, filled: int, candles: int, limit: float) -> None:
    """Refuse a series of which more than a share is made up.

    Raises
    ------
    DataError
        With the numbers.
    """
    if filled > limit * candles:
        raise DataError(
            f"{source}: {filled} of {candles} candles would be made up to bridge gaps, more than {limit:.0%}; "
            "use data with fewer gaps or a longer timeframe"
        )
