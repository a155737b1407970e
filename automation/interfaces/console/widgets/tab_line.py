"""The line of tabs on top."""

from __future__ import annotations

from rich.style import Style
from rich.text import Text
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from automation.interfaces.console.entries import PANES, PaneEntry
from automation.interfaces.console.requests import ScreenName
from automation.interfaces.console.theme import palette_of

_WIDE = 100


class TabLine(Widget):
    """Which screens there are, which is shown, and how many commands are at work."""

    DEFAULT_CSS = "TabLine { height: 1; background: $raised; }"

    shown: reactive[ScreenName] = reactive(ScreenName.OVERVIEW)
    working: reactive[int] = reactive(0)

    class Chosen(Message):
        """A tab was clicked.

        Parameters
        ----------
        name : ScreenName
            Which.
        """

        def __init__(self, name: ScreenName) -> None:
            self.name = name
            super().__init__()

    def render(self) -> Text:
        """Return the line."""
        palette = palette_of(self.app.theme)
        wide = self.size.width >= _WIDE
        line = Text(no_wrap=True)
        for entry in PANES:
            chosen = entry.name is self.shown
            ground = palette.lifted if chosen else palette.raised
            mark = Style(meta={"tab": entry.name.value})
            line.append(" " + entry.key, mark + Style(color=palette.accent, bgcolor=ground, bold=chosen))
            ink = palette.ink if chosen else palette.quiet
            title = f" {self._title(entry, wide=wide)} "
            line.append(title, mark + Style(color=ink, bgcolor=ground, bold=chosen, underline=False))
        return line

    def on_click(self, event: events.Click) -> None:
        """Tell which tab was clicked."""
        name = event.style.meta.get("tab")
        if name is not None:
            self.post_message(self.Chosen(ScreenName(name)))

    def _title(self, entry: PaneEntry, *, wide: bool) -> str:
        title = entry.title if wide else entry.short
        return f"{title} {self.working}" if entry.name is ScreenName.COMMANDS and self.working else title
