"""One sandboxed server for everything that is tried on a tree: surveys, drafts on mutants, pytest itself."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self

from automation.codebase.fork_server import ForkServer
from automation.codebase.limits import JobOutcome
from automation.codebase.plans import Request
from automation.incidents.records import TestReport
from automation.incidents.suites import PROBE, PROBE_NEEDS, SuiteSettings, report_of, suite_job
from automation.tasks.generate_tests.records import Arc, Case, Subject

_INSIDE = Path(__file__).resolve().parent / "inside"
_SURVEY, _TRIAL, _EXISTING = (_INSIDE / name for name in ("survey.py", "trial.py", "existing.py"))
_VARIATIONS = Path(__file__).resolve().parents[2] / "repair" / "inside"
_CALLS = 500
_SURVEY_S = 30.0
_JOB_FILE = "gridbot-trial-job.json"
_TOLD = "gridbot trial "
_TABLES = "import sys; sys.path.pop(0); from hypothesis.internal import charmap; charmap.charmap()"
_TABLES_FOLDER = ".hypothesis"
_TABLES_S = 60


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What calls of one subject came to; ``strategies`` are hypothesis' words by parameter."""

    cases: tuple[Case, ...]
    skipped: str = ""
    strategies: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """What test functions came to.

    Parameters
    ----------
    failed : mapping of str to str
        Names to what they raised.
    arcs : mapping of str to frozenset
        Steps by name, where they were traced.
    broken : str
        Why none could be called.
    """

    failed: Mapping[str, str]
    arcs: Mapping[str, frozenset[Arc]]
    broken: str = ""


@dataclass(frozen=True, slots=True)
class Existing:
    """What the tests that are there already do in one file."""

    report: TestReport
    arcs: Mapping[str, frozenset[Arc]]
    seen: Mapping[int, Sequence[Sequence[Sequence[object]]]]


