"""The list of runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from rich.console import RenderableType
from rich.table import Table

from automation.pipeline.result import FixResult
from trading.errors import ExitCode


@dataclass(frozen=True, slots=True)
class RunList:
    """Runs, newest first."""

    runs: tuple[FixResult, ...]

    @property
    def exit_code(self) -> ExitCode:
        """Always done."""
        return ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        """Return one row a run."""
        return {"runs": [_row(run) for run in self.runs]}

    def as_text(self) -> RenderableType:
        """Return a table for people."""
        if not self.runs:
            return "no runs yet; `gridbot fix PATH` makes one"
        table = Table(box=None, pad_edge=False, header_style="dim")
        for column in ("run", "started (UTC)", "kind", "status", "about", "proposer", "seconds", "target"):
            table.add_column(column, overflow="fold")
        for run in self.runs:
            row = _row(run)
            started = f"{datetime.fromtimestamp(run.started_ms / 1000, UTC):%Y-%m-%d %H:%M}"
            shown = (
                row["run_id"],
                started,
                row["kind"],
                row["status"],
                row["incident"],
                row["proposer"] or "-",
                row["seconds"],
            )
            table.add_row(*map(str, shown), run.target)
        return table


def _row(run: FixResult) -> dict[str, object]:
    return {
        "run_id": run.run_id,
        "started_ms": run.started_ms,
        "status": run.status.value,
        "kind": run.kind,
        "incident": run.title or str((run.incident or {}).get("title", "")),
        "proposer": run.proposer,
        "seconds": round(sum(run.seconds.values()), 1),
        "target": run.target,
    }
