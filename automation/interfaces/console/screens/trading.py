"""The screen of one session: its candles and grid, its orders and trades, its money, and what its agents said."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.widget import Widget

from automation.interfaces.console.background import in_background
from automation.interfaces.console.context import ConsoleContext
from automation.interfaces.console.data.trading_records import Decision, SessionRow, SessionView
from automation.interfaces.console.jobs import Job
from automation.interfaces.console.screens.base import Pane
from automation.interfaces.console.widgets.candle_chart import CandleChart
from automation.interfaces.console.widgets.candle_drawing import Picture
from automation.interfaces.console.widgets.picker import Picker
from automation.interfaces.console.widgets.row_table import RowTable
from automation.interfaces.console.widgets.session_texts import (
    FILL_COLUMNS,
    LEVEL_COLUMNS,
    ORDER_COLUMNS,
    fill_rows,
    level_rows,
    money_text,
    order_rows,
    session_line,
    votes_text,
)
from automation.interfaces.console.widgets.still import Still
from trading.errors import GridBotError

if TYPE_CHECKING:
    from automation.interfaces.console.data.trading import SessionReader

_WIDE, _HIGH, _VAST = 110, 28, 185
_ZOOMS = (1, 5, 15)
_PANELS = {"orders": "o", "levels": "l", "votes": "v", "fills": "f"}
# where there is room for all others, these two have one place
_SHARED = ("levels", "fills")
_NONE = "There are no sessions yet. Type / and: paper --symbol BTC/USDT"


@dataclass(frozen=True, slots=True)
class TradingFacts:
    """What the screen shows.

    Parameters
    ----------
    rows : tuple of SessionRow
        All sessions.
    view : SessionView or None
        The one that is looked at; None when there is none, or it cannot be read.
    problem : str
        Why it cannot be read; empty otherwise.
    """

    rows: tuple[SessionRow, ...]
    view: SessionView | None
    problem: str = ""


class TradingPane(Pane[TradingFacts]):
    """One session at a time; the one that runs comes first."""

    EVERY_S: ClassVar[float] = 1.0
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "choose", "Session"),
        Binding("x", "stop", "Stop"),
        Binding("r", "report", "Report"),
        Binding("p", "replay", "Replay"),
        Binding("o", "panel('orders')", "Own orders as a book", show=False),
        Binding("l", "panel('levels')", "Levels of the grid and what they hold", show=False),
        Binding("v", "panel('votes')", "Votes of the agents and their reasons", show=False),
        Binding("f", "panel('fills')", "Fills, newest first", show=False),
        Binding("z", "zoom", "Zoom: 1, 5 or 15 candles a column", show=False),
        Binding("n", "next(1)", "Next session", show=False),
        Binding("b", "next(-1)", "Session before", show=False),
    ]
    DEFAULT_CSS = """
    TradingPane #line { height: 1; padding: 0 1; background: $raised; text-wrap: nowrap; text-overflow: ellipsis; }
    TradingPane #money { height: 2; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    TradingPane #notes { height: auto; max-height: 2; padding: 0 1; color: $warn; display: none; }
    TradingPane #notes.said { display: block; }
    TradingPane #none { padding: 1 2; color: $quiet; }
    TradingPane #middle { height: 1fr; }
    TradingPane #left { width: 1fr; height: 1fr; }
    TradingPane .panel { height: 1fr; width: 1fr; }
    TradingPane .heading { height: 1; padding: 0 1; background: $raised; color: $quiet; }
    TradingPane #votes-scroll { scrollbar-size: 0 1; }
    TradingPane #votes-text { height: auto; padding: 0 1; }
    TradingPane.wide #low { height: 38%; }
    TradingPane.wide #right { width: 51; height: 1fr; border-left: vkey $frame; }
    TradingPane.wide #fills { border-left: vkey $frame; display: none; }
    TradingPane.wide.fills #fills { display: block; }
    TradingPane.wide.fills #levels { display: none; }
    TradingPane.vast.wide #fills { display: block; max-width: 54; }
    TradingPane.vast.wide #levels { display: block; }
    TradingPane.narrow #middle { layout: vertical; }
    TradingPane.narrow #low { height: 8; }
    TradingPane.narrow #right { height: 8; width: 1fr; }
    TradingPane.narrow .panel { display: none; }
    TradingPane.narrow.orders #levels, TradingPane.narrow.votes #levels { display: none; }
    TradingPane.narrow.orders #orders, TradingPane.narrow.levels #levels,
    TradingPane.narrow.votes #votes, TradingPane.narrow.fills #fills { display: block; }
    TradingPane.narrow.orders #low, TradingPane.narrow.votes #low,
    TradingPane.narrow.levels #right, TradingPane.narrow.fills #right { display: none; }
    """

    class Decided(Message):
        """The votes of the newest candle are there, or could not be worked out."""

    def __init__(self, context: ConsoleContext, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(context, id=id)
        self._wanted: str | None = None
        self._readers: dict[str, SessionReader] = {}
        self._panel_shown = "orders"
        self._zoom = 0
        self._decision: tuple[str, Decision] | None = None
        self._undecided: tuple[str, int | None, str] | None = None
        self._deciding = False
        self.add_class("narrow", self._panel_shown)

    def body(self) -> ComposeResult:
        """Yield the widgets."""
        yield Still(id="line")
        yield Still(id="money")
        yield Still(id="notes")
        yield Still(id="none")
        with Horizontal(id="middle"):
            with Vertical(id="left"):
                yield CandleChart(id="chart")
                with Horizontal(id="low"):
                    yield from self._panel("levels", RowTable(LEVEL_COLUMNS, id="levels-table"))
                    yield from self._panel("fills", RowTable(FILL_COLUMNS, id="fills-table"))
            with Vertical(id="right"):
                yield from self._panel("orders", RowTable(ORDER_COLUMNS, id="orders-table"))
                with Vertical(id="votes", classes="panel"):
                    yield Still(id="votes-heading", classes="heading")
                    with VerticalScroll(id="votes-scroll"):
                        yield Still(id="votes-text")

    def _panel(self, name: str, table: RowTable) -> ComposeResult:
        with Vertical(id=name, classes="panel"):
            yield Still(id=f"{name}-heading", classes="heading")
            yield table

    def on_resize(self, event: events.Resize) -> None:
        """Show all panels where there is room, else the chosen one."""
        wide = event.size.width >= _WIDE and event.size.height >= _HIGH
        self.set_class(wide, "wide")
        self.set_class(wide and event.size.width >= _VAST, "vast")
        self.set_class(not wide, "narrow")
        self._draw_headings()

    def read(self) -> TradingFacts:
        """Read the sessions, and the one that is looked at."""
        # the core, which takes a second to import
        from automation.interfaces.console.data.trading import SessionReader, session_rows

        rows = session_rows(self.context.home)
        names = [row.name for row in rows]
        wanted = self._wanted if self._wanted in names else next(iter(names), None)
        if wanted is None:
            return TradingFacts(rows, None)
        reader = self._readers.setdefault(wanted, SessionReader(self.context.home, wanted))
        try:
            return TradingFacts(rows, reader.read(self.context.clock()))
        except GridBotError as error:
            # the other sessions can be looked at all the same
            return TradingFacts(rows, None, f"{wanted}: {error}")

    def show(self, facts: TradingFacts) -> None:
        """Draw what differs."""
        view = facts.view
        if view is None:
            # what has the focus is about to be hidden, and the keys with it
            self._focus_if_here(self)
        for name in ("line", "money", "middle"):
            self.query_one(f"#{name}").display = view is not None
        none = self.query_one("#none", Still)
        none.display = view is None
        problem = Text(f"{facts.problem}\n\ns or n goes to another session.", self.palette.bad)
        none.say(problem if facts.problem else _NONE)
        if view is None:
            return
        self._wanted = view.name
        palette = self.palette
        self.query_one("#line", Still).say(session_line(view, facts.rows, palette))
        self.query_one("#money", Still).say(money_text(view, palette))
        notes = self.query_one("#notes", Still)
        notes.say("\n".join(view.notes))
        notes.set_class(bool(view.notes), "said")
        self.query_one("#chart", CandleChart).show(self._picture(view), palette)
        self.query_one("#orders-table", RowTable).show_rows(order_rows(view, palette))
        self.query_one("#levels-table", RowTable).show_rows(level_rows(view, palette))
        self.query_one("#fills-table", RowTable).show_rows(fill_rows(view, palette))
        self._show_votes(view)
        self._draw_headings()
        self._decide(view)

    def action_choose(self) -> None:
        """Ask which session to look at."""
        if self.facts is None or not self.facts.rows:
            return
        choices = [(row.name, _row_text(row, self)) for row in self.facts.rows]
        self.app.push_screen(Picker("Which session?", choices, self._wanted), self._look_at)

    def look_at(self, what: str) -> None:
        """Look at a session.

        Parameters
        ----------
        what : str
            Its name.
        """
        if what != self._wanted:
            self._wanted = what
            self.reread()

    def action_next(self, step: int) -> None:
        """Look at the next session, or the one before."""
        names = [row.name for row in self.facts.rows] if self.facts is not None else []
        if names:
            place = names.index(self._wanted) if self._wanted in names else -1
            self._look_at(names[(place + step) % len(names)])

    def action_panel(self, name: str) -> None:
        """Go to a panel; where there is no room for all, show it instead of the last one."""
        self.remove_class(*_PANELS)
        self._panel_shown = name
        self.add_class(name)
        self._draw_headings()
        self.focus_first()

    def focus_first(self) -> None:
        """Give the focus to the panel that is shown."""
        name = self._panel_shown
        shows = self._view() is not None
        (self.query_one("#votes-scroll" if name == "votes" else f"#{name}-table") if shows else self).focus()

    def action_zoom(self) -> None:
        """Draw more time in the same width, or again less."""
        self._zoom = (self._zoom + 1) % len(_ZOOMS)
        if self.facts is not None and self.facts.view is not None:
            self.query_one("#chart", CandleChart).show(self._picture(self.facts.view), self.palette)

    def action_stop(self) -> None:
        """Stop the session, after asking."""
        view = self._view()
        if view is not None and view.running:
            self.run_command("stop", {"session": view.name}, then=self._ran)
        elif view is not None:
            self.notify(f"{view.name} is not running", markup=False)

    def action_report(self) -> None:
        """Write the session's HTML report."""
        view = self._view()
        if view is not None:
            self.run_command("sessions report", {"session": view.name}, then=self._ran)

    def action_replay(self) -> None:
        """Run the session's recording again and compare every decision."""
        view = self._view()
        if view is not None:
            self.run_command("sessions replay", {"session": view.name}, then=self._ran)

    def _focus_if_here(self, widget: Widget) -> None:
        focused = self.screen.focused
        if focused is not None and self in focused.ancestors_with_self:
            widget.focus()

    def _view(self) -> SessionView | None:
        return self.facts.view if self.facts is not None else None

    def _ran(self, _: Job) -> None:
        self.reread()

    def _look_at(self, name: str | None) -> None:
        if name is not None:
            self.look_at(name)

    def _picture(self, view: SessionView) -> Picture:
        price = float(view.price) if view.price is not None else None
        return Picture(view.bars, view.slots, view.fills, price, view.price_places, _ZOOMS[self._zoom])

    def _show_votes(self, view: SessionView) -> None:
        decision = self._decision[1] if self._decision is not None and self._decision[0] == view.name else None
        text = votes_text(decision, self.palette)
        if self._undecided is not None and self._undecided[:2] == (view.name, _newest(view)):
            text = Text(self._undecided[2], self.palette.bad)
        elif not view.bars:
            text = Text("no candles yet", self.palette.quiet)
        self.query_one("#votes-text", Still).say(text)

    def _decide(self, view: SessionView) -> None:
        """Have the votes of the newest candle worked out, one session at a time."""
        newest, known = _newest(view), self._decision
        is_known = known is not None and known[0] == view.name and known[1].candle_ms == newest
        has_failed = self._undecided is not None and self._undecided[:2] == (view.name, newest)
        if newest is None or is_known or has_failed or self._deciding:
            return
        self._deciding = True
        reader = self._readers[view.name]
        failed = partial(self._failed_to_decide, view.name, newest)
        in_background(self, reader.decision, partial(self._decided, view.name), failed)

    def _decided(self, name: str, decision: Decision | None) -> None:
        self._deciding = False
        if decision is not None:
            self._decision = name, decision
        self._votes_changed()

    def _failed_to_decide(self, name: str, newest: int, problem: str) -> None:
        # tried again when there is another candle
        self._deciding = False
        self._undecided = name, newest, problem
        self._votes_changed()

    def _votes_changed(self) -> None:
        view = self._view()
        if view is not None:
            self._show_votes(view)
            if self._decision is not None and self._decision[0] != view.name:
                self._decide(view)
        self.post_message(self.Decided())

    def _draw_headings(self) -> None:
        view = self._view()
        if view is None:
            return
        holding = sum(1 for slot in view.slots if slot.held)
        told = {
            "orders": f"{sum(order.is_open for order in view.orders)} open, {view.order_count:,} in all",
            "levels": f"{len(view.slots)} pairs, {holding} hold something",
            "votes": "of the newest candle",
            "fills": f"{view.fill_count:,} in all",
        }
        for name in _PANELS:
            heading = self.query_one(f"#{name}-heading", Still)
            heading.say(self._tabs(told, name))

    def _in_one_place(self, name: str) -> tuple[str, ...]:
        if self.has_class("narrow"):
            return tuple(_PANELS)
        return _SHARED if name in _SHARED and not self.has_class("vast") else (name,)

    def _tabs(self, told: dict[str, str], chosen: str) -> Text:
        text = Text(no_wrap=True)
        for name in self._in_one_place(chosen):
            key = _PANELS[name]
            text.append(f" {key} ", f"bold {self.palette.accent}")
            is_chosen = name == chosen
            text.append(f"{name} ", f"bold {self.palette.ink}" if is_chosen else self.palette.quiet)
        text.append(f" {told[chosen]}", self.palette.quiet)
        return text


def _newest(view: SessionView) -> int | None:
    return view.bars[-1].time_ms if view.bars else None


def _row_text(row: SessionRow, pane: TradingPane) -> Text:
    palette = pane.palette
    text = Text()
    text.append("● " if row.running else "○ ", palette.good if row.running else palette.quiet)
    text.append(f"{row.name:<21}")
    text.append(row.what or row.problem, palette.quiet if not row.problem else palette.bad)
    return text
