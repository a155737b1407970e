"""The result of documenting: what was written, what a person has to say, and how the change landed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.text import Text

from automation.pipeline.result import FixResult
from automation.tasks.document.planning import Open, Written
from trading.errors import ExitCode

_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many of the public definitions have a docstring."""

    documented: int
    total: int

    def __str__(self) -> str:
        """Return such as ``12 of 14 (86%)``."""
        share = self.documented / self.total if self.total else 1.0
        return f"{self.documented:,} of {self.total:,} ({share:.0%})"


@dataclass(frozen=True, slots=True)
class DocumentResult:
    """What became of the docstrings.

    Parameters
    ----------
    scope : str
        What was meant.
    before, after : Coverage
        Of the scope.
    written : tuple of Written
        Docstrings written and mended.
    open : tuple of Open
        What only a person can say.
    examples : int
        Examples that were run and pass as doctests.
    model : str
        Who worded sentences; empty for the rules alone.
    notes : tuple of str
        What else is to know: why no examples, which words of the model were refused.
    diff : str
        Of the whole change.
    run : FixResult or None
        The run that weighed and landed it; None when there was nothing to do.
    """

    scope: str
    before: Coverage
    after: Coverage
    written: tuple[Written, ...] = ()
    open: tuple[Open, ...] = ()
    examples: int = 0
    model: str = ""
    notes: tuple[str, ...] = ()
    diff: str = ""
    run: FixResult | None = None

    @property
    def exit_code(self) -> ExitCode:
        """The run's; 6 when there was nothing to write."""
        return ExitCode.NOTHING_TO_DO if self.run is None else self.run.exit_code

    def as_json(self) -> dict[str, object]:
        """Return everything as plain JSON."""
        return {
            "scope": self.scope,
            "before": {"documented": self.before.documented, "total": self.before.total},
            "after": {"documented": self.after.documented, "total": self.after.total},
            "written": [
                {"path": one.path, "line": one.line, "name": one.name, "proposer": one.proposer, "what": one.what}
                for one in self.written
            ],
            "needs_a_person": [
                {"path": one.path, "line": one.line, "name": one.name, "why": one.why} for one in self.open
            ],
            "examples": self.examples,
            "model": self.model or None,
            "notes": list(self.notes),
            "diff": self.diff,
            "run": None if self.run is None else self.run.as_json(),
        }

    def as_text(self) -> RenderableType:
        """Return a short account for people, after that of the run."""
        parts: list[RenderableType] = [] if self.run is None else [self.run.as_text(), Text("")]
        parts.append(self._headline())
        parts.append(Text(f"docstrings  {self.before} -> {self.after}"))
        by = ", ".join(f"{count} by {who}" for who, count in Counter(one.proposer for one in self.written).items())
        if by:
            parts.append(Text(f"words       {by}; {self.examples} examples run and checked"))
        parts += [Text(f"note        {note}", style="dim") for note in self.notes]
        parts += self._needs()
        return Group(*parts)

    def _headline(self) -> Text:
        mended = sum(one.what.startswith("docstring mended") for one in self.written)
        if not self.written and self.run is None:
            return Text(f"nothing to write in {self.scope}", style="bold green" if not self.open else "bold yellow")
        return Text(f"{len(self.written) - mended} written, {mended} mended in {self.scope}", style="bold green")

    def _needs(self) -> list[Text]:
        if not self.open:
            return []
        heading = Text(f"needs a person: {len(self.open)}", style="bold yellow")
        shown = [Text(f"  {one.path}:{one.line} {one.name}: {one.why}") for one in self.open[:_SHOWN]]
        more = len(self.open) - _SHOWN
        return [heading, *shown, *([Text(f"  and {more} more, in the JSON", style="dim")] if more > 0 else [])]
