"""Wrong names: another variable in scope, an unknown name, a missing ``self.``, wrong targets."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from difflib import SequenceMatcher, get_close_matches
from functools import lru_cache

from automation.repair.templates.changes import Change, Context, Site
from automation.repair.templates.kinds import compatible

_MOST_ALTERNATIVES = 14


def variables(context: Context, site: Site) -> Iterator[Change]:
    """Propose other variables in scope, those of the same kind and with similar names first."""
    scope = site.scope
    for node in site.loads:
        if not isinstance(node, ast.Name) or _is_called(context, node):
            continue
        local = node.id in scope.variables
        if not local and node.id not in scope.module_names:
            continue
        others = [name for name in scope.variables if name != node.id] + [
            name for name in scope.module_names if name != node.id and not local and name not in scope.variables
        ]
        weighed = [
            (_likeness(node.id, name) * compatible(_kind(site, node.id), _kind(site, name)), name) for name in others
        ]
        for weight, name in sorted(weighed, key=lambda item: -item[0])[:_MOST_ALTERNATIVES]:
            yield context.swap(node, name, weight)


def unknown_names(context: Context, site: Site) -> Iterator[Change]:
    """Propose the closest known name, or the attribute of ``self``, for a name that nothing defines."""
    known = site.scope.defined
    for node in site.loads:
        if not isinstance(node, ast.Name):
            continue
        if node.id in self_attributes(context, site):
            yield context.swap(node, f"self.{node.id}", 0.2 if node.id in known else 1.0)
        if node.id not in known:
            candidates = [*site.scope.variables, *known]
            for name in dict.fromkeys(get_close_matches(node.id, candidates, n=6, cutoff=0.5)):
                yield context.swap(node, name, 1.0)
            for name in site.scope.variables[:8]:
                yield context.swap(node, name, 0.3)


def targets(context: Context, site: Site) -> Iterator[Change]:
    """Propose another variable to assign to, and unpacked names in another order."""
    statement, scope = site.statement, site.scope
    for node in site.expressions:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and site.function is not None:
            if isinstance(statement, ast.For | ast.AsyncFor) or _in_comprehension(context, node):
                continue
            for name in [name for name in scope.variables if name != node.id][:10]:
                weight = compatible(_kind(site, node.id), _kind(site, name)) * _likeness(node.id, name)
                yield context.swap(node, name, weight)
        if isinstance(node, ast.Tuple | ast.List) and 2 <= len(node.elts) <= 5:
            weight = 0.9 if isinstance(node.ctx, ast.Store) else 0.6
            for left, right in zip(node.elts, node.elts[1:], strict=False):
                yield context.exchange(left, right, weight)


def own_attributes(context: Context, site: Site) -> Iterator[Change]:
    """Propose other attributes of ``self``, and an attribute instead of a variable of the same name."""
    names = self_attributes(context, site)
    methods = _methods(context, site)
    for node in site.expressions:
        match node:
            case ast.Attribute(value=ast.Name(id="self"), attr=attribute):
                called = _is_called(context, node)
                pool = methods if called else names
                for name in [name for name in pool if name != attribute][:10]:
                    yield context.swap(node, f"self.{name}", _likeness(attribute, name))
                if attribute in site.scope.variables:
                    yield context.swap(node, attribute, 0.8)
            case ast.Name(id=name, ctx=ast.Load()) if name in site.scope.variables:
                if name in names:
                    yield context.swap(node, f"self.{name}", 0.7)


def self_attributes(context: Context, site: Site) -> tuple[str, ...]:
    """Return the attributes that the class around a site has, methods left out."""
    owner = context.module.enclosing_class(site.statement)
    return _class_attributes(owner) if owner is not None else ()


@lru_cache(maxsize=256)
def _class_attributes(owner: ast.ClassDef) -> tuple[str, ...]:
    methods = {item.name for item in owner.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)}
    found: dict[str, None] = {}
    for node in ast.walk(owner):
        match node:
            case ast.Attribute(value=ast.Name(id="self"), attr=name) if name not in methods:
                found.setdefault(name)
    found.update(
        dict.fromkeys(
            item.target.id
            for item in owner.body
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
        )
    )
    return tuple(found)


def _methods(context: Context, site: Site) -> tuple[str, ...]:
    owner = context.module.enclosing_class(site.statement)
    if owner is None:
        return ()
    return tuple(item.name for item in owner.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef))


def _is_called(context: Context, node: ast.expr) -> bool:
    parent = context.module.parents.get(node)
    return isinstance(parent, ast.Call) and parent.func is node


def _in_comprehension(context: Context, node: ast.expr) -> bool:
    above = context.module.parents.get(node)
    while isinstance(above, ast.Tuple | ast.List | ast.Starred):
        above = context.module.parents.get(above)
    return isinstance(above, ast.comprehension)


def _kind(site: Site, name: str) -> str:
    return site.scope.kinds.get(name, "")


@lru_cache(maxsize=4096)
def _likeness(first: str, second: str) -> float:
    return 0.6 + 0.4 * SequenceMatcher(None, first, second).ratio()
