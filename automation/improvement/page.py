"""The HTML page of the improvement report: one file with its chart as SVG, which asks the network for nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from automation.improvement.records import DAY_MS, Success
from automation.improvement.report import ImprovementReport, share_text
from trading.errors import Refused
from trading.report.pages import filled, write_whole

_WIDTH, _HEIGHT = 1000.0, 220.0
_TICKS = 4
_LABELS = 8


@dataclass(frozen=True, slots=True)
class Column:
    """One stretch of time in the chart: three stacked boxes and a point of the rate line, in the chart's units.

    Parameters
    ----------
    x, width : float
        Of the boxes.
    boxes : tuple of (str, float, float)
        Class, top and height, from the bottom up.
    rate : (float, float) or None
        The point; None where nothing was tried.
    label : str
        Under the chart, empty where there is no room.
    title : str
        Shown when pointed at.
    """

    x: float
    width: float
    boxes: tuple[tuple[str, float, float], ...]
    rate: tuple[float, float] | None
    label: str
    title: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Runs by outcome over time, and the success rate as a line.

    Parameters
    ----------
    columns : tuple of Column
        In order of time.
    lines : tuple of str
        SVG points of the rate line; it breaks where nothing was tried.
    counts : tuple of (float, int)
        Height and number of each horizontal rule.
    """

    columns: tuple[Column, ...]
    lines: tuple[str, ...]
    counts: tuple[tuple[float, int], ...]


def write_files(report: ImprovementReport, folder: Path) -> ImprovementReport:
    """Write ``report.json`` and ``report.html``, and return the report with the names of its files.

    Raises
    ------
    Refused
        When the folder cannot be written.
    """
    written = replace(report, files=(folder / "report.json", folder / "report.html"))
    contents = (json.dumps(written.as_json(), indent=1, ensure_ascii=False) + "\n", render_page(written))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, content in zip(written.files, contents, strict=True):
            write_whole(path, content)
    except OSError as error:
        raise Refused(f"{folder} cannot be written ({error.strerror or error}); choose another --out folder") from error
    return written


def render_page(report: ImprovementReport) -> str:
    """Return the report as one HTML page; every text of it is escaped."""
    return filled(
        "automation.improvement",
        "report.html.j2",
        {"share": share_text, "moment": _moment, "seconds": _seconds},
        report=report,
        chart=chart_of(report.over_time, report.bucket_ms),
        width=_WIDTH,
        height=_HEIGHT,
        bucket="day" if report.bucket_ms == DAY_MS else f"{report.bucket_ms // DAY_MS} days",
        most_repairs=max((share.repairs for share in report.proposers.values()), default=0),
        slowest_s=max((stage.total_s for stage in report.stages.values()), default=0.0),
    )


def chart_of(over_time: Mapping[int, Success], bucket_ms: int) -> Chart:
    """Return the geometry of the success chart.

    Parameters
    ----------
    over_time : mapping of int to Success
        By begin of each stretch, milliseconds UTC, in order and without holes.
    bucket_ms : int
        Length of a stretch.
    """
    highest = max([success.attempts for success in over_time.values()], default=0)
    step = max(1, -(-highest // _TICKS))
    top = step * max(1, -(-highest // step))
    # A few stretches must not become bars as wide as the page.
    slot = _WIDTH / max(len(over_time), 12)
    every = max(1, -(-len(over_time) // _LABELS))
    columns = tuple(
        _column(index, start, success, slot, top, labelled=index % every == 0, bucket_ms=bucket_ms)
        for index, (start, success) in enumerate(over_time.items())
    )
    counts = tuple((_y(count / top), count) for count in range(0, top + 1, step))
    return Chart(columns, _rate_lines(columns), counts)


def _column(
    index: int, start: int, success: Success, slot: float, top: int, *, labelled: bool, bucket_ms: int
) -> Column:
    boxes, below = [], 0
    for name, count in (("fixed", success.fixed), ("awaiting", success.awaiting), ("unfixed", success.unfixed)):
        if count:
            boxes.append((name, _y((below + count) / top), round(_HEIGHT * count / top, 2)))
            below += count
    middle = round(slot * (index + 0.5), 2)
    rate = None if success.rate is None else (middle, _y(success.rate))
    day = f"{datetime.fromtimestamp(start / 1_000, UTC):%Y-%m-%d}"
    stretch = day if bucket_ms == DAY_MS else f"{bucket_ms // DAY_MS} days from {day}"
    title = (
        f"{stretch}: {success.fixed} fixed, {success.awaiting} awaiting approval, "
        f"{success.unfixed} unfixed ({share_text(success.rate)})"
    )
    width = round(slot * 0.7, 2)
    return Column(round(middle - width / 2, 2), width, tuple(boxes), rate, day[5:] if labelled else "", title)


def _rate_lines(columns: tuple[Column, ...]) -> tuple[str, ...]:
    lines: list[list[str]] = [[]]
    for column in columns:
        if column.rate is None:
            lines.append([])
        else:
            lines[-1].append(f"{column.rate[0]},{column.rate[1]}")
    return tuple(" ".join(line) for line in lines if len(line) > 1)


def _y(share: float) -> float:
    return round(_HEIGHT * (1 - share), 2)


def _moment(timestamp_ms: int) -> str:
    return f"{datetime.fromtimestamp(timestamp_ms / 1_000, UTC):%Y-%m-%d %H:%M}"


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return f"{seconds:,.1f} s" if seconds < 120 else f"{seconds / 60:,.1f} min"
