"""Wrong positions: indexes, slices and ranges off by one, turned round, or with a part missing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from automation.repair.templates.changes import Change, Context, Site, bracketed
from automation.repair.templates.kinds import CONTAINER, LIST, TEXT, TUPLE

_SEQUENCES = {LIST, TEXT, TUPLE, CONTAINER}


def indexes(context: Context, site: Site) -> Iterator[Change]:
    """Propose the first, the last or no element, and nested indexes in the other order."""
    for node in site.expressions:
        if not isinstance(node, ast.Subscript) or isinstance(node.slice, ast.Slice):
            continue
        for text, weight in (("0", 0.5), ("-1", 0.6), ("1", 0.25)):
            yield context.swap(node.slice, text, weight)
        inner = node.value
        if isinstance(inner, ast.Subscript) and not isinstance(inner.slice, ast.Slice):
            yield context.exchange(inner.slice, node.slice, 0.9)
        if isinstance(node.slice, ast.Tuple) and len(node.slice.elts) == 2:
            yield context.exchange(node.slice.elts[0], node.slice.elts[1], 0.9)
        if isinstance(node.ctx, ast.Load):
            yield context.swap(node, context.code(node.value), 0.5)
            yield context.swap(node, context.code(node.slice), 0.3)
            index = bracketed(context.code(node.slice))
            yield context.swap(node.slice, f"-{index}", 0.3)
            yield context.swap(node.slice, f"{index}:", 0.2)
            yield context.swap(node.slice, f":{index}", 0.2)
            yield context.swap(node.slice, f"len({context.code(node.value)}) - 1 - {index}", 0.1)
        for name in site.scope.variables:
            if isinstance(node.value, ast.Name) and name != node.value.id and isinstance(node.slice, ast.Name):
                yield context.swap(node, f"{name}[{node.value.id}]", 0.04)


def slices(context: Context, site: Site) -> Iterator[Change]:
    """Propose slices with other ends, and a slice where there is none."""
    for node in site.expressions:
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            yield from _other_ends(context, site, node, node.slice)
    for node in site.loads:
        parent = context.module.parents.get(node)
        if not isinstance(node, ast.Name | ast.Call | ast.Attribute) or site.scope.kind(node) not in (*_SEQUENCES, ""):
            continue
        if isinstance(parent, ast.Attribute) or getattr(parent, "func", None) is node:
            continue
        if isinstance(parent, ast.Subscript) or isinstance(site.statement, ast.Import | ast.ImportFrom):
            continue
        weight = 0.4 if site.scope.kind(node) in _SEQUENCES else 0.12
        for text in ("[1:]", "[:-1]", "[::-1]", "[0]", "[-1]", "[:]"):
            yield context.swap(node, bracketed(context.code(node)) + text, weight)
        for name in site.scope.variables:
            if site.scope.kinds.get(name) == "number" and context.code(node) != name:
                yield context.swap(node, f"{context.code(node)}[{name}]", weight * 0.5)
                yield context.swap(node, f"{context.code(node)}[{name}:]", weight * 0.3)
                yield context.swap(node, f"{context.code(node)}[:{name}]", weight * 0.3)


def _other_ends(context: Context, site: Site, node: ast.Subscript, part: ast.Slice) -> Iterator[Change]:
    lower, upper, step = (context.code(item) if item else "" for item in (part.lower, part.upper, part.step))

    def sliced(first: str, last: str, by: str, weight: float) -> Change:
        return context.swap(node.slice, f"{first}:{last}" + (f":{by}" if by else ""), weight)

    if lower:
        yield sliced("", upper, step, 0.6)
    if upper:
        yield sliced(lower, "", step, 0.7)
    if lower or upper:
        yield sliced(upper, lower, step, 0.5)
    if not lower:
        yield sliced("1", upper, step, 0.6)
        for name in site.scope.variables[:10]:
            if site.scope.kinds.get(name) == "number":
                yield sliced(name, upper, step, 0.2)
                yield sliced(f"{name} + 1", upper, step, 0.15)
    if not upper:
        yield sliced(lower, "-1", step, 0.6)
        for name in site.scope.variables[:10]:
            if site.scope.kinds.get(name) == "number":
                yield sliced(lower, name, step, 0.25)
                yield sliced(lower, f"{name} + 1", step, 0.15)
                if lower and lower != name:
                    yield sliced(lower, f"{lower} + {name}", step, 0.25)
    if step:
        yield sliced(lower, upper, "", 0.6)
        yield sliced(lower, upper, step.removeprefix("-") if step.startswith("-") else f"-{step}", 0.5)
    else:
        yield sliced(lower, upper, "-1", 0.3)
        yield sliced(lower, upper, "2", 0.2)
    yield context.swap(node, context.code(node.value), 0.5)
    if lower:
        yield context.swap(node, f"{bracketed(context.code(node.value))}[{lower}]", 0.2)


def ranges(context: Context, site: Site) -> Iterator[Change]:
    """Propose ranges with other ends, another step, or turned round."""
    for node in site.expressions:
        match node:
            case ast.Call(func=ast.Name(id="range"), args=[stop], keywords=[]):
                end = context.code(stop)
                for text, weight in (
                    (f"1, {end}", 0.6),
                    (f"1, {end} + 1", 0.8),
                    (f"{end} - 1, -1, -1", 0.4),
                    (f"0, {end}, 2", 0.2),
                    (f"2, {end}", 0.3),
                    (f"2, {end} + 1", 0.3),
                ):
                    yield context.swap(node, f"range({text})", weight)
                for name in site.scope.variables:
                    if site.scope.kinds.get(name) == "number" and name != end:
                        yield context.swap(node, f"range({name}, {end})", 0.5)
                        yield context.swap(node, f"range({name} + 1, {end})", 0.5)
            case ast.Call(func=ast.Name(id="range"), args=[first, stop, *rest], keywords=[]):
                yield from _other_range(context, node, context.code(first), context.code(stop), rest)


def _other_range(context: Context, node: ast.Call, first: str, last: str, rest: list[ast.expr]) -> Iterator[Change]:
    by = context.code(rest[0]) if rest else ""
    tail = f", {by}" if by else ""
    yield context.swap(node, f"range({last})", 0.5)
    yield context.swap(node, f"range({first}, {last} + 1, {by or '1'})" if by else f"range({first}, {last} + 1)", 0.7)
    yield context.swap(node, f"range({last}, {first}{tail})", 0.4)
    yield context.swap(node, f"range({last}, {first}, -1)", 0.5)
    yield context.swap(node, f"range({last} - 1, {first} - 1, -1)", 0.4)
    yield context.swap(node, f"range({last}, {first} - 1, -1)", 0.3)
    if by:
        yield context.swap(node, f"range({first}, {last})", 0.5)
        yield context.swap(node, f"range({first}, {last}, {by.removeprefix('-') if by[0] == '-' else '-' + by})", 0.5)
    else:
        for step in ("-1", "2"):
            yield context.swap(node, f"range({first}, {last}, {step})", 0.4)
