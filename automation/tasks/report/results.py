"""The overview as JSON, as text and as a page."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from automation.improvement.report import share_text
from automation.pipeline.result import FixResult
from automation.tasks.report.overview import Overview, SessionLine
from trading.errors import ExitCode, Refused
from trading.report.pages import filled, write_whole

_FIGURES = ("mode", "symbol", "capital", "equity", "profit", "currency", "position", "fees")


@dataclass(frozen=True, slots=True)
class OverviewResult:
    """An overview, and the page that was written of it."""

    overview: Overview
    page: Path

    @property
    def exit_code(self) -> ExitCode:
        """Always done: what is wrong is in the report, and `gridbot health` is what scripts ask."""
        return ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        """Return everything as plain JSON."""
        found = self.overview
        return {
            "now_ms": found.now_ms,
            "since_ms": found.since_ms,
            "sessions": [_session_data(each) for each in found.sessions],
            "awaiting_approval": [run.run_id for run in found.waiting],
            "runs": [
                {"run_id": run.run_id, "status": run.status.value, "title": title_of(run), "reason": run.reason}
                for run in found.runs
            ],
            "repaired": found.improvement.success.repaired,
            "attempts": found.improvement.success.attempts,
            "health": [asdict(check) for check in found.checks],
            "page": str(self.page),
        }

    def as_text(self) -> RenderableType:
        """Return what a person should know, in a screenful."""
        found = self.overview
        parts: list[RenderableType] = [self._sessions()]
        success = found.improvement.success
        repaired = f"{success.repaired} of {success.attempts} repaired ({share_text(success.rate)})"
        parts.append(
            Text(f"repairs   {repaired} since {moment(found.since_ms)}" if success.attempts else "repairs   none")
        )
        parts += [
            Text(f"waiting   {run.run_id}: {title_of(run)}; gridbot runs show {run.run_id}", style="yellow")
            for run in found.waiting
        ]
        wrong = [check for check in found.checks if not check.ok]
        parts += [
            Text(f"health    {check.name}: {check.detail}", style="red" if check.needed else "yellow")
            for check in wrong
        ]
        if not wrong:
            parts.append(Text("health    all is well", style="green"))
        return Group(*parts, Text(f"page      {self.page}"))

    def _sessions(self) -> RenderableType:
        if not self.overview.sessions:
            return Text("sessions  none yet")
        table = Table(box=None, pad_edge=False, header_style="dim")
        for name in ("session", "symbol", "equity", "profit", "state"):
            table.add_column(name, justify="right" if name in {"equity", "profit"} else "left", overflow="fold")
        for line in self.overview.sessions:
            row = [str(line.figures.get(name, "-")) for name in ("symbol", "equity", "profit")]
            table.add_row(line.name, *row, line.state)
        return table


def write_page(found: Overview, folder: Path) -> OverviewResult:
    """Write ``overview.html`` and ``overview.json`` into a folder.

    Raises
    ------
    Refused
        When the folder cannot be written.
    """
    result = OverviewResult(found, folder / "overview.html")
    page = filled(
        "automation.tasks.report",
        "overview.html.j2",
        {"share": share_text, "moment": moment, "title": title_of},
        found=found,
        figures=_FIGURES,
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(result.page, page)
        write_whole(folder / "overview.json", json.dumps(result.as_json(), indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        raise Refused(f"{folder} cannot be written ({error.strerror or error}); choose another --out folder") from error
    return result


def moment(time_ms: int) -> str:
    """Return a time as people read it, UTC."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def title_of(run: FixResult) -> str:
    """Return what a run was about."""
    return str((run.incident or {}).get("title") or run.reason or "no incident")


def _session_data(line: SessionLine) -> dict[str, object]:
    return {"session": line.name, "state": line.state, **{name: line.figures.get(name) for name in _FIGURES}}
