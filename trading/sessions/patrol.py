"""``Patrol``: what looks after a running session: memory, disk, files, feed, idleness, and a summary of each day."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from trading.engine.codes import SlotState
from trading.exchange.clock import SystemClock
from trading.sessions.alerts import Alert, AlertCommand, AlertDesk
from trading.sessions.catalog import SessionCatalog
from trading.sessions.daily import days_ended, summarise
from trading.sessions.figures import day_figures
from trading.sessions.live_session import LiveSession
from trading.sessions.market_watches import FeedWatch, IdleWatch
from trading.sessions.watches import DiskWatch, MemoryWatch, OpenFilesWatch, Watches

_WORKING = (SlotState.BUYING, SlotState.PARTIAL, SlotState.SELLING)


class Patrol:
    """Looks at a session and its machine, tells what is wrong, and sums up each UTC day.

    Parameters
    ----------
    session : LiveSession
        What is looked after.
    home : Path
        The data home.
    """

    def __init__(self, session: LiveSession, home: Path) -> None:
        self._session = session
        self._folder = SessionCatalog(home).files_of(session.keeper.journal.facts.name).folder
        symbol = session.keeper.symbol
        self._feed = FeedWatch(symbol, session.decider.step_ms)
        self._idle = IdleWatch(symbol)
        self._machine = Watches([MemoryWatch(), OpenFilesWatch(), DiskWatch(self._folder)])
        self._market = Watches([self._feed, self._idle])
        self._real = SystemClock()
        self._command = AlertCommand.from_environment()
        sinks: list[Callable[[Alert], None]] = [self._write_down]
        self._alerts = AlertDesk(*sinks, *([self._command] if self._command is not None else []))
        self._last_ms = 0
        self._orders = -1

    def __call__(self, now_ms: int) -> None:
        """Look once; the time is the session's clock."""
        self._tell_watches(now_ms)
        for alert in (*self._machine.check(self._real.now_ms()), *self._market.check(now_ms)):
            self._alerts.raise_alert(alert)
        reason = self._machine.forbids_orders
        if reason:
            self._session.refuse_orders(reason)
        for day in days_ended(self._last_ms, now_ms) if self._last_ms else []:
            summary = summarise(day_figures(self._session.keeper.journal, day))
            path = summary.write(self._folder / "days")
            self._session.keeper.note("summary", {**summary.as_json(), "file": str(path)})
        self._last_ms = now_ms

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._command is not None:
            self._command.close()

    def _tell_watches(self, now_ms: int) -> None:
        session, core = self._session, self._session.decider.state.core
        self._feed.candle(session.candle_seen_ms)
        self._feed.tick(session.tick_seen_ms)
        if int(core.orders) != self._orders:
            self._orders = int(core.orders)
            self._idle.ordered(now_ms)
        levels = [int(slot.buy) for slot in session.decider.state.slots if int(slot.grid_id) >= 0]
        inside = bool(levels) and min(levels) <= int(core.last_price) <= max(levels)
        self._idle.price(now_ms, in_range=inside and int(core.halt) == 0)

    def _write_down(self, alert: Alert) -> None:
        self._session.keeper.alert(alert.kind, alert.sentence)
