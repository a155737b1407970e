"""The report of a night: JSON for programs, a page for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from automation.pipeline.report import counts_text
from automation.pipeline.result import FixResult
from automation.pipeline.state import Status
from trading.errors import ExitCode, Refused
from trading.report.pages import filled, write_whole


@dataclass(frozen=True, slots=True)
class NightlyResult:
    """What one night found and did.

    Parameters
    ----------
    started_ms : int
        Milliseconds UTC.
    target : str
        The repository.
    minutes : float
        The time budget.
    checks : sequence of mapping
        The health checks.
    problem : str
        Why nothing could be done; empty otherwise.
    run : FixResult, optional
        The tests and the repair.
    benchmark : mapping, optional
        The command's time on the branch against HEAD; None without a repair or a command.
    """

    started_ms: int
    target: str
    minutes: float
    checks: Sequence[Mapping[str, object]] = ()
    problem: str = ""
    run: FixResult | None = None
    benchmark: Mapping[str, object] | None = None
    seconds: float = 0.0
    folder: Path | None = None

    @property
    def exit_code(self) -> ExitCode:
        """That of the repair; 0 also when nothing had to be fixed, 3 when the night could not begin."""
        if self.run is None:
            return ExitCode.REFUSED
        return ExitCode.DONE if self.run.status is Status.NOTHING_TO_FIX else self.run.exit_code

    def as_json(self) -> dict[str, object]:
        """Return the three parts of the report."""
        return {
            "session_info": {
                "started": datetime.fromtimestamp(self.started_ms / 1000, UTC).isoformat(),
                "target": self.target,
                "budget_minutes": self.minutes,
                "seconds": round(self.seconds, 1),
                "health": [dict(check) for check in self.checks],
                "problem": self.problem,
                "report": str(self.folder / "report.html") if self.folder else None,
            },
            "debug_results": self.run.as_json() if self.run else None,
            "optimization_results": {"benchmark": dict(self.benchmark) if self.benchmark else None},
        }

    def as_text(self) -> RenderableType:
        """Return a short account for people."""
        lines: list[RenderableType] = [Text(_check_text(check)) for check in self.checks]
        if self.problem:
            lines.append(Text(f"the night could not begin: {self.problem}", style="red"))
        if self.run is not None:
            lines.append(self.run.as_text())
        if self.benchmark is not None:
            lines.append(Text(f"benchmark {benchmark_text(self.benchmark)}"))
        return Group(*lines, Text(f"night     {self.folder}"))


def _check_text(check: Mapping[str, object]) -> str:
    state = "ok  " if check["ok"] else "FAIL" if check["needed"] else "none"
    return f"{state}  {check['name']}: {check['detail']}"


def benchmark_text(benchmark: Mapping[str, object]) -> str:
    """Return what the benchmark said in one line."""
    if "problem" in benchmark:
        return f"{benchmark['command']}: {benchmark['problem']}"
    low, middle, high = (100 * float(str(benchmark[name])) for name in ("low", "improvement", "high"))
    return f"{benchmark['command']}: {middle:+.1f}% less time (95% interval {low:+.1f}% to {high:+.1f}%)"


def write_nightly(night: NightlyResult, out: Path) -> NightlyResult:
    """Write the report into a folder of its own below ``out``.

    Raises
    ------
    Refused
        When the folder cannot be written.
    """
    stamp = datetime.fromtimestamp(night.started_ms / 1000, UTC).strftime("%Y%m%d-%H%M%S")
    folder = out.absolute() / f"nightly-{stamp}"
    written = replace(night, folder=folder)
    try:
        if not out.exists():
            # Where it lies in the repository, the next night must not take this one's report for uncommitted work.
            out.mkdir(parents=True)
            (out / ".gitignore").write_text("*\n", encoding="utf-8")
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(written.as_json(), indent=1, ensure_ascii=False) + "\n"
        write_whole(folder / "report.json", text)
        write_whole(folder / "report.html", render_night(written))
    except OSError as error:
        raise Refused(f"{folder} cannot be written ({error.strerror}); choose another --out folder") from error
    return written


def render_night(night: NightlyResult) -> str:
    """Return the report as one HTML page; every text of it is escaped."""
    started = f"{datetime.fromtimestamp(night.started_ms / 1000, UTC):%Y-%m-%d %H:%M}"
    return filled(
        "automation.pipeline",
        "nightly.html.j2",
        {"counts": counts_text, "benchmark": benchmark_text},
        night=night,
        started=started,
        report=f"{Path(night.run.folder).as_uri()}/report.html" if night.run else "",
    )
