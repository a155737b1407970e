"""The desk of one run: the folder it writes to, the workspace, the test server and the model, each opened when used."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import cached_property
from itertools import islice
from math import inf
from pathlib import Path
from time import monotonic

from pydantic import TypeAdapter

from automation.codebase.files import python_files
from automation.codebase.fork_server import ForkServer
from automation.codebase.sandbox import Limits
from automation.codebase.sources import SourceFile, read_source
from automation.codebase.workspaces import (
    Workspace,
    close_workspace,
    is_workspace,
    open_workspace,
    reopen_workspace,
    work_folder,
)
from automation.config_sections import AutomationConfig
from automation.incidents.records import Outcome, TestReport
from automation.incidents.suites import SuiteSettings, report_of, suite_job, suite_server, suite_settings
from automation.models.bound import BoundModel
from automation.models.selection import open_model
from automation.pipeline.live_progress import LiveProgress
from automation.pipeline.requests import FixRequest
from automation.pipeline.session_requests import session_tests
from automation.pipeline.state import RunState
from automation.repair.search import Tally
from automation.repair.vocabulary import Vocabulary, learn_vocabulary
from trading.commands import Progress

_LEAST_PATIENCE_S, _SLOWER = 1.5, 50.0
_COMPILING_S = 180.0
_MOST_FILES = 400
_REPORT = TypeAdapter(TestReport)


class Desk:
    """What the stages of one run share; nothing here is part of the run's state.

    Parameters
    ----------
    folder : Path
        The run's own folder.
    home : Path
        GridBot's data home.
    request : FixRequest
        What was asked for.
    config : AutomationConfig
        GridBot's own, never the target's.
    spent_s : float
        Time that earlier sittings of the same run took.
    files : mapping of str to bytes
        What earlier sittings made of files in the private copy.
    notify : callable
        Takes progress; the graph leads it to the person.
    """

    def __init__(
        self,
        folder: Path,
        home: Path,
        request: FixRequest,
        config: AutomationConfig,
        spent_s: float = 0.0,
        files: Mapping[str, bytes] | None = None,
        notify: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        self.folder = folder
        self.home = home
        self.request = request
        self.config = config
        self.tally = Tally()
        self._listener = notify
        self._live = LiveProgress(folder)
        self._stage, self._title = "", ""
        self._seconds: Mapping[str, float] = {}
        self._files = dict(files or {})
        self._end = monotonic() + request.max_minutes * 60 - spent_s
        self._server: ForkServer | None = None
        self._model: BoundModel | None = None
        self._model_opened = False
        self._vocabulary: Vocabulary | None = None

    def listen(self, listener: Callable[[Progress], None]) -> None:
        """Lead progress to another listener from now on."""
        self._listener = listener

    def notify(self, step: Progress) -> None:
        """Tell the listener of a step, and whoever looks at the run's folder."""
        if self._live.is_due:
            self._show(step)
        self._listener(step)

    @property
    def seconds_left(self) -> float:
        """Time that is left of the run's budget."""
        return max(0.0, self._end - monotonic())

    @property
    def deadline(self) -> float:
        """The end of the budget by the monotonic clock."""
        return self._end

    @cached_property
    def workspace(self) -> Workspace:
        """The private copy of the target, made at first use and found again after a crash."""
        place = work_folder(self.home, self.folder.name)
        workspace = reopen_workspace(place) if is_workspace(place) else open_workspace(self.request.path, place)
        for path, content in self._files.items():
            _write(workspace.tree / path, content)
        return workspace

    @cached_property
    def settings(self) -> SuiteSettings:
        """How the target's tests run."""
        sandbox = self.config.sandbox
        limits = Limits(
            wall_s=sandbox.wall_s,
            cpu_s=round(sandbox.cpu_s),
            memory_bytes=sandbox.memory_mb << 20,
            file_bytes=sandbox.file_mb << 20,
            processes=sandbox.processes,
        )
        request, tree = self.request, self.workspace.tree
        return suite_settings(
            tree,
            self.workspace.target,
            request.tests if request.session is None else session_tests(request, tree),
            request.python,
            test_timeout_s=self._test_timeout_s,
            limits=limits,
            hostile=request.hostile,
        )

    @property
    def _test_timeout_s(self) -> float:
        # The first test that calls the core compiles it.
        least = 0.0 if self.request.session is None else _COMPILING_S
        return max(self.config.repair.test_timeout_s, least)

    @cached_property
    def seen_settings(self) -> SuiteSettings:
        """The same, but compiled code runs as plain Python: tracing sees into it and every candidate is what runs."""
        environment = {**self.settings.environment, "NUMBA_DISABLE_JIT": "1"}
        return replace(self.settings, environment=environment, test_timeout_s=self.config.repair.test_timeout_s)

    def server(self, preload: Sequence[str]) -> ForkServer:
        """Return the test server of the workspace, started at first use."""
        if self._server is None:
            self._server = suite_server(
                self.workspace.tree,
                self.seen_settings,
                preload=preload,
                workers=self.config.repair.workers or os.cpu_count() or 1,
                many=True,
            )
        return self._server

    def forked(
        self,
        tests: Sequence[str],
        trace: Mapping[str, object] | None = None,
        *,
        test_timeout_s: float | None = None,
        wall_s: float = inf,
    ) -> Future[TestReport]:
        """Start tests in a fork of the test server, where everything from outside is imported already.

        Parameters
        ----------
        tests : sequence of str
            Node ids.
        trace : mapping, optional
            As `suite_job` takes it.
        test_timeout_s : float, optional
            Of each test; None allows for what it took in the baseline.
        wall_s : float
            For all of them.
        """
        baseline = self.saved("baseline")
        server = self.server(baseline.third_party)
        settings = replace(self.seen_settings, test_timeout_s=test_timeout_s or self._patience(baseline))
        most = min(self.settings.limits.wall_s, max(10.0, self.seconds_left), wall_s)
        limits = replace(self.settings.limits, wall_s=most)
        job = server.submit(suite_job(settings, tests=tests, trace=trace), limits=limits)
        report: Future[TestReport] = Future()
        job.add_done_callback(lambda done: report.set_result(report_of(done.result())))
        return report

    def model(self) -> BoundModel | None:
        """Return the model that was asked for, or None when there is none."""
        if not self._model_opened:
            self._model_opened = True
            self._model = open_model(
                self.config,
                self.request.model,
                run=self.folder.name,
                folder=self.folder,
                home=self.home,
                notify=lambda text: self.notify(Progress(text)),
            )
        return self._model

    @property
    def model_used(self) -> BoundModel | None:
        """The model, when a stage asked for it."""
        return self._model

    def vocabulary(self) -> Vocabulary:
        """Return the words of the repository, learned once."""
        if self._vocabulary is None:
            tree = self.workspace.tree
            self._vocabulary = learn_vocabulary(read_source(tree, path) for path in self.paths())
        return self._vocabulary

    def paths(self) -> tuple[str, ...]:
        """Return the repository's Python files, no more than can be read in a moment."""
        return tuple(islice(python_files(self.workspace.tree), _MOST_FILES))

    def save(self, name: str, report: TestReport) -> None:
        """Keep a test report in the run's folder."""
        self.write(self.folder / f"{name}.json", report)

    def saved(self, name: str) -> TestReport:
        """Read a test report that an earlier stage kept."""
        return self.read(self.folder / f"{name}.json")

    def write(self, path: Path, report: TestReport) -> None:
        """Write a test report, all or nothing."""
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{self.folder.name}.part")
        part.write_bytes(_REPORT.dump_json(report))
        part.replace(path)

    def read(self, path: Path) -> TestReport:
        """Read a test report."""
        return _REPORT.validate_json(path.read_bytes())

    def source(self, path: str) -> SourceFile:
        """Return a file of the workspace."""
        return read_source(self.workspace.tree, path)

    def accept(self, path: str, content: bytes) -> None:
        """Make a change part of the workspace, so that what follows builds on it."""
        self._stop_server()
        _write(self.workspace.tree / path, content)
        self.tally.renew()

    def close(self) -> None:
        """Stop what runs; the workspace stays until the run is settled."""
        self._stop_server()
        if self._model is not None:
            self._model.close()
            self._model = None

    def enter(self, stage: str, state: RunState) -> None:
        """Note which stage is at work, for whoever looks at the run meanwhile or after a crash."""
        (self.folder / "stage").write_text(stage, encoding="utf-8")
        self._stage = stage
        self._seconds = state.get("seconds", {})
        about = state.get("proposal") or state.get("incident") or {}
        self._title = str(about.get("title") or "")
        self._show(Progress(stage))

    def discard(self) -> None:
        """Stop what runs and remove the private copy, if there is one."""
        self.close()
        if is_workspace(work_folder(self.home, self.folder.name)):
            close_workspace(self.workspace)

    def _show(self, step: Progress) -> None:
        tried, usage = dict(self.tally.tried), self._model.usage if self._model is not None else None
        speed = sum(tried.values()) / self.tally.seconds if self.tally.seconds else 0.0
        self._live.write(
            {
                "stage": self._stage,
                "title": self._title,
                "seconds": {name: round(seconds, 3) for name, seconds in self._seconds.items()},
                "label": step.label,
                "done": step.done,
                "total": step.total,
                "unit": step.unit,
                "tried": tried,
                "candidates_per_second": round(speed, 1),
                "model": self._model.name if self._model is not None else "",
                "model_calls": usage.calls if usage else 0,
                "model_tokens": usage.prompt_tokens + usage.tokens if usage else 0,
            }
        )

    def _patience(self, baseline: TestReport) -> float:
        # Tracing and plain Python in the place of compiled code are slow; a hang need not last the full time again.
        usual = max((test.duration_s for test in baseline.tests if test.outcome is not Outcome.TIMEOUT), default=0.0)
        return min(self.seen_settings.test_timeout_s, max(_LEAST_PATIENCE_S, _SLOWER * usual))

    def _stop_server(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
