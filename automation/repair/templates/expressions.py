"""Wrong expressions: another one of the same function instead, branches and parts exchanged."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from automation.repair.templates.changes import Change, Context, Site, bracketed
from automation.repair.templates.kinds import compatible

_MOST_AT_NODE = 16
_MOST_NODES = 14


def transplants(context: Context, site: Site) -> Iterator[Change]:
    """Propose another expression of the function in an expression's place."""
    nodes = [node for node in site.loads if _replaceable(context, node)][:_MOST_NODES]
    for node in nodes:
        code, kind = context.code(node), site.scope.kind(node)
        names = {item.id for item in ast.walk(node) if isinstance(item, ast.Name)}
        ranked: list[tuple[float, str]] = []
        for text, other in site.scope.expressions.items():
            if text == code or (
                isinstance(other, ast.Call) and isinstance(other.func, ast.Name) and other.func.id == "range"
            ):
                continue
            fit = compatible(kind, site.scope.kind(other))
            if fit < 0.5:
                continue
            shared = names & {item.id for item in ast.walk(other) if isinstance(item, ast.Name)}
            closeness = 1.0 if shared else 0.6
            ranked.append((fit * closeness * (1.2 if type(other) is type(node) else 1.0), text))
        for weight, text in sorted(ranked, key=lambda item: -item[0])[:_MOST_AT_NODE]:
            yield context.swap(node, text, weight)


def _replaceable(context: Context, node: ast.expr) -> bool:
    parent = context.module.parents.get(node)
    if isinstance(node, ast.Slice | ast.Starred | ast.JoinedStr | ast.Lambda | ast.Yield | ast.YieldFrom):
        return False
    if getattr(parent, "func", None) is node or isinstance(parent, ast.Attribute | ast.Expr):
        return False
    return not isinstance(parent, ast.Subscript) or parent.slice is node


def branches(context: Context, site: Site) -> Iterator[Change]:
    """Propose the two values of a conditional expression exchanged, and a minimum for a maximum."""
    for node in site.expressions:
        if isinstance(node, ast.IfExp):
            yield context.exchange(node.body, node.orelse, 1.0)
            yield context.exchange(node.body, node.test, 0.2)


def orders_of_sorting(context: Context, site: Site) -> Iterator[Change]:
    """Propose the other direction or another part of a sort key, and a key turned round."""
    for node in site.expressions:
        if not isinstance(node, ast.Lambda):
            continue
        body = node.body
        code = context.code(body)
        yield context.swap(body, f"-{bracketed(code)}", 0.6)
        names = [argument.arg for argument in node.args.args]
        for name in names:
            for text in (
                name,
                f"{name}[0]",
                f"{name}[1]",
                f"{name}[-1]",
                f"len({name})",
                f"abs({name})",
                f"str({name})",
            ):
                if text != code:
                    yield context.swap(body, text, 0.5)
            yield context.swap(body, f"({code}, {name})", 0.5)
        if isinstance(body, ast.Tuple):
            for part in body.elts:
                yield context.swap(part, f"-{bracketed(context.code(part))}", 0.7)
                yield context.swap(body, context.code(part), 0.3)


def comprehensions(context: Context, site: Site) -> Iterator[Change]:
    """Propose another element, source or order of loops in a comprehension."""
    for node in site.expressions:
        match node:
            case ast.ListComp(elt=element, generators=loops) | ast.SetComp(elt=element, generators=loops):
                yield from _parts(context, site, node, element, loops)
            case ast.GeneratorExp(elt=element, generators=loops):
                yield from _parts(context, site, node, element, loops)
            case ast.DictComp(key=key, value=value):
                yield context.exchange(key, value, 0.8)


def _parts(
    context: Context, site: Site, node: ast.expr, element: ast.expr, loops: list[ast.comprehension]
) -> Iterator[Change]:
    targets = [item.id for loop in loops for item in ast.walk(loop.target) if isinstance(item, ast.Name)]
    for name in targets:
        if context.code(element) != name:
            yield context.swap(element, name, 0.6)
    if len(loops) == 2:
        (one, one_end), (two, two_end) = (_loop_span(context, loop) for loop in loops)
        text = context.module.text
        start = context.module.span(node)[0]
        new = text[start:one] + text[two:two_end] + text[one_end:two] + text[one:one_end]
        yield context.swap(node, new + text[two_end : context.module.span(node)[1]], 0.8)
    if isinstance(node, ast.ListComp):
        code = context.code(node)
        yield context.swap(node, "{" + code[1:-1] + "}", 0.3)
    if isinstance(node, ast.SetComp):
        yield context.swap(node, "[" + context.code(node)[1:-1] + "]", 0.5)


def _loop_span(context: Context, loop: ast.comprehension) -> tuple[int, int]:
    start = context.module.span(loop.target)[0]
    last = loop.ifs[-1] if loop.ifs else loop.iter
    return start, context.module.span(last)[1]


def keys_and_elements(context: Context, site: Site) -> Iterator[Change]:
    """Propose the key and the value of a dictionary exchanged, and a further element in a list or tuple."""
    for node in site.expressions:
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if key is not None:
                    yield context.exchange(key, value, 0.3)
        match node:
            case ast.Subscript(value=ast.Name() as value, slice=ast.Name() as index, ctx=ast.Load()):
                yield context.exchange(value, index, 0.4)
            case ast.Call(func=ast.Attribute(value=receiver), args=[only]) if not isinstance(only, ast.Starred):
                yield context.exchange(receiver, only, 0.8)
