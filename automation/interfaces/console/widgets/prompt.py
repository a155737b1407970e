"""The prompt: an exact command line, or plain English."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static


class PromptInput(Input):
    """One line with a history."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "older", show=False),
        Binding("down", "newer", show=False),
        Binding("escape", "leave", "Back", show=True),
    ]

    class Left(Message):
        """The person goes back to the screen."""

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__(
            placeholder="a command, or plain English: how are my sessions",
            suggester=SuggestFromList(sorted(names), case_sensitive=False),
            compact=True,
            select_on_focus=False,
        )
        self._lines: list[str] = []
        self._place = 0

    def remember(self, line: str) -> None:
        """Add a line to the history."""
        if self._lines[-1:] != [line]:
            self._lines.append(line)
        self._place = len(self._lines)

    def action_older(self) -> None:
        """Show the line before."""
        self._go(self._place - 1)

    def action_newer(self) -> None:
        """Show the line after."""
        self._go(self._place + 1)

    def action_leave(self) -> None:
        """Empty the line and go back to the screen."""
        self.value = ""
        self.post_message(self.Left())

    def _go(self, place: int) -> None:
        if not 0 <= place <= len(self._lines):
            return
        self._place = place
        self.value = self._lines[place] if place < len(self._lines) else ""
        self.cursor_position = len(self.value)


class Prompt(Horizontal):
    """The prompt with its mark.

    Parameters
    ----------
    names : iterable of str
        The commands that are suggested.
    """

    DEFAULT_CSS = """
    Prompt { height: 1; background: $raised; }
    Prompt > .mark { width: 3; color: $accent; text-style: bold; padding: 0 0 0 1; }
    Prompt > PromptInput { width: 1fr; background: $raised; }
    Prompt > PromptInput:focus { background: $lifted; }
    """

    class Asked(Message):
        """A line was entered.

        Parameters
        ----------
        line : str
            Not empty.
        """

        def __init__(self, line: str) -> None:
            self.line = line
            super().__init__()

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__()
        self._names = tuple(names)

    def compose(self) -> ComposeResult:
        """Yield the mark and the line."""
        yield Static("›", classes="mark", markup=False)
        yield PromptInput(self._names)

    def think(self, busy: bool) -> None:
        """Show that a line is being understood, or no more."""
        self.query_one(".mark", Static).update("…" if busy else "›")

    @property
    def line(self) -> PromptInput:
        """Where one types."""
        return self.query_one(PromptInput)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Hand the line on and empty it."""
        event.stop()
        line = event.value.strip()
        if line:
            self.line.remember(line)
            self.line.value = ""
            self.post_message(self.Asked(line))
