"""A question that is answered with a line of text."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static


class AskReason(ModalScreen[str | None]):
    """Ask for one line, which may be empty; Escape answers nothing.

    Parameters
    ----------
    question : str
        What is asked.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Leave")]
    DEFAULT_CSS = """
    AskReason { align: center middle; background: $ground 60%; }
    AskReason > Vertical {
        width: 70; max-width: 96%; height: auto; background: $raised; border: round $accent; padding: 0 2;
    }
    AskReason .question { text-style: bold; }
    """

    def __init__(self, question: str) -> None:
        super().__init__()
        self.question = question

    def compose(self) -> ComposeResult:
        """Yield the question."""
        with Vertical():
            yield Static(self.question, classes="question", markup=False)
            yield Input(placeholder="one line, or nothing; Enter goes on, Escape leaves it", compact=True)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer."""
        self.dismiss(event.value.strip())
