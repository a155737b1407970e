"""The result of a run: one object as JSON, a short text for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Self, cast

from rich.console import Group, RenderableType
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from automation.pipeline.evidence import evidence_lines
from automation.pipeline.state import RunState, Status
from trading.errors import ExitCode

_SHOWN_PLACES = 20
_EXIT_CODES = {
    Status.FIXED: ExitCode.DONE,
    Status.LANDED: ExitCode.DONE,
    Status.REFUSED: ExitCode.REFUSED,
    Status.AWAITING_APPROVAL: ExitCode.AWAITING_APPROVAL,
    Status.NOTHING_TO_FIX: ExitCode.NOTHING_TO_DO,
}
_COLOURS = {
    Status.FIXED: "green",
    Status.LANDED: "green",
    Status.NOTHING_TO_FIX: "green",
    Status.AWAITING_APPROVAL: "yellow",
}


@dataclass(frozen=True, slots=True)
class FixResult:
    """How a run ended or stands.

    Parameters
    ----------
    status : Status
        How it stands.
    reason : str
        Why it is not fixed, in one sentence; empty when it is.
    kind, title : str
        ``fix``, or the kind of a change that was proposed and its one line.
    evidence : mapping of str to object
        What speaks for a proposed change.
    incident : mapping or None
        The incident as JSON.
    diagnosis : sequence of mapping
        Ranked places with scores and reasons.
    patch : str
        Unified diff, relative to the target; what was accepted so far when the run is unfixed.
    proposer : str
        Whose candidate was accepted.
    seconds : mapping of str to float
        By stage.
    reproduction : mapping or None
        The test that was made of a session's recording, and what the recording was reduced to.
    tests_before, tests_after : mapping of str to int
        Outcomes of the whole suite.
    """

    run_id: str
    started_ms: int
    target: str
    folder: str
    status: Status
    reason: str = ""
    kind: str = "fix"
    title: str = ""
    evidence: Mapping[str, object] = field(default_factory=dict)
    incident: Mapping[str, object] | None = None
    others: Sequence[str] = ()
    diagnosis: Sequence[Mapping[str, object]] = ()
    patch: str = ""
    chosen: Sequence[Mapping[str, object]] = ()
    alternatives: Sequence[Mapping[str, object]] = ()
    landed: Mapping[str, object] | None = None
    reproduction: Mapping[str, object] | None = None
    approval: str = ""
    proposer: str | None = None
    tried: Mapping[str, int] = field(default_factory=dict)
    candidates_per_second: float = 0.0
    model: str = ""
    model_calls: int = 0
    model_tokens: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
    tests_before: Mapping[str, int] = field(default_factory=dict)
    tests_after: Mapping[str, int] = field(default_factory=dict)
    guard_findings: Sequence[Mapping[str, object]] = ()

    @property
    def exit_code(self) -> ExitCode:
        """0 fixed or landed, 1 not fixed, 3 refused, 5 awaiting approval, 6 nothing to fix."""
        return _EXIT_CODES.get(self.status, ExitCode.FAILED)

    def with_status(self, status: Status, reason: str) -> FixResult:
        """Return the same result with another end."""
        return replace(self, status=status, reason=reason)

    def as_json(self) -> dict[str, object]:
        """Return everything as plain JSON."""
        landed = self.landed or {}
        return {
            **asdict(self),
            "status": self.status.value,
            "branch": landed.get("branch"),
            "commit": landed.get("commit"),
            "candidates_tried": sum(self.tried.values()),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Self:
        """Read what `as_json` wrote."""
        derived = {"branch", "commit", "candidates_tried"}
        fields = {name: value for name, value in data.items() if name not in derived}
        return cls(**{**fields, "status": Status(str(data["status"]))})  # type: ignore[arg-type]

    def as_text(self) -> RenderableType:
        """Return a short account for people."""
        parts: list[RenderableType] = [self._headline()]
        if self.title:
            parts.append(Text(f"{self.kind:<9} {self.title}"))
        if self.incident:
            parts.append(Text(f"incident  {self.incident['title']} ({self.incident['kind']})"))
        if self.reproduction:
            made = self.reproduction
            counts = f"{made['inputs_before']:,} inputs, {made['inputs_after']:,} of them needed"
            parts.append(Text(f"recording {counts}: {made['test']}"))
        if self.diagnosis:
            parts.append(self._places())
        if self.patch:
            parts.append(Syntax(self.patch.rstrip("\n"), "diff", background_color="default", word_wrap=True))
        parts += [Text(line) for line in self._figures()]
        return Group(*parts)

    def _headline(self) -> Text:
        colour = _COLOURS.get(self.status, "red")
        text = Text(self.status.value.replace("_", " "), style=f"bold {colour}")
        if self.reason:
            text.append(f": {self.reason}", style="default")
        return text

    def _places(self) -> Table:
        table = Table(box=None, pad_edge=False, header_style="dim", title_justify="left")
        table.add_column("suspicion", justify="right")
        table.add_column("place", no_wrap=True)
        table.add_column("why", style="dim")
        for row in self.diagnosis[:5]:
            function = f" {row['function']}" if row["function"] else ""
            reasons = row["reasons"]
            why = ", ".join(map(str, reasons)) if isinstance(reasons, list | tuple) else ""
            table.add_row(f"{float(str(row['score'])):.2f}", f"{row['path']}:{row['line']}{function}", why)
        return table

    def _figures(self) -> list[str]:
        lines = [f"change    {each['place']}: {each['description']} ({each['proposer']})" for each in self.chosen]
        lines += [f"evidence  {name}: {text}" for name, text in evidence_lines(self.evidence)]
        if self.tried:
            speed = f"{sum(self.tried.values())} candidates, {self.candidates_per_second:.0f} a second"
            model = f"; {self.model}: {self.model_calls} calls, {self.model_tokens} tokens" if self.model else ""
            lines.append(f"search    {speed}{model}")
        if self.tests_before:
            after = f" -> {_counts(self.tests_after)}" if self.tests_after else ""
            lines.append(f"tests     {_counts(self.tests_before)}{after}")
        if self.seconds:
            lines.append(f"time      {sum(self.seconds.values()):.1f} s")
        lines += self._where()
        return lines

    def _where(self) -> list[str]:
        landed = self.landed or {}
        where = landed.get("branch") or landed.get("path")
        lines = [f"landed    {landed['how']}: {where}"] if where else []
        if self.status is Status.AWAITING_APPROVAL:
            lines.append(f"next      gridbot runs approve {self.run_id}   (or: runs reject {self.run_id})")
        if self.status is Status.RUNNING:
            lines.append(f"next      gridbot runs resume {self.run_id}   (or: runs abandon {self.run_id})")
        return [*lines, f"report    {Path(self.folder) / 'report.html'}"]


def result_of_state(state: RunState, folder: Path) -> FixResult:
    """Return the result that a state stands for."""
    tried = state.get("tried", {})
    seconds = state.get("search_seconds", 0.0)
    chosen = state.get("chosen", [])
    proposal = state.get("proposal", {})
    return FixResult(
        run_id=state["run_id"],
        started_ms=state["started_ms"],
        target=state["target"],
        folder=str(folder),
        status=Status(state["status"]),
        reason=state.get("reason", ""),
        kind=str(proposal.get("kind", "fix")),
        title=str(proposal.get("title", "")),
        evidence=cast("Mapping[str, object]", proposal.get("evidence", {})),
        incident=state.get("incident"),
        others=state.get("others", []),
        diagnosis=state.get("diagnosis", [])[:_SHOWN_PLACES],
        patch=state.get("patch", ""),
        chosen=[dict(each) for each in chosen],
        alternatives=state.get("alternatives", []),
        landed=state.get("landed"),
        reproduction=state.get("reproduction"),
        approval=state.get("approval", ""),
        proposer=chosen[-1]["proposer"] if chosen else None,
        tried=tried,
        candidates_per_second=round(sum(tried.values()) / seconds, 1) if seconds else 0.0,
        model=state.get("model", ""),
        model_calls=state.get("model_calls", 0),
        model_tokens=state.get("model_tokens", 0),
        seconds={name: round(value, 3) for name, value in state.get("seconds", {}).items()},
        tests_before=state.get("tests_before", {}),
        tests_after=state.get("tests_after", {}),
        guard_findings=state.get("findings", []),
    )


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {outcome}" for outcome, number in counts.items() if number) or "none"
