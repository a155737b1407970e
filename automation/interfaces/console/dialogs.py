"""The console's questions: may this run, and what becomes of work when the console closes."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Input, OptionList, Static

from trading.commands import Command, Risk

_TOUCHES = {
    Risk.READ: "It only reads.",
    Risk.WRITE: "It writes files or databases.",
    Risk.TRADE: "It trades, without real money or at a simulated venue.",
    Risk.MONEY: "It concerns real money or the keys to it.",
}


class Dialog(ModalScreen[bool]):
    """A question in a box: Enter on a button answers, Escape is no."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "answer(False)", "No"),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]
    DEFAULT_CSS = """
    Dialog { align: center middle; background: $ground 60%; }
    Dialog > Vertical {
        width: 76; max-width: 96%; height: auto; max-height: 96%;
        background: $raised; border: round $accent; padding: 0 2;
    }
    Dialog .title { text-style: bold; color: $ink; margin-bottom: 1; }
    Dialog .line { background: $ground; color: $ink; padding: 0 1; margin-bottom: 1; height: auto; }
    Dialog .scroll { height: auto; max-height: 10; }
    Dialog .wrong { color: $bad; height: auto; }
    Dialog .touches { color: $warn; margin-bottom: 1; }
    Dialog Horizontal { height: auto; align-horizontal: right; }
    Dialog Button { margin-left: 1; background: $ground; color: $ink; text-style: none; }
    Dialog Button:focus { background: $accent; color: $ground; text-style: bold; }
    Dialog Input { margin-bottom: 1; background: $ground; }
    Dialog Input:focus { background: $lifted; }
    """

    def action_answer(self, yes: bool) -> None:
        """Answer and close."""
        self.dismiss(yes)


class Consent(Dialog):
    """Asks whether a command may run; shows its line and what it touches.

    Parameters
    ----------
    command : Command
        The registry's entry.
    line : str
        As it could be typed into a shell.
    """

    TITLE_TEXT: ClassVar[str]

    def __init__(self, command: Command, line: str) -> None:
        super().__init__()
        self.command = command
        self.line = line

    def compose(self) -> ComposeResult:
        """Yield the question."""
        with Vertical():
            yield Static(self.TITLE_TEXT, classes="title")
            with VerticalScroll(classes="scroll", can_focus=False):
                yield Static(Text(self.line), classes="line")
            yield Static(touches(self.command), classes="touches", markup=False)
            yield from self.answers()

    def answers(self) -> ComposeResult:
        """Yield what the person answers with."""
        yield from ()


class Permit(Consent):
    """Asks for a yes or a no; the no has the focus."""

    TITLE_TEXT = "Run this?"

    def answers(self) -> ComposeResult:
        """Yield the two buttons."""
        with Horizontal():
            yield Button("No", id="no", compact=True)
            yield Button("Run", id="yes", compact=True)

    def on_mount(self) -> None:
        """Let the safe answer have the focus."""
        self.query_one("#no").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer."""
        self.dismiss(event.button.id == "yes")


class TypedPermit(Consent):
    """Asks about a command that concerns money: its name must be typed."""

    TITLE_TEXT = "This needs your word"

    def answers(self) -> ComposeResult:
        """Yield the line to type into."""
        yield Static(f"Type {self.command.name} and Enter to run it; Escape leaves it.", markup=False)
        yield Input(compact=True)
        yield Static(classes="wrong", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Run it only for its name."""
        if event.value.strip() == self.command.name:
            self.dismiss(True)
        else:
            self.query_one(".wrong", Static).update("That is not its name; nothing has run.")
            event.input.value = ""


class Leaving(StrEnum):
    """What becomes of the commands at work when the console closes."""

    STAY = "stay"
    STOP = "stop"
    KEEP = "keep"


class Leave(ModalScreen[Leaving]):
    """Asks what becomes of commands at work when the console closes.

    Parameters
    ----------
    others : tuple of str
        Names of commands at work that are no trading sessions.
    sessions : tuple of str
        Names of those that are.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss('stay')", "Stay"),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]
    DEFAULT_CSS = Dialog.DEFAULT_CSS.replace("Dialog", "Leave")

    def __init__(self, others: tuple[str, ...], sessions: tuple[str, ...]) -> None:
        super().__init__()
        self.others = others
        self.sessions = sessions

    def compose(self) -> ComposeResult:
        """Yield the question."""
        with Vertical():
            yield Static("Commands are at work", classes="title")
            if self.others:
                yield Static(Text(", ".join(self.others)), classes="line")
            if self.sessions:
                words = f"{', '.join(self.sessions)}: sessions trade on without the console; `stop` ends them."
                yield Static(words, classes="touches", markup=False)
            with Horizontal():
                yield Button("Stay", id="stay", compact=True)
                if self.others:
                    yield Button("Let them go on", id="keep", compact=True)
                    yield Button("Stop them and close", id="stop", compact=True)
                else:
                    yield Button("Close", id="keep", compact=True)

    def on_mount(self) -> None:
        """Let the safe answer have the focus."""
        self.query_one("#stay").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer."""
        self.dismiss(Leaving(event.button.id or "stay"))


class ShowPlan(Dialog):
    """Asks whether several steps may run one after the other.

    Parameters
    ----------
    lines : sequence of str
        The command lines.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__()
        self.lines = tuple(lines)

    def compose(self) -> ComposeResult:
        """Yield the question."""
        with Vertical():
            yield Static("Run these, one after the other, while they succeed?", classes="title")
            with VerticalScroll(classes="scroll", can_focus=False):
                for number, line in enumerate(self.lines, 1):
                    yield Static(Text(f"{number}  {line}"), classes="line")
            with Horizontal():
                yield Button("No", id="no", compact=True)
                yield Button("Run", id="yes", compact=True)

    def on_mount(self) -> None:
        """Let the whole plan be run by Enter."""
        self.query_one("#yes").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer."""
        self.dismiss(event.button.id == "yes")


class Choose(ModalScreen[int | None]):
    """Asks which of several things a sentence means.

    Parameters
    ----------
    question : str
        One sentence.
    choices : sequence of (str, str)
        Command line and what it does.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "None of these")]
    DEFAULT_CSS = Dialog.DEFAULT_CSS.replace("Dialog", "Choose")

    def __init__(self, question: str, choices: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.question = question
        self.choices = tuple(choices)

    def compose(self) -> ComposeResult:
        """Yield the question."""
        with Vertical():
            yield Static(self.question, classes="title", markup=False)
            options = (Text.assemble(line, "\n", (meaning, "dim")) for line, meaning in self.choices)
            yield OptionList(*options)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Answer."""
        self.dismiss(event.option_index)


def touches(command: Command) -> str:
    """Return what a command may touch, in words."""
    words = _TOUCHES[command.risk]
    return f"{words} What it removes cannot be had again." if command.destructive else words
