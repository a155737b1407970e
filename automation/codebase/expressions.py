"""The edit of one expression at a position."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from automation.codebase.edit_text import LineTable, checked, same_code
from automation.codebase.sources import SourceFile, require_digest
from automation.codebase.symbols import symbols_of, tree_of
from automation.errors import EditRefused


def replace_expression(
    source: SourceFile, line: int, column: int, old_text: str, new_text: str, *, expected_digest: str | None = None
) -> SourceFile:
    """Replace the expression that begins at a position; parentheses are added where precedence asks for them.

    Parameters
    ----------
    source : SourceFile
        The file.
    line : int
        From 1.
    column : int
        Characters from 0.
    old_text : str
        The whole expression as it stands there.
    new_text : str
        The expression to put there.
    expected_digest : str or None
        Content hash of the file that the edit was made for.

    Raises
    ------
    EditRefused
        When another expression stands there, or the new text is no expression that fits.
    StaleSource
        When the file is another than expected.
    """
    require_digest(source, expected_digest)
    table = LineTable.of(source.text)
    if not 1 <= line <= len(table.starts):
        raise EditRefused(f"{source.path} has no line {line}; it ends at line {len(table.starts)}")
    start = table.offset(line, column)
    end = start + len(old_text)
    spot = f"{source.path}:{line}:{column}"
    if not old_text or source.text[start:end] != old_text:
        raise EditRefused(f"{spot} does not read {old_text!r}; read the file again")
    tree = tree_of(source)
    node = next((found for found in _expressions(tree) if _span(table, found) == (start, end)), None)
    if node is None:
        raise EditRefused(
            f"{old_text!r} at {spot} is no whole expression; name one from its first to its last character"
        )
    wanted = _substituted(tree, node, _expression(new_text))
    stripped = new_text.strip()
    for shown in (stripped, f"({stripped})"):
        text = source.text[:start] + shown + source.text[end:]
        try:
            after = checked(source, text)
        except EditRefused:
            continue
        if same_code([tree_of(after)], [wanted]):
            if [one.name for one in symbols_of(after)] != [one.name for one in symbols_of(source)]:
                break
            return after
    raise EditRefused(f"{stripped!r} does not fit in place of {old_text!r} at {spot}; nothing was changed")


def _expressions(tree: ast.AST) -> Iterator[ast.expr]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.expr))


def _span(table: LineTable, node: ast.expr) -> tuple[int, int]:
    ends = ((node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0))
    start, end = (_offset(table, line, column) for line, column in ends)
    return start, end


def _offset(table: LineTable, line: int, byte_column: int) -> int:
    begin = table.line(line).encode()[:byte_column].decode(errors="replace")
    return table.offset(line, len(begin))


def _expression(text: str) -> ast.expr:
    try:
        # Inside a list and inside parentheses: text that closes the one bracket and opens another fails in one of them.
        ast.parse(f"({text.strip()}\n)", mode="eval")
        listed = ast.parse(f"[{text.strip()}\n]", mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise EditRefused(f"{text!r} is no Python expression: {error}") from error
    if not isinstance(listed, ast.List) or len(listed.elts) != 1:
        raise EditRefused(f"{text!r} is not one expression; put a tuple into parentheses")
    return listed.elts[0]


def _substituted(tree: ast.Module, node: ast.expr, new: ast.expr) -> ast.Module:
    context = getattr(node, "ctx", None)
    if context is not None and hasattr(new, "ctx"):
        new.ctx = context
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            if value is node:
                setattr(parent, field, new)
            elif isinstance(value, list):
                value[:] = [new if item is node else item for item in value]
    return tree
