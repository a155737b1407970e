"""``Supervision``: what outlives a crash of a session: its log, its socket, and wishes to stop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

from trading.errors import GridBotError
from trading.exchange.clock import Clock
from trading.sessions.control import ControlRequest, ControlServer, StopRequest
from trading.sessions.events import Listener, SessionEvent
from trading.sessions.launch import Plan
from trading.sessions.live_session import LiveSession
from trading.sessions.logs import SessionLog

FIRST_PAUSE_S = 1.0
"""Pause before the first restart, and between tries to reach a venue once a session is to stop."""

_OPENING_S = 15.0
_TAKEN = frozenset({"code", "action", "event", "level", "time", "session"})


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
    end_ms: int | None = None
    patience: asyncio.Timeout | None = None
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def request_stop(self, request: StopRequest) -> None:
        """Ask for an orderly end; to be called in the session's event loop."""
        old = self.stop
        self.stop = request
        if old is not None:
            more = (old.cancel_orders or request.cancel_orders, old.flatten or request.flatten)
            self.stop = StopRequest(*more, old.source)
        self.wake.set()
        if self.session is not None:
            self.session.request_stop(request)
        self.hurry()

    def hurry(self) -> None:
        """Wait no longer for a session that is being opened than an orderly end may take."""
        if self.patience is not None and self.patience.when() is None:
            self.patience.reschedule(asyncio.get_running_loop().time() + _OPENING_S)

    def began(self, session: LiveSession) -> None:
        """Take a session that was opened; its time is over when that of the first one is."""
        self.session = session
        if self.end_ms is None:
            self.end_ms = session.end_ms
        session.end_ms = self.end_ms
        if self.stop is not None:
            session.request_stop(self.stop)

    def traded(self, session: LiveSession) -> None:
        """Note that a session has begun: if it has to begin anew, no person has said that a halt is over."""
        self.was_trading = True
        self.plan = replace(self.plan, request=self.plan.request.model_copy(update={"resume": False}))

    async def pause(self, clock: Clock, seconds: float) -> None:
        """Wait, but not once it is to stop."""
        if self.stop is not None:
            seconds = min(seconds, FIRST_PAUSE_S)
            self.wake.clear()
        sleep, called = asyncio.ensure_future(clock.sleep(seconds)), asyncio.ensure_future(self.wake.wait())
        await asyncio.wait({sleep, called}, return_when=asyncio.FIRST_COMPLETED)
        for task in (sleep, called):
            task.cancel()
        await asyncio.gather(sleep, called, return_exceptions=True)

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
        reason = f"{said(problem)}; it starts again from its books in {pause_s:g} s"
        data = {"reason": reason, "code": getattr(problem, "code", None), "restart_in_s": pause_s}
        self.hear(SessionEvent("crashed", self.plan.name, now_ms, data))

    def tell_halt(self, reason: str, now_ms: int) -> None:
        """Say that the session must not go on."""
        self.hear(SessionEvent("halted", self.plan.name, now_ms, {"reason": reason, "code": "E007"}))

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


def said(error: Exception) -> str:
    """Return an error's sentence; with its kind, when it is none of ours."""
    return str(error) if isinstance(error, GridBotError) else f"{type(error).__name__}: {error}"
