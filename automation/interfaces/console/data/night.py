"""How the last night went, and how the newest run of the pipeline stands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from automation.interfaces.console.data.run_records import RunState
from automation.interfaces.console.data.run_standing import is_at_work
from automation.pipeline.live_progress import read_progress
from automation.pipeline.result import FixResult
from automation.pipeline.runs import Run, RunStore
from automation.pipeline.state import Status

# runs that are looked at for one that waits
_NEWEST = 50
_DEPTHS = ("nightly-*/report.json", "*/nightly-*/report.json")


@dataclass(frozen=True, slots=True)
class NightFacts:
    """The last night's maintenance.

    Parameters
    ----------
    started : str
        ISO time, UTC.
    status : str
        That of its repair, or why it could not begin.
    reason : str
        More on that, in one sentence.
    minutes : float
        How long it took.
    report : str
        Its page.
    """

    started: str
    status: str
    reason: str
    minutes: float
    report: str


@dataclass(frozen=True, slots=True)
class RunFacts:
    """One run of the pipeline.

    Parameters
    ----------
    run_id : str
        Its id.
    status : str
        How it stands, in words.
    reason : str
        Why, or its stage and what it is about.
    waiting : int
        Runs that wait for a person, this one included.
    """

    run_id: str
    status: str
    reason: str
    waiting: int


def last_night(root: Path, home: Path) -> NightFacts | None:
    """Return the newest night's result among the reports; None where there is none.

    Parameters
    ----------
    root : Path
        The repository; nights report into its folder ``reports``.
    home : Path
        The data home, in whose ``reports`` they may lie too.
    """
    found = [file for place in (root, home) for deep in _DEPTHS for file in (place / "reports").glob(deep)]
    newest = max(found, key=lambda file: file.parent.name, default=None)
    if newest is None:
        return None
    try:
        told = json.loads(newest.read_text(encoding="utf-8"))
        info, run = told["session_info"], told.get("debug_results")
    except (OSError, ValueError, KeyError, TypeError) as error:
        return NightFacts(newest.parent.name, "unreadable", f"{newest}: {type(error).__name__}", 0.0, str(newest))
    status, reason = ("could not begin", str(info.get("problem") or "")) if not run else _status(run)
    return NightFacts(str(info["started"]), status, reason, float(info.get("seconds") or 0) / 60, str(newest))


class NewestRun:
    """Follows the newest run of a data home, and those that wait for a person; what has ended is read once.

    Parameters
    ----------
    home : Path
        The data home; it need not exist yet.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._store = RunStore(home)
        self._names: frozenset[str] = frozenset()
        self._runs: tuple[Run, ...] = ()
        self._ended: dict[str, tuple[int, FixResult]] = {}

    def read(self, clock_ms: int) -> RunFacts | None:
        """Return how the newest run stands; None where there is none.

        Parameters
        ----------
        clock_ms : int
            This machine's time, milliseconds UTC.
        """
        names = frozenset(file.parent.name for file in self._store.folder.glob("*/run.json"))
        if names != self._names:
            self._runs, self._names = tuple(islice(self._store, _NEWEST)), names
        found = [(run, result) for run in self._runs if (result := self._result(run)) is not None]
        if not found:
            return None
        run, result = found[0]
        waiting = sum(each.status is Status.AWAITING_APPROVAL for _, each in found)
        status, reason = result.status.value.replace("_", " "), result.reason
        if result.status is Status.RUNNING:
            told = read_progress(run.folder) or {}
            stands = RunState.AT_WORK if is_at_work(self._home, run, clock_ms) else RunState.INTERRUPTED
            about = result.title or str(told.get("title") or "")
            reason = ": ".join(filter(None, [str(told.get("stage") or ""), about])) or result.reason
            status = stands.value
        return RunFacts(run.run_id, status, reason, waiting)

    def _result(self, run: Run) -> FixResult | None:
        try:
            changed = (run.folder / "result.json").stat().st_mtime_ns
        except OSError:
            changed = 0
        known = self._ended.get(run.run_id)
        if known is None or known[0] != changed:
            try:
                known = changed, self._store.result(run)
            except (OSError, ValueError, KeyError, TypeError):
                # taken away just now, or what it was to weigh cannot be read
                return None
            self._ended[run.run_id] = known
        return known[1]


def _status(run: Mapping[str, object]) -> tuple[str, str]:
    return str(run.get("status", "")), str(run.get("reason", ""))
