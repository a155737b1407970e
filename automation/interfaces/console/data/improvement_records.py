"""What the screen Improvement shows, as plain records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from automation.improvement.records import RepairRecord, Status, Success

RANGES = (7, 30, 90)
"""Days that the screen can look back."""

_REPAIRED = (Status.FIXED, Status.AWAITING_APPROVAL)


@dataclass(frozen=True, slots=True)
class Day:
    """One UTC day of maintenance.

    Parameters
    ----------
    start_ms : int
        Its begin, milliseconds UTC.
    success : Success
        Of its repairs.
    landed : int
        Proposed changes that landed beside repairs.
    median_s : float or None
        Median wall seconds of its repairs with a verified patch; None without one.
    candidates_per_second : float or None
        Candidates for each second of the stage verify; None without any.
    model_tokens : int
        Read and written.
    """

    start_ms: int
    success: Success
    landed: int
    median_s: float | None
    candidates_per_second: float | None
    model_tokens: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Two things timed against each other.

    Parameters
    ----------
    time_ms : int
        Milliseconds UTC.
    what : str
        What was timed.
    improvement, low, high : float
        Share of the cost that was saved, and its interval.
    is_faster : bool
        Whether the whole interval says so, by a hundredth at least.
    source : str
        The run or the night that measured it.
    """

    time_ms: int
    what: str
    improvement: float
    low: float
    high: float
    is_faster: bool
    source: str


@dataclass(frozen=True, slots=True)
class ImprovementFacts:
    """Everything on the screen Improvement.

    Parameters
    ----------
    range_days : int
        How far it looks back.
    days : tuple of Day
        Every day of it, oldest first, today last.
    total : Success
        Of all its repairs.
    by_kind : mapping of str to Success
        By kind of incident, most runs first.
    records : tuple of RepairRecord
        Its runs, newest first.
    verdicts : tuple of Verdict
        Newest first.
    earlier : int
        Runs before that.
    """

    range_days: int
    days: tuple[Day, ...]
    total: Success
    by_kind: Mapping[str, Success]
    records: tuple[RepairRecord, ...]
    verdicts: tuple[Verdict, ...]
    earlier: int

    @property
    def median_s(self) -> float | None:
        """Median wall seconds of the repairs with a verified patch; None without one."""
        return median_repair_s(self.records)


def median_repair_s(records: Sequence[RepairRecord]) -> float | None:
    """Return the median wall seconds of the repairs with a verified patch; None without one."""
    seconds = [record.total_seconds for record in records if record.is_repair and record.status in _REPAIRED]
    return median(seconds) if seconds else None
