"""``run_session``: one session under supervision; a crash is written down, and the session starts again from its books.

The session and its supervisor share a process, so that killing the process ends both: no child trades on unseen.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from trading.errors import Action, ConnectionLost, ExitCode, GridBotError, RateLimited, StateCorrupt
from trading.exchange.clock import Clock, SystemClock
from trading.sessions.catalog import SessionCatalog
from trading.sessions.control import ControlRequest, ControlServer, KillFile, StopRequest
from trading.sessions.decider import InvariantBroken
from trading.sessions.events import Listener, SessionEvent
from trading.sessions.launch import Plan, opened
from trading.sessions.live_session import LiveSession, SessionEnd
from trading.sessions.logs import SessionLog
from trading.sessions.patrol import Patrol
from trading.sessions.session_lock import SessionLock

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0
_MOST_CRASHES, _WITHIN_MS = 5, 600_000


@dataclass(slots=True)
class Supervision:
    """What outlives a crash of the session: its log, its socket, its locks, and wishes to stop.

    Parameters
    ----------
    plan : Plan
        What runs.
    tell : callable
        Hands events to whoever started the session.
    """

    plan: Plan
    tell: Listener
    session: LiveSession | None = None
    stop: StopRequest | None = None
    control: ControlServer | None = None
    log: SessionLog | None = None
    was_trading: bool = False

    def request_stop(self, request: StopRequest) -> None:
        """Ask for an orderly end; to be called in the session's event loop."""
        self.stop = request
        if self.session is not None:
            self.session.request_stop(request)

    def hear(self, event: SessionEvent) -> None:
        """Hand an event to the log, to the socket's listeners and to whoever started the session."""
        if self.log is not None:
            data = {name: value for name, value in event.data.items() if name not in ("event", "session")}
            level = self.log.warning if event.kind in ("alert", "halted", "crashed") else self.log.info
            level(event.kind, **{f"{name}_" if name in _TAKEN else name: value for name, value in data.items()})  # type: ignore[arg-type]
        if self.control is not None:
            self.control.publish(event.as_json())
        self.tell(event)

    def tell_crash(self, problem: Exception, pause_s: float, now_ms: int) -> None:
        """Say that the session fell, and when it starts again."""
        if self.log is not None:
            self.log.failure("session_failed", problem)
        reason = f"{_said(problem)}; it starts again from its books in {pause_s:g} s"
        data = {"reason": reason, "code": getattr(problem, "code", None), "restart_in_s": pause_s}
        self.hear(SessionEvent("crashed", self.plan.name, now_ms, data))

    async def answer(self, request: ControlRequest) -> dict[str, object]:
        """Answer a request of the control socket."""
        if request.command == "stop":
            self.request_stop(StopRequest(request.cancel_orders, request.flatten, "a request"))
            return {"stopping": True}
        if self.session is None:
            return {"session": self.plan.name, "state": "restarting"}
        if request.command == "checkpoint":
            self.session.keeper.flush()
            return {"checkpoint": True}
        if request.command == "reconcile":
            self.session.want_reconciliation("a person asks")
            return {"reconciling": True}
        return dict(self.session.status())


_TAKEN = frozenset({"code", "action", "event", "level", "time", "session"})


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
        When it crashes again and again.
    """
    supervision = Supervision(plan, tell)
    files = SessionCatalog(plan.home).files_of(plan.name)
    async with AsyncExitStack() as stack:
        stack.enter_context(SessionLock(plan.home, plan.name, plan.account, plan.symbol))
        values = () if plan.credentials is None else plan.credentials.hidden_values
        supervision.log = stack.enter_context(SessionLog(files.folder, plan.name, SystemClock(), secrets=values))
        supervision.control = await stack.enter_async_context(ControlServer(files.folder, supervision.answer))
        if started is not None:
            started(supervision)
        watcher = asyncio.create_task(_watch_kill_file(supervision, KillFile(files.folder, plan.home)))
        stack.callback(watcher.cancel)
        end = await _again_and_again(supervision, clock or SystemClock())
        _tell_end(supervision, end)
        return end


async def _again_and_again(supervision: Supervision, clock: Clock) -> SessionEnd:
    crashes: deque[int] = deque()
    while True:
        try:
            return await _once(supervision)
        except InvariantBroken as broken:
            return SessionEnd(str(broken), ExitCode.HALTED)
        except Exception as error:  # whatever it was, the books are safe and the session begins anew
            if not supervision.was_trading or (isinstance(error, GridBotError) and not _passes(error)):
                raise
            problem = error
        pause_s = _pause_s(crashes, problem, supervision.plan.name, clock.now_ms())
        supervision.tell_crash(problem, pause_s, clock.now_ms())
        if supervision.stop is None:
            await clock.sleep(pause_s)


def _pause_s(crashes: deque[int], problem: Exception, name: str, now_ms: int) -> float:
    # a venue that is away is waited for; a fault of our own that comes back is not
    if not isinstance(problem, ConnectionLost | RateLimited):
        crashes.append(now_ms)
    while crashes and crashes[0] < now_ms - _WITHIN_MS:
        crashes.popleft()
    if len(crashes) >= _MOST_CRASHES:
        raise GridBotError(
            f"session {name} crashed {len(crashes)} times in ten minutes ({_said(problem)}); "
            f"`gridbot fix --session {name}` looks for the fault"
        ) from problem
    return min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** len(crashes))


async def _once(supervision: Supervision) -> SessionEnd:
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(opened(supervision.plan, supervision.hear))
        supervision.session = session
        if supervision.stop is not None:
            session.request_stop(supervision.stop)
        session.patrol = stack.enter_context(Patrol(session, supervision.plan.home))
        try:
            return await session.run()
        finally:
            supervision.was_trading = supervision.was_trading or session.has_begun
            supervision.session = None


def _passes(error: GridBotError) -> bool:
    return isinstance(error, ConnectionLost | RateLimited) or (
        isinstance(error, StateCorrupt) and error.action is Action.RESTORE_CHECKPOINT
    )


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, GridBotError) else f"{type(error).__name__}: {error}"


def _tell_end(supervision: Supervision, end: SessionEnd) -> None:
    if supervision.log is not None:
        supervision.log.info("stopped", reason=end.reason, exit_code=int(end.exit_code))


async def _watch_kill_file(supervision: Supervision, kill_file: KillFile) -> None:
    while supervision.stop is None:
        wanted = kill_file.wanted()
        if wanted is not None:
            supervision.request_stop(wanted)
            return
        await asyncio.sleep(0.5)
