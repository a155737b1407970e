"""A line above a list: what is listed, and the words that it is filtered by."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from automation.interfaces.console.widgets.still import Still


class FilterInput(Input):
    """The words; Escape forgets them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "forget", "Back", show=True),
        Binding("down", "app.focus_next", show=False),
    ]

    def action_forget(self) -> None:
        """Empty the line and go back to the list."""
        self.value = ""
        self.post_message(self.Submitted(self, ""))


class FilterLine(Horizontal):
    """What is listed on the left, the filter on the right.

    Parameters
    ----------
    hint : str
        What stands in the empty filter.
    """

    DEFAULT_CSS = """
    FilterLine { height: 1; background: $raised; }
    FilterLine > Still { width: 1fr; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    FilterLine > FilterInput { width: 40%; max-width: 44; background: $ground; }
    FilterLine > FilterInput:focus { background: $lifted; }
    """

    class Changed(Message):
        """Other words are looked for.

        Parameters
        ----------
        words : tuple of str
            In small letters; none lists all.
        """

        def __init__(self, words: tuple[str, ...]) -> None:
            self.words = words
            super().__init__()

    class Left(Message):
        """The person goes back to the list."""

    def __init__(self, hint: str, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._hint = hint

    def compose(self) -> ComposeResult:
        """Yield both sides."""
        yield Still()
        yield FilterInput(placeholder=self._hint, compact=True)

    def say(self, text: Text | str) -> None:
        """Tell what is listed."""
        self.query_one(Still).say(text)

    def begin(self) -> None:
        """Let the words be typed."""
        self.query_one(FilterInput).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Tell of the words."""
        event.stop()
        self.post_message(self.Changed(tuple(event.value.lower().split())))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Tell that they stand."""
        event.stop()
        self.post_message(self.Left())
