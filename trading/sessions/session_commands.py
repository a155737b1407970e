"""What can be asked of sessions: which there are, what one did, that it stops, that its recording leads to the same."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

from trading.commands import Progress
from trading.errors import GridBotError
from trading.sessions.catalog import SessionCatalog
from trading.sessions.control import ControlRequest, KillFile
from trading.sessions.control_client import SessionNotRunning, SessionSilent, ask
from trading.sessions.live_requests import ReplayRequest, ReportRequest, SessionName, StatusRequest, StopRequest
from trading.sessions.replay import ReplayResult, replay_session
from trading.sessions.session_report import SessionReported, session_report
from trading.sessions.session_results import SessionList, SessionShown, StatusResult, StopResult, shown
from trading.setting_sources import data_home

_LOOK_S = 0.1


def list_sessions(request: StatusRequest) -> Generator[Progress, None, SessionList]:
    """List the sessions of the data home."""
    yield Progress("sessions")
    return SessionList(tuple(SessionCatalog(data_home(request.home)).list()))


def status(request: StatusRequest) -> Generator[Progress, None, StatusResult]:
    """Ask every running session how it is."""
    catalog = SessionCatalog(data_home(request.home))
    running: dict[str, dict[str, object]] = {}
    entries = catalog.list()
    for number, entry in enumerate(entries):
        yield Progress("asking sessions", number, len(entries))
        if not catalog.is_running(entry.name):
            continue
        try:
            running[entry.name] = ask(catalog.path_of(entry.name), ControlRequest(command="status"))
        except GridBotError as error:
            running[entry.name] = {"error": str(error)}
    return StatusResult(tuple(entries), running)


def show(request: SessionName) -> Generator[Progress, None, SessionShown]:
    """Show one session: orders, fills, position, balances, profit."""
    yield Progress(f"reading {request.session}")
    catalog = SessionCatalog(data_home(request.home))
    with catalog.read(request.session) as journal:
        return shown(journal, is_running=catalog.is_running(request.session))


def stop(request: StopRequest) -> Generator[Progress, None, StopResult]:
    """Stop a running session in order and wait for its end; where its socket is silent, by its kill file."""
    home = data_home(request.home)
    catalog = SessionCatalog(home)
    folder = catalog.path_of(request.session)
    if not catalog.is_running(request.session):
        catalog.require(request.session)
        return StopResult(request.session, "it was not running", stopped=True)
    wish = ControlRequest(command="stop", cancel_orders=request.cancel_orders, flatten=request.flatten)
    by_file = None
    try:
        ask(folder, wish)
    except (SessionNotRunning, SessionSilent):
        by_file = KillFile(folder, home).write(cancel_orders=request.cancel_orders, flatten=request.flatten)
    end = monotonic() + request.timeout_s
    while catalog.is_running(request.session) and monotonic() < end:
        yield Progress(f"waiting for {request.session} to end")
        sleep(_LOOK_S)
    stopped = not catalog.is_running(request.session)
    if by_file is not None and stopped:
        with suppress(OSError):
            by_file.unlink()
    how = "it ended in order" if stopped else f"it has not ended within {request.timeout_s:g} s"
    return StopResult(request.session, how, stopped)


def report(request: ReportRequest) -> Generator[Progress, None, SessionReported]:
    """Write the HTML report of a session, whether or not it runs."""
    catalog = SessionCatalog(data_home(request.home))
    with catalog.read(request.session) as journal:
        return (yield from session_report(journal, request.report or Path("reports") / request.session))


def replay(request: ReplayRequest) -> Generator[Progress, None, ReplayResult]:
    """Run a session's recording again, offline, and compare every decision."""
    catalog = SessionCatalog(data_home(request.home))
    with catalog.read(request.session) as journal:
        return (yield from replay_session(journal, request.export))
