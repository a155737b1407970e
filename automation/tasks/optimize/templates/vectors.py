"""Loops over arrays as operations on whole arrays."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from automation.tasks.optimize.drafts import Draft
from automation.tasks.optimize.templates.subject import Place, Subject

_ELEMENTWISE = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Mod, ast.FloorDiv)
_NUMPY = "numpy"


def vectors(subject: Subject) -> Iterator[Draft]:
    """Yield drafts with NumPy for loops over indices: sums, products, running sums, choices, elementwise arithmetic."""
    numpy = next((name for name, meaning in subject.imports.items() if meaning == _NUMPY), None)
    if numpy is None:
        return
    for place in subject.loops:
        loop = place.statement
        if not isinstance(loop, ast.For) or not isinstance(loop.target, ast.Name) or not subject.whole_lines(loop):
            continue
        bound = _bound(subject, loop.iter)
        if bound is None or subject.uses(loop.target.id, outside=[loop]):
            continue
        vector = _Vector(numpy, loop.target.id, bound)
        yield from _elementwise(subject, loop, vector)
        yield from _summed(subject, place, loop, vector)
        yield from _running(subject, place, loop, vector)


class _Vector:
    """How scalars of one round become arrays of all rounds."""

    def __init__(self, numpy: str, index: str, bound: str) -> None:
        self.numpy, self.index, self.bound = numpy, index, bound

    def of(self, node: ast.expr) -> str | None:
        """Return an expression of one round for all rounds at once; None where that is not known."""
        if isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id != self.index):
            return ast.unparse(node)
        if isinstance(node, ast.Subscript):
            return self._item(node)
        if isinstance(node, ast.BinOp) and isinstance(node.op, _ELEMENTWISE):
            sides = self.of(node.left), self.of(node.right)
            operator = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Mod: "%", ast.FloorDiv: "//"}
            return f"({sides[0]} {operator[type(node.op)]} {sides[1]})" if None not in sides else None
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            inner = self.of(node.operand)
            return None if inner is None else f"(-{inner})"
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "abs" and len(node.args) == 1:
            inner = self.of(node.args[0])
            return None if inner is None else f"{self.numpy}.abs({inner})"
        return self._choice(node)

    def _item(self, node: ast.Subscript) -> str | None:
        is_item = isinstance(node.value, ast.Name | ast.Attribute) and ast.unparse(node.slice) == self.index
        return f"{ast.unparse(node.value)}[:{self.bound}]" if is_item else None

    def _choice(self, node: ast.expr) -> str | None:
        if isinstance(node, ast.IfExp):
            parts = [self.of(each) for each in (node.test, node.body, node.orelse)]
            return None if None in parts else f"{self.numpy}.where({', '.join(map(str, parts))})"
        if (
            isinstance(node, ast.Compare)
            and len(node.ops) == 1
            and isinstance(node.ops[0], ast.Lt | ast.LtE | ast.Gt | ast.GtE)
        ):
            sides = self.of(node.left), self.of(node.comparators[0])
            operator = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}[type(node.ops[0])]
            return f"({sides[0]} {operator} {sides[1]})" if None not in sides else None
        return None


def _bound(subject: Subject, node: ast.expr) -> str | None:
    if not isinstance(node, ast.Call) or not subject.is_builtin(node.func, "range") or len(node.args) != 1:
        return None
    last = node.args[0]
    simple = isinstance(last, ast.Name) or (
        isinstance(last, ast.Call) and subject.is_builtin(last.func, "len") and isinstance(last.args[0], ast.Name)
    )
    return ast.unparse(last) if simple or isinstance(last, ast.Attribute) else None


def _elementwise(subject: Subject, loop: ast.For, vector: _Vector) -> Iterator[Draft]:
    body = loop.body
    value: str | None = None
    target: ast.expr | None = None
    if len(body) == 1 and isinstance(body[0], ast.Assign) and len(body[0].targets) == 1:
        target, value = body[0].targets[0], vector.of(body[0].value)
    elif len(body) == 1 and isinstance(body[0], ast.If) and len(body[0].body) == len(body[0].orelse) == 1:
        first, second = body[0].body[0], body[0].orelse[0]
        if isinstance(first, ast.Assign) and isinstance(second, ast.Assign):
            same = ast.unparse(first.targets[0]) == ast.unparse(second.targets[0])
            target = first.targets[0] if same else None
            value = vector.of(ast.IfExp(test=body[0].test, body=first.value, orelse=second.value))
    if (
        target is None
        or value is None
        or not isinstance(target, ast.Subscript)
        or ast.unparse(target.slice) != vector.index
    ):
        return
    line = f"{ast.unparse(target.value)}[:{vector.bound}] = {value[1:-1] if _wrapped(value) else value}"
    yield from subject.draft(
        "vector", f"{ast.unparse(target.value)} is filled by whole arrays", loop, [subject.replaced(loop, loop, line)]
    )


def _wrapped(text: str) -> bool:
    """Say whether the first bracket closes at the end."""
    depth = 0
    for at, letter in enumerate(text):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth == 0:
            return at == len(text) - 1 and text.startswith("(")
    return False


def _summed(subject: Subject, place: Place, loop: ast.For, vector: _Vector) -> Iterator[Draft]:
    first = place.before
    if len(loop.body) != 1 or not isinstance(loop.body[0], ast.AugAssign) or not isinstance(first, ast.Assign):
        return
    grown = loop.body[0]
    begins = isinstance(first.value, ast.Constant) and first.value.value == 0
    name = ast.unparse(grown.target)
    value = vector.of(grown.value)
    if not isinstance(grown.op, ast.Add) or not begins or ast.unparse(first.targets[0]) != name or value is None:
        return
    whole = f"{vector.numpy}.sum({value})"
    if isinstance(grown.value, ast.BinOp) and isinstance(grown.value.op, ast.Mult):
        sides = vector.of(grown.value.left), vector.of(grown.value.right)
        product = f"{vector.numpy}.dot({sides[0]}, {sides[1]})"
        yield from subject.draft(
            "vector", f"{name} is a dot product", loop, [subject.replaced(first, loop, f"{name} = {product}")]
        )
    yield from subject.draft(
        "vector", f"{name} is summed over whole arrays", loop, [subject.replaced(first, loop, f"{name} = {whole}")]
    )


def _running(subject: Subject, place: Place, loop: ast.For, vector: _Vector) -> Iterator[Draft]:
    first, body = place.before, loop.body
    if len(body) != 2 or not isinstance(body[0], ast.AugAssign) or not isinstance(body[1], ast.Assign):
        return
    name, target = ast.unparse(body[0].target), body[1].targets[0]
    begins = isinstance(first, ast.Assign) and ast.unparse(first.targets[0]) == name
    zero = begins and isinstance(first, ast.Assign) and isinstance(first.value, ast.Constant) and first.value.value == 0
    value = vector.of(body[0].value)
    stores = isinstance(target, ast.Subscript) and ast.unparse(target.slice) == vector.index
    if not zero or not stores or value is None or ast.unparse(body[1].value) != name or first is None:
        return
    if (
        not isinstance(body[0].op, ast.Add)
        or not isinstance(target, ast.Subscript)
        or subject.uses(name, outside=[first, loop])
    ):
        return
    line = f"{ast.unparse(target.value)}[:{vector.bound}] = {vector.numpy}.cumsum({value})"
    yield from subject.draft("vector", f"{name} is a running sum", loop, [subject.replaced(first, loop, line)])
