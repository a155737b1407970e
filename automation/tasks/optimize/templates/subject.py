"""The function that is to be made faster, as the templates see it: its tree, its names, and ways to edit its text."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from automation.codebase.sources import SourceFile
from automation.repair.statements import FunctionSpan
from automation.tasks.optimize.drafts import Draft, edits_between

Loop = ast.For | ast.While
_INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
# Methods of the built-in types that leave their object as it is.
PURE_METHODS = frozenset({
    "get", "keys", "values", "items", "index", "count", "copy", "lower", "upper", "strip", "lstrip", "rstrip", "split",
    "startswith", "endswith", "join", "format", "replace", "find", "encode", "decode", "isdigit", "isalpha", "union",
    "intersection", "difference", "issubset", "issuperset", "isdisjoint", "partition", "rpartition", "splitlines",
})  # fmt: skip
KEEPING_METHODS = frozenset(
    {"append", "add", "appendleft", "insert", "extend", "update", "discard", "remove", "setdefault"}
)
PURE_BUILTINS = frozenset({
    "len", "sorted", "set", "frozenset", "list", "tuple", "dict", "sum", "min", "max", "abs", "round", "any", "all",
    "str", "int", "float", "bool", "range", "enumerate", "zip", "reversed", "isinstance", "ord", "chr", "divmod", "pow",
    "repr", "map", "filter", "hash", "bytes",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """Characters of the file that are replaced."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Place:
    """A statement in its block."""

    block: Sequence[ast.stmt]
    index: int

    @property
    def statement(self) -> ast.stmt:
        """The statement."""
        return self.block[self.index]

    @property
    def before(self) -> ast.stmt | None:
        """The statement before it in its block."""
        return self.block[self.index - 1] if self.index else None

    @property
    def after(self) -> ast.stmt | None:
        """The statement after it in its block."""
        return self.block[self.index + 1] if self.index + 1 < len(self.block) else None


