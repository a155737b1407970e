"""What the commands on candle files hand back, as JSON and as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from trading.errors import ExitCode
from trading.market.export import ExportReport
from trading.market.quality_report import QualityReport
from trading.market.rows import Tidying
from trading.market.store import AppendReport, StoredSeries
from trading.market.times import iso

_SHOWN_GAPS = 20


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """What became of one file.

    Parameters
    ----------
    file : str
        Its path, as given.
    stored : AppendReport
        What the store took.
    tidying : Tidying
        What was sorted and removed on the way.
    quality : QualityReport
        The state of what was stored.
    """

    file: str
    stored: AppendReport
    tidying: Tidying
    quality: QualityReport


@dataclass(frozen=True, slots=True)
class ImportResult:
    """Files that were imported, in order."""

    files: tuple[ImportedFile, ...]
    exit_code: ExitCode = ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        """Return one object per file."""
        return {
            "files": [
                {
                    "file": one.file,
                    "symbol": one.stored.symbol,
                    "timeframe": one.stored.timeframe,
                    "start": iso(one.quality.start_ms),
                    "end": iso(one.quality.end_ms),
                    "added": one.stored.added,
                    "replaced": one.stored.replaced,
                    "unchanged": one.stored.unchanged,
                    "sorted": one.tidying.out_of_order,
                    "duplicates_removed": one.tidying.duplicates,
                    "missing": one.quality.missing,
                }
                for one in self.files
            ]
        }

    def as_text(self) -> RenderableType:
        """Return a table, and a sentence for each file that was tidied or has gaps."""
        table = _table("file", "series", "first (UTC)", "last (UTC)", "added", "replaced", "same")
        notes = []
        for one in self.files:
            stored, quality = one.stored, one.quality
            counts = (f"{count:,}" for count in (stored.added, stored.replaced, stored.unchanged))
            times = (_time(quality.start_ms), _time(quality.end_ms))
            table.add_row(one.file, f"{stored.symbol} {stored.timeframe}", *times, *counts)
            if one.tidying.out_of_order or one.tidying.duplicates:
                notes.append(
                    f"{one.file}: {one.tidying.out_of_order} rows were out of order and "
                    f"{one.tidying.duplicates} duplicates were removed, the later row kept."
                )
            notes.extend(f"{one.file}: {warning}." for warning in quality.warnings())
        return Group(table, *(Text(note, style="yellow") for note in notes))


@dataclass(frozen=True, slots=True)
class ExportResult:
    """The file that an export wrote."""

    symbol: str
    timeframe: str
    report: ExportReport
    exit_code: ExitCode = ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        """Return the new file, its candles and the removed files."""
        return {
            "symbol": self.symbol,
            "timeframe": self.timeframe,
            "file": str(self.report.file),
            "candles": self.report.candles,
            "removed": [str(path) for path in self.report.removed],
        }

    def as_text(self) -> RenderableType:
        """Return one sentence."""
        removed = f"; {len(self.report.removed)} older exports removed" if self.report.removed else ""
        return Text(
            f"{self.report.candles:,} candles of {self.symbol} {self.timeframe} in {self.report.file}{removed}."
        )


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Quality reports, in the order of what was asked for."""

    reports: tuple[QualityReport, ...]

    @property
    def exit_code(self) -> ExitCode:
        """3 when any series is unusable; gaps alone, which a run takes with ``--allow-gaps``, are 0."""
        return ExitCode.DONE if all(report.usable for report in self.reports) else ExitCode.REFUSED

    def as_json(self) -> dict[str, object]:
        """Return every report whole."""
        return {"reports": [report.as_json() for report in self.reports]}

    def as_text(self) -> RenderableType:
        """Return for each series a summary, its gaps with the longest first, and a verdict."""
        return Group(*(_report_text(report) for report in self.reports))


