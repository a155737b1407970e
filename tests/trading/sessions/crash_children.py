"""A process of its own for the crash tests, since pytest's has threads that no fork may meet.

``python -m tests.trading.sessions.crash_children WHAT FOLDER`` prints one JSON line.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.trading.sessions.crash_instants import Never
from tests.trading.sessions.crash_lessons import tell_lessons
from tests.trading.sessions.crash_rig import CrashRun, crash_run, kill_at_each_kind, kill_at_random, report


def suite(run: CrashRun) -> Mapping[str, object]:
    kill_at_each_kind(run, minutes=8)
    _end(run)
    kills = {"kinds": _kinds(run), **report(run)}
    return {**kills, "lessons": tell_lessons(run)}


def all_kinds(run: CrashRun) -> Mapping[str, object]:
    kill_at_each_kind(run, minutes=60)
    _end(run)
    return {"kinds": _kinds(run), **report(run)}


def at_random(run: CrashRun) -> Mapping[str, object]:
    for _ in kill_at_random(run, 100, 3, rest_every=20):
        pass
    _end(run)
    return report(run)


def _end(run: CrashRun) -> None:
    run.rest()
    run.live(Never(), 1, cancel_orders=True)


def _kinds(run: CrashRun) -> list[str]:
    return sorted({life.killed_at for life in run.lives if life.killed_at is not None})


@dataclass(frozen=True)
class Way:
    run: Callable[[CrashRun], Mapping[str, object]]
    full: bool = False
    faults: float = 0.0
    streams: bool = False


WAYS: Mapping[str, Way] = {
    "suite": Way(suite),
    "all_kinds": Way(all_kinds, full=True),
    "at_random": Way(at_random, streams=True),
    "in_a_storm": Way(at_random, faults=0.02),
}


def main(what: str, folder: str) -> None:
    way = WAYS[what]
    with crash_run(Path(folder), 1, full=way.full, faults=way.faults, streams=way.streams) as run:
        told = way.run(run)
    sys.stdout.write(json.dumps({**told, "findings": run.findings}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