class Subject:
    """One function of a file.

    Parameters
    ----------
    source : SourceFile
        The file.
    tree : ast.Module
        Its tree.
    span : FunctionSpan
        The function.
    root : Path
        The repository.
    """

    def __init__(self, source: SourceFile, tree: ast.Module, span: FunctionSpan, root: Path) -> None:
        self.source, self.tree, self.span, self.root = source, tree, span, root
        self.text, self.node = source.text, span.node
        self._starts = [0]
        for line in self.text.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """All nodes of its body but those of inner functions and classes."""
        return tuple(node for statement in self.node.body for node in walk(statement))

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """Each node to the node around it."""
        return {child: node for node in ast.walk(self.node) for child in ast.iter_child_nodes(node)}

    @cached_property
    def parameters(self) -> tuple[ast.arg, ...]:
        """Its parameters by position and by name, without those that collect."""
        found = self.node.args
        return (*found.posonlyargs, *found.args, *found.kwonlyargs)

    @cached_property
    def locals(self) -> frozenset[str]:
        """Names that it binds, its parameters among them."""
        arguments = [*self.parameters, self.node.args.vararg, self.node.args.kwarg]
        named = {each.arg for each in arguments if each is not None}
        return frozenset(named | {name for statement in self.node.body for name in stored(statement)})

    @cached_property
    def module_names(self) -> frozenset[str]:
        """Names that the module binds at its top."""
        found: set[str] = set()
        for statement in self.tree.body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found.add(statement.name)
            else:
                found |= set(stored(statement))
        return frozenset(found)

    @cached_property
    def imports(self) -> dict[str, str]:
        """Names that imports at the module's top bind, to what they stand for."""
        found = {}
        for statement in self.tree.body:
            if isinstance(statement, ast.Import):
                for item in statement.names:
                    found[item.asname or item.name.partition(".")[0]] = (
                        item.name if item.asname else item.name.partition(".")[0]
                    )
            elif isinstance(statement, ast.ImportFrom) and not statement.level:
                for item in statement.names:
                    found[item.asname or item.name] = f"{statement.module}.{item.name}"
        return found

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Every statement in its block, outer ones first."""
        return tuple(_places(self.node.body))

    @property
    def loops(self) -> Iterator[Place]:
        """The loops without an ``else``."""
        for place in self.places:
            if isinstance(place.statement, Loop) and not place.statement.orelse:
                yield place

    def is_builtin(self, node: ast.AST, *names: str) -> bool:
        """Say whether a node is one of some built-in names, bound to nothing else here."""
        if not isinstance(node, ast.Name) or (names and node.id not in names):
            return False
        return hasattr(builtins, node.id) and node.id not in self.locals and node.id not in self.module_names

    def is_module(self, node: ast.AST) -> bool:
        """Say whether a node is the name of an imported module or of something in one, and of nothing else here."""
        return isinstance(node, ast.Name) and node.id in self.imports and node.id not in self.locals

    def uses(self, name: str, *, outside: Sequence[ast.AST] = ()) -> int:
        """Count how often a name stands in the function, without what stands in some nodes."""
        hidden = {id(node) for one in outside for node in ast.walk(one)}
        return sum(
            isinstance(node, ast.Name) and node.id == name and id(node) not in hidden for node in ast.walk(self.node)
        )

    def free(self, base: str) -> str:
        """Return a name like one that is bound nowhere in the file."""
        taken = {node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name)} | set(self.locals)
        taken |= set(self.module_names) | set(dir(builtins))
        return next(name for name in (base, f"{base}_", *(f"{base}_{n}" for n in range(2, 99))) if name not in taken)

    def whole_lines(self, *statements: ast.stmt) -> bool:
        """Say whether statements have their lines to themselves."""
        for statement in statements:
            start, end = self._lines(statement, statement)
            first, last = self.span_of(statement)
            tail = self.text[last:end].strip()
            if self.text[start:first].strip() or (tail and not tail.startswith("#")):
                return False
        return True

    def span_of(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Return where a node stands in the text."""
        return self._offset(node.lineno, node.col_offset), self._offset(
            node.end_lineno or node.lineno, node.end_col_offset or 0
        )

    def words(self, node: ast.expr | ast.stmt) -> str:
        """Return a node's text."""
        start, end = self.span_of(node)
        return self.text[start:end]

    def instead(self, node: ast.expr, text: str) -> Change:
        """Return the change of an expression."""
        return Change(*self.span_of(node), text)

    def before(self, statement: ast.stmt, *lines: str) -> Change:
        """Return the change that puts lines before a statement."""
        start, _ = self._lines(statement, statement)
        indent = " " * statement.col_offset
        return Change(start, start, "".join(f"{indent}{line}{self.source.newline}" for line in lines))

    def replaced(self, first: ast.stmt, last: ast.stmt, *lines: str) -> Change:
        """Return the change of neighbouring statements into lines; comments among them stay, before the lines."""
        start, end = self._lines(first, last)
        indent = " " * first.col_offset
        comments = [line.strip() for line in self.text[start:end].splitlines() if line.strip().startswith("#")]
        return Change(start, end, "".join(f"{indent}{line}{self.source.newline}" for line in (*comments, *lines)))

    def at_top(self, *lines: str) -> Change:
        """Return the change that puts lines after the imports at the module's top, with a blank line before them."""
        body = self.tree.body
        last = max((at for at, each in enumerate(body) if isinstance(each, ast.Import | ast.ImportFrom)), default=-1)
        doc = 0 if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) else -1
        after = body[max(last, doc)] if max(last, doc) >= 0 else None
        start = self._starts[after.end_lineno or after.lineno] if after is not None else 0
        newline = self.source.newline
        text = "".join(f"{line}{newline}" for line in lines)
        return Change(start, start, f"{newline}{text}" if start else f"{text}{newline}{newline}")

    def with_import(self, module: str) -> Change | None:
        """Return the change that imports a module, or None where its name is bound already."""
        if module in self.imports and self.imports[module] == module:
            return None
        first = next(
            (
                each
                for each in self.tree.body
                if isinstance(each, ast.Import | ast.ImportFrom)
                and not (isinstance(each, ast.ImportFrom) and each.module == "__future__")
            ),
            None,
        )
        if first is None:
            return self.at_top(f"import {module}")
        return self.before(first, f"import {module}")

    def draft(
        self, name: str, description: str, at: ast.AST, changes: Sequence[Change | None], *, remembers: bool = False
    ) -> Iterator[Draft]:
        """Yield the draft of some changes, or nothing when they do not fit together."""
        wanted = sorted((each for each in changes if each is not None), key=lambda each: (each.start, each.end))
        if any(a.end > b.start for a, b in pairwise(wanted)):
            return
        after = self.text
        for change in reversed(wanted):
            after = after[: change.start] + change.text + after[change.end :]
        line = getattr(at, "lineno", self.span.line)
        edits = edits_between(self.text, after)
        if edits:
            yield Draft(f"template:{name}", description, self.source.path, self.span.name, line, edits, remembers)

    def _lines(self, first: ast.stmt, last: ast.stmt) -> tuple[int, int]:
        return self._starts[first.lineno - 1], self._starts[last.end_lineno or last.lineno]

    def _offset(self, line: int, column: int) -> int:
        start, end = self._starts[line - 1], self._starts[line]
        return start + len(self.text[start:end].encode()[:column].decode())


