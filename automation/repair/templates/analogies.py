"""What other code of the file does and this code does not: a step of another method, a condition of the same shape."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from automation.repair.templates.blocks import after, before
from automation.repair.templates.changes import Change, Context, Site
from automation.repair.templates.conditions import tests_of
from automation.repair.templates.insertions import has_room
from automation.repair.templates.kinds import DICT, LIST, SET, kind_of
from automation.repair.templates.modules import Function

_MOST = 16


def steps_of_others(context: Context, site: Site) -> Iterator[Change]:
    """Propose a step that another method of the class makes, or to empty a collection that the object keeps."""
    statement, owner = site.statement, _owner(context, site)
    if owner is None or statement is site.function or not has_room(context, statement):
        return
    own = site.scope.simple_statements
    near = _attributes(site.scope.nodes)
    known = {*site.scope.variables, "self", *site.scope.defined.difference(site.scope.stored_elsewhere)}
    weights: dict[str, float] = {}
    for method in owner.body:
        if isinstance(method, Function) and method is not site.function and method.name != "__init__":
            for code, node in context.scope(method).simple_statements.items():
                names = {item.id for item in ast.walk(node) if isinstance(item, ast.Name)}
                touched = _attributes(ast.walk(node))
                if touched and names <= known and code not in own:
                    weights[code] = 1.0 if touched & near else 0.5
    for name, kind in _kept(owner).items():
        if kind in (LIST, SET, DICT) and f"self.{name}.clear()" not in own:
            weights.setdefault(f"self.{name}.clear()", 0.7)
    final = isinstance(statement, ast.Return | ast.Break | ast.Continue | ast.Raise)
    for text, weight in sorted(weights.items(), key=lambda item: -item[1])[:_MOST]:
        yield before(context, statement, text, weight if final else weight * 0.6)
        if not final:
            yield after(context, statement, text, weight)


def refreshed_order(context: Context, site: Site) -> Iterator[Change]:
    """Propose that what is read from a mapping, or written to it again, becomes its last entry."""
    statement = site.statement
    if site.function is None or statement is site.function or not has_room(context, statement):
        return
    owner = _owner(context, site)
    kept = _kept(owner) if owner is not None else {}
    for node in site.expressions:
        if not isinstance(node, ast.Subscript) or isinstance(node.slice, ast.Slice):
            continue
        holder = node.value
        own = isinstance(holder, ast.Attribute) and isinstance(holder.value, ast.Name) and holder.value.id == "self"
        kind = kept.get(holder.attr, "") if own and isinstance(holder, ast.Attribute) else site.scope.kind(holder)
        if kind != DICT:
            continue
        name, key = context.code(holder), context.code(node.slice)
        if isinstance(node.ctx, ast.Store):
            yield before(context, statement, f"{name}.pop({key}, None)")
        elif isinstance(node.ctx, ast.Load):
            yield before(context, statement, f"{name}[{key}] = {name}.pop({key})")
        if "OrderedDict" in context.module.text:
            place = after if isinstance(node.ctx, ast.Store) else before
            yield place(context, statement, f"{name}.move_to_end({key})")


def conditions_of_one_shape(context: Context, site: Site) -> Iterator[Change]:
    """Propose another condition of the function, with one of its names replaced by one that this condition tests."""
    for test in tests_of(context, site):
        own = list(dict.fromkeys(node.id for node in ast.walk(test) if isinstance(node, ast.Name)))
        for other in site.scope.conditions:
            names = dict.fromkeys(re.findall(r"(?<![\w.])[A-Za-z_]\w*", other))
            shared = [name for name in names if name in own]
            if other == context.code(test) or not shared:
                continue
            for name in names:
                for new in own:
                    if name not in own and new not in names and name in site.scope.variables:
                        yield context.swap(test, re.sub(rf"(?<![\w.]){name}\b", new, other))


def _owner(context: Context, site: Site) -> ast.ClassDef | None:
    return context.module.enclosing_class(site.function) if site.function is not None else None


def _attributes(nodes: Iterable[ast.AST]) -> set[str]:
    attributes = (node for node in nodes if isinstance(node, ast.Attribute))
    return {node.attr for node in attributes if isinstance(node.value, ast.Name) and node.value.id == "self"}


def _kept(owner: ast.ClassDef) -> dict[str, str]:
    """Return the kinds of what an object keeps, by how they are made."""
    found: dict[str, str] = {}
    for node in ast.walk(owner):
        match node:
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)], value=value):
                found.setdefault(name, kind_of(value, {}))
            case ast.AnnAssign(target=ast.Attribute(value=ast.Name(id="self"), attr=name), value=ast.expr() as value):
                found.setdefault(name, kind_of(value, {}))
    return found
