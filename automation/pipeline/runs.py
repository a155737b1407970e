"""The runs on disk: one folder each, with the request, the result and all that the stages kept."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from automation.errors import RunNotFound
from automation.pipeline.change import PROPOSAL_NAME, beginning_of, kept_proposal
from automation.pipeline.live_progress import FILE_NAME as PROGRESS_NAME
from automation.pipeline.report import write_report
from automation.pipeline.requests import FixRequest
from automation.pipeline.result import FixResult, result_of_state
from automation.pipeline.state import RunState, Status
from trading.errors import Refused


@dataclass(frozen=True, slots=True)
class Run:
    """One run as it lies on disk."""

    run_id: str
    folder: Path
    started_ms: int
    request: FixRequest


class RunStore:
    """All runs below GridBot's data home.

    Parameters
    ----------
    home : Path
        The data home; ``runs`` in it is made when missing.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folder = home / "runs"

    def create(self, request: FixRequest, proposal: Mapping[str, object] | None = None) -> Run:
        """Make the folder of a new run.

        Parameters
        ----------
        request : FixRequest
            What was asked for.
        proposal : mapping of str to object, optional
            A change that is to be weighed, as plain JSON; None looks for one.
        """
        started_ms = time.time_ns() // 1_000_000
        stamp = datetime.fromtimestamp(started_ms / 1000, UTC).strftime("%Y%m%d-%H%M%S")
        run_id = f"{stamp}-{secrets.token_hex(4)}"
        run = Run(run_id, self.folder / run_id, started_ms, request)
        run.folder.mkdir(parents=True)
        # What was meant must stay the same when a later sitting runs elsewhere; an interpreter may be a link that must
        # be called by its own name.
        places = {name: str(path.absolute()) for name, path in _places(request) if path is not None}
        kept = {
            "run_id": run_id,
            "started_ms": started_ms,
            "request": {**request.model_dump(mode="json"), **places, "path": str(request.path.resolve())},
        }
        if proposal is not None:
            # Before the file that makes it a run, so that no run forgets what it was to weigh.
            _write(run.folder / PROPOSAL_NAME, proposal)
        _write(run.folder / "run.json", kept)
        return run

    def find(self, name: str) -> Run:
        """Return a run by its id or the beginning of it.

        Raises
        ------
        RunNotFound
            When none or several fit.
        """
        fitting = [run for run in self if run.run_id == name] or [run for run in self if run.run_id.startswith(name)]
        if len(fitting) != 1:
            found = "no run" if not fitting else f"{len(fitting)} runs"
            raise RunNotFound(f"{found} of the id {name!r}; `gridbot runs list` shows them")
        return fitting[0]

    def __iter__(self) -> Iterator[Run]:
        """Yield the runs, newest first."""
        found = []
        for file in self.folder.glob("*/run.json"):
            try:
                kept = json.loads(file.read_text(encoding="utf-8"))
                request = FixRequest.model_validate(kept["request"])
                found.append(Run(str(kept["run_id"]), file.parent, int(kept["started_ms"]), request))
            except (OSError, ValueError, KeyError, TypeError):
                # A run that was killed while its folder was made holds nothing that could be gone on with.
                continue
        yield from sorted(found, key=lambda run: (run.started_ms, run.run_id), reverse=True)

    def reopen(self, run: Run) -> None:
        """Forget how the last sitting of a run ended, because another one begins."""
        (run.folder / "result.json").unlink(missing_ok=True)

    def settle(self, run: Run, state: RunState) -> FixResult:
        """Keep the result of a sitting, with its report."""
        result = result_of_state(state, run.folder)
        _write(run.folder / "result.json", result.as_json())
        if result.patch:
            (run.folder / "patch.diff").write_text(result.patch, encoding="utf-8", newline="")
        write_report(result, run.folder / "report.html")
        (run.folder / PROGRESS_NAME).unlink(missing_ok=True)
        return result

    def result(self, run: Run) -> FixResult:
        """Return how a run stands, also when no sitting of it came to an end."""
        file, stage = run.folder / "result.json", run.folder / "stage"
        place = stage.read_text(encoding="utf-8") if stage.is_file() else "its beginning"
        reason = f"stopped or at work in {place}"
        if file.is_file():
            try:
                return FixResult.from_json(json.loads(file.read_text(encoding="utf-8")))
            except (ValueError, KeyError, TypeError, AttributeError):
                reason = f"{file} is damaged; resume the run to have it anew"
        state: RunState = {
            "run_id": run.run_id,
            "started_ms": run.started_ms,
            "target": str(run.request.path),
            "status": Status.RUNNING,
            "reason": reason,
            **beginning_of(kept_proposal(run.folder)),
        }
        return result_of_state(state, run.folder)

    def abandon(self, run: Run) -> FixResult:
        """Give a run up: its private copy goes, what it found stays."""
        result = self.result(run)
        if result.status not in (Status.RUNNING, Status.AWAITING_APPROVAL, Status.UNFIXED):
            raise Refused(f"run {run.run_id} is {result.status} already; there is nothing to abandon")
        given_up = result.with_status(Status.ABANDONED, "abandoned by a person")
        _write(run.folder / "result.json", given_up.as_json())
        return given_up

    def resumable(self) -> frozenset[str]:
        """Return the ids of runs whose private copy may still be needed."""
        open_ends = (Status.RUNNING, Status.AWAITING_APPROVAL)
        return frozenset(run.run_id for run in self if self.result(run).status in open_ends)


def _places(request: FixRequest) -> tuple[tuple[str, Path | None], ...]:
    return ("log", request.log), ("python", request.python)


def _write(path: Path, value: object) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")
    part.replace(path)
