"""How the last night went, and how the newest run of the pipeline stands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from automation.pipeline.runs import RunStore

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
        How it stands.
    reason : str
        Why, or where it is at work.
    seconds : float
        Time of all stages that have ended.
    waiting : int
        Runs that wait for a person, this one included.
    """

    run_id: str
    status: str
    reason: str
    seconds: float
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


def newest_run(home: Path) -> RunFacts | None:
    """Return how the newest run stands; None where there is none."""
    store = RunStore(home)
    results = [store.result(run) for run in islice(store, _NEWEST)]
    if not results:
        return None
    first = results[0]
    waiting = sum(result.status.value == "awaiting_approval" for result in results)
    return RunFacts(first.run_id, first.status.value, first.reason, sum(first.seconds.values()), waiting)


def _status(run: Mapping[str, object]) -> tuple[str, str]:
    return str(run.get("status", "")), str(run.get("reason", ""))
