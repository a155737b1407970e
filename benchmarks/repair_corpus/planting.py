"""Faults to plant in real code: written bug patterns over the syntax tree, by places in the text that they replace.

They are what people get wrong (a guard forgotten, a line lost, the wrong name, rounding the other way), not the inverse
of the repair templates; each says whether one small edit can undo it.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

Function = ast.FunctionDef | ast.AsyncFunctionDef
Replacement = tuple[int, int, str]
"""Lines are counted from 1 in the tree; here start and end are offsets of bytes, then the new text."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One planted fault.

    Parameters
    ----------
    pattern : str
        What sort of bug it is.
    line : int
        From 1.
    description : str
        One line for people.
    single_edit : bool
        Whether one small edit of the usual kinds undoes it.
    text : str
        The file with the fault.
    """

    pattern: str
    line: int
    description: str
    single_edit: bool
    text: str


def faults_in(text: str) -> tuple[Fault, ...]:
    """Return every fault that the patterns can plant in a file's functions and that still parses, in order of lines."""
    source = _Source(text)
    found: dict[str, Fault] = {}
    for function in _functions(source.tree):
        for pattern, (single_edit, find) in _PATTERNS.items():
            for node, replacement in find(source, function):
                changed = source.replaced(replacement)
                if changed != text and changed not in found and _parses(changed):
                    line = getattr(node, "lineno", function.lineno)
                    found[changed] = Fault(pattern, line, source.told(replacement), single_edit, changed)
    return tuple(sorted(found.values(), key=lambda fault: (fault.line, fault.pattern, fault.text)))


def chosen_faults(text: str, seed: int) -> Iterator[Fault]:
    """Yield a file's faults in a random order that takes turns among the patterns.

    Parameters
    ----------
    text : str
        The file.
    seed : int
        Same seed, same order.
    """
    order = random.Random(seed)  # noqa: S311 - a repeatable choice, no secret
    groups: dict[str, list[Fault]] = {}
    for fault in faults_in(text):
        groups.setdefault(fault.pattern, []).append(fault)
    for faults in groups.values():
        order.shuffle(faults)
    while groups:
        names = list(groups)
        order.shuffle(names)
        for name in names:
            yield groups[name].pop()
            if not groups[name]:
                del groups[name]


class _Source:
    def __init__(self, text: str) -> None:
        self.text = text
        self.content = text.encode()
        self.tree = ast.parse(text)
        self._starts = [0]
        for line in self.content.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        start = self._starts[node.lineno - 1] + node.col_offset
        return start, self._starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)

    def lines(self, statement: ast.stmt) -> tuple[int, int]:
        """Return the span of whole lines."""
        return self._starts[statement.lineno - 1], self._starts[statement.end_lineno or statement.lineno]

    def of(self, node: ast.expr | ast.stmt) -> str:
        start, end = self.span(node)
        return self.content[start:end].decode()

    def between(self, start: int, end: int) -> str:
        return self.content[start:end].decode()

    def replaced(self, replacement: Replacement) -> str:
        start, end, new = replacement
        return (self.content[:start] + new.encode() + self.content[end:]).decode()

    def told(self, replacement: Replacement) -> str:
        start, end, new = replacement
        old = " ".join(self.between(start, end).split())
        return f"{old[:70]!r} became {' '.join(new.split())[:70]!r}" if new.strip() else f"{old[:70]!r} was lost"


Found = Iterator[tuple[ast.AST, Replacement]]


def _functions(tree: ast.Module) -> list[Function]:
    return [node for node in ast.walk(tree) if isinstance(node, Function)]


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def _body(function: Function) -> Iterator[ast.AST]:
    """Walk what a function does, without its signature and its docstring."""
    for statement in _without_docstring(function):
        yield from ast.walk(statement)


def _without_docstring(function: Function) -> list[ast.stmt]:
    return function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body


