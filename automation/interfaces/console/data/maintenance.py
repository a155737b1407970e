"""The pipeline's runs as their folders have them, read while they work."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import islice
from pathlib import Path

from pydantic import TypeAdapter

from automation.interfaces.console.data.incidents import CrashReader, incident_rows
from automation.interfaces.console.data.run_records import (
    CHANGE_STAGES,
    REPAIR_STAGES,
    MaintenanceFacts,
    RunRow,
    RunStage,
    RunState,
    RunView,
    RunWork,
    StageState,
)
from automation.interfaces.console.data.run_standing import is_at_work
from automation.pipeline.live_progress import read_progress
from automation.pipeline.result import FixResult
from automation.pipeline.runs import Run, RunStore
from automation.pipeline.state import Status

MOST_RUNS = 200
_SPEED_OVER_MS = 5_000
_Stamp = tuple[int, int] | None
_RESULT = TypeAdapter(FixResult)


@dataclass(slots=True)
class _Known:
    stamp: _Stamp
    result: FixResult


@dataclass(slots=True)
class _Speed:
    """Candidates per second over the last moments, from what a run tells of itself."""

    counts: deque[tuple[int, int]] = field(default_factory=deque)

    def over(self, at_ms: int, tried: int) -> float | None:
        counts = self.counts
        if counts and (tried < counts[-1][1] or at_ms < counts[-1][0]):
            counts.clear()
        if not counts or at_ms > counts[-1][0]:
            counts.append((at_ms, tried))
        while len(counts) > 2 and at_ms - counts[1][0] >= _SPEED_OVER_MS:
            counts.popleft()
        (first_ms, first), (last_ms, last) = counts[0], counts[-1]
        return (last - first) * 1_000 / (last_ms - first_ms) if last_ms > first_ms else None


class MaintenanceReader:
    """Follows the runs of a data home; to be used by one thread at a time.

    Parameters
    ----------
    home : Path
        The data home; it need not exist yet.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self._store = RunStore(home)
        self._runs: dict[str, Run] = {}
        self._names: frozenset[str] = frozenset()
        self._results: dict[str, _Known] = {}
        self._speeds: dict[str, _Speed] = {}
        self._crashes = CrashReader(home)

    def read(self, chosen: str | None, clock_ms: int) -> MaintenanceFacts:
        """Return how the runs stand.

        Parameters
        ----------
        chosen : str, optional
            Id of the run to look at; None takes the one at work, else one that waits for approval, else the newest.
        clock_ms : int
            This machine's time, milliseconds UTC.
        """
        self._find_runs()
        newest = sorted(self._runs.values(), key=lambda run: (run.started_ms, run.run_id), reverse=True)
        kept = [run for run in islice(newest, MOST_RUNS) if self._may_read(run)]
        results = {run.run_id: self._result(run) for run in kept}
        told = {run.run_id: _told(run) for run in kept if results[run.run_id].status is Status.RUNNING}
        rows = tuple(self._row(run, results[run.run_id], told.get(run.run_id, {}), clock_ms) for run in kept)
        run = self._chosen(rows, chosen)
        shown = None
        if run is not None:
            row = next(row for row in rows if row.run_id == run.run_id)
            shown = self._view(run, row, results[run.run_id], told.get(run.run_id, {}), clock_ms)
        crashes = self._crashes.read()
        return MaintenanceFacts(rows, len(newest), shown, incident_rows(results, kept, rows, crashes), clock_ms)

    def _find_runs(self) -> None:
        names = frozenset(file.parent.name for file in self._store.folder.glob("*/run.json"))
        if names != self._names:
            self._runs = {run.run_id: run for run in self._store}
            self._names = names
            for forgotten in self._results.keys() - self._runs.keys():
                del self._results[forgotten]

    def _may_read(self, run: Run) -> bool:
        return run.folder.is_dir()

    def _result(self, run: Run) -> FixResult:
        stamp = _stamp(run.folder / "result.json")
        known = self._results.get(run.run_id)
        if known is not None and stamp is not None and known.stamp == stamp:
            return known.result
        try:
            # checked here, because what is drawn must not be of another kind
            kept = self._store.result(run)
            values = {each.name: getattr(kept, each.name) for each in fields(kept)}
            result = _RESULT.validate_python(values)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            # taken away between two looks, or what it was to weigh cannot be read
            return known.result if known is not None else _unreadable(run)
        if stamp is not None and result.status is Status.RUNNING:
            # only a sitting that has ended leaves a result: what lies there cannot be read
            return known.result if known is not None else _unreadable(run)
        self._results[run.run_id] = _Known(stamp, result)
        return result

    def _row(self, run: Run, result: FixResult, told: Mapping[str, object], clock_ms: int) -> RunRow:
        status = result.status.value.replace("_", " ")
        seconds = sum(result.seconds.values())
        if result.status is Status.RUNNING:
            at_work = is_at_work(self.home, run, clock_ms)
            status = (RunState.AT_WORK if at_work else RunState.INTERRUPTED).value
            seconds = max(0.0, (clock_ms - run.started_ms) / 1_000) if at_work else seconds
        return RunRow(
            run_id=run.run_id,
            started_ms=run.started_ms,
            kind=result.kind,
            status=status,
            title=result.title or str((result.incident or told).get("title") or ""),
            proposer=result.proposer or "",
            seconds=seconds,
            target=result.target,
        )

    def _chosen(self, rows: Sequence[RunRow], chosen: str | None) -> Run | None:
        if chosen is not None and any(row.run_id == chosen for row in rows):
            return self._runs[chosen]
        for wanted in (lambda row: row.is_at_work, lambda row: row.awaits_approval, lambda row: True):
            found = next((row for row in rows if wanted(row)), None)
            if found is not None:
                return self._runs[found.run_id]
        return None

    def _view(self, run: Run, row: RunRow, result: FixResult, told: Mapping[str, object], clock_ms: int) -> RunView:
        work = self._work_of(run, told) if told else _work_done(result)
        return RunView(row, self._stages(run, row, result, told, clock_ms), work, result)

    def _stages(
        self, run: Run, row: RunRow, result: FixResult, progress: Mapping[str, object], clock_ms: int
    ) -> tuple[RunStage, ...]:
        names = REPAIR_STAGES if result.kind == "fix" else CHANGE_STAGES
        if result.status is not Status.RUNNING:
            return tuple(_ended(name, result.seconds, result.status) for name in names)
        current, entered_ms = _current_stage(run)
        seconds = {str(name): _number(value) for name, value in _mapping(progress.get("seconds")).items()}
        place = names.index(current) if current in names else 0
        stages = []
        for number, name in enumerate(names):
            if number == place:
                state = StageState.AT_WORK if row.is_at_work else StageState.STOPPED
                since = (clock_ms - entered_ms) / 1_000 if entered_ms and row.is_at_work else 0.0
                stages.append(RunStage(name, state, max(0.0, seconds.get(name, 0.0) + since)))
            elif number < place or name in seconds:
                stages.append(RunStage(name, StageState.DONE, seconds.get(name)))
            else:
                stages.append(RunStage(name, StageState.WAITING))
        return tuple(stages)

    def _work_of(self, run: Run, progress: Mapping[str, object]) -> RunWork:
        tried = {str(name): int(_number(count)) for name, count in _mapping(progress.get("tried")).items()}
        speed = self._speeds.setdefault(run.run_id, _Speed())
        recent = speed.over(int(_number(progress.get("updated_ms"))), sum(tried.values()))
        return RunWork(
            label=str(progress.get("label", "")),
            done=_number(progress.get("done")),
            total=_number(progress.get("total")),
            unit=str(progress.get("unit", "")),
            candidates_per_second=_number(progress.get("candidates_per_second")) if recent is None else recent,
            tried=tried,
            model=str(progress.get("model", "")),
            model_calls=int(_number(progress.get("model_calls"))),
            model_tokens=int(_number(progress.get("model_tokens"))),
        )


