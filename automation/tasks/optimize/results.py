"""What `optimize` hands back: the profile, every rewrite with its fate, and where the proven ones went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from automation.pipeline.result import FixResult
from automation.tasks.optimize.profiling import Profile
from trading.errors import ExitCode

_SHOWN_FUNCTIONS, _SHOWN_ATTEMPTS = 12, 15


@dataclass(frozen=True, slots=True)
class Attempt:
    """One rewrite and what became of it.

    Parameters
    ----------
    place : str
        ``path:line``.
    function : str
        Dotted.
    proposer, description : str
        Whose rewrite, and what it does.
    fate : str
        ``accepted`` or why it was dropped, in a few words.
    ratio : float or None
        Time of single calls by the original's.
    timing : mapping or None
        Of the workload: medians, interval, pairs.
    inputs : int
        On which it was compared with the original.
    """

    place: str
    function: str
    proposer: str
    description: str
    fate: str
    ratio: float | None = None
    timing: Mapping[str, object] | None = None
    inputs: int = 0

    @property
    def accepted(self) -> bool:
        """Whether it is part of the change."""
        return self.fate == "accepted"


@dataclass(frozen=True, slots=True)
class OptimizeResult:
    """How a search for faster code ended.

    Parameters
    ----------
    workload : str
        What was timed.
    profile : Profile
        Where its time goes.
    attempts : sequence of Attempt
        Every rewrite, in the order in which it was judged.
    reason : str
        Why nothing was changed; empty when something was.
    evidence : mapping
        Of the accepted change.
    run : FixResult or None
        The run that weighed and landed it.
    notes : sequence of str
        What could not be looked at.
    """

    workload: str
    profile: Profile
    attempts: Sequence[Attempt] = ()
    reason: str = ""
    evidence: Mapping[str, object] = field(default_factory=dict)
    run: FixResult | None = None
    notes: Sequence[str] = ()

    @property
    def exit_code(self) -> ExitCode:
        """As the run that landed the change; NOTHING_TO_DO without one."""
        return self.run.exit_code if self.run is not None else ExitCode.NOTHING_TO_DO

    def as_json(self) -> dict[str, object]:
        """Return everything as plain JSON."""
        return {
            "workload": self.workload,
            "profile": asdict(self.profile),
            "attempts": [asdict(each) for each in self.attempts],
            "reason": self.reason,
            "evidence": dict(self.evidence),
            "notes": list(self.notes),
            "run": self.run.as_json() if self.run is not None else None,
        }

    def as_text(self) -> RenderableType:
        """Return the profile, the rewrites and the change for people."""
        parts: list[RenderableType] = [self._headline(), profile_table(self.profile)]
        if self.attempts:
            parts += [Text(""), self._attempts()]
        parts += [Text(note, style="dim") for note in self.notes]
        if self.run is not None:
            parts += [Text(""), self.run.as_text()]
        return Group(*parts)

    def _headline(self) -> Text:
        if self.run is None:
            return Text.assemble(("nothing changed", "bold yellow"), f": {self.reason}")
        found = self.evidence.get("workload")
        timing = found if isinstance(found, Mapping) else {}
        gain = f"{timing.get('before_s', 0):.4g} s -> {timing.get('after_s', 0):.4g} s"
        interval = f"{timing.get('improvement', 0):.1%} less, {timing.get('low', 0):.1%} to {timing.get('high', 0):.1%}"
        return Text.assemble(("faster", "bold green"), f": {gain} ({interval}, {timing.get('pairs')} pairs)")

    def _attempts(self) -> Table:
        table = Table(box=None, pad_edge=False, header_style="dim")
        table.add_column("rewrite", overflow="fold")
        table.add_column("place", no_wrap=True)
        table.add_column("one call", justify="right")
        table.add_column("fate", overflow="fold")
        for each in sorted(self.attempts, key=_how_far)[:_SHOWN_ATTEMPTS]:
            ratio = "" if each.ratio is None else f"{1 - each.ratio:+.0%}"
            style = "green" if each.accepted else ""
            table.add_row(each.description, each.place, ratio, Text(each.fate, style=style))
        if len(self.attempts) > _SHOWN_ATTEMPTS:
            table.add_row(f"and {len(self.attempts) - _SHOWN_ATTEMPTS} more", "", "", "")
        return table


def _how_far(attempt: Attempt) -> tuple[bool, bool, float]:
    return not attempt.accepted, attempt.timing is None, attempt.ratio if attempt.ratio is not None else 9.0


def profile_table(profile: Profile) -> Table:
    """Return the hot functions as a table for people."""
    title = f"one run: {profile.seconds:.3g} s, {profile.peak_bytes / 2**20:.1f} MiB at most"
    table = Table(box=None, pad_edge=False, header_style="dim", title=title, title_justify="left", title_style="dim")
    table.add_column("function", overflow="fold")
    table.add_column("place", no_wrap=True)
    for heading in ("own time", "with calls", "calls"):
        table.add_column(heading, justify="right")
    for each in profile.functions[:_SHOWN_FUNCTIONS]:
        table.add_row(
            each.name, f"{each.path}:{each.line}", f"{each.share:.1%}", f"{each.below:.1%}", f"{each.calls:,}"
        )
    table.add_row("elsewhere: libraries, imports, tests", "", f"{profile.elsewhere:.1%}", "", "", style="dim")
    return table
