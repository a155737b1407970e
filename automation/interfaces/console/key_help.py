"""What each key does on the screen that is shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from automation.interfaces.console.entries import PANES
from automation.interfaces.console.screens.base import Pane
from automation.interfaces.console.theme import palette_of

_LISTS = (
    ("up, down, pgup, pgdn", "move in a list or a text"),
    ("tab, shift+tab", "to the next part of the screen, or the one before"),
    ("enter", "open, choose, run"),
    ("escape", "back, leave, no"),
)
_PROMPT = (
    ("up, down", "lines that were typed before"),
    ("right", "take the suggestion"),
)


class KeyHelp(ModalScreen[None]):
    """The keys of a screen, of the console and of lists.

    Parameters
    ----------
    bindings : iterable of ActiveBinding
        Those in force when it was asked for.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,f1,q", "dismiss", "Close"),
    ]
    DEFAULT_CSS = """
    KeyHelp { align: center middle; background: $ground 60%; }
    KeyHelp > VerticalScroll {
        width: 72; max-width: 96%; height: auto; max-height: 96%;
        background: $raised; border: round $accent; padding: 0 2;
    }
    KeyHelp Static { height: auto; }
    """

    def __init__(self, bindings: Iterable[ActiveBinding]) -> None:
        super().__init__()
        self._in_force = tuple(bindings)

    def compose(self) -> ComposeResult:
        """Yield one table."""
        with VerticalScroll():
            yield Static(self._table())

    def _table(self) -> Table:
        palette = palette_of(self.app.theme)
        table = Table.grid(padding=(0, 2))
        table.add_column(style=palette.accent, justify="right", no_wrap=True)
        table.add_column(style=palette.ink)
        for title, rows in self._groups():
            if rows:
                table.add_row("", Text(title, f"bold {palette.quiet}"))
            for keys, meaning in rows:
                table.add_row(keys, meaning)
        return table

    def _groups(self) -> list[tuple[str, list[tuple[str, str]]]]:
        screens = ", ".join(f"{entry.key} {entry.title}" for entry in PANES)
        everywhere = [("0 to 6", screens), *self._rows(of_pane=False), ("^p", "Every command, by name or meaning")]
        return [
            ("This screen", self._rows(of_pane=True)),
            ("Everywhere", everywhere),
            ("In lists and dialogs", list(_LISTS)),
            ("At the prompt", list(_PROMPT)),
        ]

    def _rows(self, *, of_pane: bool) -> list[tuple[str, str]]:
        rows: dict[str, list[str]] = {}
        for active in self._in_force:
            is_pane = isinstance(active.node, Pane)
            told = is_pane or (active.node is self.app and active.binding.action != "command_palette")
            digit = active.binding.key.isdigit()
            if told and is_pane is of_pane and active.binding.description and not digit and not active.binding.system:
                rows.setdefault(active.binding.description, []).append(self.app.get_key_display(active.binding))
        return [(", ".join(dict.fromkeys(keys)), meaning) for meaning, keys in rows.items()]
