"""Wrong positions: indexes, slices and ranges off by one, turned round, or with a part missing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from automation.repair.templates.changes import Change, Context, Site, bracketed
from automation.repair.templates.kinds import CONTAINER, LIST, NUMBER, TEXT, TUPLE

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
            if site.scope.kinds.get(name) == NUMBER and context.code(node) != name:
                yield context.swap(node, f"{context.code(node)}[{name}]", weight * 0.5)
                yield context.swap(node, f"{context.code(node)}[{name}:]", weight * 0.3)
                yield context.swap(node, f"{context.code(node)}[:{name}]", weight * 0.3)


def _other_ends(context: Context, site: Site, node: ast.Subscript, part: ast.Slice) -> Iterator[Change]:
    lower, upper, step = (context.code(item) if item else "" for item in (part.lower, part.upper, part.step))
    ends = [("", upper, 0.6 if lower else 0.0), (lower, "", 0.7 if upper else 0.0), (upper, lower, 0.5)]
    ends += [("1", upper, 0.0 if lower else 0.6), (lower, "-1", 0.0 if upper else 0.6)]
    for name in site.scope.variables[:10]:
        if site.scope.kinds.get(name) not in (NUMBER, None):
            continue
        likely = 1.0 if site.scope.kinds.get(name) else 0.4
        if not lower:
            ends += [(name, upper, 0.2 * likely), (f"{name} + 1", upper, 0.15 * likely)]
        if not upper:
            ends += [(lower, name, 0.25 * likely), (lower, f"{name} + 1", 0.15 * likely)]
            ends += [(lower, f"{lower} + {name}", 0.25 * likely)] if lower else []
    tail = f":{step}" if step else ""
    for first, last, weight in ends:
        if weight:
            yield context.swap(node.slice, f"{first}:{last}{tail}", weight)
    turned = step.removeprefix("-") if step.startswith("-") else f"-{step}"
    for other, weight in (("", 0.6), (f":{turned}", 0.5)) if step else ((":-1", 0.3), (":2", 0.2)):
        yield context.swap(node.slice, f"{lower}:{upper}{other}", weight)
    if "-1" in (lower, upper) and not step:
        yield context.swap(node.slice, "::-1", 0.6)
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
                    kind = site.scope.kinds.get(name, "")
                    if kind in (NUMBER, "") and name != end:
                        weight = 0.6 if kind else 0.2
                        yield context.swap(node, f"range({name}, {end})", weight)
                        yield context.swap(node, f"range({name} + 1, {end})", weight)
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
