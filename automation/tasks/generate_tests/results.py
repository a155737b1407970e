"""The result of generating tests: what was gained for each file and function, what was dropped, and the landing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from rich.console import Group, RenderableType
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from automation.pipeline.result import FixResult
from automation.tasks.generate_tests.records import FileOutcome, Score, SubjectOutcome, share
from trading.errors import ExitCode

_MOST_SURVIVORS = 8
_MOST_SUBJECTS = 30


@dataclass(frozen=True, slots=True)
class TestsResult:
    """What came of generating tests.

    Parameters
    ----------
    scope : str
        What tests were written for.
    files : tuple of FileOutcome
        One for each file that was looked at.
    skipped : mapping of str to str
        Files that were not, with the reason.
    model : str
        Which model proposed inputs; empty for none.
    seconds : float
        Wall time without the landing.
    run : FixResult or None
        The run that lands them; None where nothing was gained.
    """

    __test__ = False

    scope: str
    files: tuple[FileOutcome, ...]
    skipped: Mapping[str, str] = field(default_factory=dict)
    model: str = ""
    seconds: float = 0.0
    run: FixResult | None = None

    @property
    def exit_code(self) -> ExitCode:
        """6 when nothing was gained, else that of the run that lands the tests."""
        return ExitCode.NOTHING_TO_DO if self.run is None else self.run.exit_code

    @property
    def before(self) -> Score:
        """What the tests that are there hold."""
        return sum((each.before for each in self.files), Score())

    @property
    def after(self) -> Score:
        """What they hold with the new ones."""
        return sum((each.after for each in self.files), Score())

    @property
    def kept(self) -> dict[str, int]:
        """New test functions by ground."""
        return dict(sum((Counter(each.kept) for each in self.files), Counter()))

    @property
    def dropped(self) -> dict[str, int]:
        """Drafts that were not kept, by reason."""
        return dict(sum((Counter(each.dropped) for each in self.files), Counter()))

    def as_json(self) -> dict[str, object]:
        """Return everything as plain JSON."""
        return {
            "scope": self.scope,
            "before": self.before.as_json(),
            "after": self.after.as_json(),
            "kept": self.kept,
            "dropped": self.dropped,
            "files": [file_json(each) for each in self.files],
            "skipped": dict(self.skipped),
            "model": self.model or None,
            "seconds": round(self.seconds, 1),
            "diff": self.run.patch if self.run is not None else "",
            "run": None if self.run is None else self.run.as_json(),
        }

    def as_text(self) -> RenderableType:
        """Return the table of gains, the reasons, the diff and where it landed."""
        parts: list[RenderableType] = [self._headline()]
        if self.files:
            parts.append(_table(self.files))
        if self.dropped:
            told = ", ".join(f"{number} {reason}" for reason, number in sorted(self.dropped.items()))
            parts.append(Text(f"dropped   {told}", style="dim"))
        parts += [Text(f"skipped   {name}: {reason}", style="dim") for name, reason in self._reasons()]
        survivors = [f"{each.path}:{told}" for each in self.files for told in each.survivors]
        if survivors:
            rest = f" and {len(survivors) - _MOST_SURVIVORS} more" if len(survivors) > _MOST_SURVIVORS else ""
            parts.append(Text(f"unnoticed {len(survivors)} mutants, such as{rest and ' these'}:{rest}", style="dim"))
            parts += [Text(f"          {told}", style="dim") for told in survivors[:_MOST_SURVIVORS]]
        if self.run is not None:
            parts += self._landing(self.run)
        return Group(*parts)

    def _headline(self) -> Text:
        count = sum(self.kept.values())
        if not count:
            return Text("nothing gained: no new test covers a branch or notices a mutant", style="bold yellow")
        rows = sum(each.rows for each in self.files)
        told = f"{count} test{'s' * (count > 1)} with {rows} case{'s' * (rows > 1)}"
        text = Text(f"{told} for {self.scope}", style="bold green")
        kinds = ", ".join(f"{number} {ground}" for ground, number in self.kept.items() if number)
        text.append(f" ({kinds}; {self.seconds:.0f} s)", style="default")
        return text

    def _reasons(self) -> list[tuple[str, str]]:
        found = [
            (f"{each.path}::{row.name}", row.skipped) for each in self.files for row in each.subjects if row.skipped
        ]
        return [*self.skipped.items(), *found][:_MOST_SUBJECTS]

    def _landing(self, run: FixResult) -> list[RenderableType]:
        diff: list[RenderableType] = []
        if run.patch:
            diff.append(Syntax(run.patch.rstrip("\n"), "diff", background_color="default", word_wrap=True))
        landed = run.landed or {}
        where = landed.get("branch") or landed.get("path")
        told = f"{landed['how']}: {where}" if where else run.status.value.replace("_", " ")
        diff.append(Text(f"landed    {told}" if where else f"run       {told}: {run.reason}"))
        if run.exit_code is ExitCode.AWAITING_APPROVAL:
            diff.append(Text(f"next      gridbot runs approve {run.run_id}   (or: runs reject {run.run_id})"))
        return diff


def file_json(outcome: FileOutcome) -> dict[str, object]:
    """Return what was made for a file as plain JSON, without its text, which is in the diff."""
    return {
        "path": outcome.path,
        "test_path": outcome.test_path or None,
        "before": outcome.before.as_json(),
        "after": outcome.after.as_json(),
        "kept": dict(outcome.kept),
        "cases": outcome.rows,
        "dropped": dict(outcome.dropped),
        "subjects": [_subject_json(each) for each in outcome.subjects],
        "survivors": list(outcome.survivors),
        "unjudged": outcome.unjudged,
        "seconds": outcome.seconds,
        "notes": list(outcome.notes),
    }


def _subject_json(outcome: SubjectOutcome) -> dict[str, object]:
    shown = asdict(outcome)
    return {**shown, "before": outcome.before.as_json(), "after": outcome.after.as_json()}


def _table(files: Sequence[FileOutcome]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("function", no_wrap=True, overflow="ellipsis")
    for name in ("lines", "branches", "mutants noticed"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("new cases", justify="right")
    for each in files:
        table.add_row(each.path, *_gains(each.before, each.after), str(each.rows), style="bold")
        for row in each.subjects[:_MOST_SUBJECTS]:
            table.add_row(f"  {row.name}", *_gains(row.before, row.after), str(row.tests or ""))
    return table


def _gains(before: Score, after: Score) -> tuple[str, str, str]:
    return (
        _change(before.lines_run, after.lines_run, after.lines),
        _change(before.branches_run, after.branches_run, after.branches),
        _change(before.killed, after.killed, after.mutants),
    )


def _change(before: int, after: int, whole: int) -> str:
    low, high = share(before, whole), share(after, whole)
    if low is None or high is None:
        return "-"
    return f"{low:.0%}" if low == high else f"{low:.0%} -> {high:.0%}"
