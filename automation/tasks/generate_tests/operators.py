"""The sorts of faults that mutants have: what each makes of one expression or statement."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from types import MappingProxyType

Function = ast.FunctionDef | ast.AsyncFunctionDef

_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_NEXT_TO: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
_OTHER: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
}


def _with_operator(node: ast.Compare, table: dict[type[ast.cmpop], type[ast.cmpop]]) -> Iterator[str]:
    for at, operator in enumerate(node.ops):
        other = table.get(type(operator))
        if other is not None:
            changed = copy.deepcopy(node)
            changed.ops[at] = other()
            yield ast.unparse(changed)


def _comparison(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Compare):
        yield from _with_operator(node, _OPPOSITE)


def _boundary(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Compare):
        yield from _with_operator(node, _NEXT_TO)


def _arithmetic(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.BinOp):
        texts = (node.left, node.right)
        if any(isinstance(each, ast.JoinedStr) or _is_text(each) for each in texts):
            # a text has no other operators
            return
        yield ast.unparse(ast.BinOp(node.left, _OTHER.get(type(node.op), ast.Add)(), node.right))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Invert):
        yield ast.unparse(node.operand)


def _constant(node: ast.expr) -> Iterator[str]:
    if not isinstance(node, ast.Constant) or isinstance(node.value, bool):
        return
    if isinstance(node.value, int):
        yield from (repr(node.value + 1), repr(node.value - 1))
    elif isinstance(node.value, float):
        yield repr(node.value + 1.0)
    elif isinstance(node.value, str | bytes):
        empty = type(node.value)()
        yield repr(empty) if node.value else repr("x" if isinstance(node.value, str) else b"x")


def _boolean(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield repr(not node.value)
    elif isinstance(node, ast.BoolOp):
        other: ast.boolop = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield ast.unparse(ast.BoolOp(other, node.values))
        for at in range(len(node.values)):
            rest = [*node.values[:at], *node.values[at + 1 :]]
            yield ast.unparse(rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield ast.unparse(node.operand)
    elif isinstance(node, ast.IfExp):
        yield from (ast.unparse(node.body), ast.unparse(node.orelse))


def _argument(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _EXTREMES:
        yield ast.unparse(ast.Call(ast.Name(_EXTREMES[node.func.id]), node.args, node.keywords))
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice) and isinstance(node.ctx, ast.Load):
        for name in ("lower", "upper"):
            if getattr(node.slice, name) is not None:
                changed = copy.deepcopy(node)
                setattr(changed.slice, name, None)
                yield ast.unparse(changed)


_EXTREMES = {"min": "max", "max": "min", "any": "all", "all": "any"}


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)


def _returned(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.Return) and node.value is not None:
        is_none = isinstance(node.value, ast.Constant) and node.value.value is None
        if not is_none:
            yield "return None"


def _removed(node: ast.stmt) -> Iterator[str]:
    is_call = isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant | ast.Yield | ast.YieldFrom)
    if (
        is_call
        or isinstance(node, ast.AugAssign | ast.Delete)
        or (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute | ast.Subscript))
    ):
        yield "pass"


def _jump(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.Break):
        yield "continue"
    elif isinstance(node, ast.Continue):
        yield "break"


def _exception(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.Raise):
        yield "pass"


def _augmented(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.AugAssign) and not _is_text(node.value):
        changed = ast.AugAssign(node.target, _OTHER.get(type(node.op), ast.Add)(), node.value)
        yield ast.unparse(changed)


CHANGES: MappingProxyType[str, Callable[[ast.expr], Iterator[str]]] = MappingProxyType(
    {
        "comparison": _comparison,
        "boundary": _boundary,
        "arithmetic": _arithmetic,
        "constant": _constant,
        "boolean": _boolean,
        "argument": _argument,
    }
)
"""New texts of an expression, by operator."""

STATEMENT_CHANGES: MappingProxyType[str, Callable[[ast.stmt], Iterator[str]]] = MappingProxyType(
    {
        "return": _returned,
        "statement": _removed,
        "jump": _jump,
        "exception": _exception,
        "augmented": _augmented,
    }
)
"""New texts of a statement, by operator."""
