"""Small faults in a file's functions, one a mutant: what a test has to notice to be worth its place."""

from __future__ import annotations

import ast
import random
import warnings
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from automation.tasks.generate_tests.operators import CHANGES, STATEMENT_CHANGES, Function

OPERATORS = (*CHANGES, *STATEMENT_CHANGES)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_SILENT = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log", "warn", "cast", "print"})


@dataclass(frozen=True, slots=True)
class Mutant:
    """A file with one fault.

    Parameters
    ----------
    function : str
        Qualified name of the function that holds it.
    line, end_line : int
        Lines of what is changed, from 1.
    operator : str
        Which sort of fault.
    description : str
        What became what, one line.
    text : str
        The whole file.
    """

    function: str
    line: int
    end_line: int
    operator: str
    description: str
    text: str


def mutants_of(text: str, operators: Collection[str] = OPERATORS) -> tuple[Mutant, ...]:
    """Return every mutant of a file's functions that compiles to something else.

    Parameters
    ----------
    text : str
        The file.
    operators : collection of str
        Which sorts of faults.
    """
    source = _Source(text)
    found: list[Mutant] = []
    for name, function in _functions(source.tree, ""):
        seen = {source.meaning(function)}
        for node, operator, new in _changes(function, operators):
            meaning = source.meaning(function, node, new)
            if meaning is not None and meaning not in seen:
                seen.add(meaning)
                found.append(source.mutant(name, node, operator, new))
    return tuple(sorted(found, key=lambda each: (each.line, each.operator, each.description)))


def sampled(mutants: Sequence[Mutant], most: int, seed: int) -> tuple[Mutant, ...]:
    """Return no more than so many mutants, by turns among functions and operators, in the order of lines."""
    if len(mutants) <= most:
        return tuple(mutants)
    order = random.Random(seed)  # noqa: S311 - a repeatable choice, no secret
    groups: dict[tuple[str, str], list[Mutant]] = {}
    for mutant in mutants:
        groups.setdefault((mutant.function, mutant.operator), []).append(mutant)
    for group in groups.values():
        order.shuffle(group)
    chosen: list[Mutant] = []
    while len(chosen) < most:
        for group in list(groups.values()):
            if group and len(chosen) < most:
                chosen.append(group.pop())
    return tuple(sorted(chosen, key=lambda each: (each.line, each.operator, each.description)))


class _Source:
    def __init__(self, text: str) -> None:
        self.tree = ast.parse(text)
        self._content = text.encode()
        self._starts = [0]
        for line in self._content.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def mutant(self, function: str, node: ast.expr | ast.stmt, operator: str, new: str) -> Mutant:
        start, end = self._span(node)
        old = self._content[start:end].decode()
        text = (self._content[:start] + _put(node, new) + self._content[end:]).decode()
        told = f"{_short(old)} became {_short(new)}"
        return Mutant(function, node.lineno, node.end_lineno or node.lineno, operator, told, text)

    def meaning(self, function: Function, node: ast.expr | ast.stmt | None = None, new: str = "") -> str | None:
        """Return what tells a function from one that does something else; None when it does not compile."""
        first = min([function.lineno, *(each.lineno for each in function.decorator_list)])
        start, end = self._starts[first - 1], self._span(function)[1]
        content = self._content[start:end]
        if node is not None:
            at, until = self._span(node)
            content = self._content[start:at] + _put(node, new) + self._content[until:end]
        return _meaning(content.decode(), indented=function.col_offset > 0)

    def _span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        last = node.end_lineno or node.lineno
        return self._starts[node.lineno - 1] + node.col_offset, self._starts[last - 1] + (node.end_col_offset or 0)


def _put(node: ast.expr | ast.stmt, new: str) -> bytes:
    return (f"({new})" if isinstance(node, ast.expr) else new).encode()


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 60 else f"{flat[:57]}..."


def _meaning(text: str, *, indented: bool) -> str | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(f"if 1:\n{text}" if indented else text)
            compile(tree, "<mutant>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError):
        return None
    return ast.dump(_Folded().visit(tree))


class _Folded(ast.NodeTransformer):
    """Writes alike what is alike: a negative constant, a lone pass among statements."""

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        inner = self.generic_visit(node)
        if isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
            value = node.operand.value
            if isinstance(value, int | float) and not isinstance(value, bool):
                return ast.Constant(-value)
        return inner

    def visit_Pass(self, node: ast.Pass) -> ast.AST:
        return ast.Expr(ast.Constant(...))


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, Function]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _FUNCTIONS):
            yield prefix + child.name, child
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")
        elif isinstance(child, ast.stmt):
            yield from _functions(child, prefix)


def _changes(function: Function, operators: Collection[str]) -> Iterator[tuple[ast.expr | ast.stmt, str, str]]:
    for node in _told(function):
        table = CHANGES if isinstance(node, ast.expr) else STATEMENT_CHANGES
        for operator, change in table.items():
            if operator in operators:
                for new in change(node):  # type: ignore[arg-type]
                    yield node, operator, new


def _told(function: Function) -> Iterator[ast.expr | ast.stmt]:
    """Walk what a function does: no docstring, annotation, message of an error, log line or part of an f-string."""
    has_docstring = ast.get_docstring(function, clean=False) is not None
    defaults = [*function.args.defaults, *(each for each in function.args.kw_defaults if each is not None)]
    waiting: list[ast.AST] = [*defaults, *(function.body[1:] if has_docstring else function.body)]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.expr | ast.stmt):
            yield node
        waiting += [child for child in _children(node) if child is not None]


def _children(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Raise | ast.Assert | ast.JoinedStr) or _is_silent(node):
        return
    if isinstance(node, ast.AnnAssign):
        yield from (child for child in (node.target, node.value) if child is not None)
        return
    if isinstance(node, _FUNCTIONS):
        yield from node.body
        return
    yield from ast.iter_child_nodes(node)


def _is_silent(node: ast.AST) -> bool:
    """Say whether a call leaves nothing that a test of values sees."""
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return isinstance(node, ast.Constant)
    called = node.value.func
    name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
    return name in _SILENT