Template = Callable[[Subject], Iterator[Draft]]


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and what is in it, but not what is in inner functions and classes."""
    yield node
    if isinstance(node, _INNER):
        return
    for child in ast.iter_child_nodes(node):
        yield from walk(child)


def stored(node: ast.AST) -> Iterator[str]:
    """Yield the names that a node binds or deletes."""
    for each in walk(node):
        if isinstance(each, ast.Name) and not isinstance(each.ctx, ast.Load):
            yield each.id
        elif isinstance(each, ast.Import | ast.ImportFrom):
            yield from ((item.asname or item.name).partition(".")[0] for item in each.names)
        elif isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or (
            isinstance(each, ast.ExceptHandler) and each.name
        ):
            yield str(each.name)
        elif isinstance(each, ast.Global | ast.Nonlocal):
            yield from each.names


def loaded(node: ast.AST) -> frozenset[str]:
    """Return the names that a node reads, inner functions among it."""
    return frozenset(
        each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)
    )


def touched(subject: Subject, node: ast.AST) -> frozenset[str]:
    """Return the names whose objects a node may change: stored into, called a method of, handed to a function."""
    found: set[str] = set()
    for each in ast.walk(node):
        if isinstance(each, ast.Attribute | ast.Subscript) and not isinstance(each.ctx, ast.Load):
            found.add(root_of(each))
        elif isinstance(each, ast.Call):
            if isinstance(each.func, ast.Attribute) and each.func.attr not in PURE_METHODS:
                found.add(root_of(each.func))
            if not subject.is_builtin(each.func, *PURE_BUILTINS) and not _only_keeps(each.func):
                found |= {name for one in (*each.args, *(k.value for k in each.keywords)) for name in loaded(one)}
        elif isinstance(each, ast.AugAssign):
            found.add(root_of(each.target))
    return frozenset(found - {""})


def _only_keeps(called: ast.expr) -> bool:
    """Say whether a call changes its object only, by taking its arguments in as they are."""
    return isinstance(called, ast.Attribute) and called.attr in KEEPING_METHODS | PURE_METHODS


def root_of(node: ast.AST) -> str:
    """Return the name at the beginning of a chain of attributes and subscripts; empty where there is none."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def is_plain(*nodes: ast.AST) -> bool:
    """Say whether nodes neither yield, await nor bind names, so that they may stand in a comprehension."""
    kinds = (ast.Yield, ast.YieldFrom, ast.Await, ast.NamedExpr, ast.Lambda)
    return not any(isinstance(each, kinds) for node in nodes for each in ast.walk(node))


def _places(block: Sequence[ast.stmt]) -> Iterator[Place]:
    for index, statement in enumerate(block):
        yield Place(block, index)
        if isinstance(statement, _INNER):
            continue
        for name in ("body", "orelse", "finalbody"):
            yield from _places(getattr(statement, name, []))
        for handler in getattr(statement, "handlers", []):
            yield from _places(handler.body)
        for case in getattr(statement, "cases", []):
            yield from _places(case.body)