class Laboratory:
    """Runs the target's code, only ever in the sandbox.

    Parameters
    ----------
    tree : Path
        The private copy.
    settings : SuiteSettings
        How its tests run.
    workers : int
        Jobs at a time.
    seed : int
        Of everything random.
    """

    def __init__(self, tree: Path, settings: SuiteSettings, *, workers: int = 2, seed: int = 0) -> None:
        self.tree = tree
        # Compiled code shows neither its lines nor a mutant of what it calls.
        variables = {"NUMBA_DISABLE_JIT": "1", "HYPOTHESIS_STORAGE_DIRECTORY": _TABLES_FOLDER}
        self.settings = replace(settings, environment={**settings.environment, **variables})
        self.workers = workers
        self.seed = seed
        self.has_hypothesis = False
        self._server: ForkServer | None = None
        self._preloaded: frozenset[str] = frozenset()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop what runs."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def prepare(self, module: str, path: str) -> str:
        """Learn what a module imports from outside and import that once for all runs; return why it cannot be used."""
        outcome = self._submit(_SURVEY, self._survey_job(module, path, None, (), (), ())).result()
        found = _merged(outcome.records)
        if "modules" not in found:
            return str(
                found.get("skip") or outcome.stderr.strip()[-200:] or f"importing {module} ends with {outcome.end}"
            )
        self.has_hypothesis = bool(found["hypothesis"])
        plugins = self.settings.plugins.values()
        modules = {*_words(found["modules"]), *plugins, "pytest", *(["hypothesis"] if self.has_hypothesis else [])}
        if not modules <= self._preloaded:
            self._preloaded |= modules
            self.close()
            self._share_tables()
        return ""

    def _share_tables(self) -> None:
        """Let hypothesis keep its table of all characters in the tree, where every run finds it: it takes seconds."""
        if self.has_hypothesis and not (self.tree / _TABLES_FOLDER).exists():
            subprocess.run(  # noqa: S603 - the interpreter that the user named, and code of ours
                [str(self.settings.python), "-c", _TABLES],
                cwd=self.tree,
                capture_output=True,
                check=False,
                timeout=_TABLES_S,
            )

    def survey(
        self,
        subject: Subject,
        numbers: Sequence[float],
        texts: Sequence[str],
        given: Sequence[Mapping[str, object]] = (),
    ) -> Future[JobOutcome]:
        """Start to look for calls of a subject; `surveyed` reads what comes."""
        return self._submit(
            _SURVEY,
            self._survey_job(subject.module, subject.path, subject, numbers, texts, given),
            wall_s=_SURVEY_S,
        )

    def trial(
        self,
        text: str,
        names: Sequence[str] | None,
        *,
        files: Mapping[str, bytes | None] = {},
        trace: str | None = None,
        limit_s: float = 5.0,
        seed: int | None = None,
        stop: bool = False,
        wall_s: float = 120.0,
    ) -> Future[JobOutcome]:
        """Start to call test functions of a text; `tried` reads what comes."""
        job = self._trial_job(text, names, trace=trace, limit_s=limit_s, seed=seed, stop=stop)
        return self._submit(_TRIAL, job, files=files, wall_s=wall_s)

    def trial_elsewhere(
        self, text: str, names: Sequence[str] | None, variables: Mapping[str, str], *, limit_s: float, seed: int
    ) -> Future[JobOutcome]:
        """Start to call test functions in a new interpreter with other variables, in an empty folder."""
        job = {**self._trial_job(text, names, trace=None, limit_s=limit_s, seed=seed, stop=False), "elsewhere": True}
        words = [f"{name}={value}" for name, value in variables.items()]
        argv = ["/usr/bin/env", *words, str(self.settings.python), "-B", str(_TRIAL), _JOB_FILE]
        return self._program(argv, {_JOB_FILE: json.dumps(job).encode()})

    def pytest_elsewhere(
        self, arguments: Sequence[str], variables: Mapping[str, str], files: Mapping[str, bytes | None]
    ) -> Future[JobOutcome]:
        """Start pytest itself in a new interpreter with other variables, in an empty folder."""
        words = [f"{name}={value}" for name, value in variables.items()]
        start = (
            "import os, sys, tempfile, pytest; root = os.getcwd(); os.chdir(tempfile.mkdtemp());"
            f"sys.path[:0] = [os.path.join(root, each) for each in {list(self.settings.python_path)!r}];"
            "sys.exit(pytest.main(['--rootdir', root, '-p', 'no:cacheprovider', '-q', '-rfE', '--tb=no',"
            " *(os.path.join(root, each) for each in sys.argv[1:])]))"
        )
        argv = ["/usr/bin/env", *words, str(self.settings.python), "-B", "-c", start, *arguments]
        return self._program(argv, files)

    def existing(self, path: str, tests: Sequence[str], lines: Sequence[int], wall_s: float) -> Existing:
        """Run tests that are there already and see where they go in a file.

        Parameters
        ----------
        path : str
            The file.
        tests : sequence of str
            Test files or node ids.
        lines : sequence of int
            First lines of functions whose calls are kept.
        wall_s : float
            For all of them.
        """
        suite = suite_job(self.settings, tests=tests)
        job = {"probe": str(PROBE), "suite": suite, "path": path, "lines": list(lines)}
        outcome = self._submit(_EXISTING, job, wall_s=wall_s).result()
        arcs: dict[str, frozenset[Arc]] = {}
        seen: dict[int, Sequence[Sequence[Sequence[object]]]] = {}
        plain = []
        for record in outcome.records:
            if record.get("event") == "arcs":
                arcs[str(record["node_id"])] = _arcs(record["arcs"])
            elif record.get("event") == "seen":
                calls = record["calls"]
                seen = {int(line): found for line, found in calls.items()} if isinstance(calls, dict) else {}
            else:
                plain.append(record)
        return Existing(report_of(replace(outcome, records=tuple(plain))), arcs, seen)

    def suite(
        self,
        tests: Sequence[str],
        files: Mapping[str, bytes | None],
        *,
        stop_after: int = 0,
        test_timeout_s: float | None = None,
        wall_s: float = 60.0,
    ) -> Future[JobOutcome]:
        """Start pytest on some tests; `automation.incidents.suites.report_of` reads what comes."""
        settings = replace(self.settings, test_timeout_s=test_timeout_s or self.settings.test_timeout_s)
        return self._submit(PROBE, suite_job(settings, tests=tests, stop_after=stop_after), files=files, wall_s=wall_s)

    def _submit(
        self, entry: Path, job: Mapping[str, object], *, files: Mapping[str, bytes | None] = {}, wall_s: float = 60.0
    ) -> Future[JobOutcome]:
        limits = replace(self.settings.limits, wall_s=wall_s)
        return self._opened().submit_request(Request(str(entry), dict(job)), files, limits)

    def _program(self, argv: Sequence[str], files: Mapping[str, bytes | None]) -> Future[JobOutcome]:
        limits = replace(self.settings.limits, wall_s=120.0)
        return self._opened().submit_request(Request(argv=list(argv)), files, limits)

    def _opened(self) -> ForkServer:
        if self._server is None:
            self._server = ForkServer(
                self.tree,
                _TRIAL,
                self.settings.python,
                preload=sorted(self._preloaded),
                workers=self.workers,
                limits=self.settings.limits,
                environment=self.settings.environment,
                python_path=self.settings.python_path,
                show=(*PROBE_NEEDS, PROBE.parent, _VARIATIONS),
                hostile=self.settings.hostile,
            )
        return self._server

    def _survey_job(
        self,
        module: str,
        path: str,
        subject: Subject | None,
        numbers: Sequence[float],
        texts: Sequence[str],
        given: Sequence[Mapping[str, object]],
    ) -> dict[str, object]:
        asked = None
        if subject is not None:
            asked = {"owner": subject.owner, "name": subject.name, "kind": subject.kind}
            asked["documented"] = list(subject.documented)  # type: ignore[assignment]
        return {
            "root": ".",
            "python_path": list(self.settings.python_path),
            "path": path,
            "module": module,
            "subject": asked,
            "numbers": list(numbers),
            "texts": list(texts),
            "given": list(given),
            "seed": self.seed,
            "calls": _CALLS,
        }

    def _trial_job(
        self, text: str, names: Sequence[str] | None, *, trace: str | None, limit_s: float, seed: int | None, stop: bool
    ) -> dict[str, object]:
        return {
            "root": ".",
            "python_path": list(self.settings.python_path),
            "text": text,
            "names": None if names is None else list(names),
            "limit_s": limit_s,
            "trace": trace,
            "seed": seed,
            "stop": stop,
            "elsewhere": False,
        }