def _told(run: Run) -> Mapping[str, object]:
    return read_progress(run.folder) or {}


def _work_done(result: FixResult) -> RunWork:
    return RunWork(
        candidates_per_second=result.candidates_per_second,
        tried=result.tried,
        model=result.model,
        model_calls=result.model_calls,
        model_tokens=result.model_tokens,
    )


def _ended(name: str, seconds: Mapping[str, float], status: Status) -> RunStage:
    if name == "approve" and status is Status.AWAITING_APPROVAL:
        return RunStage(name, StageState.ASKS)
    if name in seconds:
        return RunStage(name, StageState.DONE, seconds[name])
    waits = status is Status.AWAITING_APPROVAL and name in ("land", "record")
    return RunStage(name, StageState.WAITING if waits else StageState.SKIPPED)


def _current_stage(run: Run) -> tuple[str, int]:
    file = run.folder / "stage"
    try:
        return file.read_text(encoding="utf-8").strip(), file.stat().st_mtime_ns // 1_000_000
    except (OSError, ValueError):
        return "", 0


def _unreadable(run: Run) -> FixResult:
    return FixResult(
        run.run_id,
        run.started_ms,
        str(run.request.path),
        str(run.folder),
        Status.UNFIXED,
        f"{run.folder / 'result.json'} cannot be read; another version of GridBot wrote it",
    )


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
