"""Wrong accumulation: overwritten instead of collected, shared instead of made anew, in turn instead of at once."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from automation.repair.records import TextEdit
from automation.repair.templates.blocks import block_is_clear
from automation.repair.templates.changes import Change, Context, Site, bracketed, shorten

_PLAIN_TARGETS = (ast.Name, ast.Attribute, ast.Subscript)


def collections(context: Context, site: Site) -> Iterator[Change]:
    """Propose that a value joins what a key or a name already holds, and other ways to fill a collection."""
    match site.statement:
        case ast.Assign(targets=[ast.Subscript(value=holder, slice=index)], value=value):
            yield from _entry_collected(context, site, holder, index, value)
        case ast.Assign(targets=[ast.Name() | ast.Attribute() as target], value=value):
            yield from _value_collected(context, site, target, value)
        case ast.AugAssign(target=ast.Subscript(value=holder, slice=index), value=value):
            name, key, new = (context.code(node) for node in (holder, index, value))
            yield _line(context, site, f"{name}[{key}] = {name}.get({key}, 0) + {bracketed(new)}", 1.0)
            yield _line(context, site, f"{name}[{key}].append({new})", 0.3)
        case ast.AugAssign(target=ast.Name() as target, op=ast.Add(), value=value):
            yield _line(context, site, f"{target.id}.append({context.code(value)})", 0.5)
            yield _line(context, site, f"{target.id} = {bracketed(context.code(value))} + {target.id}", 0.6)
            yield _line(context, site, f"{target.id} = max({target.id}, {context.code(value)})", 0.4)
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=holder, attr=method), args=arguments)):
            yield from _other_filling(context, site, holder, method, arguments)


def at_once(context: Context, site: Site) -> Iterator[Change]:
    """Propose two assignments made at once, or one that was made at once made in turn."""
    module, statement = context.module, site.statement
    block = module.blocks.get(statement, [])
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1 or not block_is_clear(context, statement):
        return
    following = block[block.index(statement) + 1] if statement in block[:-1] else None
    target = statement.targets[0]
    if isinstance(following, ast.Assign) and len(following.targets) == 1 and block_is_clear(context, following):
        targets = f"{context.code(target)}, {context.code(following.targets[0])}"
        if not isinstance(target, ast.Tuple) and not isinstance(following.targets[0], ast.Tuple):
            values = f"{context.code(statement.value)}, {context.code(following.value)}"
            edit = TextEdit(module.span(statement)[0], module.span(following)[1], f"{targets} = {values}")
            yield Change((edit,), f"{targets} are assigned at once", 1.0)
    if isinstance(target, ast.Tuple) and isinstance(statement.value, ast.Tuple):
        given = list(zip(target.elts, statement.value.elts, strict=False))
        lines = [f"{context.code(one)} = {context.code(value)}" for one, value in given]
        gap = module.source.newline + module.indent_of(statement)
        for ordered, weight in ((lines, 0.7), (lines[::-1], 0.5)):
            edit = TextEdit(*module.span(statement), gap.join(ordered))
            yield Change((edit,), f"{shorten(context.code(target))} are assigned in turn", weight)


def renewals(context: Context, site: Site) -> Iterator[Change]:
    """Propose a new collection where a shared one is emptied, and the other way round."""
    match site.statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=holder, attr="clear"), args=[])):
            name, kind = context.code(holder), site.scope.kind(holder)
            for text in {"list": ("[]",), "dict": ("{}",), "set": ("set()",)}.get(kind, ("[]", "{}", "set()")):
                yield _line(context, site, f"{name} = {text}", 1.0)
        case ast.Assign(targets=[ast.Name() | ast.Attribute() as target], value=value):
            if context.code(value) in ("[]", "{}", "set()", "list()", "dict()"):
                yield _line(context, site, f"{context.code(target)}.clear()", 0.6)


def _entry_collected(
    context: Context, site: Site, holder: ast.expr, index: ast.expr, value: ast.expr
) -> Iterator[Change]:
    name, key, new = (context.code(node) for node in (holder, index, value))
    only = context.code(value.elts[0]) if isinstance(value, ast.List | ast.Set) and len(value.elts) == 1 else new
    yield _line(context, site, f"{name}.setdefault({key}, {new})", 1.0)
    if not isinstance(value, ast.Constant):
        yield _line(context, site, f"{name}.setdefault({key}, []).append({only})", 1.0)
        yield _line(context, site, f"{name}.setdefault({key}, set()).add({only})", 0.6)
        yield _line(context, site, f"{name}[{key}].append({only})", 0.6)
        yield _line(context, site, f"{name}[{key}].update({new})", 0.3)
    yield _line(context, site, f"{name}[{key}] = {name}.get({key}, 0) + {bracketed(new)}", 0.8)
    yield _line(context, site, f"{name}.append({new})", 0.3)


def _value_collected(context: Context, site: Site, target: ast.expr, value: ast.expr) -> Iterator[Change]:
    name, new = context.code(target), context.code(value)
    if isinstance(value, ast.Constant | ast.List) or name in new:
        return
    yield _line(context, site, f"{name} = {bracketed(new)} + {name}", 0.5)
    yield _line(context, site, f"{name} = {name} or {bracketed(new)}", 0.5)
    yield _line(context, site, f"{name} = {name} and {bracketed(new)}", 0.4)
    if site.scope.kind(target) in ("list", ""):
        yield _line(context, site, f"{name}.append({new})", 0.5)
        yield _line(context, site, f"{name}.extend({new})", 0.5)


def _other_filling(
    context: Context, site: Site, holder: ast.expr, method: str, arguments: list[ast.expr]
) -> Iterator[Change]:
    if len(arguments) != 1:
        return
    name, new = context.code(holder), context.code(arguments[0])
    if method in ("append", "extend"):
        yield _line(context, site, f"{name} += {new}", 0.5)
        yield _line(context, site, f"{name} = {new}", 0.3)
    if method in ("append", "add") and isinstance(holder, ast.Subscript):
        base, key = context.code(holder.value), context.code(holder.slice)
        empty = "[]" if method == "append" else "set()"
        yield _line(context, site, f"{base}.setdefault({key}, {empty}).{method}({new})", 1.0)
    if method == "append":
        for text in (f"list({new})", f"tuple({new})"):
            yield context.swap(arguments[0], text, 0.4)


def _line(context: Context, site: Site, text: str, weight: float) -> Change:
    edit = TextEdit(*context.module.span(site.statement), text)
    return Change((edit,), f"{shorten(context.code(site.statement))} becomes {shorten(text)}", weight)