def _report_text(report: QualityReport) -> RenderableType:
    summary = _table("check", "count", title=f"{report.source} {report.timeframe}")
    summary.add_row("candles", f"{report.candles:,}")
    summary.add_row("from", iso(report.start_ms))
    summary.add_row("to", iso(report.end_ms))
    summary.add_row("expected", f"{report.expected:,}")
    # Two digits would round a few missing candles among many up to 100%.
    summary.add_row("coverage", f"{report.coverage:.4%}")
    for name, count in _counts(report):
        summary.add_row(name, f"{count:,}", style="yellow" if count else None)
    parts: list[RenderableType] = [summary]
    if report.gaps:
        parts.append(_gap_table(report))
    parts.extend(Text(f"{warning}.", style="yellow") for warning in report.warnings())
    parts.append(_verdict(report))
    return Group(*parts)


def _counts(report: QualityReport) -> Sequence[tuple[str, int]]:
    limits = report.limits
    return (
        ("missing", report.missing),
        ("gaps", len(report.gaps)),
        ("duplicates", report.duplicates),
        ("out of order", report.disorder),
        ("off the timeframe's grid", report.off_grid),
        ("not finite", report.non_finite),
        ("not positive", report.non_positive),
        ("high or low do not bracket", report.bad_bracket),
        (f"outliers (move > {limits.outlier_move:.0%}, high/low > {limits.outlier_range:g})", report.outliers),
        (f"stuck price ({limits.stuck_run}+ equal closes)", report.stuck),
        ("zero volume", report.zero_volume),
    )


def _gap_table(report: QualityReport) -> Table:
    longest = sorted(report.gaps, key=lambda gap: (-gap.missing, gap.start_ms))
    hidden = len(longest) - _SHOWN_GAPS
    table = _table("first missing", "next candle", "missing", title="gaps, longest first")
    for gap in longest[:_SHOWN_GAPS]:
        table.add_row(iso(gap.start_ms), iso(gap.end_ms), f"{gap.missing:,}")
    if hidden > 0:
        table.caption = f"and {hidden} more; --json lists all"
    return table


def _verdict(report: QualityReport) -> Text:
    if not report.usable:
        return Text(f"Unusable: {report.fault}.", style="bold red")
    if report.needs_allow_gaps:
        return Text("Usable with --allow-gaps: more is missing than a run takes by itself.", style="bold yellow")
    return Text("Usable.", style="bold green")


@dataclass(frozen=True, slots=True)
class ListResult:
    """What the store holds."""

    series: tuple[StoredSeries, ...]
    exit_code: ExitCode = ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        """Return one object per symbol and timeframe."""
        return {
            "series": [
                {
                    "symbol": one.symbol,
                    "timeframe": one.timeframe,
                    "first": iso(one.first_ms),
                    "last": iso(one.last_ms),
                    "candles": one.candles,
                    "missing": one.missing,
                    "bytes": one.bytes,
                }
                for one in self.series
            ]
        }

    def as_text(self) -> RenderableType:
        """Return a table, or how to fill an empty store."""
        if not self.series:
            return Text("The store is empty; fill it with `gridbot data import` or `gridbot data download`.")
        table = _table("series", "first (UTC)", "last (UTC)", "candles", "missing", "size")
        for one in self.series:
            size = f"{one.bytes / 1024:,.0f} KiB"
            times = (_time(one.first_ms), _time(one.last_ms))
            table.add_row(f"{one.symbol} {one.timeframe}", *times, f"{one.candles:,}", f"{one.missing:,}", size)
        return table


_NUMBERS = ("count", "added", "replaced", "same", "candles", "missing", "size")


def _table(*columns: str, title: str | None = None) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        # Nothing is cut off on a narrow terminal: a symbol or time that lost its end may be read as another one.
        justify: Literal["left", "right"] = "right" if column in _NUMBERS else "left"
        date_width = len("2024-01-01") if column.endswith("(UTC)") else None
        table.add_column(column, justify=justify, overflow="fold", min_width=date_width)
    return table


def _time(milliseconds: int) -> str:
    # With a blank a narrow table can put the hour on a line of its own.
    return iso(milliseconds).replace("T", " ").removesuffix("Z").removesuffix(":00")
