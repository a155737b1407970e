"""The statements of a module: which lines each spans, what governs it, which names it reads and writes."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef

# Within one function every line that ran looks alike to a spectrum of one test; faults sit more often where something
# is computed or decided than where something is named.
_WEIGHT = {
    "return": 1.0,
    "condition": 0.99,
    "compute": 0.97,
    "loop": 0.95,
    "call": 0.93,
    "except": 0.90,
    "raise": 0.88,
    "assign": 0.88,
    "assert": 0.80,
    "header": 0.80,
    "with": 0.75,
    "import": 0.70,
    "other": 0.60,
}
_KINDS: dict[type[ast.stmt], str] = {
    ast.Return: "return",
    ast.Raise: "raise",
    ast.Assert: "assert",
    ast.Import: "import",
    ast.ImportFrom: "import",
    ast.AugAssign: "compute",
}
_COMPUTES = (ast.BinOp, ast.BoolOp, ast.UnaryOp, ast.Compare, ast.Subscript, ast.Call, ast.IfExp, ast.comprehension)
_DEFINES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True, slots=True)
class Statement:
    """A simple statement, or the header of a compound one.

    Parameters
    ----------
    first, last : int
        Lines from 1, both included.
    function : str
        Dotted name of the innermost function around it, ``""`` at module or class level; a function's own header
        carries the function's name.
    kind : str
        ``return``, ``condition``, ``compute``, ``assign``, ``call``, ``loop``, ``raise``, ``except``, ``assert``,
        ``header``, ``with``, ``import`` or ``other``.
    governor : int
        Index of the header that decides whether it runs, -1 for none.
    owner : str
        Dotted name of the innermost class around it, ``""`` for none.
    reads, writes : frozenset of str
        Names and, with a leading dot, attributes.
    """

    first: int
    last: int
    function: str
    kind: str
    governor: int
    owner: str
    reads: frozenset[str]
    writes: frozenset[str]

    @property
    def weight(self) -> float:
        """How likely a fault sits in this kind of statement, 0..1, against others that ran as often."""
        return _WEIGHT[self.kind]


@dataclass(frozen=True, slots=True)
class FunctionSpan:
    """Where a function stands.

    Parameters
    ----------
    name : str
        Dotted: ``Class.method``, ``outer.inner``.
    first, last : int
        Lines from 1 with decorators, both included.
    line : int
        Line of ``def``.
    node : ast.FunctionDef or ast.AsyncFunctionDef
        Its tree.
    owner : ast.ClassDef or None
        The class it is a method of.
    """

    name: str
    first: int
    last: int
    line: int
    node: FunctionNode
    owner: ast.ClassDef | None


def statements_of(text: str) -> tuple[Statement, ...]:
    """Return a module's statements in order; docstrings, ``def``, ``class``, ``try`` and ``else`` are none.

    Parameters
    ----------
    text : str
        A module.

    Returns
    -------
    tuple of Statement
        ``governor`` indexes into it.

    Raises
    ------
    SyntaxError
        When the text is no Python.
    """
    walk = _Walk([])
    walk.block(ast.parse(text).body, _Scope("", "", "", -1))
    return tuple(walk.found)


def functions_of(tree: ast.Module) -> Iterator[FunctionSpan]:
    """Yield a module's functions, outer ones before inner ones."""
    yield from _functions(tree.body, "", None)


def function_at(tree: ast.Module, line: int) -> FunctionSpan | None:
    """Return the innermost function whose text holds a line."""
    holding = [span for span in functions_of(tree) if span.first <= line <= span.last]
    return max(holding, key=lambda span: span.first, default=None)


def function_named(tree: ast.Module, name: str) -> FunctionSpan | None:
    """Return the last function of a dotted name, which is the one that counts at run time."""
    return next((span for span in reversed(list(functions_of(tree))) if span.name == name), None)


def by_line(statements: Sequence[Statement]) -> dict[int, list[int]]:
    """Return which statements stand on each line, by index."""
    found: dict[int, list[int]] = {}
    for index, statement in enumerate(statements):
        for line in range(statement.first, statement.last + 1):
            found.setdefault(line, []).append(index)
    return found


@dataclass(frozen=True, slots=True)
class _Scope:
    prefix: str
    function: str
    owner: str
    governor: int


