"""The result of a review: the score, its breakdown, the findings, and what a model remarked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.table import Table
from rich.text import Text

from automation.tasks.review.findings import BEST, Finding, Findings, Severity, total_score
from automation.tasks.review.remarks import Remarks
from trading.errors import ExitCode

_BAR = 10
_GOOD, _FAIR = 8.0, 5.0
_SEVERITY_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


@dataclass(frozen=True, slots=True)
class ReviewResult:
    """How good code is.

    Parameters
    ----------
    scope : str
        What was reviewed.
    files, lines : int
        Its size; lines of code without blank ones and comments.
    parts : tuple of Findings
        One for each check.
    remarks : Remarks
        Of a model; never scored.
    seconds : float
        Wall time.
    fail_under : float or None
        The lowest score that is good enough.
    limit : int
        Findings to show in the text.
    """

    scope: str
    files: int
    lines: int
    parts: tuple[Findings, ...]
    remarks: Remarks
    seconds: float
    fail_under: float | None = None
    limit: int = 20

    @property
    def score(self) -> float | None:
        """0..10: the weighted mean of the parts that were measured; None when none was."""
        score = total_score(self.parts)
        return None if score is None else round(score, 2)

    @property
    def exit_code(self) -> ExitCode:
        """0, 1 when the score is under the limit or nothing was measured, 6 when there is no file."""
        if not self.files:
            return ExitCode.NOTHING_TO_DO
        if self.fail_under is None:
            return ExitCode.DONE
        return ExitCode.FAILED if self.score is None or self.score < self.fail_under else ExitCode.DONE

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings of all parts, the most serious first."""
        return tuple(sorted((each for part in self.parts for each in part.findings), key=lambda each: each.order))

    def as_json(self) -> dict[str, object]:
        """Return everything as plain JSON."""
        return {
            "scope": self.scope,
            "files": self.files,
            "lines": self.lines,
            "score": self.score,
            "fail_under": self.fail_under,
            "parts": [part.as_json() for part in self.parts],
            "model": self.remarks.model or None,
            "model_note": self.remarks.note or None,
            "remarks": [{"path": one.path, "line": one.line, "remark": one.text} for one in self.remarks.remarks],
            "seconds": round(self.seconds, 2),
        }

    def as_text(self) -> RenderableType:
        """Return the breakdown with bars, the first findings as lines that an editor can jump to, and the remarks."""
        if not self.files:
            return Text(f"nothing to review: {self.scope} holds no Python file")
        parts: list[RenderableType] = [self._headline(), self._breakdown()]
        parts += self._skipped()
        parts += self._shown()
        parts += self._remarked()
        return Group(*parts)

    def _headline(self) -> Text:
        measured = sum(part.score is not None for part in self.parts)
        size = f"{self.scope}: {self.files:,} files, {self.lines:,} lines, {self.seconds:.1f} s"
        if self.score is None:
            return Text(f"not scored: nothing could be measured   {size}", style="bold red")
        text = Text(f"{self.score:.1f} of 10", style=f"bold {_colour(self.score)}")
        if self.exit_code is ExitCode.FAILED:
            text.append(f", under the {self.fail_under:g} that were asked for", style="red")
        text.append(f"   {measured} of {len(self.parts)} parts measured   {size}", style="default not bold")
        return text

    def _breakdown(self) -> Table:
        table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
        table.add_column("part", no_wrap=True)
        table.add_column("score", justify="right", no_wrap=True)
        table.add_column("", no_wrap=True)
        table.add_column("weight", justify="right", no_wrap=True)
        table.add_column("measured")
        for part in self.parts:
            if part.score is None:
                continue
            colour = _colour(part.score)
            full = round(part.score / BEST * _BAR)
            bar = Text("━" * full, style=colour).append("━" * (_BAR - full), style="bright_black")
            table.add_row(part.name, Text(f"{part.score:.1f}", style=colour), bar, f"{part.weight:g}", part.figure)
        return table

    def _skipped(self) -> list[Text]:
        return [
            Text(f"not measured  {part.name}: {part.skipped}", style="yellow") for part in self.parts if part.skipped
        ]

    def _shown(self) -> list[RenderableType]:
        findings = self.findings
        if not findings:
            return [Text("\nno findings")]
        counts = Counter(finding.severity.value for finding in findings)
        told = ", ".join(f"{number:,} {severity}" for severity, number in counts.items())
        hidden = len(findings) - self.limit
        more = f", the first {self.limit} of them" if hidden > 0 else ""
        heading = Text(f"\nfindings: {told}{more}", style="bold")
        return [heading, *map(_FindingLine, findings[: self.limit])]

    def _remarked(self) -> list[Text]:
        remarks = self.remarks
        by = f"{remarks.model} remarks" if remarks.remarks else f"no remarks of {remarks.model or 'a model'}"
        note = f" ({remarks.note})" if remarks.note else ""
        heading = Text(f"\n{by}, not scored{note}", style="dim")
        return [heading, *(Text(f"{one.path}:{one.line}: {one.text}", style="dim") for one in remarks.remarks)]


@dataclass(frozen=True, slots=True)
class _FindingLine:
    """One line whatever the width, since an editor's problem matcher reads it: a long message loses its end."""

    finding: Finding

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        excess = len(self.finding.as_line()) - options.max_width
        finding = self.finding
        if excess > 0:
            kept = max(len(finding.message) - excess - 1, 0)
            finding = replace(finding, message=finding.message[:kept].rstrip() + "…")
        place, _, rest = finding.as_line().partition(": ")
        text = Text(f"{place}: ", no_wrap=True, overflow="ellipsis")
        yield text.append(rest, style=_SEVERITY_COLOURS[finding.severity])


def _colour(score: float) -> str:
    return "green" if score >= _GOOD else "yellow" if score >= _FAIR else "red"
