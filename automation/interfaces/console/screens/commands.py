"""The screen of the commands that were started here: their progress, what they tell, how they ended."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import ContentSwitcher, DataTable, RichLog, Static

from automation.interfaces.console.diff import diff_text
from automation.interfaces.console.jobs import Job, JobView
from automation.interfaces.console.results import DataTree, fill_table, patch_of, rows_of
from automation.interfaces.console.screens.base import Pane
from automation.interfaces.console.widgets.job_line import bar_text, end_text
from automation.interfaces.console.widgets.row_table import Column, RowTable
from automation.interfaces.progress import progress_line

_VIEWS = {"text": "t", "data": "d", "rows": "w", "patch": "p"}
_BAR = 24
_NEED_A_COMMAND = ("jobs", "line", "bars", "views", "result")


class CommandsPane(Pane[None]):
    """The commands on top, the one under the cursor below."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "cancel", "Stop"),
        Binding("y", "copy", "Copy line"),
        Binding("t", "view('text')", "Text"),
        Binding("d", "view('data')", "Data"),
        Binding("w", "view('rows')", "Rows of the result as a table", show=False),
        Binding("p", "view('patch')", "Patch of the result", show=False),
        Binding("e", "again", "Edit and run again", show=False),
    ]
    DEFAULT_CSS = """
    CommandsPane #jobs { height: auto; max-height: 8; overflow-x: hidden; }
    CommandsPane #line { height: auto; max-height: 3; padding: 0 1; background: $raised; }
    CommandsPane #bars { height: auto; max-height: 6; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    CommandsPane #views { height: 1; padding: 0 1; }
    CommandsPane #result { height: 1fr; padding: 0 1; }
    CommandsPane #text { height: 1fr; background: $ground; }
    CommandsPane #data { height: 1fr; background: $ground; }
    CommandsPane #patch { height: 1fr; }
    CommandsPane #patch-text { width: auto; }
    CommandsPane #none { padding: 1 2; color: $quiet; }
    """

    def body(self) -> ComposeResult:
        """Yield the widgets."""
        yield Static("Nothing was run here yet: type / and a command, or ctrl+p for the list.", id="none")
        yield RowTable((Column("time"), Column("state"), Column("line")), id="jobs")
        yield Static(id="line", markup=False)
        yield Static(id="bars")
        yield Static(id="views")
        with ContentSwitcher(id="result", initial="text"):
            yield RichLog(id="text", wrap=True, min_width=20)
            yield DataTree("result", id="data")
            yield DataTable[str](id="rows", cursor_type="row", zebra_stripes=True)
            with VerticalScroll(id="patch"):
                yield Static(id="patch-text")

    def on_mount(self) -> None:
        """Remember what is shown."""
        self._shown: int | None = None
        self._written = 0
        self._filled = False
        self.query_one("#jobs", RowTable).show_header = False
        for name in _NEED_A_COMMAND:
            self.query_one(f"#{name}").display = False

    def read(self) -> None:
        """Return nothing: what is shown here happened in this process."""

    def show(self, facts: None) -> None:
        """Show every command."""
        for job in self.console.desk.jobs:
            self.tell(job)

    def redraw(self) -> None:
        """Draw all again."""
        self._shown = None
        self.show(None)

    @property
    def chosen(self) -> Job | None:
        """The command under the cursor."""
        jobs = self.console.desk.jobs
        row = self.query_one("#jobs", RowTable).cursor_row
        return jobs[len(jobs) - 1 - row] if 0 <= row < len(jobs) else None

    def tell(self, job: Job) -> None:
        """Show how a command stands now; the newest is on top."""
        self.query_one("#none").display = False
        for name in _NEED_A_COMMAND:
            self.query_one(f"#{name}").display = True
        self._list_all()
        if self.chosen is job:
            self._show_job(job)

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Show the command under the cursor."""
        if event.data_table.id == "jobs" and self.chosen is not None:
            self._show_job(self.chosen)

    def action_cancel(self) -> None:
        """Ask the command to stop; the second time it is killed."""
        if self.chosen is not None:
            self.console.cancel(self.chosen)

    def action_copy(self) -> None:
        """Copy the command line."""
        if self.chosen is not None:
            self.app.copy_to_clipboard(self.chosen.line)
            self.notify(f"copied: {self.chosen.line}", markup=False)

    def action_again(self) -> None:
        """Open the form with the same values."""
        if self.chosen is not None:
            self.console.edit_line(self.chosen.line)

    def action_view(self, name: str) -> None:
        """Show another side of the result."""
        result = self.query_one("#result", ContentSwitcher)
        if self.chosen is not None and name in self._views(self.chosen.view()):
            result.current = name
            self._show_views(self.chosen.view())
            self.query_one(f"#{name}").focus()

    def _list_all(self) -> None:
        rows = []
        for job in reversed(self.console.desk.jobs):
            time = f"{datetime.fromtimestamp(job.started_ms / 1000, UTC):%H:%M:%S}"
            cells = (Text(time, self.palette.quiet), end_text(job, self.palette), Text(job.line, no_wrap=True))
            rows.append((str(job.number), cells))
        table = self.query_one("#jobs", RowTable)
        is_new = len(rows) > table.row_count
        table.show_rows(rows)
        if is_new:
            table.choose(rows[0][0])

    def _show_job(self, job: Job) -> None:
        view = job.view()
        log = self.query_one("#text", RichLog)
        if self._shown != job.number:
            self._shown, self._written, self._filled = job.number, 0, False
            log.clear()
            self.query_one("#result", ContentSwitcher).current = "text"
            self.query_one("#line", Static).update(job.line)
        self._show_bars(view)
        missed = view.told - self._written
        for line in view.news[max(len(view.news) - missed, 0) :] if missed else ():
            log.write(Text(line), expand=True)
        self._written = view.told
        if view.ended is not None and not self._filled:
            self._filled = True
            self._fill(view)
        self._show_views(view)

    def _show_bars(self, view: JobView) -> None:
        bars = self.query_one("#bars", Static)
        bars.display = view.ended is None
        text = Text(no_wrap=True, overflow="ellipsis")
        for number, step in enumerate(view.progress):
            text.append("\n" if number else "").append_text(bar_text(step, self.palette, _BAR))
            text.append("  " + progress_line(step, 0.0))
        bars.update(text)

    def _fill(self, view: JobView) -> None:
        if view.ended is None:
            return
        style = self.palette.bad if view.ended.error is not None else ""
        text = Text.from_ansi(view.ended.text)
        text.stylize_before(style)
        self.query_one("#text", RichLog).write(text, expand=True, scroll_end=False)
        result = view.ended.result or view.ended.error or {}
        self.query_one("#data", DataTree).show("result", result)
        rows = rows_of(result)
        if rows is not None:
            fill_table(self.query_one("#rows", DataTable), rows)
        self.query_one("#patch-text", Static).update(diff_text(patch_of(result), self.palette))

    def _show_views(self, view: JobView) -> None:
        current = self.query_one("#result", ContentSwitcher).current
        line = Text(no_wrap=True)
        for name in self._views(view):
            chosen = name == current
            line.append(f"{_VIEWS[name]} ", self.palette.accent)
            line.append(name, f"bold underline {self.palette.ink}" if chosen else self.palette.quiet)
            line.append("   ")
        self.query_one("#views", Static).update(line)

    @staticmethod
    def _views(view: JobView) -> list[str]:
        result = (view.ended.result or view.ended.error) if view.ended is not None else None
        if result is None:
            return ["text"]
        has = {"text": True, "data": True, "rows": rows_of(result) is not None, "patch": bool(patch_of(result))}
        return [name for name, there in has.items() if there]
