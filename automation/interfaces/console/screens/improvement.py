"""The screen of maintenance over time: repairs, their time and cost, what was measured, and every run below."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Vertical

from automation.interfaces.console.context import ConsoleContext
from automation.interfaces.console.data.improvement_records import RANGES, ImprovementFacts
from automation.interfaces.console.screens.base import Pane
from automation.interfaces.console.widgets.day_chart import DayChart
from automation.interfaces.console.widgets.improvement_charts import (
    RECORD_COLUMNS,
    VERDICT_COLUMNS,
    charts_of,
    record_rows,
    summary_text,
    verdict_rows,
)
from automation.interfaces.console.widgets.row_table import RowTable
from automation.interfaces.console.widgets.still import Still

if TYPE_CHECKING:
    from automation.interfaces.console.data.improvement import ImprovementReader

_WIDE, _HIGH = 110, 30
_CHARTS = ("repairs", "seconds", "speed", "tokens", "verdicts")


class ImprovementPane(Pane[ImprovementFacts]):
    """Charts over the last 7, 30 or 90 days, and a table beneath."""

    EVERY_S: ClassVar[float] = 5.0
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "range(7)", "Week"),
        Binding("m", "range(30)", "Month"),
        Binding("n", "range(90)", "90 days"),
        Binding("c", "chart", "Chart"),
        Binding("t", "table", "Table: runs, or what was timed", show=False),
    ]
    DEFAULT_CSS = """
    ImprovementPane #summary { height: 1; background: $raised; text-wrap: nowrap; text-overflow: ellipsis; }
    ImprovementPane #charts { height: 1fr; }
    ImprovementPane #below { height: 1fr; }
    ImprovementPane .heading { height: 1; padding: 0 1; background: $raised; color: $quiet; }
    ImprovementPane.narrow #charts { height: 11; grid-size: 1 1; }
    ImprovementPane.narrow DayChart { display: none; }
    ImprovementPane.narrow DayChart.shown { display: block; }
    ImprovementPane.wide #charts { height: 62%; grid-size: 6 2; grid-gutter: 0 1; }
    ImprovementPane.wide DayChart { column-span: 2; }
    ImprovementPane.wide #repairs { column-span: 3; }
    ImprovementPane.wide #seconds { column-span: 3; }
    """

    def __init__(self, context: ConsoleContext, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(context, id=id)
        self._reader: ImprovementReader | None = None
        self._days = RANGES[1]
        self._chart = 0
        self._shows_verdicts = False
        self.add_class("narrow")

    def body(self) -> ComposeResult:
        """Yield the widgets."""
        yield Still(id="summary")
        with Grid(id="charts"):
            for name in _CHARTS:
                yield DayChart(id=name)
        with Vertical(id="below"):
            yield Still(id="table-heading", classes="heading")
            yield RowTable(RECORD_COLUMNS, id="records")
            yield RowTable(VERDICT_COLUMNS, id="verdict-table")

    def on_mount(self) -> None:
        """Show the panels that come first."""
        self._arrange()

    def on_resize(self, event: events.Resize) -> None:
        """Show all charts where there is room, else one."""
        wide = event.size.width >= _WIDE and event.size.height >= _HIGH
        self.set_class(wide, "wide")
        self.set_class(not wide, "narrow")
        self._draw_heading()

    def read(self) -> ImprovementFacts:
        """Read the ledger, and what was measured."""
        if self._reader is None:
            from automation.interfaces.console.data.improvement import ImprovementReader

            self._reader = ImprovementReader(self.context.home, self.context.root / "reports")
        return self._reader.read(self._days, self.context.clock())

    def show(self, facts: ImprovementFacts) -> None:
        """Draw what differs."""
        palette, now_ms = self.palette, self.context.clock()
        self.query_one("#summary", Still).say(summary_text(facts, palette))
        for name, bars in charts_of(facts, palette).items():
            self.query_one(f"#{name}", DayChart).show(bars)
        self.query_one("#records", RowTable).show_rows(record_rows(facts, now_ms, palette))
        self.query_one("#verdict-table", RowTable).show_rows(verdict_rows(facts, now_ms, palette))
        self._draw_heading()

    def action_range(self, days: int) -> None:
        """Look back so many days."""
        self._days = days
        self.reread()

    def action_chart(self) -> None:
        """Show the next chart, where only one fits."""
        self._chart = (self._chart + 1) % len(_CHARTS)
        self._arrange()

    def action_table(self) -> None:
        """Change between the runs and what was timed."""
        self._shows_verdicts = not self._shows_verdicts
        self._arrange()
        self._draw_heading()
        self.focus_first()

    def focus_first(self) -> None:
        """Give the focus to the table that is shown."""
        self.query_one("#verdict-table" if self._shows_verdicts else "#records").focus()

    def _arrange(self) -> None:
        for number, name in enumerate(_CHARTS):
            self.query_one(f"#{name}").set_class(number == self._chart, "shown")
        self.query_one("#records").display = not self._shows_verdicts
        self.query_one("#verdict-table").display = self._shows_verdicts

    def _draw_heading(self) -> None:
        if self.facts is None:
            return
        palette, facts = self.palette, self.facts
        text = Text(no_wrap=True)
        text.append(" t ", f"bold {palette.accent}")
        runs = len(facts.records)
        names = (f"{runs:,} {'run' if runs == 1 else 'runs'}", f"{len(facts.verdicts):,} timed")
        for number, name in enumerate(names):
            is_shown = bool(number) == self._shows_verdicts
            text.append(f"{name}  ", f"bold {palette.ink}" if is_shown else palette.quiet)
        if self.has_class("narrow"):
            text.append(" c ", f"bold {palette.accent}")
            text.append("next chart", palette.quiet)
        self.query_one("#table-heading", Still).say(text)
