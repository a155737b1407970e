"""Docstrings put into a file's text at the places that libcst finds; nothing but docstrings may differ afterwards."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass

from automation.codebase.edit_places import SymbolPlace, places_of
from automation.codebase.edit_text import LineTable, checked, indentation_unit
from automation.codebase.sources import SourceFile
from automation.codebase.symbols import tree_of
from automation.errors import EditRefused

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.NEWLINE}


@dataclass(frozen=True, slots=True)
class DocLiteral:
    """A docstring as it stands in a file: where, its prefix and quotes, and the text between them."""

    start: int
    end: int
    opening: str
    quotes: str
    body: str

    def with_body(self, body: str) -> str:
        """Return the literal with another text."""
        return f"{self.opening}{body}{self.quotes}"


def literal_of(source: SourceFile, table: LineTable, node: ast.AST) -> DocLiteral | None:
    """Return a definition's docstring as it is written; None when it has none, or one of several joined strings.

    Parameters
    ----------
    source : SourceFile
        The file.
    table : LineTable
        Its lines.
    node : ast node
        A module, class or function of it.
    """
    statement = _docstring_of(node)
    if statement is None:
        return None
    start = table.offset(statement.lineno, _characters(table, statement.lineno, statement.col_offset))
    last = statement.end_lineno or statement.lineno
    end = table.offset(last, _characters(table, last, statement.end_col_offset or 0))
    text = source.text[start:end]
    for quotes in ('"""', "'''"):
        prefix, found, rest = text.partition(quotes)
        if found and prefix.lower() in {"", "r", "u"} and text.endswith(quotes) and quotes not in rest[:-3]:
            return DocLiteral(start, end, prefix + quotes, quotes, rest[:-3])
    return None


def with_docstrings(
    source: SourceFile, places: Mapping[str, SymbolPlace], texts: Mapping[str, str], mended: Mapping[DocLiteral, str]
) -> SourceFile:
    """Return a file with docstrings put in where there were none, and others replaced.

    Parameters
    ----------
    source : SourceFile
        The file.
    places : mapping of str to SymbolPlace
        Where its definitions stand, from `keyed_places`.
    texts : mapping of str to str
        By the same keys, ``:1`` for the module, the literal to put in.
    mended : mapping of DocLiteral to str
        The literal to put in its place.

    Raises
    ------
    EditRefused
        When a definition is not there, has a docstring already, or anything but docstrings would differ.
    """
    changes = [(literal.start, literal.end, text) for literal, text in mended.items()]
    for name, text in texts.items():
        if name == ":1":
            at = _module_start(source)
            changes.append((at, at, _with_ends(text, source) + 2 * source.newline))
        elif name in places:
            changes.append(_at_head(source, places[name], _with_ends(text, source)))
        else:
            raise EditRefused(f"{source.path} defines no {name.partition(':')[0]} there; nothing was changed")
    text = source.text
    for start, end, new in sorted(changes, reverse=True):
        text = text[:start] + new + text[end:]
    after = checked(source, text)
    require_same_code(source, after)
    return after


def require_same_code(before: SourceFile, after: SourceFile) -> None:
    """Make sure that two versions of a file differ in docstrings alone.

    Raises
    ------
    EditRefused
        When they do not.
    """
    if _code(before) != _code(after):
        raise EditRefused(f"documenting {before.path} would change its code; nothing was changed")


def keyed_places(source: SourceFile) -> dict[str, SymbolPlace]:
    """Return where a file's definitions stand, by qualified name and header line as ``name:line``."""
    return {f"{place.name}:{place.header_line}": place for place in places_of(source)}


def body_margin(source: SourceFile, place: SymbolPlace | None) -> str:
    """Return the white space in front of a definition's body; none for the module, which has no place."""
    if place is None:
        return ""
    return place.margin + indentation_unit(source.text) if place.body_margin is None else place.body_margin


def _code(source: SourceFile) -> str:
    tree = tree_of(source)
    for node in ast.walk(tree):
        if _docstring_of(node) is not None and isinstance(node, _DOCUMENTED):
            # a body that held nothing else stays one: `pass` or `...` would be code
            node.body = node.body[1:]
    return ast.dump(tree)


def _docstring_of(node: ast.AST) -> ast.Expr | None:
    if isinstance(node, _DOCUMENTED) and node.body:
        first = node.body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            return first
    return None


def _at_head(source: SourceFile, place: SymbolPlace, text: str) -> tuple[int, int, str]:
    if place.body_margin is None:
        # `def f(): return 1` becomes a block
        margin = place.margin + indentation_unit(source.text)
        body = source.text[place.body_start : place.body_end].strip()
        return place.body_start, place.body_end, f"{source.newline}{margin}{text}{source.newline}{margin}{body}"
    # whole lines: comments and decorators in front of the first statement stay below the docstring
    start = place.body_start
    is_spaced = source.text[start : start + 1] in {"\n", "\r"}
    gap = source.newline if place.kind == "class" and not is_spaced else ""
    return start, start, f"{place.body_margin}{text}{source.newline}{gap}"


def _module_start(source: SourceFile) -> int:
    """Return the offset behind the comments that a file begins with: its shebang, its coding, its licence."""
    table = LineTable.of(source.text)
    last = 0
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type not in _NO_CODE:
            break
        if token.type == tokenize.COMMENT:
            last = token.start[0]
    start = table.after(last) if last else 0
    while (
        last
        and source.text[start : start + 1] in {"\n", "\r"}
        and table.line(last + 1) == ""
        and start < len(source.text)
    ):
        last += 1
        start = table.after(last)
    return start


def _with_ends(text: str, source: SourceFile) -> str:
    return text.replace("\n", source.newline) if source.newline != "\n" else text


def _characters(table: LineTable, line: int, column: int) -> int:
    # the parser counts bytes of UTF-8
    return len(table.line(line).encode()[:column].decode())
