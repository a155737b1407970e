"""One idea in two places: roles of variables, both ends of a range, both comparisons, minimum and maximum together."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from itertools import combinations

from automation.repair.records import TextEdit
from automation.repair.templates.changes import Change, Context, Site, bracketed
from automation.repair.templates.kinds import compatible
from automation.repair.templates.operators import COMPARISON_TOKEN

_STRICTER = {ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">"}
_TURNED = {ast.Lt: ">", ast.LtE: ">=", ast.Gt: "<", ast.GtE: "<="}
_OPPOSITE_CALLS = (("min", "max"), ("any", "all"), ("floor", "ceil"), ("heappush", "heappushpop"))
_MOST_NAMES = 6


def roles(context: Context, site: Site) -> Iterator[Change]:
    """Propose two variables that trade places everywhere in a statement, or one replaced everywhere in it."""
    found: dict[str, list[ast.Name]] = {}
    for node in site.expressions:
        if isinstance(node, ast.Name) and node.id in site.scope.variables:
            found.setdefault(node.id, []).append(node)
    kinds = site.scope.kinds
    for one, other in combinations(list(found)[:_MOST_NAMES], 2):
        fit = compatible(kinds.get(one, ""), kinds.get(other, ""))
        if len(found[one]) + len(found[other]) > 2 and fit >= 0.5:
            swapped = [(node, other) for node in found[one]] + [(node, one) for node in found[other]]
            yield _together(context, swapped, f"{one} and {other} trade places", 0.8 * fit)
    for name, nodes in list(found.items())[:_MOST_NAMES]:
        for other in site.scope.variables if len(nodes) > 1 else ():
            fit = compatible(kinds.get(name, ""), kinds.get(other, ""))
            if other != name and fit >= 0.5:
                yield _together(context, [(node, other) for node in nodes], f"{name} becomes {other}", 0.4 * fit)


def comparisons(context: Context, site: Site) -> Iterator[Change]:
    """Propose both comparisons of a condition stricter, weaker or turned, and operator and number changed together."""
    compares = [node for node in site.expressions if isinstance(node, ast.Compare)]
    if sum(len(node.ops) for node in compares) > 1:
        for table, weight in ((_STRICTER, 1.0), (_TURNED, 0.5)):
            change = _all_operators(context, compares, table, weight)
            if change is not None:
                yield change
    for node in compares:
        match node:
            case ast.Compare(left=left, ops=[ast.Eq() | ast.Lt() | ast.LtE()], comparators=[ast.Constant(value=value)]):
                if type(value) is int and 0 <= value <= 2:
                    for text in ("<= 1", "< 2", "<= 0", "== 1", "== 0", "< 1"):
                        yield context.swap(node, f"{bracketed(context.code(left))} {text}", 0.5)
            case ast.Compare(left=left, ops=[ast.Gt() | ast.NotEq()], comparators=[ast.Constant(value=0)]):
                yield context.swap(node, f"{bracketed(context.code(left))} > 1", 0.4)


def both_ends(context: Context, site: Site) -> Iterator[Change]:
    """Propose both ends of a range or slice, both indexes or both arguments of a recursion moved by one."""
    name = site.function.name if site.function else ""
    for node in site.expressions:
        match node:
            case ast.Call(func=ast.Name(id=called), args=[first, second, *_]) if called in ("range", name):
                yield from _moved(context, first, second, 1.0 if called == "range" else 0.6)
            case ast.Slice(lower=ast.expr() as first, upper=ast.expr() as second):
                yield from _moved(context, first, second, 0.8)
            case ast.Subscript(value=ast.Subscript(slice=first), slice=second):
                if not isinstance(first, ast.Slice) and not isinstance(second, ast.Slice):
                    yield from _moved(context, first, second, 0.8)
            case (
                ast.Compare(left=ast.Subscript(slice=first), comparators=[ast.Subscript(slice=second)])
                | ast.BinOp(left=ast.Subscript(slice=first), right=ast.Subscript(slice=second))
            ) if not isinstance(first, ast.Slice) and not isinstance(second, ast.Slice):
                yield from _moved(context, first, second, 0.8)
            case ast.Subscript(slice=ast.Tuple(elts=[first, second])):
                yield from _moved(context, first, second, 0.8)


def opposite_calls(context: Context, site: Site) -> Iterator[Change]:
    """Propose every minimum of a statement as a maximum and the other way round, and likewise for any and all."""
    for pair in _OPPOSITE_CALLS:
        nodes = [node for node in site.expressions if isinstance(node, ast.Name) and node.id in pair]
        if len(nodes) > 1:
            other = {pair[0]: pair[1], pair[1]: pair[0]}
            swapped = [(node, other[node.id]) for node in nodes]
            yield _together(context, swapped, f"{pair[0]} and {pair[1]} trade places", 1.0)


def exchanged_results(context: Context, site: Site) -> Iterator[Change]:
    """Propose the values of a return and of a later one of the function exchanged."""
    returns = [item for item in site.scope.returns if item.value is not None]
    if not isinstance(site.statement, ast.Return) or site.statement not in returns:
        return
    at = returns.index(site.statement)
    for distance, other in enumerate(returns[at + 1 : at + 4]):
        if site.statement.value is not None and other.value is not None:
            yield context.exchange(site.statement.value, other.value, 1.0 if distance == 0 else 0.4)


def sort_orders(context: Context, site: Site) -> Iterator[Change]:
    """Propose one part of a sort key turned instead of the whole order, and the smallest for the greatest with it."""
    for node in site.expressions:
        if not isinstance(node, ast.Call):
            continue
        keys = [item.value.body for item in node.keywords if isinstance(item.value, ast.Lambda)]
        parts = keys[0].elts if keys and isinstance(keys[0], ast.Tuple) else []
        turned = [item.value for item in node.keywords if item.arg == "reverse"]
        flag = next((item for item in turned if isinstance(item, ast.Constant)), None)
        for part in parts:
            code = context.code(part)
            new = code.removeprefix("-") if code.startswith("-") else f"-{bracketed(code)}"
            if flag is not None:
                yield _together(context, [(part, new), (flag, str(not flag.value))], f"{code} is turned", 1.0)
            elif isinstance(node.func, ast.Name) and node.func.id in ("min", "max"):
                name = "min" if node.func.id == "max" else "max"
                yield _together(context, [(part, new), (node.func, name)], f"{code} is turned", 1.0)
        if len(parts) == 2:
            yield context.exchange(parts[0], parts[1], 0.6)


def euclid(context: Context, site: Site) -> Iterator[Change]:
    """Propose a recursion's arguments passed on in other roles, each variable to the next."""
    name = site.function.name if site.function else ""
    for node in site.expressions:
        match node:
            case ast.Call(func=ast.Name(id=called), args=[first, second]) if called == name:
                one, two = context.code(first), context.code(second)
                names = [item for item in site.scope.parameters if item not in (one, two)]
                for other in names[:3]:
                    yield _together(context, [(first, two), (second, other)], f"{one}, {two} move on", 0.6)
                    yield _together(context, [(first, other), (second, one)], f"{one}, {two} move on", 0.6)
            case ast.Call(func=ast.Name(id=called), args=[_, _, _, *_] as given) if called == name:
                codes = [context.code(item) for item in given]
                for turned in ([*codes[1:], codes[0]], [codes[-1], *codes[:-1]]):
                    yield _together(context, list(zip(given, turned, strict=True)), "arguments move round", 0.5)