def _blocks(function: Function) -> Iterator[list[ast.stmt]]:
    yield _without_docstring(function)
    for node in _body(function):
        for name in ("body", "orelse"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block and not isinstance(node, Function | ast.ClassDef):
                yield block


def _lost_statement(source: _Source, function: Function) -> Found:
    assigned = [node.id for node in _body(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    for block in _blocks(function):
        for statement in block:
            # A name that is never given a value at all would be found by any linter.
            only_value = isinstance(statement, ast.Assign) and any(
                isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and assigned.count(node.id) == 1
                for node in ast.walk(statement)
            )
            if len(block) > 1 and isinstance(statement, ast.Assign | ast.AugAssign | ast.Expr) and not only_value:
                yield statement, (*source.lines(statement), "")


def _lost_guard(source: _Source, function: Function) -> Found:
    for block in _blocks(function):
        for statement in block:
            last = statement.body[-1] if isinstance(statement, ast.If) and not statement.orelse else None
            if isinstance(last, ast.Return | ast.Raise | ast.Continue) and len(block) > 1:
                yield statement, (*source.lines(statement), "")


def _lost_condition(source: _Source, function: Function) -> Found:
    for node in _body(function):
        if isinstance(node, ast.BoolOp):
            for kept in node.values:
                yield node, (*source.span(node), source.of(kept))


def _lost_term(source: _Source, function: Function) -> Found:
    for node in _body(function):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub | ast.Mult):
            yield node, (*source.span(node), f"({source.of(node.left)})")


def _lost_clamp(source: _Source, function: Function) -> Found:
    for node in _calls_of_names(function, {"min", "max"}):
        if len(node.args) == 2:
            yield from ((node, (*source.span(node), f"({source.of(kept)})")) for kept in node.args)


def _lost_wrapper(source: _Source, function: Function) -> Found:
    for node in _calls_of_names(function, {"abs", "int", "round", "sorted"}):
        yield node, (*source.span(node), f"({source.of(node.args[0])})")


def _calls_of_names(function: Function, names: set[str]) -> Iterator[ast.Call]:
    for node in _body(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names and node.args:
            yield node


def _inverted_condition(source: _Source, function: Function) -> Found:
    for node in _body(function):
        if isinstance(node, ast.If | ast.IfExp | ast.While):
            yield node, (*source.span(node.test), f"not ({source.of(node.test)})")


def _wrong_comparison(source: _Source, function: Function) -> Found:
    wrong = {
        ast.Lt: ("<=", ">"),
        ast.LtE: ("<",),
        ast.Gt: (">=", "<"),
        ast.GtE: (">",),
        ast.Eq: ("!=",),
        ast.NotEq: ("==",),
    }
    for node in _body(function):
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            left, right = source.of(node.left), source.of(node.comparators[0])
            for operator in wrong.get(type(node.ops[0]), ()):
                yield node, (*source.span(node), f"{left} {operator} {right}")


def _off_by_one(source: _Source, function: Function) -> Found:
    for node in _body(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
            last = node.args[min(len(node.args), 2) - 1]
            for change in ("- 1", "+ 1"):
                yield node, (*source.span(last), f"{source.of(last)} {change}")
        elif isinstance(node, ast.Slice):
            for bound in filter(None, (node.lower, node.upper)):
                yield bound, (*source.span(bound), f"{source.of(bound)} + 1")


def _wrong_constant(source: _Source, function: Function) -> Found:
    for node in _body(function):
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
            wrong = node.value * 10 if node.value not in (0, 1) else node.value + 2
            yield node, (*source.span(node), repr(wrong))


def _wrong_rounding(source: _Source, function: Function) -> Found:
    other = {
        "floor": "ceil",
        "ceil": "floor",
        "rint": "floor",
        "trunc": "ceil",
        "ROUND_DOWN": "ROUND_UP",
        "ROUND_UP": "ROUND_DOWN",
    }
    for node in _body(function):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.FloorDiv):
            yield node, (*source.span(node), f"-(-({source.of(node.left)}) // {source.of(node.right)})")
        elif isinstance(node, ast.Attribute) and node.attr in other:
            yield node, (*source.span(node), f"{source.of(node.value)}.{other[node.attr]}")


def _wrong_variable(source: _Source, function: Function) -> Found:
    names = sorted(
        {node.id for node in _body(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    )
    names += sorted(
        argument.arg for argument in (*function.args.args, *function.args.kwonlyargs) if argument.arg != "self"
    )
    for node in _body(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names and len(names) > 1:
            # The neighbour in the list, so that a function with many names does not drown the other patterns.
            yield node, (*source.span(node), names[(names.index(node.id) + 1) % len(names)])


def _wrong_attribute(source: _Source, function: Function) -> Found:
    seen: dict[str, list[str]] = {}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            attributes = seen.setdefault(node.value.id, [])
            if node.attr not in attributes:
                attributes.append(node.attr)
    for node in _body(function):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and isinstance(node.ctx, ast.Load):
            attributes = seen[node.value.id]
            if len(attributes) > 1 and node.value.id not in {"np", "math", "self"}:
                other = attributes[(attributes.index(node.attr) + 1) % len(attributes)]
                yield node, (*source.span(node), f"{node.value.id}.{other}")


def _swapped_arguments(source: _Source, function: Function) -> Found:
    for node in _body(function):
        if isinstance(node, ast.Call) and not any(isinstance(argument, ast.Starred) for argument in node.args):
            for first, second in pairwise(node.args):
                start, end = source.span(first)[0], source.span(second)[1]
                middle = source.between(source.span(first)[1], source.span(second)[0])
                yield first, (start, end, f"{source.of(second)}{middle}{source.of(first)}")


def _overwritten_sum(source: _Source, function: Function) -> Found:
    for node in _body(function):
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub):
            yield node, (*source.span(node), f"{source.of(node.target)} = {source.of(node.value)}")


def _moved_out_of_loop(source: _Source, function: Function) -> Found:
    for node in _body(function):
        if isinstance(node, ast.For | ast.While) and len(node.body) > 1 and not node.orelse:
            last = node.body[-1]
            if isinstance(last, ast.Assign | ast.AugAssign | ast.Expr):
                start, end = source.lines(last)
                shift = last.col_offset - node.col_offset
                lines = source.between(start, end).splitlines(keepends=True)
                yield last, (start, end, "".join(line[shift:] for line in lines))


def _forgotten_else(source: _Source, function: Function) -> Found:
    for node in _body(function):
        if isinstance(node, ast.IfExp):
            yield node, (*source.span(node), f"({source.of(node.body)})")


_PATTERNS: dict[str, tuple[bool, Callable[[_Source, Function], Found]]] = {
    "lost statement": (False, _lost_statement),
    "lost guard": (False, _lost_guard),
    "lost condition": (False, _lost_condition),
    "lost term": (False, _lost_term),
    "lost clamp": (False, _lost_clamp),
    "forgotten else": (False, _forgotten_else),
    "moved out of the loop": (False, _moved_out_of_loop),
    "wrong constant": (False, _wrong_constant),
    "lost wrapper": (True, _lost_wrapper),
    "inverted condition": (True, _inverted_condition),
    "wrong comparison": (True, _wrong_comparison),
    "off by one": (True, _off_by_one),
    "wrong rounding": (True, _wrong_rounding),
    "wrong variable": (True, _wrong_variable),
    "wrong attribute": (True, _wrong_attribute),
    "swapped arguments": (True, _swapped_arguments),
    "overwritten sum": (True, _overwritten_sum),
}
PATTERNS = tuple(_PATTERNS)
