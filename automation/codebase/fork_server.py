"""Sandboxed workers that import once and fork a confined process for every job."""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from automation.codebase.interpreters import interpreter
from automation.codebase.isolation import isolation
from automation.codebase.limits import JobOutcome, Limits
from automation.codebase.plans import Request, Setup, make_plan
from automation.codebase.worker import Worker, WorkerDied
from automation.errors import SandboxUnavailable


@dataclass(frozen=True, slots=True)
class _Task:
    request: Request
    files: Mapping[str, bytes | None]
    limits: Limits
    future: Future[JobOutcome]


class ForkServer:
    """Runs jobs over one tree, each in a fresh fork with a private copy-on-write view of the tree.

    The tree must not change while the server is open.

    Parameters
    ----------
    tree : Path
        The repository; jobs run in it and see their own changes only.
    entry : Path
        A Python file of GridBot's own that defines ``run(job, emit)``; it is loaded once, before the first job.
    python : Path
        Interpreter, 3.9 or newer.
    preload : sequence of str
        Third-party modules to import once, before the first job; those that cannot be imported are left out.
    workers : int
        Jobs at a time.
    limits : Limits
        Of jobs that bring none of their own.
    environment : mapping of str to str
        Variables beside the few that every job gets; none of the caller's own are passed on.
    python_path : sequence of str
        Folders at the front of ``sys.path`` in a job; relative ones lie in the tree as that job sees it.
    show : sequence of Path
        Folders that jobs must be able to read although they lie in a hidden one.
    hide : sequence of Path
        Private folders beside the home folders, which are always hidden.
    hostile : bool
        Whether to refuse to run without kernel isolation.
    collect : sequence of str or None
        pytest's arguments when each worker shall collect the tests once, before the first job, and keep the compiled
        files of tests and modules for all jobs; a replaced file is compiled anew.
    fresh : bool
        Whether to load the entry file in each job instead of once.

    Raises
    ------
    SandboxUnavailable
        When the interpreter does not run, or the tree is hostile and the kernel gives no namespaces.
    """

    def __init__(
        self,
        tree: Path,
        entry: Path,
        python: Path,
        *,
        preload: Sequence[str] = (),
        workers: int = 2,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        environment: Mapping[str, str] = {},
        python_path: Sequence[str] = (),
        show: Sequence[Path] = (),
        hide: Sequence[Path] = (),
        hostile: bool = False,
        collect: Sequence[str] | None = None,
        fresh: bool = False,
    ) -> None:
        found = isolation()
        if hostile and not found.namespaces:
            raise SandboxUnavailable(f"{tree} is marked hostile and the sandbox here is only: {found.describe()}")
        self._entry, self._limits = str(entry.resolve()), limits
        interpreter(python)
        around = [entry.resolve().parent, *show]
        ahead = "" if fresh else self._entry
        self._setup = Setup(tree, python, preload, environment, python_path, around, hide, ahead, collect)
        self._namespaces = found.namespaces
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._closed = threading.Event()
        self._live: list[Worker | None] = [None] * workers
        self._threads = [
            threading.Thread(target=self._serve, args=(number,), name=f"sandbox-{number}", daemon=True)
            for number in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def submit(
        self, job: Mapping[str, object], files: Mapping[str, bytes | None] = {}, limits: Limits | None = None
    ) -> Future[JobOutcome]:
        """Queue a job.

        Parameters
        ----------
        job : mapping
            JSON data for the entry's ``run``.
        files : mapping of str to bytes or None
            Files of the tree, relative with forward slashes, as this job alone sees them; None deletes.
        limits : Limits or None
            Of this job; None takes the server's.
        """
        return self.submit_request(Request(self._entry, dict(job)), files, limits)

    def submit_request(
        self, request: Request, files: Mapping[str, bytes | None] = {}, limits: Limits | None = None
    ) -> Future[JobOutcome]:
        """Queue a job or a program."""
        future: Future[JobOutcome] = Future()
        if self._closed.is_set():
            future.cancel()
            return future
        self._tasks.put(_Task(request, dict(files), limits or self._limits, future))
        return future

    def close(self) -> None:
        """End running jobs at once, cancel waiting ones, and leave no process behind."""
        self._closed.set()
        for worker in self._live:
            if worker is not None:
                worker.kill()
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _serve(self, number: int) -> None:
        try:
            while (task := self._tasks.get()) is not None:
                if self._closed.is_set():
                    task.future.cancel()
                if not task.future.set_running_or_notify_cancel():
                    continue
                try:
                    task.future.set_result(self._run(number, task))
                except BaseException as error:  # noqa: BLE001 - it belongs to who waits for the job
                    task.future.set_exception(CancelledError() if self._closed.is_set() else error)
        finally:
            self._end(number)

    def _run(self, number: int, task: _Task) -> JobOutcome:
        reason = ""
        for _ in range(2):
            try:
                return self._worker(number).run(task.request, task.files, task.limits)
            except WorkerDied as death:
                self._end(number)
                reason = str(death)
                if self._closed.is_set():
                    raise
        return JobOutcome((), "crash", None, None, 0.0, "", f"the sandbox process ended twice: {reason}")

    def _worker(self, number: int) -> Worker:
        worker = self._live[number]
        if worker is None:
            worker = self._live[number] = Worker(
                self._setup.python, make_plan(self._setup, self._namespaces, self._limits)
            )
            if self._closed.is_set():
                worker.kill()
        return worker

    def _end(self, number: int) -> None:
        worker, self._live[number] = self._live[number], None
        if worker is not None:
            worker.close()
