"""One sandboxed server for everything that is tried on a tree: surveys, drafts on mutants, pytest itself."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from automation.codebase.fork_server import ForkServer
from automation.codebase.limits import JobOutcome
from automation.codebase.plans import Request
from automation.incidents.suites import PROBE, PROBE_NEEDS, SuiteSettings, suite_job
from automation.tasks.generate_tests.answers import Existing, existing_of, merged, words_of
from automation.tasks.generate_tests.records import Subject

_INSIDE = Path(__file__).resolve().parent / "inside"
_SURVEY, _TRIAL, _EXISTING = (_INSIDE / name for name in ("survey.py", "trial.py", "existing.py"))
_VARIATIONS = Path(__file__).resolve().parents[2] / "repair" / "inside"
_CALLS = 500
_SURVEY_S = 60.0
_JOB_FILE = "gridbot-trial-job.json"
_TABLES = "import sys; sys.path.pop(0); from hypothesis.internal import charmap; charmap.charmap()"
_TABLES_FOLDER = ".hypothesis"
_TABLES_S = 60


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
    calls : int
        Of each subject at most, to find different behaviour.
    """

    def __init__(
        self, tree: Path, settings: SuiteSettings, *, workers: int = 2, seed: int = 0, calls: int = _CALLS
    ) -> None:
        self.tree = tree
        # Compiled code shows neither its lines nor a mutant of what it calls.
        variables = {"NUMBA_DISABLE_JIT": "1", "HYPOTHESIS_STORAGE_DIRECTORY": _TABLES_FOLDER}
        self.settings = replace(settings, environment={**settings.environment, **variables})
        self.workers = workers
        self.seed = seed
        self._calls = calls
        self.has_hypothesis = False
        self._server: ForkServer | None = None
        self._preloaded: frozenset[str] = frozenset()
        self._stale = False

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
        job = self._survey_job(module, path, None, (), (), ())
        outcome = self._opened().submit_request(Request(str(_SURVEY), job), {}, self.settings.limits).result()
        found = merged(outcome.records)
        if "modules" not in found:
            return str(
                found.get("skip") or outcome.stderr.strip()[-200:] or f"importing {module} ends with {outcome.end}"
            )
        self.has_hypothesis = bool(found["hypothesis"])
        plugins = self.settings.plugins.values()
        modules = {*words_of(found["modules"]), *plugins, "pytest", *(["hypothesis"] if self.has_hypothesis else [])}
        self._stale = self._stale or not modules <= self._preloaded
        self._preloaded |= modules
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

    def existing(
        self,
        path: str,
        tests: Sequence[str],
        lines: Sequence[int],
        wall_s: float,
        files: Mapping[str, bytes | None] = {},
    ) -> Existing:
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
        files : mapping of str to bytes or None
            Files as this run alone sees them.
        """
        suite = suite_job(self.settings, tests=tests)
        job = {"probe": str(PROBE), "suite": suite, "path": path, "lines": list(lines)}
        return existing_of(self._submit(_EXISTING, job, files=files, wall_s=wall_s).result())

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
        return self._renewed().submit_request(Request(str(entry), dict(job)), files, limits)

    def _program(self, argv: Sequence[str], files: Mapping[str, bytes | None]) -> Future[JobOutcome]:
        limits = replace(self.settings.limits, wall_s=120.0)
        return self._renewed().submit_request(Request(argv=list(argv)), files, limits)

    def _renewed(self) -> ForkServer:
        """Return the server, started anew when there is more to import before the first run."""
        if self._stale:
            self.close()
            self._share_tables()
            self._stale = False
        return self._opened()

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
            "calls": self._calls,
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
