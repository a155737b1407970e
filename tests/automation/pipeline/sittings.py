"""A process that imports GridBot once and forks a sitting of it for each command that it is told on stdin.

Every sitting is a process of its own, as quick to start as a fork. It may be told to end itself, as a power cut or a
person would, before or after a stage's body, or to wait there for the test. What it leaves behind is handed to this
process, which waits for the end of it: a process of a run that lives on is found out.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

_BECOME_REAPER = 36
_PATIENCE_S = 30


@dataclass(frozen=True, slots=True)
class Halt:
    """Where a sitting stops.

    Parameters
    ----------
    stage : str
        Name of the stage, or ``screened`` for the middle of a search: each verdict on one candidate or on several.
    when : str
        ``before`` or ``after`` the stage's body.
    by : str
        Name of a signal, or ``wait``: until the pipe that is named in ``gate`` has been read and written.
    gate : str
        Path of a named pipe.
    at : int
        At which call of the stage, from 1.
    """

    stage: str
    when: str = "before"
    by: str = "SIGKILL"
    gate: str = ""
    at: int = 1


def _stopped(halt: Halt) -> None:
    if halt.by == "wait":
        # Opening blocks until the test reads, then again until it writes.
        Path(halt.gate).write_text("here", encoding="utf-8")
        Path(halt.gate).read_text(encoding="utf-8")
    else:
        os.kill(os.getpid(), getattr(signal, halt.by))


def _wrapped(halt: Halt, body: Callable[..., object], calls: Iterator[int]) -> Callable[..., object]:
    def stage(*arguments: object) -> object:
        mine = next(calls) == halt.at
        if mine and halt.when == "before":
            _stopped(halt)
        changes = body(*arguments)
        if mine and halt.when == "after":
            _stopped(halt)
        return changes

    return stage


def _install(halt: Halt) -> None:
    from automation.pipeline.graph import STAGES
    from automation.repair.verify import Judge

    calls = count(1)
    if halt.stage == "screened":
        # Candidates are tried one by one or many at a time, as the search sees fit.
        for name in ("screened", "screened_together"):
            setattr(Judge, name, _wrapped(halt, getattr(Judge, name), calls))
    else:
        STAGES[halt.stage] = _wrapped(halt, STAGES[halt.stage], calls)  # type: ignore[assignment]


def _sit(order: Mapping[str, object]) -> None:
    from automation.cli import main

    signal.signal(signal.SIGINT, signal.default_int_handler)
    for descriptor, path in ((1, order["stdout"]), (2, order["stderr"])):
        os.dup2(os.open(str(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.update(order["variables"])  # type: ignore[arg-type, call-overload]
    os.chdir(str(order["cwd"]))
    if order["halt"]:
        _install(Halt(**order["halt"]))  # type: ignore[arg-type]
    code = 99
    try:
        code = main(list(order["arguments"]))  # type: ignore[call-overload]
    except BaseException:  # noqa: BLE001 - a fork must not go on as its parent
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _outlived() -> bool:
    """Wait for the end of everything that a sitting left; True when something did not end."""

    def late(number: int, frame: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, late)
    signal.alarm(_PATIENCE_S)
    try:
        while True:
            os.waitpid(-1, 0)
    except ChildProcessError:
        return False
    except TimeoutError:
        return True
    finally:
        signal.alarm(0)


def _serve() -> None:
    import automation.pipeline.commands
    import automation.pipeline.graph
    import automation.pipeline.nightly  # noqa: F401 - imported before the fork

    ctypes.CDLL(None, use_errno=True).prctl(_BECOME_REAPER, 1, 0, 0, 0)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _sit(json.loads(line))
        status = os.waitpid(child, 0)[1]
        code = os.waitstatus_to_exitcode(status)
        sys.stdout.write(json.dumps({"code": code, "outlived": _outlived()}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
