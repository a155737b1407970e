"""Edits of one source file by symbol: each gives a new file and leaves all bytes outside its place alone."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Sequence

from automation.codebase.edit_checks import require_body, require_definition, require_others_kept, text_with_body
from automation.codebase.edit_imports import add_import, remove_import
from automation.codebase.edit_places import SymbolPlace, place_of, places_of
from automation.codebase.edit_text import (
    LineTable,
    checked,
    indentation_unit,
    margin_of,
    reindented,
    same_code,
    statements_of,
)
from automation.codebase.expressions import replace_expression
from automation.codebase.function_answers import replace_function
from automation.codebase.renames import rename
from automation.codebase.repository_renames import rename_in_repository
from automation.codebase.sources import SourceFile, require_digest
from automation.codebase.symbols import symbols_of, tree_of
from automation.errors import EditRefused

__all__ = [
    "add_import",
    "insert_after",
    "insert_before",
    "remove_import",
    "rename",
    "rename_in_repository",
    "replace_body",
    "replace_expression",
    "replace_function",
    "replace_symbol",
]

_CODING = re.compile(r"#(!|.*coding[:=])")


def replace_body(
    source: SourceFile,
    symbol: str,
    body_text: str,
    *,
    line: int | None = None,
    may_remove: bool = False,
    expected_digest: str | None = None,
) -> SourceFile:
    """Replace everything inside a function or class, its docstring too; decorators and header stay.

    Parameters
    ----------
    source : SourceFile
        The file.
    symbol : str
        Qualified name, such as ``"Grid.decide"``.
    body_text : str
        Statements with any indentation.
    line : int or None
        A line inside the definition that is meant, where several share the name.
    may_remove : bool
        Allow a class to lose members.
    expected_digest : str or None
        Content hash of the file that the edit was made for.

    Raises
    ------
    EditRefused
        When the symbol is missing or ambiguous, or the result would not compile or would change other symbols.
    StaleSource
        When the file is another than expected.
    """
    require_digest(source, expected_digest)
    place = place_of(source, symbol, line)
    _require_block(source, place)
    after = checked(source, text_with_body(source, place, body_text, kept=0))
    require_others_kept(source, after, place.name, may_remove)
    require_body(after, place, statements_of(body_text), kept=0)
    return after


def replace_symbol(
    source: SourceFile,
    symbol: str,
    text: str,
    *,
    keep_decorators: bool = False,
    may_rename: bool = False,
    may_remove: bool = False,
    line: int | None = None,
    expected_digest: str | None = None,
) -> SourceFile:
    """Replace a whole function, class or constant, from its first decorator to its last line.

    Parameters
    ----------
    source : SourceFile
        The file.
    symbol : str
        Qualified name.
    text : str
        One definition with any indentation.
    keep_decorators : bool
        Keep the decorators that stand in the file, and drop those of the text.
    may_rename : bool
        Allow the text to define another name; references are not changed.
    may_remove : bool
        Allow a class to lose members.
    line : int or None
        A line inside the definition that is meant, where several share the name.
    expected_digest : str or None
        Content hash of the file that the edit was made for.

    Raises
    ------
    EditRefused
        When the symbol is missing or ambiguous, the text is not one definition of that name, or the result would not
        compile or would change other symbols.
    StaleSource
        When the file is another than expected.
    """
    require_digest(source, expected_digest)
    place = place_of(source, symbol, line)
    given, new = _single_definition(source, text)
    own_name = place.name.rpartition(".")[2]
    if new.kind != place.kind or (new.name != own_name and not may_rename):
        raise EditRefused(f"the new text defines {new.kind} {new.name}, not {place.kind} {own_name}; keep the name")
    given_text = given.text
    if keep_decorators:
        given_text = given_text[LineTable.of(given_text).offset(new.header_line) :]
    table = LineTable.of(source.text)
    start = table.offset(place.header_line if keep_decorators else place.first_line)
    after = checked(source, _spliced(source, start, table.after(place.last_line), given_text, place.margin))
    prefix = place.name[: -len(own_name)]
    require_others_kept(source, after, place.name, may_remove, prefix + new.name)
    require_definition(after, prefix + new.name, statements_of(text)[0], keep_decorators)
    return after


def insert_before(
    source: SourceFile, symbol: str, text: str, *, line: int | None = None, expected_digest: str | None = None
) -> SourceFile:
    """Insert statements before a definition, its decorators and the comment that stands directly on it.

    Raises
    ------
    EditRefused
        When the symbol is missing or ambiguous, the text defines what is there already, or does not compile there.
    StaleSource
        When the file is another than expected.
    """
    require_digest(source, expected_digest)
    place = place_of(source, symbol, line)
    table = LineTable.of(source.text)
    first = place.first_line
    while first > 1 and _is_comment_of(table.line(first - 1), place.margin, first - 1):
        first -= 1
    block = reindented(text, place.margin, indentation_unit(source.text), source.newline)
    gap = source.newline * _blank_lines(place, statements_of(text))
    at = table.offset(first)
    return _inserted(source, place, text, source.text[:at] + block + gap + source.text[at:])


def insert_after(
    source: SourceFile, symbol: str, text: str, *, line: int | None = None, expected_digest: str | None = None
) -> SourceFile:
    """Insert statements after the last line of a definition.

    Raises
    ------
    EditRefused
        When the symbol is missing or ambiguous, the text defines what is there already, or does not compile there.
    StaleSource
        When the file is another than expected.
    """
    require_digest(source, expected_digest)
    place = place_of(source, symbol, line)
    table = LineTable.of(source.text)
    last = place.last_line
    while last < len(table.starts) and _is_footer(table.line(last + 1), place.margin):
        last += 1
    block = reindented(text, place.margin, indentation_unit(source.text), source.newline)
    gap = source.newline * _blank_lines(place, statements_of(text))
    at = table.after(last)
    head, tail = source.text[:at], source.text[at:]
    if head and not head.endswith(("\n", "\r")):
        head += source.newline
        block = block.removesuffix(source.newline)
    below = gap if tail and table.line(last + 1).strip() else ""
    return _inserted(source, place, text, head + gap + block + below + tail)


def _spliced(source: SourceFile, start: int, end: int, text: str, margin: str) -> str:
    block = reindented(text, margin, indentation_unit(source.text), source.newline)
    if end == len(source.text) and not source.text.endswith(("\n", "\r")):
        block = block.removesuffix(source.newline)
    return source.text[:start] + block + source.text[end:]


def _inserted(source: SourceFile, place: SymbolPlace, text: str, new_text: str) -> SourceFile:
    prefix = place.name.rpartition(".")[0]
    before = [symbol.name for symbol in symbols_of(source)]
    for statement in statements_of(text):
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{prefix}.{statement.name}" if prefix else statement.name
            if name in before and not statement.decorator_list:
                raise EditRefused(f"{source.path} defines {name} already; replace it, or choose another name")
    after = checked(source, new_text)
    added = Counter(symbol.name for symbol in symbols_of(after))
    added.subtract(before)
    if min(added.values(), default=0) < 0 or not _shows(after, text):
        raise EditRefused(f"the text does not stand where it was put in {source.path}; nothing was changed")
    return after


def _shows(after: SourceFile, text: str) -> bool:
    wanted = statements_of(text)
    for node in ast.walk(tree_of(after)):
        body = getattr(node, "body", None)
        if not isinstance(body, list):
            continue
        for at in range(len(body) - len(wanted) + 1):
            if type(body[at]) is type(wanted[0]) and same_code(body[at : at + len(wanted)], wanted):
                return True
    return False


def _blank_lines(place: SymbolPlace, statements: Sequence[ast.stmt]) -> int:
    defines = any(isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) for one in statements)
    if place.kind == "constant" and not defines:
        return 0
    return 1 if place.margin else 2


def _is_comment_of(line: str, margin: str, number: int) -> bool:
    if number <= 2 and _CODING.match(line):
        return False
    return line.startswith(f"{margin}#")


def _is_footer(line: str, margin: str) -> bool:
    return line.strip().startswith("#") and len(margin_of(line)) > len(margin)


def _single_definition(source: SourceFile, text: str) -> tuple[SourceFile, SymbolPlace]:
    given = SourceFile(source.path, reindented(text, "", indentation_unit(source.text), "\n"))
    outermost = [place for place in places_of(given) if "." not in place.name]
    if len(statements_of(text)) != 1 or len(outermost) != 1:
        raise EditRefused("the new text must be exactly one function, class or constant; insert further ones apart")
    return given, outermost[0]


def _require_block(source: SourceFile, place: SymbolPlace) -> None:
    if place.kind == "constant":
        raise EditRefused(f"{place.name} in {source.path} is a constant and has no body; replace the symbol")
