"""A list to choose one thing of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option


class Picker(ModalScreen[str | None]):
    """Choose one of several; Escape chooses none.

    Parameters
    ----------
    question : str
        What is chosen.
    choices : sequence of (str, Text)
        The key of each and what is shown of it.
    chosen : str, optional
        Which the cursor begins on.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close"),
        Binding("j", "down", show=False),
        Binding("k", "up", show=False),
    ]
    DEFAULT_CSS = """
    Picker { align: center middle; background: $ground 60%; }
    Picker > Vertical {
        width: 70; max-width: 96%; height: auto; max-height: 90%;
        background: $raised; border: round $accent; padding: 0 1;
    }
    Picker .question { text-style: bold; padding: 0 1; }
    Picker OptionList { height: auto; max-height: 16; border: none; background: $raised; }
    """

    def __init__(self, question: str, choices: Sequence[tuple[str, Text]], chosen: str | None = None) -> None:
        super().__init__()
        self.question = question
        self.choices = tuple(choices)
        self._chosen = chosen

    def compose(self) -> ComposeResult:
        """Yield the list."""
        with Vertical():
            yield Static(self.question, classes="question", markup=False)
            yield OptionList(*(Option(text, id=f"choice-{number}") for number, (_, text) in enumerate(self.choices)))

    def on_mount(self) -> None:
        """Begin on what is chosen now."""
        keys = [key for key, _ in self.choices]
        listed = self.query_one(OptionList)
        listed.highlighted = keys.index(self._chosen) if self._chosen in keys else 0
        listed.focus()

    def action_down(self) -> None:
        """Go down."""
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        """Go up."""
        self.query_one(OptionList).action_cursor_up()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Answer."""
        self.dismiss(self.choices[event.option_index][0])
