"""Wrong constants: off by one, zero, one, empty, the other one in scope, and wrong first values."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from automation.repair.records import TextEdit
from automation.repair.templates.changes import Change, Context, Site, bracketed
from automation.repair.templates.kinds import CONTAINER, LIST, NUMBER, TEXT, TUPLE

_OFFSET_WEIGHTS: tuple[tuple[tuple[type[ast.AST], ...], float], ...] = (
    ((ast.Return, ast.Assign), 0.6),
    ((ast.AugAssign, ast.IfExp, ast.Tuple, ast.List), 0.3),
)
_PRECISION = re.compile(r"(?<=\.)\d+(?=[feg%}])")


def numbers(context: Context, site: Site) -> Iterator[Change]:
    """Propose numbers nearby, special ones, and others used in the function."""
    for node in site.expressions:
        if not isinstance(node, ast.Constant) or isinstance(node.value, bool | str | bytes):
            continue
        if isinstance(node.value, int | float):
            yield from _other_numbers(context, site, node, node.value)


def _other_numbers(context: Context, site: Site, node: ast.Constant, value: float) -> Iterator[Change]:
    step = 1 if isinstance(value, int) or value.is_integer() else 0
    weights: dict[str, float] = {}
    if step:
        weights |= {repr(value + 1): 1.0, repr(value - 1): 0.9}
    weights |= {text: max(weights.get(text, 0), 0.45) for text in ("0", "1")}
    weights |= {repr(-value): 0.3, "2": max(weights.get("2", 0), 0.2), "-1": max(weights.get("-1", 0), 0.25)}
    doubled = (repr(value * 2), repr(value // 2 if isinstance(value, int) else value / 2))
    scaled = (repr(value * 10), repr(value // 10 if isinstance(value, int) else value / 10))
    for text, weight in ((doubled[0], 0.2), (doubled[1], 0.2), (scaled[0], 0.12), (scaled[1], 0.12)):
        weights.setdefault(text, weight)
    for other in site.scope.nodes:
        if isinstance(other, ast.Constant) and type(other.value) in (int, float):
            weights.setdefault(repr(other.value), 0.3)
    for name in site.scope.module_names:
        if name.isupper():
            weights.setdefault(name, 0.2)
    for text, weight in weights.items():
        yield context.swap(node, text, weight)


def variables_for_numbers(context: Context, site: Site) -> Iterator[Change]:
    """Propose a variable where a number stands."""
    for node in site.expressions:
        if not isinstance(node, ast.Constant) or type(node.value) not in (int, float):
            continue
        parent = context.module.parents.get(node)
        likely = 0.4 if isinstance(parent, ast.BinOp | ast.Subscript | ast.Slice) else 1.0
        for name in site.scope.variables:
            kind = site.scope.kinds.get(name, "")
            if kind in (NUMBER, ""):
                yield context.swap(node, name, likely if kind else likely * 0.5)


def offsets(context: Context, site: Site) -> Iterator[Change]:
    """Propose one more and one less than an expression where positions, bounds and sizes are."""
    for node in site.loads:
        parent = context.module.parents.get(node)
        weight = _offset_weight(parent, node)
        if weight == 0 or isinstance(node, ast.Constant | ast.Slice | ast.JoinedStr | ast.Starred):
            continue
        kind = site.scope.kind(node)
        if kind not in (NUMBER, ""):
            continue
        weight *= 1.0 if kind == NUMBER else 0.7
        code = bracketed(context.code(node)) if not isinstance(node, ast.BinOp) else context.code(node)
        if isinstance(node, ast.BinOp) and not isinstance(
            node.op, ast.Add | ast.Sub | ast.Mult | ast.Div | ast.FloorDiv
        ):
            code = f"({code})"
        if _adds_constant(node):
            weight *= 0.5
        yield context.swap(node, f"{code} + 1", weight)
        yield context.swap(node, f"{code} - 1", weight)


def _offset_weight(parent: ast.AST | None, node: ast.expr) -> float:
    match parent:
        case ast.Slice():
            weight = 1.0
        case ast.Subscript(slice=index):
            weight = 1.0 if index is node else 0.0
        case ast.Call(func=callee, args=arguments):
            is_range = isinstance(callee, ast.Name) and callee.id == "range"
            weight = 0.0 if node not in arguments else 1.0 if is_range else 0.5
        case ast.Compare(ops=[ast.Lt() | ast.LtE() | ast.Gt() | ast.GtE() | ast.Eq() | ast.NotEq(), *_]):
            weight = 0.6
        case ast.BinOp():
            weight = 0.0 if isinstance(node, ast.BinOp) else 0.4
        case _:
            weight = next((likely for types, likely in _OFFSET_WEIGHTS if isinstance(parent, types)), 0.0)
    return weight


def _adds_constant(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.right, ast.Constant)


def texts(context: Context, site: Site) -> Iterator[Change]:
    """Propose other strings of the function and the file, another case, empty, a space."""
    for node in site.expressions:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and not _is_docstring(site, node):
            yield from _other_texts(context, site, node, node.value)
        if isinstance(node, ast.JoinedStr):
            yield from _precisions(context, node)


def _other_texts(context: Context, site: Site, node: ast.Constant, value: str) -> Iterator[Change]:
    weights: dict[str, float] = {}
    for other in site.scope.nodes:
        if isinstance(other, ast.Constant) and isinstance(other.value, str) and len(other.value) <= 24:
            weights.setdefault(other.value, 0.7)
    if value:
        weights.setdefault("", 0.4)
    plain = ((" ", 0.6), (",", 0.2), ("\n", 0.25), (", ", 0.25), ("0", 0.1)) if len(value) <= 2 else ()
    variants = (value.lower(), value.upper(), value.strip(), value + " ", " " + value, value[:-1], value[1:])
    for text, weight in (*plain, *((variant, 0.25) for variant in variants)):
        weights.setdefault(text, weight)
    for text in list(_strings_of(context))[:10]:
        weights.setdefault(text, 0.1)
    quote = '"' if context.code(node).endswith('"') else "'"
    for text, weight in weights.items():
        if text != value:
            yield context.swap(node, _quoted(text, quote), weight)


def _strings_of(context: Context) -> dict[str, None]:
    found: dict[str, None] = {}
    for node in ast.walk(context.module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and 0 < len(node.value) <= 12:
            found.setdefault(node.value)
    return found


def _quoted(text: str, quote: str) -> str:
    written = repr(text)
    return f'"{written[1:-1]}"' if quote == '"' and written[0] == "'" and '"' not in text else written


def _is_docstring(site: Site, node: ast.Constant) -> bool:
    return isinstance(site.statement, ast.Expr) and site.statement.value is node


def _precisions(context: Context, node: ast.JoinedStr) -> Iterator[Change]:
    start, _ = context.module.span(node)
    for match in _PRECISION.finditer(context.code(node)):
        for digits in (int(match.group()) + 1, int(match.group()) - 1):
            if digits >= 0:
                edit = TextEdit(start + match.start(), start + match.end(), str(digits))
                yield Change((edit,), f"precision {match.group()} becomes {digits}", 0.6)


def flags(context: Context, site: Site) -> Iterator[Change]:
    """Propose the other truth value, and other things that stand for nothing."""
    for node in site.expressions:
        if isinstance(node, ast.Constant) and isinstance(node.value, bool):
            yield context.swap(node, str(not node.value), 1.0)
            yield context.swap(node, "None", 0.15)
        elif isinstance(node, ast.Constant) and node.value is None:
            for text in ("False", "True", "0", "[]", "''", "{}"):
                yield context.swap(node, text, 0.25)
        elif isinstance(node, ast.List | ast.Dict | ast.Tuple) and not ast.unparse(node).strip("[](){}"):
            for text in ("[]", "{}", "()", "set()", "None", "''", "[[]]", "0"):
                yield context.swap(node, text, 0.35 if text == "[[]]" else 0.2)
        elif isinstance(node, ast.Call) and context.code(node) in ("set()", "dict()", "list()", "tuple()"):
            for text in ("[]", "{}", "set()", "()"):
                yield context.swap(node, text, 0.25)


def first_values(context: Context, site: Site) -> Iterator[Change]:
    """Propose other values for a variable to begin with."""
    statement = site.statement
    if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None or site.function is None:
        return
    value, pairs = statement.value, [statement.value]
    if isinstance(value, ast.Tuple):
        pairs = list(value.elts)
    for node in pairs:
        if not _is_first_value(node):
            continue
        for text in ("0", "1", "None", "float('-inf')", "float('inf')", "[]", "-1", "True", "False", "''"):
            yield context.swap(node, text, 0.5 if text in ("0", "1") else 0.35)
        for name in site.scope.parameters:
            kind = site.scope.kinds.get(name, "")
            yield context.swap(node, name, 0.35)
            if kind in (LIST, TEXT, TUPLE, CONTAINER, ""):
                yield context.swap(node, f"{name}[0]", 0.4 if kind else 0.15)
                yield context.swap(node, f"len({name})", 0.25 if kind else 0.1)
                yield context.swap(node, f"len({name}) - 1", 0.25 if kind else 0.1)
                yield context.swap(node, f"[{name}[0]]", 0.1)
            if kind in (NUMBER, ""):
                yield context.swap(node, f"[{name}]", 0.1)


def _is_first_value(node: ast.expr) -> bool:
    bare = node.operand if isinstance(node, ast.UnaryOp) else node
    if isinstance(bare, ast.Call):
        return isinstance(bare.func, ast.Name) and bare.func.id in ("float", "list", "set", "dict", "len")
    empty = isinstance(bare, ast.List | ast.Dict) and len(ast.unparse(bare)) <= 8
    return empty or isinstance(bare, ast.Constant | ast.Name | ast.Subscript)
