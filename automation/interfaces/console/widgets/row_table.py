"""A table that is told all its rows each time and touches only the cells that differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text
from textual.widgets import DataTable

Cell = Text | str


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Parameters
    ----------
    name : str
        Its heading.
    right : bool
        Whether its cells stand at the right, as numbers do.
    width : int or None
        Cells; None takes what the widest needs.
    """

    name: str
    right: bool = False
    width: int | None = None


class RowTable(DataTable[Cell]):
    """Rows by key, with a cursor on one of them.

    Parameters
    ----------
    columns : sequence of Column
        From left to right.
    """

    DEFAULT_CSS = """
    RowTable { height: 1fr; background: $ground; color: $ink; scrollbar-size: 0 1; }
    RowTable > .datatable--header { background: $raised; color: $quiet; text-style: none; }
    RowTable > .datatable--header-hover { background: $raised; }
    """

    def __init__(self, columns: Sequence[Column], *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(
            id=id, classes=classes, cursor_type="row", cell_padding=1, cursor_foreground_priority="renderable"
        )
        self._layout_of = tuple(columns)
        self._rows: dict[str, tuple[Cell, ...]] = {}
        self.touched = 0

    def on_mount(self) -> None:
        """Lay the columns out."""
        for number, column in enumerate(self._layout_of):
            heading = Text(column.name, justify="right" if column.right else "left")
            self.add_column(heading, width=column.width, key=str(number))

    def show_rows(self, rows: Sequence[tuple[str, Sequence[Cell]]]) -> None:
        """Show these rows in this order; the cursor stays on its row as long as that is there.

        Parameters
        ----------
        rows : sequence of (str, sequence of cells)
            The key of each row, and a cell for each column.
        """
        wanted = {key: tuple(cells) for key, cells in rows}
        chosen, touched = self.chosen, self.touched
        if list(wanted) == list(self._rows):
            for key, cells in wanted.items():
                self._touch(key, cells)
        elif list(wanted)[: len(self._rows)] == list(self._rows):
            for key, cells in wanted.items():
                if key in self._rows:
                    self._touch(key, cells)
                else:
                    self._add(key, cells)
        else:
            self.clear()
            for key, cells in wanted.items():
                self._add(key, cells)
            if chosen is not None and chosen in wanted:
                self.move_cursor(row=list(wanted).index(chosen), animate=False)
        self._rows = wanted
        if self.touched != touched:
            # a row that was drawn before its columns had their widths would stay as it was
            self.call_after_refresh(self.notify_style_update)

    @property
    def chosen(self) -> str | None:
        """The key of the row under the cursor; None without rows."""
        keys = list(self._rows)
        return keys[self.cursor_row] if 0 <= self.cursor_row < len(keys) else None

    def choose(self, key: str) -> None:
        """Move the cursor to a row; nothing happens when there is no such row."""
        keys = list(self._rows)
        if key in keys:
            self.move_cursor(row=keys.index(key), animate=False)

    def _add(self, key: str, cells: tuple[Cell, ...]) -> None:
        self.touched += len(cells)
        self.add_row(*(self._aligned(number, cell) for number, cell in enumerate(cells)), key=key)

    def _touch(self, key: str, cells: tuple[Cell, ...]) -> None:
        for number, (old, new) in enumerate(zip(self._rows[key], cells, strict=True)):
            if _differ(old, new):
                self.touched += 1
                self.update_cell(key, str(number), self._aligned(number, new), update_width=True)

    def _aligned(self, number: int, cell: Cell) -> Text:
        text = Text(cell) if isinstance(cell, str) else cell
        return (
            Text(text.plain, text.style, justify="right", spans=text.spans) if self._layout_of[number].right else text
        )


def _differ(old: Cell, new: Cell) -> bool:
    if isinstance(old, Text) and isinstance(new, Text):
        # texts of another colour are equal to each other
        return old != new or old.style != new.style
    return old != new
