"""The pipeline's commands: fix, and looking after runs."""

from __future__ import annotations

import getpass
from collections.abc import Generator

from automation.codebase.workspaces import sweep
from automation.errors import RepositoryUnusable
from automation.pipeline.requests import FixRequest, RejectRequest, RunRequest, RunsRequest
from automation.pipeline.result import FixResult
from automation.pipeline.run_list import RunList
from automation.pipeline.running import abandon, decide, resume, run_new
from automation.pipeline.runs import RunStore
from automation.pipeline.session_requests import about_session
from trading.commands import Progress
from trading.setting_sources import data_home


def fix(request: FixRequest) -> Generator[Progress, None, FixResult]:
    """Repair a repository whose tests fail, or the core that a session failed with."""
    if request.session is not None:
        request = about_session(request)
    if not request.path.is_dir():
        raise RepositoryUnusable(f"{request.path} is no folder; name a repository or a folder with a pytest suite")
    if request.log is not None and not request.log.is_file():
        raise RepositoryUnusable(f"{request.log} is no file; name a log that holds tracebacks")
    store = RunStore(data_home())
    sweep(store.home, store.resumable())
    return (yield from run_new(store, store.create(request)))


def list_runs(request: RunsRequest) -> Generator[Progress, None, RunList]:
    """List the newest runs."""
    yield from ()
    store = RunStore(data_home())
    runs = [store.result(run) for run, _ in zip(store, range(request.limit), strict=False)]
    return RunList(tuple(runs))


def show_run(request: RunRequest) -> Generator[Progress, None, FixResult]:
    """Show how one run ended or stands."""
    yield from ()
    store = RunStore(data_home())
    return store.result(store.find(request.run))


def resume_run(request: RunRequest) -> Generator[Progress, None, FixResult]:
    """Go on with a run that was interrupted or killed."""
    store = RunStore(data_home())
    return (yield from resume(store, store.find(request.run)))


def approve_run(request: RunRequest) -> Generator[Progress, None, FixResult]:
    """Approve the change of a run and let it land."""
    return (yield from _decided(request, approved=True))


def reject_run(request: RejectRequest) -> Generator[Progress, None, FixResult]:
    """Reject the change of a run; nothing lands."""
    return (yield from _decided(request, approved=False, reason=request.reason))


def abandon_run(request: RunRequest) -> Generator[Progress, None, FixResult]:
    """Give up a run that is interrupted or waits."""
    yield from ()
    store = RunStore(data_home())
    result = abandon(store, store.find(request.run))
    sweep(store.home, store.resumable())
    return result


def _decided(request: RunRequest, *, approved: bool, reason: str = "") -> Generator[Progress, None, FixResult]:
    store = RunStore(data_home())
    return (yield from decide(store, store.find(request.run), approved=approved, by=getpass.getuser(), reason=reason))
