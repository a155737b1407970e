"""The report on repair runs: how often they succeed, by kind and over time, by whose work, and at what cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from automation.improvement.records import (
    DAY_MS,
    ProposerShare,
    RepairRecord,
    Status,
    Success,
    landed_by_kind,
    proposer_shares,
    success_by_kind,
    success_of,
    success_over_time,
)
from trading.errors import ExitCode

_MOST_BUCKETS = 60
_SHOWN_RUNS = 20


@dataclass(frozen=True, slots=True)
class StageTime:
    """Wall seconds of one stage: of all runs, and the median of the runs that had it."""

    total_s: float
    median_s: float


@dataclass(frozen=True, slots=True)
class ImprovementReport:
    """What repair runs tried, fixed and cost.

    Parameters
    ----------
    since_ms, now_ms : int
        The stretch of time that was looked at, milliseconds UTC.
    records : tuple of RepairRecord
        Oldest first.
    success : Success
        Of all of them.
    by_kind : mapping of str to Success
        By kind of incident.
    bucket_ms : int
        Length of a stretch in ``over_time``.
    over_time : mapping of int to Success
        By begin of the stretch, milliseconds UTC; stretches without runs between others are there too.
    proposers : mapping of str to ProposerShare
        Those with most repairs first.
    stages : mapping of str to StageTime
        Slowest first.
    files : tuple of Path
        Where the report was written.
    """

    since_ms: int
    now_ms: int
    records: tuple[RepairRecord, ...]
    success: Success
    by_kind: Mapping[str, Success]
    bucket_ms: int
    over_time: Mapping[int, Success]
    proposers: Mapping[str, ProposerShare]
    stages: Mapping[str, StageTime]
    files: tuple[Path, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """NOTHING_TO_DO when there are no runs."""
        return ExitCode.DONE if self.records else ExitCode.NOTHING_TO_DO

    @property
    def median_repair_s(self) -> float | None:
        """Median wall seconds of the runs that ended with a verified patch; None without one."""
        repaired = (Status.FIXED, Status.AWAITING_APPROVAL)
        repairs = [record for record in self.records if record.is_repair and record.status in repaired]
        seconds = [record.total_seconds for record in repairs]
        return median(seconds) if seconds else None

    @property
    def model_tokens(self) -> int:
        """Tokens that models read and wrote."""
        return sum(record.model_tokens for record in self.records)

    @property
    def latest(self) -> tuple[RepairRecord, ...]:
        """The newest runs, newest first."""
        return self.records[::-1][:_SHOWN_RUNS]

    def as_json(self) -> dict[str, object]:
        """Return every figure and every run."""
        return {
            "since": _iso(self.since_ms),
            "until": _iso(self.now_ms),
            "runs": len(self.records),
            "success": _plain(self.success),
            "median_repair_s": self.median_repair_s,
            "model_calls": sum(record.model_calls for record in self.records),
            "model_tokens": self.model_tokens,
            "by_kind": {kind: _plain(success) for kind, success in self.by_kind.items()},
            "landed": landed_by_kind(self.records),
            "over_time": [{"start": _iso(start), **_plain(success)} for start, success in self.over_time.items()],
            "proposers": {name: asdict(share) for name, share in self.proposers.items()},
            "stages": {stage: asdict(seconds) for stage, seconds in self.stages.items()},
            "records": [{**asdict(record), "started": _iso(record.started_ms)} for record in self.records],
            "files": [str(path) for path in self.files],
        }

    def as_text(self) -> RenderableType:
        """Return the headline, and tables by kind and by proposer."""
        if not self.records:
            return "no repair runs are recorded; `gridbot fix` records one each time"
        parts: list[RenderableType] = [self._headline(), _kinds_table(self.by_kind)]
        if self.proposers:
            parts.append(_proposers_table(self.proposers))
        parts += [Text(f"{path}", "dim") for path in self.files]
        return Group(*parts)

    def _headline(self) -> Text:
        seconds = "" if self.median_repair_s is None else f", median {self.median_repair_s:,.1f} s"
        repaired = f"{self.success.repaired:,} of {self.success.attempts:,} repaired"
        landed = "".join(f", {count:,} {kind} landed" for kind, count in landed_by_kind(self.records).items())
        return Text.assemble((share_text(self.success.rate), "bold"), f"  {repaired}{seconds}{landed}\n")


def improvement_report(records: Sequence[RepairRecord], since_ms: int, now_ms: int) -> ImprovementReport:
    """Work out the report on some runs.

    Parameters
    ----------
    records : sequence of RepairRecord
        Oldest first.
    since_ms, now_ms : int
        The stretch of time that was looked at, milliseconds UTC.
    """
    bucket_ms = _bucket_ms(records)
    return ImprovementReport(
        since_ms=since_ms,
        now_ms=now_ms,
        records=tuple(records),
        success=success_of(records),
        by_kind=success_by_kind(records),
        bucket_ms=bucket_ms,
        over_time=_without_holes(success_over_time(records, bucket_ms), bucket_ms),
        proposers=proposer_shares(records),
        stages=_stage_times(records),
    )


def share_text(share: float | None) -> str:
    """Return a share as a percentage, or a dash where there is none."""
    return "–" if share is None else f"{share:.0%}"


def _bucket_ms(records: Sequence[RepairRecord]) -> int:
    # Days, or as many days to a stretch as keep the chart readable.
    if not records:
        return DAY_MS
    days = (records[-1].started_ms - records[0].started_ms) // DAY_MS + 1
    return DAY_MS * -(-days // _MOST_BUCKETS)


def _without_holes(found: Mapping[int, Success], bucket_ms: int) -> dict[int, Success]:
    if not found:
        return {}
    return {start: found.get(start, Success()) for start in range(min(found), max(found) + 1, bucket_ms)}


def _stage_times(records: Sequence[RepairRecord]) -> dict[str, StageTime]:
    seconds: dict[str, list[float]] = {}
    for record in records:
        for stage, value in record.seconds.items():
            seconds.setdefault(stage, []).append(value)
    ordered = sorted(seconds.items(), key=lambda stage: (-sum(stage[1]), stage[0]))
    return {stage: StageTime(sum(values), median(values)) for stage, values in ordered}


def _kinds_table(by_kind: Mapping[str, Success]) -> Table:
    table = _table("kind", "repaired", "awaiting approval", "unfixed", "other", "rate")
    for kind, success in by_kind.items():
        counts = (success.repaired, success.awaiting, success.unfixed, success.other)
        table.add_row(kind, *(f"{count:,}" for count in counts), share_text(success.rate))
    return table


def _proposers_table(proposers: Mapping[str, ProposerShare]) -> Table:
    table = _table("proposer", "repairs", "candidates")
    for name, share in proposers.items():
        table.add_row(name, f"{share.repairs:,}", f"{share.candidates:,}")
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="dim")
    table.add_column(first)
    for heading in others:
        table.add_column(heading, justify="right")
    return table


def _plain(success: Success) -> dict[str, object]:
    return {**asdict(success), "repaired": success.repaired, "attempts": success.attempts, "rate": success.rate}


def _iso(timestamp_ms: int) -> str:
    return datetime.fromtimestamp(timestamp_ms / 1_000, UTC).isoformat(timespec="seconds")
