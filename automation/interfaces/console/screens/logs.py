"""The logs: one file at a time, from its end, filtered by level and words, followed through rotation."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import RichLog

from automation.interfaces.console.context import ConsoleContext
from automation.interfaces.console.data.logs import LEVELS, LogFile, LogLine, LogTail, log_files
from automation.interfaces.console.dialogs import Choose
from automation.interfaces.console.screens.base import Pane
from automation.interfaces.console.widgets.filter_line import FilterLine

_MOST_LINES = 5_000
_MOST_SHOWN = 1_500


@dataclass(frozen=True, slots=True)
class LogFacts:
    """What was added to a file.

    Parameters
    ----------
    files : tuple of LogFile
        All that can be looked at, the newest first.
    path : Path or None
        Which is; None where there is none.
    lines : tuple of LogLine
        The records that were added since the last reading.
    fresh : bool
        The file is another one than before.
    """

    files: tuple[LogFile, ...]
    path: Path | None
    lines: tuple[LogLine, ...]
    fresh: bool


class LogsPane(Pane[LogFacts]):
    """A line on what is shown, a filter, and the records."""

    EVERY_S = 1.0
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "open", "Open"),
        Binding("l", "level", "Level"),
        Binding("f", "filter", "Filter"),
        Binding("space", "follow", "Follow"),
        Binding("end", "newest", "To the newest record", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    LogsPane #lines { height: 1fr; padding: 0 1; background: $ground; }
    """

    def __init__(self, context: ConsoleContext, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(context, id=id)
        self.level = "info"
        self.follow = True
        self.words: tuple[str, ...] = ()
        self._wanted: Path | None = None
        self._tail: LogTail | None = None
        self._lines: deque[LogLine] = deque(maxlen=_MOST_LINES)

    def body(self) -> ComposeResult:
        """Yield the widgets."""
        yield FilterLine("filter: words")
        yield RichLog(id="lines", wrap=True, min_width=20, max_lines=_MOST_SHOWN, auto_scroll=False)

    def focus_first(self) -> None:
        """Scroll first; the filter has its key."""
        self.query_one("#lines").focus()

    def on_unmount(self) -> None:
        """Close the file."""
        if self._tail is not None:
            self._tail.close()

    def read(self) -> LogFacts:
        """Read what was added to the file, or the end of another one."""
        files = log_files(self.context.home, self.context.root)
        wanted = self._wanted or (self._tail.path if self._tail is not None else None)
        path = wanted or (files[0].path if files else None)
        fresh = path is not None and (self._tail is None or self._tail.path != path)
        if fresh and path is not None:
            if self._tail is not None:
                self._tail.close()
            self._tail = LogTail(path)
        lines = tuple(self._tail.read()) if self._tail is not None else ()
        return LogFacts(files, path, lines, fresh)

    def show(self, facts: LogFacts) -> None:
        """Add the new records."""
        if facts.fresh:
            self._lines.clear()
            self.query_one("#lines", RichLog).clear()
        self._lines.extend(facts.lines)
        self._write(facts.lines)
        self._show_head()

    def redraw(self) -> None:
        """Write all records again, in other colours, widths or by another filter."""
        log = self.query_one("#lines", RichLog)
        log.clear()
        fitting = [line for line in self._lines if line.fits(self.level, self.words)]
        self._write(fitting[-_MOST_SHOWN:])
        self._show_head()

    def on_filter_line_changed(self, message: FilterLine.Changed) -> None:
        """Filter by what is typed."""
        self.words = message.words
        self.redraw()

    def on_filter_line_left(self, _: FilterLine.Left) -> None:
        """Go back to the records."""
        self.focus_first()

    def action_open(self) -> None:
        """Choose another file."""
        files = self.facts.files if self.facts is not None else ()
        if not files:
            self.notify("there are no logs yet; a session writes one")
            return

        def chosen(number: int | None) -> None:
            if number is not None:
                self._wanted = files[number].path
                self.reread()

        choices = [(file.label, f"{file.size / 1000:,.1f} kB") for file in files]
        self.app.push_screen(Choose("Which log?", choices), chosen)

    def action_level(self) -> None:
        """Show from the next level on."""
        self.level = LEVELS[(LEVELS.index(self.level) + 1) % len(LEVELS)]
        self.redraw()

    def action_filter(self) -> None:
        """Go to the filter."""
        self.query_one(FilterLine).begin()

    def action_follow(self) -> None:
        """Follow the newest record, or stay where one reads."""
        self.follow = not self.follow
        if self.follow:
            self.action_newest()
        self._show_head()

    def action_newest(self) -> None:
        """Go to the newest record."""
        self.query_one("#lines", RichLog).scroll_end(animate=False)

    def _write(self, lines: tuple[LogLine, ...] | list[LogLine]) -> None:
        log = self.query_one("#lines", RichLog)
        for line in lines:
            if line.fits(self.level, self.words):
                log.write(self._text(line), expand=True)
        if self.follow and lines:
            log.scroll_end(animate=False)

    def _text(self, line: LogLine) -> Text:
        palette = self.palette
        colours = {"debug": palette.quiet, "info": palette.ink, "warning": palette.warn, "error": palette.bad}
        colour = colours[line.level]
        text = Text(f"{line.time[11:23]} ", palette.quiet) if line.time else Text()
        if line.time:
            text.append(f"{line.level:<7} ", colour)
        event, _, rest = line.text.partition(" ")
        text.append(event, f"bold {colour}" if line.time else colour)
        return text.append(f" {rest}" if rest else "", colour if line.level != "info" else palette.quiet)

    def _show_head(self) -> None:
        palette, facts = self.palette, self.facts
        text = Text(no_wrap=True, overflow="ellipsis")
        if facts is None or facts.path is None:
            text.append("no logs yet; a session writes one", palette.quiet)
        else:
            label = next((file.label for file in facts.files if file.path == facts.path), facts.path.name)
            text.append(f"{self.level}+ ", palette.accent)
            text.append("follows  " if self.follow else "stays  ", palette.good if self.follow else palette.warn)
            text.append(label.removeprefix("sessions/"), f"bold {palette.ink}")
        self.query_one(FilterLine).say(text)
