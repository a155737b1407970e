"""The overview: sessions, profit, health, the last night and the newest run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import DataTable, Static

from automation.interfaces.console.background import in_background
from automation.interfaces.console.context import ConsoleContext
from automation.interfaces.console.data.night import NewestRun, NightFacts, RunFacts, last_night
from automation.interfaces.console.data.sessions import SessionFacts, SessionReader, Standing
from automation.interfaces.console.requests import ScreenName
from automation.interfaces.console.screens.base import Pane
from automation.interfaces.console.widgets.area import Area
from automation.interfaces.console.widgets.row_table import Cell, Column, RowTable
from automation.interfaces.console.widgets.run_texts import status_colour
from trading.errors import Refused

_HEALTH_EVERY_MS = 600_000
_COLUMNS = (
    Column("session"),
    Column("state"),
    Column("symbol"),
    Column("equity", right=True),
    Column("profit", right=True),
    Column("position", right=True),
    Column("open", right=True),
)


@dataclass(frozen=True, slots=True)
class OverviewFacts:
    """What the overview shows, but for the health, which is asked less often.

    Parameters
    ----------
    sessions : tuple of SessionFacts
        Those that run first.
    night : NightFacts or None
        The last night.
    run : RunFacts or None
        The newest run.
    """

    sessions: tuple[SessionFacts, ...]
    night: NightFacts | None
    run: RunFacts | None


class OverviewPane(Pane[OverviewFacts]):
    """Sessions on top, the one under the cursor in figures, and how the house stands."""

    EVERY_S = 2.0
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("h", "health", "Health"),
        Binding("i", "show_session", "Inspect"),
        Binding("s", "stop_session", "Stop"),
    ]
    DEFAULT_CSS = """
    OverviewPane #sessions { height: auto; min-height: 2; max-height: 50%; }
    OverviewPane #no-sessions { height: 1fr; padding: 1 2; color: $quiet; }
    OverviewPane #equity { height: 1fr; min-height: 4; padding: 0 1; background: $raised; }
    OverviewPane #figures { width: 34; height: 1fr; }
    OverviewPane #curve { width: 1fr; height: 1fr; }
    OverviewPane #curve-title { height: 1; color: $quiet; }
    OverviewPane #house { height: auto; max-height: 10; padding: 0 1; border-top: solid $frame;
        text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self, context: ConsoleContext, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(context, id=id)
        self.health: Mapping[str, object] | None = None
        self._asked_ms: int | None = None
        self._reader: SessionReader | None = None
        self._runs = NewestRun(context.home)

    def body(self) -> ComposeResult:
        """Yield the widgets."""
        yield Static(id="no-sessions")
        yield RowTable(_COLUMNS, id="sessions")
        with Horizontal(id="equity"):
            yield Static(id="figures")
            with Vertical(id="curve"):
                yield Static(id="curve-title")
                yield Area(id="equity-area")
        yield Static(id="house")

    def on_mount(self) -> None:
        """Hide what needs a session."""
        self.query_one("#sessions").display = False
        self.query_one("#equity").display = False

    def read(self) -> OverviewFacts:
        """Read sessions, the last night and the newest run."""
        if self._reader is None:
            self._reader = SessionReader(self.context.home)
        return OverviewFacts(
            self._reader.read(),
            last_night(self.context.root, self.context.home),
            self._runs.read(self.context.clock()),
        )

    def show(self, facts: OverviewFacts) -> None:
        """Draw all of it, and ask for the health when that was long ago."""
        self._show_sessions(facts.sessions)
        self._show_chosen()
        self._show_house(facts)
        now = self.context.clock()
        if self._asked_ms is None or now - self._asked_ms >= _HEALTH_EVERY_MS:
            self._asked_ms = now
            in_background(self, self.ask_health, self._healthy, self._unhealthy)

    @property
    def chosen(self) -> SessionFacts | None:
        """The session under the cursor."""
        sessions = self.facts.sessions if self.facts is not None else ()
        row = self.query_one("#sessions", RowTable).cursor_row
        return sessions[row] if 0 <= row < len(sessions) else None

    def on_data_table_row_highlighted(self, _: DataTable.RowHighlighted) -> None:
        """Show the session under the cursor."""
        self._show_chosen()

    def on_data_table_row_selected(self, _: DataTable.RowSelected) -> None:
        """Go to the screen of the session."""
        if self.chosen is not None:
            self.console.look_at(ScreenName.TRADING, self.chosen.name)

    def action_health(self) -> None:
        """Check everything, the exchange too."""
        self.console.run_command("health", {}, show=True)

    def action_show_session(self) -> None:
        """Show all of the session under the cursor."""
        if self.chosen is not None:
            self.console.run_command("sessions show", {"session": self.chosen.name}, show=True)

    def action_stop_session(self) -> None:
        """Stop the session under the cursor, once its command was typed."""
        if self.chosen is not None:
            self.run_command("stop", {"session": self.chosen.name}, then=lambda _: self.reread())

    def ask_health(self) -> Mapping[str, object]:
        """Return what the health command finds without the network; blocks.

        Raises
        ------
        Refused
            When it cannot tell.
        """
        ended = self.context.answer("health", {"offline": True})
        if ended.result is None:
            raise Refused(ended.text)
        return ended.result

    def _unhealthy(self, problem: str) -> None:
        self._healthy({"problem": problem})

    def _healthy(self, told: Mapping[str, object]) -> None:
        self.health = told
        if self.facts is not None:
            self._show_house(self.facts)
        self.post_message(self.Shown(self))

    def _show_sessions(self, sessions: tuple[SessionFacts, ...]) -> None:
        table, none = self.query_one("#sessions", RowTable), self.query_one("#no-sessions", Static)
        table.display, none.display = bool(sessions), not sessions
        none.update("No sessions yet. Type / and: paper --symbol BTC/USDT")
        table.show_rows([(one.name, self._cells(one)) for one in sessions])

    def _cells(self, one: SessionFacts) -> tuple[Cell, ...]:
        palette = self.palette
        states = {Standing.RUNNING: palette.good, Standing.STOPPED: palette.quiet, Standing.HALTED: palette.warn}
        orders = "" if one.open_orders is None else str(one.open_orders)
        return (
            Text(one.name, f"bold {palette.ink}"),
            Text(one.standing.value, states.get(one.standing, palette.bad)),
            f"{one.mode} {one.symbol}".strip(),
            money(one.equity),
            Text(signed(one.profit), self._side(one.profit)),
            quantity(one.position),
            orders,
        )

    def _show_chosen(self) -> None:
        one = self.chosen
        self.query_one("#equity").display = one is not None
        if one is None:
            return
        palette = self.palette
        text = Text(no_wrap=True, overflow="ellipsis")
        text.append(one.name, f"bold {palette.ink}")
        text.append(f"  {one.exchange} {one.timeframe}\n", palette.quiet)
        if one.note:
            text.append(one.note, palette.warn if one.standing is Standing.HALTED else palette.bad)
            text.no_wrap = False
        else:
            share = f" ({one.profit / one.capital:+.2%})" if one.profit is not None and one.capital else ""
            text.append(f"profit   {signed(one.profit)} {one.currency}{share}\n", self._side(one.profit))
            text.append(f"equity   {money(one.equity)} {one.currency}\n", palette.ink)
            text.append(f"price    {money(one.price)} {one.currency}\n", palette.ink)
            text.append(f"holds    {quantity(one.position)} {one.symbol.partition('/')[0]}\n", palette.ink)
            text.append(f"capital  {money(one.capital)} {one.currency}\n", palette.quiet)
            text.append(f"feed     {one.feed}" if one.feed else _when(one.last_ms), palette.quiet)
        self.query_one("#figures", Static).update(text)
        low, high = (min(one.points), max(one.points)) if one.points else (0.0, 0.0)
        span = f"equity, last day: {low:,.2f} to {high:,.2f} {one.currency}" if one.points else "no equity yet"
        self.query_one("#curve-title", Static).update(Text(span, no_wrap=True, overflow="ellipsis"))
        area = self.query_one(Area)
        area.series = one.points
        area.refresh()

    def _show_house(self, facts: OverviewFacts) -> None:
        palette = self.palette
        lines = [self._profit_line(facts.sessions), self._health_line(), self._run_line(facts), self._night_line(facts)]
        text = Text(no_wrap=True, overflow="ellipsis")
        for number, (title, words, colour) in enumerate(lines):
            text.append("\n" if number else "").append(f"{title:<12}", palette.quiet)
            text.append(words, colour)
        self.query_one("#house", Static).update(text)

    def _profit_line(self, sessions: tuple[SessionFacts, ...]) -> tuple[str, str, str]:
        sums: dict[str, Decimal] = {}
        for one in sessions:
            if one.open_orders is not None and one.profit is not None:
                sums[one.currency] = sums.get(one.currency, Decimal(0)) + one.profit
        running = sum(one.open_orders is not None for one in sessions)
        words = ", ".join(f"{signed(total)} {currency}" for currency, total in sums.items())
        if not sums:
            return "profit", f"{running} of {len(sessions)} sessions running", self.palette.quiet
        total = sum(sums.values(), Decimal(0))
        return "profit", f"{words} in {running} running of {len(sessions)} sessions", self._side(total)

    def _health_line(self) -> tuple[str, str, str]:
        palette = self.palette
        if self.health is None:
            return "health", "checking …", palette.quiet
        if "problem" in self.health:
            return "health", str(self.health["problem"]), palette.bad
        checks = [check for check in _list(self.health.get("checks")) if not check.get("ok")]
        failed = [check for check in checks if check.get("needed")]
        if failed:
            words = "; ".join(f"{check['name']}: {check['detail']}" for check in failed)
            return "health", words, palette.bad
        notes = f"; to note: {', '.join(str(check['name']) for check in checks)}" if checks else ""
        return "health", f"all that is needed is there{notes}", palette.good

    def _run_line(self, facts: OverviewFacts) -> tuple[str, str, str]:
        palette, run = self.palette, facts.run
        if run is None:
            return "repair", "no run yet", palette.quiet
        waits = f"; {run.waiting} waiting for approval (3)" if run.waiting else ""
        reason = f": {run.reason}" if run.reason else ""
        words = f"{run.run_id} {run.status}{waits}{reason}"
        return "repair", words, palette.warn if run.waiting else status_colour(run.status, palette)

    def _night_line(self, facts: OverviewFacts) -> tuple[str, str, str]:
        palette, night = self.palette, facts.night
        if night is None:
            return "last night", "no night yet; `gridbot nightly` looks after the repository", palette.quiet
        good = night.status in ("fixed", "nothing_to_fix")
        reason = f": {night.reason}" if night.reason else ""
        started = night.started[:16].replace("T", " ")
        words = f"{started} {night.status.replace('_', ' ')}{reason} ({night.minutes:.0f} min)"
        return "last night", words, palette.good if good else palette.warn

    def _side(self, amount: Decimal | None) -> str:
        if amount is None or amount == 0:
            return self.palette.quiet
        return self.palette.good if amount > 0 else self.palette.bad


def money(amount: Decimal | None) -> str:
    """Return an amount with thousands and two places; small ones with as many as they need."""
    if amount is None:
        return "-"
    return f"{amount:,.2f}" if abs(amount) >= 1 or amount == 0 else f"{amount.normalize():f}"


def signed(amount: Decimal | None) -> str:
    """Return an amount with its sign."""
    return "-" if amount is None else f"{amount:+,.2f}"


def quantity(amount: Decimal | None) -> str:
    """Return a quantity without closing zeros."""
    return "-" if amount is None else f"{amount.normalize():f}"


def _when(time_ms: int) -> str:
    return f"until {datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC" if time_ms else "no candle yet"


def _list(value: object) -> list[Mapping[str, object]]:
    return value if isinstance(value, list) else []
