"""Run a workload once: timed, profiled, sampled, or with its memory counted.

Loaded by file path inside the sandbox, for any Python from 3.9 on.
"""

from __future__ import annotations

import cProfile
import importlib.util
import os
import pstats
import resource
import runpy
import signal
import sys
import time
import tracemalloc
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

Record = dict[str, object]
Emit = Callable[[Record], None]

_SAMPLE_S = 0.001
_MOST_ROWS = 400


class Failed(Exception):
    """The workload did not end well; its text says how."""


def run(job: Record, emit: Emit) -> None:
    """Run the workload in one of the modes.

    Parameters
    ----------
    job : dict
        ``mode`` (``time``, ``profile``, ``sample`` or ``memory``) and ``workload``: its ``kind`` (``script``,
        ``module`` or ``tests``), ``name`` (path or module), ``arguments``; of tests ``probe`` (file that runs them) and
        ``suite`` (its job).
    emit : callable
        Takes one record: ``problem``, or what the mode measures.
    """
    mode = _MODES[str(job["mode"])]
    workload = typing.cast("Mapping[str, object]", job["workload"])
    try:
        emit(mode(workload))
    except Failed as failure:
        emit({"problem": str(failure)})


def perform(
    workload: Mapping[str, object], on: Callable[[], object] = int, off: Callable[[], object] = int
) -> tuple[float, float]:
    """Do the work; return processor and wall seconds of the program, or of the tests' bodies.

    Parameters
    ----------
    workload : mapping
        What is run.
    on, off : callable
        Called before and after what counts: the program as a whole, each test's body.

    Raises
    ------
    Failed
        When the program raises, exits with a code, or a test does not pass.
    """
    if workload["kind"] == "tests":
        return _perform_tests(workload, on, off)
    began, clock = _cpu_s(), time.perf_counter()
    on()
    try:
        _perform_program(workload)
    finally:
        off()
    return _cpu_s() - began, time.perf_counter() - clock


def _perform_program(workload: Mapping[str, object]) -> None:
    name, arguments = str(workload["name"]), list(typing.cast("Sequence[str]", workload["arguments"]))
    try:
        if workload["kind"] == "module":
            sys.argv = [name, *arguments]
            sys.path.insert(0, "")
            runpy.run_module(name, run_name="__main__", alter_sys=True)
        else:
            sys.argv = [name, *arguments]
            sys.path.insert(0, str(Path(name).resolve().parent))
            runpy.run_path(name, run_name="__main__")
    except SystemExit as end:
        if end.code not in (None, 0):
            raise Failed(f"{name} ended with exit code {end.code}") from None
    except Exception as error:
        raise Failed(f"{name} raises {type(error).__name__}: {error}"[:300]) from error


def _perform_tests(
    workload: Mapping[str, object], on: Callable[[], object], off: Callable[[], object]
) -> tuple[float, float]:
    probe = _loaded("_gridbot_probe", str(workload["probe"]))
    from _pytest.python import Function

    spent = [0.0, 0.0]
    original = Function.runtest

    def timed(self: object) -> object:
        began, clock = _cpu_s(), time.perf_counter()
        on()
        try:
            return original(self)  # type: ignore[arg-type]
        finally:
            off()
            spent[0] += _cpu_s() - began
            spent[1] += time.perf_counter() - clock

    outcomes: list[Record] = []
    Function.runtest = timed  # type: ignore[method-assign, assignment]
    try:
        probe.run(workload["suite"], outcomes.append)
    finally:
        Function.runtest = original  # type: ignore[method-assign]
    ended = [record for record in outcomes if "outcome" in record]
    wrong = [record for record in ended if record["outcome"] not in ("passed", "skipped")]
    if wrong or not ended:
        raise Failed(f"{wrong[0].get('node_id')} does not pass" if wrong else "no test ran")
    return spent[0], spent[1]


def _timed(workload: Mapping[str, object]) -> Record:
    cpu_s, wall_s = perform(workload)
    return {"cpu_s": cpu_s, "wall_s": wall_s, "tick_s": _tick_s(), "libraries": _libraries()}


def _profiled(workload: Mapping[str, object]) -> Record:
    profiler = cProfile.Profile()
    perform(workload, profiler.enable, profiler.disable)
    stats = typing.cast(
        "dict[tuple[str, int, str], tuple[int, int, float, float, object]]", vars(pstats.Stats(profiler))["stats"]
    )
    rows = []
    for (file, line, name), (_, calls, own_s, total_s, _) in stats.items():
        path = _own_path(file)
        if path is not None:
            rows.append({"path": path, "line": line, "name": name, "calls": calls, "own_s": own_s, "total_s": total_s})
    rows.sort(key=lambda row: -typing.cast("float", row["own_s"]))
    return {"functions": rows[:_MOST_ROWS]}


def _sampled(workload: Mapping[str, object]) -> Record:
    """Look each millisecond of processor time where the program is; unlike a profiler, it does not slow small calls."""
    here: dict[tuple[str, int], int] = {}
    below: dict[tuple[str, int], int] = {}
    count = [0]

    def look(number: int, frame: types.FrameType | None) -> None:
        count[0] += 1
        seen: set[tuple[str, int]] = set()
        first = True
        while frame is not None:
            path = _own_path(frame.f_code.co_filename)
            if path is not None:
                place = (path, frame.f_lineno or frame.f_code.co_firstlineno)
                start = (path, frame.f_code.co_firstlineno)
                if first:
                    here[place] = here.get(place, 0) + 1
                if start not in seen:
                    seen.add(start)
                    below[start] = below.get(start, 0) + 1
            # What runs in a library is its caller's cost, but no line of ours can be made faster for it.
            first = False
            frame = frame.f_back

    before = signal.signal(signal.SIGPROF, look)
    try:
        perform(
            workload,
            lambda: signal.setitimer(signal.ITIMER_PROF, _SAMPLE_S, _SAMPLE_S),
            lambda: signal.setitimer(signal.ITIMER_PROF, 0),
        )
    finally:
        signal.signal(signal.SIGPROF, before)
    return {
        "samples": count[0],
        "here": [[path, line, hits] for (path, line), hits in here.items()],
        "below": [[path, line, hits] for (path, line), hits in below.items()],
    }


def _measured(workload: Mapping[str, object]) -> Record:
    peaks = [0]

    def off() -> None:
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    perform(workload, tracemalloc.start, off)
    return {"peak_bytes": max(peaks)}


_MODES: dict[str, Callable[[Mapping[str, object]], Record]] = {
    "time": _timed,
    "profile": _profiled,
    "sample": _sampled,
    "memory": _measured,
}
_paths: dict[str, typing.Optional[str]] = {}  # noqa: UP045 - also runs where the newer form is unknown


def _own_path(file: str) -> str | None:
    """Return a file's path in the tree, or None for a library's."""
    if file not in _paths:
        found = os.path.relpath(os.path.abspath(file)) if not file.startswith("<") else ".."  # noqa: PTH100
        parts = Path(found).parts
        outside = parts[0] == ".." or "site-packages" in parts or not found.endswith(".py")
        _paths[file] = None if outside else "/".join(parts)
    return _paths[file]


def _cpu_s() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _libraries() -> list[str]:
    """Return the libraries that were imported, by their top names."""
    found = set()
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if "site-packages" in file and not name.startswith("_"):
            found.add(name.partition(".")[0])
    return sorted(found)


def _tick_s() -> float:
    """Return the step of the processor's clock, which is a hundredth of a second on some machines."""
    began = time.process_time()
    while True:
        now = time.process_time()
        if now != began:
            return now - began


def _loaded(name: str, path: str) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
