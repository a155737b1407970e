"""``Patrol``: what looks after a running session: its machine, its feed, and a summary of each day."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from trading.engine.codes import Halt
from trading.exchange.clock import Clock, SystemClock
from trading.sessions.alerts import Alert, AlertCommand, AlertDesk
from trading.sessions.catalog import SessionCatalog
from trading.sessions.daily import days_ended, summarise
from trading.sessions.figures import day_figures
from trading.sessions.live_session import LiveSession
from trading.sessions.market_watches import ClockWatch, FeedWatch, IdleWatch
from trading.sessions.watches import DiskWatch, LoopLagWatch, MemoryWatch, OpenFilesWatch, Watch, Watches

_SILENT_LOOKS = 20


class Patrol:
    """Looks at a session and its machine, tells what is wrong, and sums up each UTC day.

    What forbids orders holds those back that open a position, until it is over; exits go on.

    Parameters
    ----------
    session : LiveSession
        What is looked after.
    home : Path
        The data home.
    offset_ms : callable
        The venue's clock less this machine's, milliseconds; None while it is not known, or where they may differ.
    machine : sequence of Watch, optional
        Looks at this machine, by its own clock; memory, files, disk, clock and the event loop otherwise.
    real : Clock, optional
        This machine's clock.
    """

    def __init__(
        self,
        session: LiveSession,
        home: Path,
        offset_ms: Callable[[], float | None] = lambda: None,
        *,
        machine: list[Watch] | None = None,
        real: Clock | None = None,
    ) -> None:
        self._session = session
        self._folder = SessionCatalog(home).files_of(session.keeper.journal.facts.name).folder
        symbol = session.keeper.symbol
        self._feed = FeedWatch(symbol, session.decider.step_ms, patience_ms=_patience_ms(session))
        self._idle = IdleWatch(symbol)
        self._lag = LoopLagWatch()
        own: list[Watch] = [MemoryWatch(), OpenFilesWatch(), DiskWatch(self._folder), ClockWatch(offset_ms)]
        self._machine = Watches([*(own if machine is None else machine), self._lag])
        self._market = Watches([self._feed, self._idle])
        self._real = real or SystemClock()
        self._command = AlertCommand.from_environment()
        sinks: list[Callable[[Alert], None]] = [self._write_down]
        self._alerts = AlertDesk(*sinks, *([self._command] if self._command is not None else []))
        last = session.keeper.journal.last_equity()
        # a day that ended while the session was down is summed up as well
        self._last_ms = 0 if last is None else last.time_ms
        self._orders = -1
        self._measuring: asyncio.Task[None] | None = None

    def __call__(self, now_ms: int) -> None:
        """Look once; the time is the session's clock."""
        if self._measuring is None:
            self._measuring = asyncio.get_running_loop().create_task(self._lag.measure(self._real))
        self._tell_watches(now_ms)
        for alert in (*self._machine.check(self._real.now_ms()), *self._market.check(now_ms)):
            self._alerts.raise_alert(alert)
        reasons = [watches.forbids_orders for watches in (self._machine, self._market)]
        self._session.hold_entries("; ".join(reason for reason in reasons if reason))
        self._sum_up(now_ms)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._measuring is not None:
            self._measuring.cancel()
        if self._command is not None:
            self._command.close()

    def _sum_up(self, now_ms: int) -> None:
        last_ms, self._last_ms = self._last_ms, max(now_ms, self._last_ms)
        # of the days that have ended it was up in the first alone, however many it was down
        for day in days_ended(last_ms, now_ms)[:1] if last_ms else []:
            summary = summarise(day_figures(self._session.keeper.journal, day))
            path = summary.write(self._folder / "days")
            self._session.keeper.note("summary", {**summary.as_json(), "file": str(path)})

    def _tell_watches(self, now_ms: int) -> None:
        session, core = self._session, self._session.decider.state.core
        self._feed.candle(session.candle_seen_ms)
        self._feed.tick(session.tick_seen_ms)
        if int(core.orders) != self._orders:
            self._orders = int(core.orders)
            self._idle.ordered(now_ms)
        levels = [int(slot.buy) for slot in session.decider.state.slots if int(slot.grid_id) >= 0]
        inside = bool(levels) and min(levels) <= int(core.last_price) <= max(levels)
        self._idle.price(now_ms, in_range=inside and int(core.halt) == Halt.NONE)

    def _write_down(self, alert: Alert) -> None:
        self._session.keeper.alert(alert.kind, alert.sentence)


def _patience_ms(session: LiveSession) -> int:
    # a simulated clock runs on while this machine is busy: so many looks without a candle are silence, not a moment
    return int(_SILENT_LOOKS * session.rhythm.watch_s * 1000) if session.is_simulated else 0
