"""``run_session``: one session under supervision; a crash is written down, and the session starts again from its books.

The session and its supervisor share a process, so that killing the process ends both: no child trades on unseen.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress

from trading.brokers.ccxt_broker import CcxtBroker
from trading.errors import Action, ConnectionLost, ExitCode, GridBotError, RateLimited, Refused, StateCorrupt
from trading.exchange.clock import Clock, SystemClock
from trading.orders.journal import JournalReader, holds_session
from trading.sessions.catalog import SessionCatalog, SessionFiles
from trading.sessions.control import ControlServer, KillFile, StopRequest
from trading.sessions.decider import InvariantBroken
from trading.sessions.events import Listener, SessionEvent
from trading.sessions.launch import Plan, opened
from trading.sessions.live_session import LiveSession, SessionEnd
from trading.sessions.logs import SessionLog
from trading.sessions.patrol import Patrol
from trading.sessions.session_lock import SessionLock
from trading.sessions.supervision import FIRST_PAUSE_S, Supervision, said

__all__ = ["Supervision", "run_session"]

_LONGEST_PAUSE_S = 60.0
_MOST_CRASHES, _WITHIN_MS = 5, 600_000
_TRIES_TO_STOP = 3
_KILL_FILE_S = 0.5


async def run_session(
    plan: Plan, tell: Listener, started: Callable[[Supervision], None] | None = None, clock: Clock | None = None
) -> SessionEnd:
    """Run a session to its end, through crashes and lost connections.

    Parameters
    ----------
    plan : Plan
        What to run.
    tell : callable
        Is handed each event.
    started : callable, optional
        Is handed the supervision, so that signals can reach it.
    clock : Clock, optional
        Measures the pauses between restarts.

    Raises
    ------
    Refused, UsageError, StateCorrupt
        When the session cannot run at all.
    GridBotError
        When it crashes again and again; what could still open a position at the venue is cancelled before.
    """
    files = SessionCatalog(plan.home).files_of(plan.name)
    kill_file = KillFile(files.folder, plan.home)
    _refuse_killed(plan.name, kill_file)
    # one that has begun before has orders to look after: it waits for a venue that is away
    supervision = Supervision(plan, tell, was_trading=_has_begun(files))
    async with AsyncExitStack() as stack:
        stack.enter_context(SessionLock(plan.home, plan.name, plan.account, plan.symbol))
        values = () if plan.credentials is None else plan.credentials.hidden_values
        supervision.log = stack.enter_context(SessionLog(files.folder, plan.name, SystemClock(), secrets=values))
        supervision.control = await stack.enter_async_context(ControlServer(files.folder, supervision.answer))
        if started is not None:
            started(supervision)
        watcher = asyncio.create_task(_watch_kill_file(supervision, kill_file, SystemClock()))
        stack.callback(watcher.cancel)
        real = clock or SystemClock()
        end = await _again_and_again(supervision, real)
        _tell_end(supervision, end, real.now_ms())
        return end


async def _again_and_again(supervision: Supervision, clock: Clock) -> SessionEnd:
    crashes: deque[int] = deque()
    tries_to_stop = 0
    while True:
        try:
            return await _once(supervision)
        except InvariantBroken as broken:
            supervision.tell_halt(str(broken), clock.now_ms())
            return SessionEnd(str(broken), ExitCode.HALTED)
        except Exception as error:  # whatever it was, the books are safe and the session begins anew
            if not supervision.was_trading or (isinstance(error, GridBotError) and not _passes(error)):
                raise
            problem = error
        if supervision.stop is not None:
            tries_to_stop += 1
            if tries_to_stop >= _TRIES_TO_STOP:
                return _end_unreached(supervision, supervision.stop, problem)
        try:
            pause_s = _pause_s(crashes, problem, supervision.plan.name, clock.now_ms())
        except GridBotError:
            await _leave_no_entries(supervision)
            raise
        supervision.tell_crash(problem, pause_s, clock.now_ms())
        await supervision.pause(clock, pause_s)


def _pause_s(crashes: deque[int], problem: Exception, name: str, now_ms: int) -> float:
    # a venue that is away is waited for; a fault of our own that comes back is not
    if not isinstance(problem, ConnectionLost | RateLimited):
        crashes.append(now_ms)
    while crashes and crashes[0] < now_ms - _WITHIN_MS:
        crashes.popleft()
    if len(crashes) >= _MOST_CRASHES:
        raise GridBotError(
            f"session {name} crashed {len(crashes)} times in ten minutes ({said(problem)}); "
            f"`gridbot fix --session {name}` looks for the fault"
        ) from problem
    return min(_LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** len(crashes))


async def _once(supervision: Supervision) -> SessionEnd:
    async with AsyncExitStack() as stack:
        try:
            async with asyncio.timeout(None) as supervision.patience:
                if supervision.stop is not None:
                    supervision.hurry()
                session = await stack.enter_async_context(opened(supervision.plan, supervision.hear))
        except TimeoutError as error:
            raise ConnectionLost(f"session {supervision.plan.name} could not be opened in time to stop it") from error
        finally:
            supervision.patience = None
        supervision.began(session)
        session.patrol = stack.enter_context(Patrol(session, supervision.plan.home, _offset_of(session)))
        try:
            return await session.run()
        finally:
            if session.has_begun:
                supervision.traded(session)
            supervision.session = None


def _offset_of(session: LiveSession) -> Callable[[], float | None]:
    # where the market's time is simulated, no clock of this machine has to agree with it
    broker = session.broker
    if session.is_simulated or not isinstance(broker, CcxtBroker):
        return lambda: None
    return lambda: broker.clock_offset_ms


async def _leave_no_entries(supervision: Supervision) -> None:
    # Nobody will look after what rests at the venue: an exit may stay, what could still buy must not.
    with suppress(Exception):
        async with opened(supervision.plan, supervision.hear) as session:
            await session.cancel_entries("the session is given up")
            await session.feed.close()


def _end_unreached(supervision: Supervision, stop: StopRequest, problem: Exception) -> SessionEnd:
    with SessionCatalog(supervision.plan.home).read(supervision.plan.name) as journal:
        left = tuple(record.client_id for record in journal.open_records())
    reason = f"stopped by {stop.source}, and the venue could not be asked about its orders ({said(problem)})"
    undone = left and (stop.cancel_orders or stop.flatten)
    return SessionEnd(reason, ExitCode.FAILED if undone else ExitCode.DONE, left)


def _has_begun(files: SessionFiles) -> bool:
    if not holds_session(files.journal):
        return False
    with JournalReader.read(files.journal) as journal:
        return journal.has_core()


def _passes(error: GridBotError) -> bool:
    return isinstance(error, ConnectionLost | RateLimited) or (
        isinstance(error, StateCorrupt) and error.action is Action.RESTORE_CHECKPOINT
    )


def _tell_end(supervision: Supervision, end: SessionEnd, now_ms: int) -> None:
    data = {"reason": end.reason, "exit_code": int(end.exit_code), "unsettled": list(end.unsettled)}
    if supervision.log is not None:
        supervision.log.info("stopped", reason=end.reason, exit_code=int(end.exit_code), unsettled=list(end.unsettled))
    if supervision.control is not None:
        supervision.control.publish(SessionEvent("stopped", supervision.plan.name, now_ms, data).as_json())


async def _watch_kill_file(supervision: Supervision, kill_file: KillFile, clock: Clock) -> None:
    while supervision.stop is None:
        wanted = kill_file.wanted()
        if wanted is not None:
            supervision.request_stop(wanted)
            return
        await clock.sleep(_KILL_FILE_S)


def _refuse_killed(name: str, kill_file: KillFile) -> None:
    wanted = kill_file.wanted()
    if wanted is not None:
        raise Refused(f"session {name} is kept from starting by the {wanted.source}; remove that file to start it")
