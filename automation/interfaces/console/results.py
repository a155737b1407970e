"""What can be shown of a command's result beside its text: its data as a tree, its rows as a table, its patch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textual.widgets import DataTable, Tree
from textual.widgets.tree import TreeNode

_PATCH_KEYS = ("patch", "diff")
_MOST_ROWS = 500
_MOST_ITEMS = 300
_LONGEST_CELL = 60


@dataclass(frozen=True, slots=True)
class Rows:
    """A list of flat objects within a result.

    Parameters
    ----------
    title : str
        The key under which it stands; empty for the result itself.
    columns : tuple of str
        Every key that occurs, in the order in which they first do.
    rows : tuple of tuple of str
        One for each object.
    left : int
        Objects that are not among ``rows``.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: int


def rows_of(result: Mapping[str, object]) -> Rows | None:
    """Return the first list of flat objects in a result, or object of flat objects, itself first; None without one."""
    for title, value in (("", result), *result.items()):
        items = _objects(value)
        if not items:
            continue
        columns = tuple(dict.fromkeys(key for item in items for key in item))
        rows = tuple(tuple(cell(item.get(column)) for column in columns) for item in items[:_MOST_ROWS])
        return Rows(title, columns, rows, len(items) - len(rows))
    return None


def patch_of(result: Mapping[str, object]) -> str:
    """Return the patch that a result carries; empty where it carries none."""
    for key in _PATCH_KEYS:
        value = result.get(key)
        if isinstance(value, str) and value.strip():
            return value
    return ""


def cell(value: object) -> str:
    """Return a flat value as one cell of a table."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and not _is_deep(value):
        value = ", ".join(map(cell, value)) or "none"
    if isinstance(value, float):
        return f"{value:,.6g}"
    text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST_CELL else text[: _LONGEST_CELL - 1] + "…"


def fill_table(table: DataTable[str], rows: Rows) -> None:
    """Show rows in a table, and forget what it showed."""
    table.clear(columns=True)
    table.add_columns(*rows.columns)
    table.add_rows(rows.rows)


class DataTree(Tree[object]):
    """JSON data as a tree whose branches are filled when they are opened."""

    DEFAULT_CSS = "DataTree { height: 1fr; }"

    def show(self, title: str, data: object) -> None:
        """Show data, and forget what was shown.

        Parameters
        ----------
        title : str
            What the root is called.
        data : object
            As JSON has it.
        """
        self.clear()
        self.root.set_label(title)
        self.root.data = data
        self.root.expand()

    def on_tree_node_expanded(self, event: Tree.NodeExpanded[object]) -> None:
        """Fill a branch that is opened for the first time."""
        node = event.node
        if not node.children:
            _fill(node)


def _fill(node: TreeNode[object]) -> None:
    data = node.data
    items: Sequence[tuple[str, object]] = []
    if isinstance(data, Mapping):
        items = [(str(key), value) for key, value in data.items()]
    elif isinstance(data, list):
        items = [(str(number), value) for number, value in enumerate(data)]
    for name, value in items[:_MOST_ITEMS]:
        if isinstance(value, Mapping | list) and value:
            kind = f"{{{len(value)}}}" if isinstance(value, Mapping) else f"[{len(value)}]"
            node.add(f"{_plain(name)} {_plain(kind)}", data=value)
        else:
            node.add_leaf(f"{_plain(name)}: {_plain(cell(value))}")
    if len(items) > _MOST_ITEMS:
        node.add_leaf(f"… {len(items) - _MOST_ITEMS:,} more")


def _plain(text: str) -> str:
    return text.replace("[", "\\[")


def _objects(value: object) -> list[Mapping[str, object]]:
    if isinstance(value, Mapping) and value and all(isinstance(item, Mapping) for item in value.values()):
        named: list[Mapping[str, object]] = [{"name": key, **item} for key, item in value.items()]
        return named if all(map(_is_flat, named)) else []
    if isinstance(value, list) and value and all(isinstance(item, Mapping) and _is_flat(item) for item in value):
        return value
    return []


def _is_flat(item: Mapping[str, object]) -> bool:
    return not any(isinstance(value, Mapping) or _is_deep(value) for value in item.values())


def _is_deep(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(item, Mapping | list) for item in value)
