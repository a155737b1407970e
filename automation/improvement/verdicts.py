"""What `improvement compare` hands back: both intervals, and whether the improvement is accepted."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from automation.improvement.command_timing import CommandComparison
from automation.improvement.paired import Comparison
from trading.errors import ExitCode


@dataclass(frozen=True, slots=True)
class CompareResult:
    """Two commands compared.

    Parameters
    ----------
    found : CommandComparison
        What was measured.
    minimum : float
        Least improvement to accept, share. CPU time decides, because other programs disturb it less; wall time must
        not be worse.
    """

    found: CommandComparison
    minimum: float

    @property
    def accepted(self) -> bool:
        """Whether the second command is better by the minimum at least."""
        return self.found.cpu.accepts(self.minimum) and self.found.wall.high > 0

    @property
    def exit_code(self) -> ExitCode:
        """DONE when accepted, else FAILED."""
        return ExitCode.DONE if self.accepted else ExitCode.FAILED

    def as_json(self) -> dict[str, object]:
        """Return the verdict, and intervals and every run by wall and CPU time."""
        return {
            "accepted": self.accepted,
            "minimum": self.minimum,
            "a": shlex.join(self.found.argv_a),
            "b": shlex.join(self.found.argv_b),
            "cpu": _plain(self.found.cpu),
            "wall": _plain(self.found.wall),
        }

    def as_text(self) -> RenderableType:
        """Return the verdict and a row for each clock."""
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        for heading in ("time", "A, median", "B, median", "B is faster by", "interval"):
            table.add_column(heading, justify="left" if heading == "time" else "right")
        for name, comparison in (("cpu", self.found.cpu), ("wall", self.found.wall)):
            medians = (f"{np.median(costs):.4g} s" for costs in (comparison.a, comparison.b))
            interval = f"{comparison.low:+.1%} to {comparison.high:+.1%} ({comparison.confidence:.0%})"
            table.add_row(name, *medians, f"{comparison.improvement:+.1%}", interval)
        verdict = (
            Text(f"accepted: B saves at least {self.minimum:.0%} CPU time", "bold blue")
            if self.accepted
            else Text(f"not accepted: {len(self.found.cpu.a)} pairs do not show {self.minimum:.0%} or more", "bold")
        )
        return Group(verdict, table)


def _plain(comparison: Comparison) -> dict[str, object]:
    return {
        "improvement": comparison.improvement,
        "low": comparison.low,
        "high": comparison.high,
        "confidence": comparison.confidence,
        "pairs": len(comparison.a),
        "a_s": list(comparison.a),
        "b_s": list(comparison.b),
    }