@dataclass(slots=True)
class _Walk:
    found: list[Statement]

    def block(self, body: Sequence[ast.stmt], scope: _Scope) -> None:
        for node in body:
            if isinstance(node, _DEFINES):
                self._definition(node, scope)
            elif not _is_docstring(node):
                self._statement(node, scope)

    def _definition(self, node: FunctionNode | ast.ClassDef, scope: _Scope) -> None:
        name = f"{scope.prefix}{node.name}"
        if isinstance(node, ast.ClassDef):
            self.block(node.body, _Scope(f"{name}.", scope.function, name, scope.governor))
            return
        defaults = [*node.args.defaults, *(default for default in node.args.kw_defaults if default is not None)]
        if defaults:
            last = max(node.lineno, *(default.end_lineno or node.lineno for default in defaults))
            inner = _Scope("", name, scope.owner, -1)
            self._add(node.lineno, last, inner, "header", defaults, [])
        self.block(node.body, _Scope(f"{name}.", name, scope.owner, -1))

    def _statement(self, node: ast.stmt, scope: _Scope) -> None:
        header, kind = _header(node)
        governor = scope.governor
        if header is not None:
            last = max(part.end_lineno or node.lineno for part in header)
            written = [node.target] if isinstance(node, ast.For | ast.AsyncFor) else []
            governor = self._add(node.lineno, last, scope, kind, header, written)
        elif not isinstance(node, ast.Try | ast.TryStar):
            self._add(node.lineno, node.end_lineno or node.lineno, scope, _kind(node), [node], [node])
            return
        inner = _Scope(scope.prefix, scope.function, scope.owner, governor)
        for field in ("body", "handlers", "cases", "orelse", "finalbody"):
            for part in _blocks(node, field):
                self._part(part, inner)

    def _part(self, part: list[ast.stmt] | ast.ExceptHandler | ast.match_case, scope: _Scope) -> None:
        if isinstance(part, list):
            self.block(part, scope)
            return
        governor = scope.governor
        if isinstance(part, ast.ExceptHandler):
            last = part.type.end_lineno if part.type is not None and part.type.end_lineno else part.lineno
            governor = self._add(part.lineno, last, scope, "except", [part.type] if part.type else [], [])
        else:
            parts: list[ast.AST] = [part.pattern, *([part.guard] if part.guard else [])]
            end = max(part.pattern.end_lineno, (part.guard and part.guard.end_lineno) or 0)
            governor = self._add(part.pattern.lineno, end, scope, "condition", parts, [])
        self.block(part.body, _Scope(scope.prefix, scope.function, scope.owner, governor))

    def _add(
        self, first: int, last: int, scope: _Scope, kind: str, read: Iterable[ast.AST], written: Iterable[ast.AST]
    ) -> int:
        reads = frozenset(name for node in read for name in _names(node, ast.Load))
        writes = frozenset(name for node in written for name in _names(node, ast.Store))
        self.found.append(Statement(first, last, scope.function, kind, scope.governor, scope.owner, reads, writes))
        return len(self.found) - 1


def _functions(body: Sequence[ast.stmt], prefix: str, owner: ast.ClassDef | None) -> Iterator[FunctionSpan]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _functions(node.body, f"{prefix}{node.name}.", node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            yield FunctionSpan(prefix + node.name, first, node.end_lineno or node.lineno, node.lineno, node, owner)
            yield from _functions(node.body, f"{prefix}{node.name}.", None)
        else:
            for field in ("body", "handlers", "cases", "orelse", "finalbody"):
                for part in _blocks(node, field):
                    yield from _functions(part if isinstance(part, list) else part.body, prefix, owner)


def _blocks(node: ast.stmt, field: str) -> Iterator[list[ast.stmt] | ast.ExceptHandler | ast.match_case]:
    value = getattr(node, field, None)
    if isinstance(value, list) and value:
        if field in {"handlers", "cases"}:
            yield from value
        else:
            yield value


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _header(node: ast.stmt) -> tuple[list[ast.expr] | None, str]:
    match node:
        case ast.If() | ast.While():
            return [node.test], "condition"
        case ast.For() | ast.AsyncFor():
            return [node.iter], "loop"
        case ast.With() | ast.AsyncWith():
            return [item.context_expr for item in node.items], "with"
        case ast.Match():
            return [node.subject], "condition"
        case _:
            return None, ""


def _kind(node: ast.stmt) -> str:
    if isinstance(node, ast.Assign | ast.AnnAssign):
        return "compute" if node.value is not None and _computes(node.value) else "assign"
    if isinstance(node, ast.Expr):
        return "return" if isinstance(node.value, ast.Yield | ast.YieldFrom) else "call"
    return _KINDS.get(type(node), "other")


def _computes(value: ast.expr) -> bool:
    return any(isinstance(node, _COMPUTES) for node in ast.walk(value))


def _names(root: ast.AST, context: type[ast.expr_context]) -> Iterator[str]:
    for node in ast.walk(root):
        if isinstance(node, ast.Name) and isinstance(node.ctx, context):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, context):
            yield f".{node.attr}"
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and context is ast.Store:
            yield from _names(node.value, ast.Load)
        elif isinstance(node, ast.AugAssign) and context is ast.Load and isinstance(node.target, ast.Name):
            yield node.target.id
