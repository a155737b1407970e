"""The settings of both wings: value, source, meaning; those of the maintenance wing can be changed here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import DataTable, Input, Static

from automation.interfaces.console.background import in_background
from automation.interfaces.console.context import ConsoleContext
from automation.interfaces.console.data.settings import SettingRow, read_settings
from automation.interfaces.console.dialogs import Dialog
from automation.interfaces.console.jobs import Job
from automation.interfaces.console.screens.base import Pane
from automation.interfaces.console.widgets.filter_line import FilterLine
from automation.interfaces.console.widgets.row_table import Column, RowTable
from automation.interfaces.console.widgets.wording import shortened
from automation.interfaces.execution import Ended

_COLUMNS = (Column("setting"), Column("value"), Column("from"))
_WINGS = ("both wings", "trading", "automation")
_CHOSEN_BY_A_PERSON = ("environment", "--", ".toml", ".json")
# spaces around three columns, and the scroll bar
_GAPS = 8


class SettingsPane(Pane[tuple[SettingRow, ...]]):
    """A filter, the table, and what the setting under the cursor means."""

    EVERY_S = 60.0
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "filter", "Filter"),
        Binding("w", "wing", "Wing"),
        Binding("c", "change", "Change"),
        Binding("ctrl+t", "app.theme", "Theme"),
    ]
    DEFAULT_CSS = """
    SettingsPane #meaning { height: 4; padding: 0 1; background: $raised; border-top: solid $frame; }
    """

    def __init__(self, context: ConsoleContext, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(context, id=id)
        self.wing = _WINGS[0]
        self.words: tuple[str, ...] = ()
        self.listed: tuple[SettingRow, ...] = ()

    def body(self) -> ComposeResult:
        """Yield the widgets."""
        yield FilterLine("filter: name, value, source, meaning")
        yield RowTable(_COLUMNS, id="settings")
        yield Static(id="meaning")

    def on_resize(self, _: events.Resize) -> None:
        """Give the columns the room that there is now."""
        self.redraw()

    def focus_first(self) -> None:
        """Begin in the table; the filter has its key."""
        self.query_one("#settings").focus()

    def read(self) -> tuple[SettingRow, ...]:
        """Ask the configuration commands of both wings."""
        return read_settings(self.context)

    def show(self, facts: tuple[SettingRow, ...]) -> None:
        """List what fits."""
        palette = self.palette
        wings = _WINGS[1:] if self.wing == _WINGS[0] else (self.wing,)
        self.listed = tuple(one for one in facts if one.wing in wings and one.fits(self.words))
        room = max(self.size.width - max((len(one.name) for one in self.listed), default=0) - _GAPS, 16)
        value_room = room * 6 // 10
        rows = []
        for one in self.listed:
            pinned = any(word in one.source for word in _CHOSEN_BY_A_PERSON)
            cells = (
                Text(one.name, f"bold {palette.ink}" if pinned else palette.ink),
                Text(shortened(one.value, value_room), palette.accent if pinned else palette.ink),
                Text(shortened(one.source, room - value_room), palette.quiet),
            )
            rows.append((f"{one.wing} {one.name}", cells))
        self.query_one(RowTable).show_rows(rows)
        what = Text(f"{len(self.listed)} of {len(facts)} settings, {self.wing}", palette.quiet)
        self.query_one(FilterLine).say(what)
        self._show_meaning()

    @property
    def chosen(self) -> SettingRow | None:
        """The setting under the cursor."""
        row = self.query_one(RowTable).cursor_row
        return self.listed[row] if 0 <= row < len(self.listed) else None

    def on_data_table_row_highlighted(self, _: DataTable.RowHighlighted) -> None:
        """Say what the setting means."""
        self._show_meaning()

    def on_data_table_row_selected(self, _: DataTable.RowSelected) -> None:
        """Change the setting."""
        self.action_change()

    def on_filter_line_changed(self, message: FilterLine.Changed) -> None:
        """Filter by what is typed."""
        self.words = message.words
        self.redraw()

    def on_filter_line_left(self, _: FilterLine.Left) -> None:
        """Go back to the table."""
        self.focus_first()

    def action_filter(self) -> None:
        """Go to the filter."""
        self.query_one(FilterLine).begin()

    def action_wing(self) -> None:
        """Show both wings, or one."""
        self.wing = _WINGS[(_WINGS.index(self.wing) + 1) % len(_WINGS)]
        self.redraw()

    def action_change(self) -> None:
        """Explain the setting under the cursor, and let its value be changed where a command can."""
        if self.chosen is not None:
            self._edit(self.chosen, self.chosen.value)

    def _edit(self, row: SettingRow, value: str) -> None:
        def explained(ended: Ended) -> None:
            if ended.result is None:
                self.console.complain(ended.text)
            else:
                self.app.push_screen(EditSetting(row, ended.result, value), lambda typed: self._set(row, typed))

        in_background(
            self, lambda: self.context.answer("config explain", {"name": row.name}), explained, self.console.complain
        )

    def _set(self, row: SettingRow, typed: str | None) -> None:
        if typed is None:
            return

        def ended(job: Job) -> None:
            error = job.ended.error if job.ended is not None else None
            if error is None:
                self.reread()
            else:
                # what was typed stays, so that it can be mended
                self.console.complain(str(error["message"]))
                self._edit(row, typed)

        self.run_command("config set", {"name": row.name, "value": typed}, then=ended)

    def _show_meaning(self) -> None:
        one, palette = self.chosen, self.palette
        text = Text()
        if one is not None:
            text.append(f"{one.name} ", f"bold {palette.ink}")
            text.append(f"= {shortened(one.value, 200)}  ({one.source})\n", palette.quiet)
            text.append(one.meaning, palette.ink)
        self.query_one("#meaning", Static).update(text)


class EditSetting(ModalScreen[str | None]):
    """All there is to know of a setting, and a line for its new value where the command can set it.

    Parameters
    ----------
    row : SettingRow
        Which.
    told : mapping
        What ``config explain`` says of it.
    value : str
        What stands in the line.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Leave")]
    DEFAULT_CSS = Dialog.DEFAULT_CSS.replace("Dialog", "EditSetting")

    def __init__(self, row: SettingRow, told: Mapping[str, object], value: str) -> None:
        super().__init__()
        self.row = row
        self.told = told
        self.value = value

    def compose(self) -> ComposeResult:
        """Yield the question."""
        told = self.told
        with Vertical():
            yield Static(self.row.name, classes="title", markup=False)
            yield Static(Text(str(told.get("meaning"))), classes="line")
            facts = [f"{name}: {told[name]}" for name in ("kind", "allowed", "default") if told.get(name) is not None]
            yield Static("  ".join(part for part in facts if not part.endswith(": ")), markup=False)
            yield Static(str(told.get("how_to_set")), classes="touches", markup=False)
            if self.row.wing == "automation":
                yield Input(value="" if self.value == "-" else self.value, compact=True)
                yield Static("Enter writes it, Escape leaves it.")
            else:
                yield Static("Escape goes back.")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Hand the value back."""
        self.dismiss(event.value.strip())
