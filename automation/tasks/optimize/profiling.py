"""Where a workload spends its time: the repository's own functions by sampled processor time."""

from __future__ import annotations

import ast
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from automation.codebase.fork_server import ForkServer
from automation.codebase.suite_files import is_test_path
from automation.codebase.workspaces import Workspace
from automation.incidents.suites import SuiteSettings
from automation.repair.statements import FunctionSpan, function_at, functions_of
from automation.tasks.optimize.workloads import Workload, told, workload_server
from trading.commands import Progress

_PYTEST: Mapping[str, tuple[str, ...]] = {"tests": ("pytest",), "script": (), "module": ()}
_ENOUGH_SAMPLES, _MOST_RUNS = 400, 4


@dataclass(frozen=True, slots=True)
class HotFunction:
    """A function that the workload spends its time in.

    Parameters
    ----------
    path : str
        Of its file.
    name : str
        Dotted.
    line, last : int
        Of ``def``, and its last line.
    share : float
        Of the workload's processor time in its own lines and in what is built in and called there, 0..1.
    below : float
        The same with everything that it calls.
    calls : int
        In one run.
    own_s : float
        In its own lines, by the profiler, seconds of one run.
    """

    path: str
    name: str
    line: int
    last: int
    share: float
    below: float
    calls: int = 0
    own_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Profile:
    """What the profiling of a workload found.

    Parameters
    ----------
    functions : tuple of HotFunction
        The repository's own, most time first; tests are none of them.
    seconds : float
        Time of one run without a profiler.
    peak_bytes : int
        Most memory that Python held at a time.
    samples : int
        Looks at the running program.
    elsewhere : float
        Share of the time in none of these functions: libraries, imports, module bodies and tests.
    libraries : tuple of str
        That the workload imports; they are imported beforehand in every timed run.
    """

    functions: tuple[HotFunction, ...]
    seconds: float
    peak_bytes: int
    samples: int
    elsewhere: float
    libraries: tuple[str, ...] = ()


def profile(workspace: Workspace, settings: SuiteSettings, workload: Workload) -> Generator[Progress, None, Profile]:
    """Run a workload in the sandbox under a sampler, a profiler and a count of its memory.

    Parameters
    ----------
    workspace : Workspace
        The private copy.
    settings : SuiteSettings
        How its Python runs.
    workload : Workload
        What is run.

    Returns
    -------
    Profile
        Its hot functions, time and memory.

    Raises
    ------
    Refused
        When the workload does not end well.
    """
    job: Mapping[str, object] = workload.job(settings)
    yield Progress("running the workload", 0, 4)
    with workload_server(workspace, settings, "workload_run.py", _PYTEST[workload.kind]) as server:
        first = told(server.submit({"mode": "time", "workload": job}).result(), "timed")
    libraries = tuple(dict.fromkeys((*_PYTEST[workload.kind], *cast("list[str]", first["libraries"]))))
    with workload_server(workspace, settings, "workload_run.py", libraries) as server:
        timed = told(server.submit({"mode": "time", "workload": job}).result(), "timed") if libraries else first
        yield Progress("sampling the workload", 1, 4)
        samples = _samples(server, job)
        yield Progress("profiling the workload", 2, 4)
        counted = told(server.submit({"mode": "profile", "workload": job}).result(), "profiled")
        yield Progress("measuring its memory", 3, 4)
        memory = told(server.submit({"mode": "memory", "workload": job}).result(), "measured")
    functions = _functions(workspace, samples, cast("Sequence[Mapping[str, object]]", counted["functions"]))
    return Profile(
        functions,
        seconds=max(float(str(timed["cpu_s"])), float(str(timed["wall_s"]))),
        peak_bytes=int(str(memory["peak_bytes"])),
        samples=samples.count,
        libraries=libraries,
        elsewhere=max(0.0, 1.0 - sum(each.share for each in functions)),
    )


@dataclass(slots=True)
class _Samples:
    count: int
    here: dict[tuple[str, int], int]
    below: dict[tuple[str, int], int]


def _samples(server: ForkServer, job: Mapping[str, object]) -> _Samples:
    # A short workload is looked at several times, until there is enough to tell shares apart.
    found = _Samples(0, {}, {})
    for _ in range(_MOST_RUNS):
        record = told(server.submit({"mode": "sample", "workload": job}).result(), "sampled")
        found.count += int(str(record["samples"]))
        for name, into in (("here", found.here), ("below", found.below)):
            for path, line, hits in cast("list[tuple[str, int, int]]", record[name]):
                into[path, line] = into.get((path, line), 0) + hits
        if found.count >= _ENOUGH_SAMPLES:
            break
    return found


def _functions(
    workspace: Workspace, samples: _Samples, rows: Sequence[Mapping[str, object]]
) -> tuple[HotFunction, ...]:
    paths = {path for path, _ in samples.here} | {str(row["path"]) for row in rows}
    trees = dict(_trees(workspace, sorted(path for path in paths if not is_test_path(path))))
    whole = max(1, samples.count)
    found: dict[tuple[str, str], HotFunction] = {}
    for (path, line), hits in samples.here.items():
        span = function_at(trees[path], line) if path in trees else None
        if span is not None:
            _add(found, path, span, share=hits / whole)
    for path, tree in trees.items():
        by_line = {line: span for span in functions_of(tree) for line in (span.first, span.line)}
        for row in (row for row in rows if row["path"] == path):
            span = by_line.get(int(str(row["line"])))
            if span is not None and (path, span.name) in found:
                known = found[path, span.name]
                counts = {
                    "calls": known.calls + int(str(row["calls"])),
                    "own_s": known.own_s + float(str(row["own_s"])),
                }
                found[path, span.name] = replace(known, **counts)  # type: ignore[arg-type]
        for (other, line), hits in samples.below.items():
            span = by_line.get(line) if other == path else None
            if span is not None and (path, span.name) in found:
                found[path, span.name] = replace(found[path, span.name], below=hits / whole)
    return tuple(sorted(found.values(), key=lambda each: (-each.share, each.path, each.line)))


def _add(found: dict[tuple[str, str], HotFunction], path: str, span: FunctionSpan, share: float) -> None:
    known = found.get((path, span.name))
    if known is None:
        found[path, span.name] = HotFunction(path, span.name, span.line, span.last, share, share)
    else:
        found[path, span.name] = replace(known, share=known.share + share)


def _trees(workspace: Workspace, paths: Sequence[str]) -> Iterator[tuple[str, ast.Module]]:
    for path in paths:
        file = workspace.tree / path
        if file.is_file():
            try:
                yield path, ast.parse(file.read_bytes())
            except (SyntaxError, ValueError):
                continue
