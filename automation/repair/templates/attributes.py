"""Wrong attributes and methods, by what is commonly confused and by what the repository uses."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from automation.repair.records import TextEdit
from automation.repair.templates.changes import Change, Context, Site, bracketed
from automation.repair.templates.kinds import BOOL, CONTAINER, DICT, FUNCTION, LIST, NUMBER, SET, TEXT

_TEXT_CALLS = (".strip()", ".lower()", ".upper()", ".split()")
_DICT_CALLS = (".items()", ".values()", ".keys()")
_MADE_ANEW = (ast.List, ast.BinOp, ast.Dict, ast.Call)
_NOT_COPIED = (NUMBER, BOOL, TEXT, FUNCTION)


def other_attributes(context: Context, site: Site) -> Iterator[Change]:
    """Propose other attributes and methods of the same value."""
    for node in site.expressions:
        if not isinstance(node, ast.Attribute):
            continue
        _, end = context.module.span(node)
        edit_start = end - len(node.attr)
        for at, name in enumerate(context.vocabulary.attribute_alternatives(node.attr)):
            edit = TextEdit(edit_start, end, name)
            yield Change((edit,), f".{node.attr} becomes .{name}", 1.0 if at < 4 else 0.5)


def positions_of_methods(context: Context, site: Site) -> Iterator[Change]:
    """Propose methods that take from the other end, and the ones that take what the argument holds."""
    for node in site.expressions:
        match node:
            case ast.Call(func=ast.Attribute(value=receiver, attr="pop"), args=[]):
                for text in ("pop(0)", "pop(-1)", "popleft()"):
                    yield context.swap(node, f"{context.code(receiver)}.{text}", 0.8)
            case ast.Call(func=ast.Attribute(value=receiver, attr="pop"), args=[_]):
                yield context.swap(node, f"{context.code(receiver)}.pop()", 0.8)
            case ast.Call(func=ast.Attribute(value=receiver, attr="append"), args=[item]):
                base, value = context.code(receiver), context.code(item)
                yield context.swap(node, f"{base}.insert(0, {value})", 0.6)
                yield context.swap(node, f"{base}.append([{value}])", 0.2)
                yield context.swap(node, f"{base} = {value}", 0.1)
            case ast.Call(func=ast.Attribute(value=receiver, attr="insert"), args=[_, item]):
                yield context.swap(node, f"{context.code(receiver)}.append({context.code(item)})", 0.7)


def defaults(context: Context, site: Site) -> Iterator[Change]:
    """Propose ``get`` with a default for a key that may be missing, and other defaults."""
    for node in site.expressions:
        match node:
            case ast.Subscript(value=value, slice=index, ctx=ast.Load()) if not isinstance(index, ast.Slice):
                if site.scope.kind(value) in (DICT, CONTAINER, ""):
                    known = 1.0 if site.scope.kind(value) == DICT else 0.4
                    for default in (", 0", "", ", []", ", ''", ", None"):
                        new = f"{context.code(value)}.get({context.code(index)}{default})"
                        yield context.swap(node, new, known)
            case ast.Call(func=ast.Attribute(value=value, attr="get"), args=[key, *rest]):
                base, name = context.code(value), context.code(key)
                yield context.swap(node, f"{base}[{name}]", 0.6)
                present = context.code(rest[0]) if rest else ""
                for default in ("0", "1", "[]", "''", "None", "{}", "False", name):
                    if default != present:
                        yield context.swap(node, f"{base}.get({name}, {default})", 0.5)


def method_calls(context: Context, site: Site) -> Iterator[Change]:
    """Propose a method's result instead of a value: a stripped text, a dictionary's items, a copy."""
    for node in site.loads:
        parent = context.module.parents.get(node)
        if not isinstance(node, ast.Name | ast.Subscript | ast.Attribute | ast.Call):
            continue
        if getattr(parent, "func", None) is node or isinstance(parent, ast.Attribute):
            continue
        kind, code = site.scope.kind(node), context.code(node)
        if kind in (TEXT, ""):
            for call in _TEXT_CALLS:
                yield context.swap(node, code + call, 0.6 if kind else 0.15)
        if kind in (DICT, ""):
            for call in _DICT_CALLS:
                yield context.swap(node, code + call, 0.9 if kind else 0.2)


def chains(context: Context, site: Site) -> Iterator[Change]:
    """Propose one attribute more, such as a node's successor's successor, and one less."""
    names = [node.attr for node in site.scope.nodes if isinstance(node, ast.Attribute)]
    called = {
        node.func.attr
        for node in site.scope.nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    read = [name for name in dict.fromkeys(names) if name not in called][:5]
    for node in site.loads:
        parent = context.module.parents.get(node)
        if getattr(parent, "func", None) is node or isinstance(parent, ast.Subscript):
            continue
        if isinstance(node, ast.Attribute) and not isinstance(parent, ast.Attribute):
            own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls", "math")
            if not own:
                yield context.swap(node, context.code(node.value), 1.0)
                for name in read:
                    yield context.swap(node, f"{context.code(node)}.{name}", 1.0 if name == node.attr else 0.5)
        elif isinstance(node, ast.Name) and site.scope.kinds.get(node.id, "") == "" and node.id in site.scope.variables:
            for name in read if not isinstance(parent, ast.Attribute) else ():
                yield context.swap(node, f"{node.id}.{name}", 0.5)


def copies(context: Context, site: Site) -> Iterator[Change]:
    """Propose a copy where the same object is shared, and the other way round."""
    for node in site.loads:
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and _is_handed_on(context, node):
            yield from _copied(context, site, node)
        match node:
            case ast.Subscript(value=value, slice=ast.Slice(lower=None, upper=None, step=None)):
                yield context.swap(node, context.code(value), 0.6)
            case ast.BinOp(left=ast.List(elts=[only]), op=ast.Mult(), right=count) if isinstance(only, _MADE_ANEW):
                yield context.swap(node, f"[{context.code(only)} for _ in range({context.code(count)})]", 2.0)


def _is_handed_on(context: Context, node: ast.expr) -> bool:
    parent = context.module.parents.get(node)
    handing = isinstance(parent, ast.Assign | ast.Return | ast.Call | ast.List | ast.Dict | ast.keyword)
    return handing and getattr(parent, "func", None) is not node


def _copied(context: Context, site: Site, node: ast.expr) -> Iterator[Change]:
    kind, code = site.scope.kind(node), bracketed(context.code(node))
    if kind in _NOT_COPIED:
        return
    weight = 1.0 if kind else 0.5
    for text in (".copy()",) if kind in (DICT, SET) else ("[:]", ".copy()"):
        yield context.swap(node, code + text, weight)
    if kind in (LIST, CONTAINER, ""):
        yield context.swap(node, f"list({context.code(node)})", weight * 0.8)
