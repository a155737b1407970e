"""A command's form: its fields, what is wrong with them, and the command line that they make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseModel
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Checkbox, Input, Select, Static

from automation.interfaces.console.dialogs import touches
from automation.interfaces.console.fields import FormField, Kind, filled_of, form_fields, values_of
from automation.requests import build_request, command_text
from trading.commands import Command
from trading.errors import UsageError

# lines of the box that are no fields: border, title, what it touches, command line, what is wrong, buttons
_AROUND = 14


class Flag(Checkbox):
    """A box whose mark is there or not, so that it can be told apart without colours."""

    def on_mount(self) -> None:
        """Draw the mark as it is first."""
        self.watch_value()

    def watch_value(self) -> None:
        """Draw the mark, and tell of the change."""
        self.BUTTON_INNER = "x" if self.value else " "
        super().watch_value()


class CommandForm(ModalScreen[dict[str, object] | None]):
    """Asks for a command's values; hands them back, or None when the person left.

    Parameters
    ----------
    command : Command
        The registry's entry.
    model : type of BaseModel
        Its request.
    values : mapping of str to object
        What is filled in already.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Leave"),
        Binding("ctrl+s", "run", "Run", priority=True),
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]
    DEFAULT_CSS = """
    CommandForm { align: center middle; background: $ground 60%; }
    CommandForm > Vertical {
        width: 100; max-width: 96%; height: auto; max-height: 96%;
        background: $raised; border: round $accent; padding: 0 1;
    }
    CommandForm .title { text-style: bold; height: auto; }
    CommandForm .touches { color: $quiet; height: auto; margin-bottom: 1; }
    CommandForm #fields { height: auto; }
    CommandForm .field { height: auto; }
    CommandForm .field Horizontal { height: auto; }
    CommandForm .name { width: 20; color: $ink; text-wrap: nowrap; text-overflow: ellipsis; }
    CommandForm .meaning { color: $quiet; padding-left: 20; height: auto; }
    CommandForm .field Input { width: 1fr; background: $ground; }
    CommandForm .field Input:focus { background: $lifted; }
    CommandForm .field Select { width: 1fr; }
    CommandForm .field Checkbox { width: 1fr; background: $raised; }
    CommandForm #line { background: $ground; color: $ink; padding: 0 1; height: auto; max-height: 3; margin-top: 1; }
    CommandForm #wrong { color: $bad; height: auto; max-height: 3; padding: 0 1; }
    CommandForm #buttons { height: auto; align-horizontal: right; }
    CommandForm #buttons Button { margin-left: 1; background: $ground; color: $ink; text-style: none; }
    CommandForm #buttons Button:focus { background: $accent; color: $ground; text-style: bold; }
    """

    def __init__(self, command: Command, model: type[BaseModel], values: Mapping[str, object]) -> None:
        super().__init__()
        self.command = command
        self.model = model
        self.fields = form_fields(model)
        self.filled: dict[str, str | bool] = {
            field.name: filled_of(field, values[field.name]) for field in self.fields if field.name in values
        }

    def compose(self) -> ComposeResult:
        """Yield the form."""
        with Vertical():
            yield Static(Text(f"{self.command.name}: {self.command.summary}"), classes="title")
            yield Static(touches(self.command), classes="touches", markup=False)
            with VerticalScroll(id="fields", can_focus=False):
                for field in self.fields:
                    with Vertical(classes="field"):
                        with Horizontal():
                            mark = " *" if field.required else ""
                            yield Static(Text(field.spelling + mark), classes="name")
                            yield self._widget(field)
                        if field.meaning:
                            yield Static(field.meaning, classes="meaning", markup=False)
            yield Static(id="line", markup=False)
            yield Static(id="wrong", markup=False)
            with Horizontal(id="buttons"):
                yield Button("Leave (Esc)", id="leave", compact=True)
                yield Button("Run (^S)", id="run", compact=True)

    def on_resize(self) -> None:
        """Keep the command line and the buttons on the terminal, however many fields there are."""
        self.query_one("#fields").styles.max_height = max(self.size.height - _AROUND, 4)

    def on_mount(self) -> None:
        """Begin in the first field."""
        self._check()
        first = self.query("#fields Input, #fields Select, #fields Checkbox").first if self.fields else None
        (first() if first else self.query_one("#run")).focus()

    @on(Input.Changed)
    @on(Select.Changed)
    @on(Checkbox.Changed)
    def take(self, event: Input.Changed | Select.Changed | Checkbox.Changed) -> None:
        """Take what was filled in, and say what is wrong with it."""
        widget = event.control
        if widget is None or widget.id is None or not widget.id.startswith("field-"):
            return
        value = event.value
        self.filled[widget.id.removeprefix("field-")] = value if isinstance(value, str | bool) else ""
        self._check()

    @on(Input.Submitted)
    def go_on(self) -> None:
        """Enter in the last field runs, in any other goes on to the next."""
        focusable = list(self.query("#fields Input, #fields Select, #fields Checkbox"))
        if self.focused is focusable[-1]:
            self.action_run()
        else:
            self.focus_next()

    @on(Button.Pressed)
    def press(self, event: Button.Pressed) -> None:
        """Run or leave."""
        if event.button.id == "run":
            self.action_run()
        else:
            self.dismiss(None)

    def action_run(self) -> None:
        """Hand the values back when nothing is wrong with them."""
        values = self._check()
        if values is not None:
            self.dismiss(values)

    def _check(self) -> dict[str, object] | None:
        wrong = self.query_one("#wrong", Static)
        try:
            values = values_of(self.fields, self.filled)
            self.query_one("#line", Static).update(command_text(self.command, values))
            build_request(self.model, values, self.command.name)
        except UsageError as error:
            wrong.update(str(error))
            return None
        wrong.update("")
        return values

    def _widget(self, field: FormField) -> Widget:
        value = self.filled.get(field.name, "")
        key = f"field-{field.name}"
        if field.kind is Kind.FLAG:
            return Flag(value=bool(value), id=key, compact=True)
        if field.kind is Kind.CHOICE:
            choices = [(choice, choice) for choice in field.choices]
            hint = field.hint or "as usual"
            if value:
                return Select(choices, value=str(value), prompt=hint, id=key, compact=True)
            return Select(choices, prompt=hint, id=key, compact=True)
        return Input(value=str(value), placeholder=field.hint, id=key, compact=True)