def surveyed(outcome: JobOutcome) -> Surveyed:
    """Read what a survey came to."""
    found = _merged(outcome.records)
    cases = found.get("cases")
    if not isinstance(cases, list):
        ends = {"timeout": "its calls do not come to an end", "memory": "its calls take too much memory"}
        reason = found.get("skip") or ends.get(outcome.end) or f"its calls end the process ({outcome.end})"
        return Surveyed((), str(reason))
    strategies = found.get("strategies")
    return Surveyed(tuple(map(_case, cases)), "", strategies if isinstance(strategies, dict) else {})


def tried(outcome: JobOutcome) -> Trial:
    """Read what a trial came to, whether it was a job or a program."""
    records: Iterable[dict[str, object]] = outcome.records
    if not outcome.records:
        lines = [line for line in outcome.stdout.splitlines() if line.startswith(_TOLD)]
        records = [json.loads(line[len(_TOLD) :]) for line in lines]
    found = _merged(records)
    failed, arcs = found.get("failed"), found.get("arcs")
    if not isinstance(failed, dict):
        return Trial({}, {}, str(found.get("broken") or f"the run ended with {outcome.end}: {outcome.stderr[-200:]}"))
    steps = arcs if isinstance(arcs, dict) else {}
    return Trial(failed, {name: _arcs(each) for name, each in steps.items()})


def _merged(records: Iterable[Mapping[str, object]]) -> dict[str, object]:
    return {name: value for record in records for name, value in record.items()}


def _case(data: Mapping[str, object]) -> Case:
    arguments, imports, changed = data["arguments"], data["imports"], data["changed"]
    outcome = data["outcome"]
    return Case(
        template=str(data["template"]),
        arguments=tuple((str(name), str(text)) for name, text in arguments) if isinstance(arguments, list) else (),
        imports=tuple(_words(imports)),
        outcome=outcome if isinstance(outcome, dict) else {},
        arcs=_arcs(data["arcs"]),
        changed=tuple(_words(changed)),
        origin=str(data["origin"]),
    )


def _arcs(found: object) -> frozenset[Arc]:
    return frozenset((int(start), int(end)) for start, end in found) if isinstance(found, list) else frozenset()


def _words(found: object) -> list[str]:
    return [str(each) for each in found] if isinstance(found, list) else []


def seconds_until(end: float) -> float:
    """Return the time left until an instant of the monotonic clock, never negative."""
    return max(0.0, end - monotonic())