def _moved(context: Context, first: ast.expr, second: ast.expr, weight: float) -> Iterator[Change]:
    steps = ((1, 1, 1.0), (-1, -1, 1.0), (1, -1, 0.4), (-1, 1, 0.4))
    for one, two, likely in steps:
        swapped = [(first, _shifted(context, first, one)), (second, _shifted(context, second, two))]
        yield _together(context, swapped, "both ends move", weight * likely)


def _shifted(context: Context, node: ast.expr, by: int) -> str:
    match node:
        case ast.Constant(value=int() as value) if not isinstance(value, bool):
            return repr(value + by)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as operator, right=ast.Constant(value=int() as value)):
            moved = (value if isinstance(operator, ast.Add) else -value) + by
            base = context.code(left)
            return base if moved == 0 else f"{base} {'+' if moved > 0 else '-'} {abs(moved)}"
    code = context.code(node) if isinstance(node, ast.BinOp) else bracketed(context.code(node))
    return f"{code} {'+' if by > 0 else '-'} 1"


def _all_operators(
    context: Context, compares: Sequence[ast.Compare], table: dict[type[ast.cmpop], str], weight: float
) -> Change | None:
    edits: list[TextEdit] = []
    for node in compares:
        operands = [node.left, *node.comparators]
        for left, operator, right in zip(operands, node.ops, operands[1:], strict=False):
            new = table.get(type(operator))
            change = (
                context.token(context.module.span(left)[1], context.module.span(right)[0], COMPARISON_TOKEN, new)
                if new
                else None
            )
            edits += change.edits if change else ()
    return Change(tuple(sorted(set(edits))), "every comparison changes", weight) if len(edits) > 1 else None


def _together(context: Context, swapped: Sequence[tuple[ast.expr, str]], description: str, weight: float) -> Change:
    edits = sorted(context.edit(node, text) for node, text in swapped)
    return Change(tuple(edits), description, weight)
