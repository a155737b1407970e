"""Where a symbol stands in a file: its lines, its header and its body, found through libcst positions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider

from automation.codebase.edit_text import LineTable, margin_of
from automation.codebase.sources import SourceFile
from automation.codebase.symbols import qualified
from automation.errors import EditRefused

_SUITES = (
    cst.BaseCompoundStatement,
    cst.BaseSuite,
    cst.Else,
    cst.Finally,
    cst.ExceptHandler,
    cst.ExceptStarHandler,
    cst.MatchCase,
)


@dataclass(frozen=True, slots=True)
class SymbolPlace:
    """Where one definition stands.

    Parameters
    ----------
    name : str
        Qualified name inside the file.
    kind : str
        ``"function"``, ``"class"`` or ``"constant"``.
    margin : str
        White space in front of the definition.
    first_line, header_line, last_line : int
        First decorator (or the header without one), the header itself, the last line of the body.
    body_start, body_end : int
        Offsets of the body: whole lines, or for a body behind the colon the text from the colon to the line's end.
    body_margin : str or None
        White space in front of the body's first statement, None for a body behind the colon.
    statement_lines : tuple of (int, int)
        First and last line of each statement of the body.
    """

    name: str
    kind: str
    margin: str
    first_line: int
    header_line: int
    last_line: int
    body_start: int
    body_end: int
    body_margin: str | None
    statement_lines: tuple[tuple[int, int], ...]


def places_of(source: SourceFile) -> tuple[SymbolPlace, ...]:
    """List where every function, class and constant of a file stands.

    Raises
    ------
    EditRefused
        When libcst cannot read the file.
    """
    module = module_of(source)
    wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
    scan = _Scan(LineTable.of(source.text), dict(wrapper.resolve(PositionProvider)))
    return tuple(scan.definitions(module, ""))


def place_of(source: SourceFile, symbol: str, line: int | None = None) -> SymbolPlace:
    """Find the one definition of a name.

    Parameters
    ----------
    source : SourceFile
        The file.
    symbol : str
        Qualified name: ``"Grid.decide"``, ``"outer.inner"``.
    line : int or None
        A line inside the definition that is meant, where several share the name (a property and its setter).

    Raises
    ------
    EditRefused
        When there is none, or more than one.
    """
    wanted = qualified(symbol)
    found = [place for place in places_of(source) if place.name == wanted]
    if line is not None:
        found = [place for place in found if place.first_line <= line <= place.last_line]
    if not found:
        raise EditRefused(f"{source.path} defines no {symbol}; name a symbol of this file, such as Class.method")
    if len(found) > 1:
        lines = ", ".join(str(place.header_line) for place in found)
        raise EditRefused(f"{source.path} defines {symbol} more than once (lines {lines}); say which line is meant")
    return found[0]


def module_of(source: SourceFile) -> cst.Module:
    """Parse a file with libcst and make sure that it prints back the same.

    Raises
    ------
    EditRefused
        When it does not.
    """
    try:
        module = cst.parse_module(source.text)
    except (cst.ParserSyntaxError, RecursionError, ValueError) as error:
        raise EditRefused(f"{source.path} does not parse, so it cannot be edited by symbol: {error}") from error
    if module.code != source.text:
        raise EditRefused(f"{source.path} does not print back as it was read; edit this file by hand")
    return module


@dataclass(frozen=True, slots=True)
class _Scan:
    table: LineTable
    ranges: dict[cst.CSTNode, CodeRange]

    def definitions(self, node: cst.CSTNode, prefix: str) -> Iterator[SymbolPlace]:
        for child in node.children:
            if isinstance(child, cst.FunctionDef | cst.ClassDef):
                yield self._definition(child, prefix)
                yield from self.definitions(child.body, f"{prefix}{child.name.value}.")
            elif isinstance(child, cst.SimpleStatementLine):
                yield from self._constants(child, prefix)
            elif isinstance(child, _SUITES):
                yield from self.definitions(child, prefix)

    def _definition(self, node: cst.FunctionDef | cst.ClassDef, prefix: str) -> SymbolPlace:
        own = self.ranges[node]
        first = self.ranges[node.decorators[0]].start.line if node.decorators else own.start.line
        body = node.body
        statements: tuple[tuple[int, int], ...] = ()
        body_margin = None
        if isinstance(body, cst.IndentedBlock):
            start = self._offset(body.header, at_end=True)
            end = self.table.after(self.ranges[body].end.line)
            spans = [self.ranges[statement] for statement in body.body]
            statements = tuple((span.start.line, span.end.line) for span in spans)
            body_margin = margin_of(self.table.line(statements[0][0])) if statements else ""
        elif isinstance(body, cst.SimpleStatementSuite):
            start = self._offset(body.leading_whitespace, at_end=False)
            end = self._offset(body.trailing_whitespace, at_end=False)
        else:
            raise EditRefused(f"the body of {node.name.value} has a shape that cannot be edited")
        return SymbolPlace(
            name=prefix + node.name.value,
            kind="class" if isinstance(node, cst.ClassDef) else "function",
            margin=margin_of(self.table.line(own.start.line)),
            first_line=first,
            header_line=own.start.line,
            last_line=own.end.line,
            body_start=start,
            body_end=end,
            body_margin=body_margin,
            statement_lines=statements,
        )

    def _constants(self, node: cst.SimpleStatementLine, prefix: str) -> Iterator[SymbolPlace]:
        if len(node.body) != 1 or not isinstance(node.body[0], cst.Assign | cst.AnnAssign):
            return
        assign = node.body[0]
        targets = [part.target for part in assign.targets] if isinstance(assign, cst.Assign) else [assign.target]
        own = self.ranges[node]
        if len(targets) == 1 and isinstance(targets[0], cst.Name):
            start, end = self.table.offset(own.start.line), self.table.after(own.end.line)
            margin = margin_of(self.table.line(own.start.line))
            lines = (own.start.line, own.start.line, own.end.line)
            yield SymbolPlace(prefix + targets[0].value, "constant", margin, *lines, start, end, None, ())

    def _offset(self, node: cst.CSTNode, at_end: bool) -> int:
        place = self.ranges[node].end if at_end else self.ranges[node].start
        return self.table.offset(place.line, place.column)
