"""Lines and ways out of decisions in a file's functions, and which of them a set of steps takes."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from automation.tasks.generate_tests.records import Arc

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_EXIT = -2


@dataclass(frozen=True, slots=True)
class Branch:
    """One way out of a decision.

    Parameters
    ----------
    function : str
        Qualified name of the function.
    first, last : int
        Lines of the condition.
    into : int
        First line of the block.
    taken : bool
        Whether this is the way into the block; else it is the one past it.
    """

    function: str
    first: int
    last: int
    into: int
    taken: bool

    def covered_by(self, arcs: Collection[Arc]) -> bool:
        """Say whether any step takes this way."""
        return any(
            self.first <= start <= self.last
            and (end == self.into if self.taken else end != self.into and not self.first <= end <= self.last)
            for start, end in arcs
        )


@dataclass(frozen=True, slots=True)
class Shape:
    """Lines and branches of a file's functions.

    Parameters
    ----------
    lines : dict of str to frozenset of int
        First lines of statements, by qualified name of the function.
    branches : tuple of Branch
        Of ``if``, ``while``, ``for`` and ``match`` with a block on lines of its own.
    """

    lines: dict[str, frozenset[int]]
    branches: tuple[Branch, ...]

    def run(self, function: str, arcs: Collection[Arc]) -> int:
        """Return how many lines of a function the steps reach."""
        reached = {line for arc in arcs for line in arc}
        return len(self.lines.get(function, frozenset()) & reached)


def shape_of(text: str) -> Shape:
    """Return what there is to cover in a file."""
    lines: dict[str, frozenset[int]] = {}
    branches: list[Branch] = []
    for name, node in _functions(ast.parse(text), ""):
        statements = list(_statements(node.body))
        has_docstring = ast.get_docstring(node, clean=False) is not None
        lines[name] = frozenset(each.lineno for each in (statements[1:] if has_docstring else statements))
        for each in statements:
            branches += _ways(name, each)
    return Shape(lines, tuple(branches))


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _FUNCTIONS):
            yield prefix + child.name, child
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")
        elif isinstance(child, ast.stmt):
            yield from _functions(child, prefix)


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        if isinstance(node, ast.ClassDef):
            continue
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                yield from _statements([child])
            elif isinstance(child, ast.ExceptHandler | ast.match_case):
                yield from _statements(child.body)


def _ways(function: str, node: ast.stmt) -> Iterator[Branch]:
    if isinstance(node, ast.If | ast.While):
        header_end = node.test.end_lineno or node.lineno
    elif isinstance(node, ast.For | ast.AsyncFor):
        header_end = node.iter.end_lineno or node.lineno
    elif isinstance(node, ast.Match):
        for case in node.cases:
            start = case.pattern.lineno
            yield Branch(function, start, start, case.body[0].lineno, True)
        return
    else:
        return
    into = node.body[0].lineno
    if into > header_end:
        endless = isinstance(node, ast.While) and isinstance(node.test, ast.Constant)
        yield Branch(function, node.lineno, header_end, into, True)
        if not endless:
            yield Branch(function, node.lineno, header_end, into, False)
