"""A parsed file with exact text positions, for edits that touch nothing else."""

from __future__ import annotations

import ast
import re
import warnings
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from automation.codebase.sources import SourceFile
from automation.repair.normalise import UNREADABLE, program_key
from automation.repair.records import TextEdit

Function = ast.FunctionDef | ast.AsyncFunctionDef
_LINE_END = re.compile(r"\r\n|\r|\n")
_COMMENT = re.compile(r"#[^\r\n]*")


@dataclass(frozen=True, slots=True)
class Unit:
    """Whole lines that compile on their own: a definition in the module or a class, or all of the module."""

    start: int
    end: int
    indented: bool


@dataclass(eq=False)
class Module:
    """One file, its tree, and where each node stands in the text.

    Parameters
    ----------
    source : SourceFile
        The file.
    tree : ast.Module
        Its tree.
    """

    source: SourceFile
    tree: ast.Module
    text: str = field(init=False)
    parents: dict[ast.AST, ast.AST] = field(init=False, default_factory=dict)
    owners: dict[int, list[ast.stmt]] = field(init=False, default_factory=dict)
    blocks: dict[ast.stmt, list[ast.stmt]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.text = self.source.text
        ends = [match.end() for match in _LINE_END.finditer(self.text)]
        self._starts = [0, *ends]
        self._ascii = self.text.isascii()
        self.indent_unit = _indent_unit(self.text)
        self._adopt(self.tree)
        self._units = list(self._find_units(self.tree.body))
        self._unit_starts = [unit.start for unit in self._units]
        self._original_keys: dict[Unit, str] = {}

    def _adopt(self, root: ast.AST) -> None:
        stack = [root]
        while stack:
            node = stack.pop()
            if isinstance(node, ast.stmt):
                self._own(node)
            for name in ("body", "orelse", "finalbody"):
                block = getattr(node, name, None)
                if isinstance(block, list):
                    self.blocks.update((statement, block) for statement in block if isinstance(statement, ast.stmt))
            children = list(ast.iter_child_nodes(node))
            self.parents.update((child, node) for child in children)
            stack += reversed(children)

    def _own(self, statement: ast.stmt) -> None:
        first = self.first_line(statement)
        for line in range(first, (statement.end_lineno or first) + 1):
            before = self.owners.get(line, [])
            shared = line == first and bool(before) and self.first_line(before[-1]) == first
            self.owners[line] = [*before, statement] if shared else [statement]

    def _find_units(self, body: list[ast.stmt]) -> Iterator[Unit]:
        # Statements between definitions are none: what a constant is called there depends on the rest of the block.
        for statement in body:
            if isinstance(statement, Function | ast.ClassDef):
                start, end = self.lines_span(statement)
                yield Unit(start, end, self.text[start : start + 1] in (" ", "\t"))
                if isinstance(statement, ast.ClassDef):
                    yield from self._find_units(statement.body)

    @staticmethod
    def first_line(statement: ast.stmt) -> int:
        """Return the line on which a statement begins, decorators included."""
        decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
        return min([statement.lineno, *(decorator.lineno for decorator in decorators)])

    def offset(self, line: int, column: int) -> int:
        """Return the character offset of a line (from 1) and a column in UTF-8 bytes (from 0), as `ast` counts."""
        start = self._starts[line - 1]
        if self._ascii or column == 0:
            return start + column
        end = self._starts[line] if line < len(self._starts) else len(self.text)
        return start + len(self.text[start:end].encode("utf-8")[:column].decode("utf-8", "ignore"))

    def line_start(self, line: int) -> int:
        """Return the offset of a line's first character."""
        return self._starts[line - 1]

    def line_end(self, line: int) -> int:
        """Return the offset just before a line's end mark."""
        start = self._starts[line - 1]
        end = self._starts[line] if line < len(self._starts) else len(self.text)
        while end > start and self.text[end - 1] in "\r\n":
            end -= 1
        return end

    def lines_span(self, statement: ast.stmt) -> tuple[int, int]:
        """Return the span of a statement's whole lines, the last line end included."""
        last = statement.end_lineno or statement.lineno
        end = self._starts[last] if last < len(self._starts) else len(self.text)
        return self._starts[self.first_line(statement) - 1], end

    def span(self, node: ast.expr | ast.stmt | ast.excepthandler | ast.arg | ast.keyword) -> tuple[int, int]:
        """Return the offsets of a node's first character and of the character after it."""
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
        return self.offset(node.lineno, node.col_offset), self.offset(end_line, end_column)

    def code(self, node: ast.expr | ast.stmt | ast.arg | ast.keyword) -> str:
        """Return a node's own text, without brackets around it."""
        start, end = self.span(node)
        return self.text[start:end]

    def gap(self, start: int, end: int) -> str:
        """Return the text between two offsets with comments blanked out."""
        return _COMMENT.sub(lambda match: " " * len(match.group()), self.text[start:end])

    def enclosing_function(self, node: ast.AST) -> Function | None:
        """Return the innermost function around a node, itself not counted."""
        above = self.parents.get(node)
        while above is not None and not isinstance(above, ast.FunctionDef | ast.AsyncFunctionDef):
            above = self.parents.get(above)
        return above

    def enclosing_class(self, node: ast.AST) -> ast.ClassDef | None:
        """Return the innermost class around a node, itself not counted."""
        above = self.parents.get(node)
        while above is not None and not isinstance(above, ast.ClassDef):
            above = self.parents.get(above)
        return above

    def indent_of(self, statement: ast.stmt) -> str:
        """Return the white space before a statement's first line."""
        start = self.line_start(self.first_line(statement))
        line = self.text[start : self.line_end(self.first_line(statement))]
        return line[: len(line) - len(line.lstrip(" \t\f"))]

    def stands_alone(self, statement: ast.stmt) -> bool:
        """Return whether a statement shares none of its lines with another statement."""
        start, end = self.lines_span(statement)
        inner_start, inner_end = self.span(statement)
        if getattr(statement, "decorator_list", []):
            inner_start = start
        before, after = self.text[start:inner_start], self.gap(inner_end, end)
        return not before.strip() and not after.strip()

    def key(self, edits: tuple[TextEdit, ...]) -> tuple[Unit, str] | None:
        """Return what identifies the program after an edit, None when it is no program or the one before."""
        unit = self._unit_of(edits)
        parts, at = [], unit.start
        for edit in edits:
            parts += [self.text[at : edit.start], edit.new]
            at = edit.end
        try:
            key = program_key("".join(parts) + self.text[at : unit.end], indented=unit.indented)
        except UNREADABLE:
            return None
        if unit not in self._original_keys:
            self._original_keys[unit] = program_key(self.text[unit.start : unit.end], indented=unit.indented)
        return None if key == self._original_keys[unit] else (unit, key)

    def _unit_of(self, edits: tuple[TextEdit, ...]) -> Unit:
        start, end = edits[0].start, edits[-1].end
        at = bisect_right(self._unit_starts, start) - 1
        while at >= 0:
            unit = self._units[at]
            if unit.start <= start and end <= unit.end:
                return unit
            at -= 1
        return Unit(0, len(self.text), indented=False)


@lru_cache(maxsize=64)
def parse_module(source: SourceFile) -> Module:
    """Parse a file once.

    Raises
    ------
    SyntaxError
        When the file is no program.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Module(source, ast.parse(source.text))


def _indent_unit(text: str) -> str:
    match = re.search(r":[ \t]*(?:#[^\r\n]*)?(?:\r\n|\r|\n)([ \t]+)\S", text)
    return match.group(1) if match and len(match.group(1)) <= 8 else "    "
