"""What the edits of bodies and symbols share: the new text, and the proof that it says what was given."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from automation.codebase.edit_places import SymbolPlace, places_of
from automation.codebase.edit_text import LineTable, indentation_unit, reindented, same_code
from automation.codebase.sources import SourceFile
from automation.codebase.symbols import qualified, symbols_of, tree_of
from automation.errors import EditRefused


def text_with_body(source: SourceFile, place: SymbolPlace, body_text: str, kept: int) -> str:
    """Return a file's text with another body at a place; the first ``kept`` statements of the old one stay.

    Raises
    ------
    EditRefused
        When the new body cannot be read as Python.
    """
    unit = indentation_unit(source.text)
    margin = place.margin + unit if place.body_margin is None else place.body_margin
    block = reindented(body_text, margin, unit, source.newline)
    start = place.body_start
    if place.body_margin is None:
        block = source.newline + block.removesuffix(source.newline)
    elif kept:
        start = LineTable.of(source.text).after(place.statement_lines[kept - 1][1])
    if place.body_end == len(source.text) and not source.text.endswith(("\n", "\r")):
        block = block.removesuffix(source.newline)
    return source.text[:start] + block + source.text[place.body_end :]


def require_others_kept(
    before: SourceFile, after: SourceFile, name: str, may_remove: bool, new_name: str | None = None
) -> None:
    """Compare the symbols of a file before and after one of them was replaced.

    Raises
    ------
    EditRefused
        When another symbol came or went, or the replaced one lost a member without leave.
    """
    old, new = symbols_of(before), symbols_of(after)
    new_name = new_name or name
    old_outside = [(new_name if one.name == name else one.name, one.kind) for one in old if _outside(one.name, name)]
    new_outside = [(one.name, one.kind) for one in new if _outside(one.name, new_name)]
    if old_outside != new_outside:
        changed = sorted({one for one, _ in set(old_outside) ^ set(new_outside)})
        raise EditRefused(f"replacing {name} would add or remove {', '.join(changed)} in {before.path}")
    members = {one.name[len(name) :] for one in old if not _outside(one.name, name) and one.kind == "method"}
    lost = members - {one.name[len(new_name) :] for one in new if not _outside(one.name, new_name)}
    if lost and not may_remove:
        raise EditRefused(f"replacing {name} in {before.path} would remove its {', '.join(sorted(lost))}; keep them")


def node_at(source: SourceFile, header_line: int) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef:
    """Return the definition whose header stands on a line.

    Raises
    ------
    EditRefused
        When there is none.
    """
    for node in ast.walk(tree_of(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.lineno == header_line:
            return node
    raise EditRefused(f"line {header_line} of {source.path} begins no definition after the edit; nothing was changed")


def require_body(after: SourceFile, place: SymbolPlace, wanted: Sequence[ast.stmt], kept: int) -> None:
    """Make sure that a body is what was given, but for its first ``kept`` statements.

    Raises
    ------
    EditRefused
        When it is not.
    """
    if not same_code(node_at(after, place.header_line).body[kept:], wanted):
        raise EditRefused(f"the body of {place.name} in {after.path} is not what was given; nothing was changed")


def require_definition(after: SourceFile, name: str, wanted: ast.stmt, keep_decorators: bool) -> None:
    """Make sure that a file defines a name as it was given.

    Raises
    ------
    EditRefused
        When it does not.
    """
    for place in places_of(after):
        if place.name != name:
            continue
        if place.kind == "constant":
            return
        found = node_at(after, place.header_line)
        if keep_decorators and isinstance(wanted, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            wanted.decorator_list, found.decorator_list = [], []
        if same_code([found], [wanted]):
            return
    raise EditRefused(f"{name} in {after.path} is not what was given; nothing was changed")


def _outside(name: str, symbol: str) -> bool:
    return not name.startswith(f"{qualified(symbol)}.")
