"""Where a source file uses names: loads, attributes, imports, keywords and calls, read from its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from automation.codebase.edit_text import LineTable
from automation.codebase.sources import SourceFile

UseKind = Literal["name", "attribute", "import", "keyword"]


@dataclass(frozen=True, slots=True)
class Use:
    """One occurrence of a name that is not its definition by ``def`` or ``class``.

    Parameters
    ----------
    path : str
        File, relative to the repository.
    name : str
        The word.
    line, column : int
        Line from 1, characters from 0.
    kind : str
        ``"name"``, ``"attribute"``, ``"import"`` or ``"keyword"``.
    is_call : bool
        The word is what a call calls.
    function : str
        Qualified name of the innermost function around it, ``""`` at module or class level.
    """

    path: str
    name: str
    line: int
    column: int
    kind: UseKind
    is_call: bool
    function: str


def uses_of_tree(source: SourceFile, tree: ast.Module) -> tuple[Use, ...]:
    """List the uses of names in a parsed file."""
    table = LineTable.of(source.text)
    is_ascii = source.text.isascii()
    uses = []
    for node, function, is_call in _nodes(tree):
        for name, line, byte_column, kind in _words(node):
            column = byte_column
            if not is_ascii:
                column = len(table.line(line).encode()[:byte_column].decode(errors="replace"))
            uses.append(Use(source.path, name, line, column, kind, is_call, function))
    return tuple(uses)


def _nodes(tree: ast.Module) -> Iterator[tuple[ast.AST, str, bool]]:
    pending: list[tuple[ast.AST, str, str, bool]] = [(tree, "", "", False)]
    while pending:
        node, prefix, function, is_call = pending.pop()
        yield node, function, is_call
        called = node.func if isinstance(node, ast.Call) else None
        body: frozenset[int] = frozenset()
        inner, inner_function = prefix, function
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = f"{prefix}{node.name}."
            inner_function = function if isinstance(node, ast.ClassDef) else inner[:-1]
            body = frozenset(id(statement) for statement in node.body)
        for child in ast.iter_child_nodes(node):
            own = (inner, inner_function) if not body or id(child) in body else (prefix, function)
            pending.append((child, *own, child is called))


def _words(node: ast.AST) -> Iterator[tuple[str, int, int, UseKind]]:
    if isinstance(node, ast.Name):
        yield node.id, node.lineno, node.col_offset, "name"
    elif isinstance(node, ast.Attribute):
        end = (node.end_col_offset or 0) - len(node.attr.encode())
        yield node.attr, node.end_lineno or node.lineno, end, "attribute"
    elif isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            yield alias.name.rpartition(".")[2], alias.lineno, _alias_column(alias), "import"
    elif isinstance(node, ast.keyword) and node.arg is not None:
        yield node.arg, node.lineno, node.col_offset, "keyword"


def _alias_column(alias: ast.alias) -> int:
    return alias.col_offset + len(alias.name.rpartition(".")[0].encode()) + ("." in alias.name)
