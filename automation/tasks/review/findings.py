"""What a check finds, and how findings become points."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from automation.errors import AutomationError

BEST = 10.0
# In a handful of lines one finding is not a rate: a scope counts as at least this many lines.
_FEWEST_LINES = 200


class Severity(StrEnum):
    """How much a finding matters, in the words of VS Code's problem matcher."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


_POINTS = {Severity.ERROR: 3.0, Severity.WARNING: 1.0, Severity.INFO: 0.3}
_ORDER = tuple(Severity)


class CheckSkipped(AutomationError):
    """A check that could not be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One place that could be better.

    Parameters
    ----------
    path : str
        File, relative to the repository.
    line, column : int
        From 1.
    severity : Severity
        How much it matters.
    message : str
        One sentence.
    rule : str
        Its short name, such as ``F401``.
    confidence : float
        0..1; less than 1 where the tool itself is not sure.
    end_line : int
        Last line that it is about; 0 for the first alone.
    """

    path: str
    line: int
    column: int
    severity: Severity
    message: str
    rule: str
    confidence: float = 1.0
    end_line: int = 0

    @property
    def points(self) -> float:
        """What it counts: 3 for an error, 1 for a warning, 0.3 for an information, times its confidence."""
        return _POINTS[self.severity] * self.confidence

    @property
    def order(self) -> tuple[int, float, str, int, int]:
        """Errors first, then what is surer, then by place."""
        return _ORDER.index(self.severity), -self.confidence, self.path, self.line, self.column

    def as_line(self) -> str:
        """Return ``path:line:column: severity: message [rule]``."""
        return f"{self.path}:{self.line}:{self.column}: {self.severity}: {self.message} [{self.rule}]"

    def as_json(self) -> dict[str, object]:
        """Return the finding as plain data."""
        return {
            "path": self.path,
            "line": self.line,
            "column": self.column,
            "severity": self.severity.value,
            "message": self.message,
            "rule": self.rule,
            "confidence": round(self.confidence, 2),
        }


@dataclass(frozen=True, slots=True)
class Findings:
    """What one check came to.

    Parameters
    ----------
    name : str
        Of the check.
    weight : float
        Its share in the whole score, in relation to the other checks'.
    figure : str
        What was measured, in a few words; empty when it was skipped.
    score : float or None
        0..10; None when it was skipped.
    findings : tuple of Finding
        Those inside the scope.
    skipped : str
        Why it could not be measured; empty when it was.
    seconds : float
        Wall time.
    """

    name: str
    weight: float
    figure: str = ""
    score: float | None = None
    findings: tuple[Finding, ...] = ()
    skipped: str = ""
    seconds: float = 0.0

    def as_json(self) -> dict[str, object]:
        """Return everything as plain data."""
        return {
            "name": self.name,
            "weight": self.weight,
            "score": None if self.score is None else round(self.score, 2),
            "figure": self.figure,
            "skipped": self.skipped or None,
            "seconds": round(self.seconds, 2),
            "findings": [finding.as_json() for finding in self.findings],
        }


def density_score(findings: Iterable[Finding], lines: int, half: float) -> float:
    """Return the score of a part that is measured by its findings.

    Parameters
    ----------
    findings : iterable of Finding
        Their points are added up.
    lines : int
        Lines of code that were looked at; fewer than 200 count as 200.
    half : float
        Points in 1,000 lines at which the score is 5; at twice as many it is 2.5, and so on.

    Returns
    -------
    float
        ``10 * 2 ** -(points per 1,000 lines / half)``.
    """
    return rate_score(sum(finding.points for finding in findings), lines, half)


def rate_score(points: float, lines: int, half: float) -> float:
    """Return the same for points that were counted otherwise."""
    return float(BEST * 2 ** -(points * 1_000 / max(lines, _FEWEST_LINES) / half))


def share_score(good: int, total: int) -> float:
    """Return ``10 * good / total``, the score of a part that is measured as a share."""
    return BEST * good / total


def total_score(parts: Iterable[Findings]) -> float | None:
    """Return the mean of the parts that were measured, by their weights; None when none was."""
    measured = [(part.score, part.weight) for part in parts if part.score is not None]
    weights = sum(weight for _, weight in measured)
    return sum(score * weight for score, weight in measured) / weights if weights else None
