"""Missing statements: a copy of one nearby with other variables, a collection that is not filled, a step not made."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from automation.repair.records import TextEdit
from automation.repair.templates.blocks import after, before, block_is_clear, is_docstring
from automation.repair.templates.changes import Change, Context, Site
from automation.repair.templates.kinds import DICT, LIST, NUMBER, SET, compatible

_MOST = 60


def similar_statements(context: Context, site: Site) -> Iterator[Change]:
    """Propose a statement of the function once more here, as it is or with one variable changed."""
    statement = site.statement
    if site.function is None or statement is site.function or not has_room(context, statement):
        return
    weights: dict[str, float] = {}
    for code, node in site.scope.simple_statements.items():
        weights.setdefault(code, 0.6)
        for variant, weight in _variants(site, code, node):
            weights.setdefault(variant, weight * 0.5)
    ranked = sorted(weights.items(), key=lambda item: -item[1])[:_MOST]
    yield from _around(context, statement, ranked)


def fresh_statements(context: Context, site: Site) -> Iterator[Change]:
    """Propose to fill or empty a collection, to step a counter, or to keep a variable's value."""
    statement = site.statement
    if site.function is None or statement is site.function or not has_room(context, statement):
        return
    scope, weights = site.scope, dict[str, float]()
    near = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
    for name in scope.variables:
        kind = scope.kinds.get(name, "")
        method = {LIST: "append", SET: "add"}.get(kind)
        for other in scope.variables:
            closeness = 1.0 if other in near else 0.5
            if method and other != name:
                weights[f"{name}.{method}({other})"] = 0.7 * closeness
            if kind == DICT and other != name:
                weights[f"{name}[{other}] = True"] = 0.15 * closeness
            if other != name and compatible(kind, scope.kinds.get(other, "")) >= 0.6:
                weights[f"{name} = {other}"] = 0.25 * closeness
        if kind == NUMBER:
            weights |= {f"{name} += 1": 0.6, f"{name} -= 1": 0.4, f"{name} = 0": 0.3}
        if kind == LIST:
            weights |= {f"{name} = []": 0.3, f"{name}.sort()": 0.2, f"{name}.pop()": 0.3, f"{name}.reverse()": 0.1}
    yield from _around(context, statement, sorted(weights.items(), key=lambda item: -item[1])[:_MOST])


def expected_statements(context: Context, site: Site) -> Iterator[Change]:
    """Propose a step that other code of the function waits for: what it tests is filled, what it adds is taken back."""
    statement = site.statement
    if site.function is None or statement is site.function or not has_room(context, statement):
        return
    scope, weights = site.scope, dict[str, float]()
    for node in (*scope.nodes, *_outer_nodes(context, site)):
        match node:
            case ast.Compare(left=left, ops=[ast.In() | ast.NotIn()], comparators=[ast.Name(id=holder)]):
                if scope.kinds.get(holder) == SET:
                    weights[f"{holder}.add({context.code(left)})"] = 1.5
                    weights[f"{holder}.discard({context.code(left)})"] = 0.6
                if scope.kinds.get(holder) == DICT:
                    weights |= {f"{holder}[{context.code(left)}] = {name}": 0.5 for name in scope.variables[-4:]}
                if scope.kinds.get(holder) == LIST:
                    weights[f"{holder}.append({context.code(left)})"] = 1.0
            case ast.Call(func=ast.Attribute(value=holder, attr="append" | "add" as method), args=[item]):
                undone = "pop()" if method == "append" else f"remove({context.code(item)})"
                weights.setdefault(f"{context.code(holder)}.{undone}", 0.8)
    weights |= {text: weight for text, weight in _results_and_state(context, site) if text not in weights}
    yield from _around(context, statement, list(weights.items())[:24])


def _results_and_state(context: Context, site: Site) -> Iterator[tuple[str, float]]:
    scope, used = site.scope, {item.id for item in ast.walk(site.statement) if isinstance(item, ast.Name)}
    for node in scope.returns:
        if isinstance(node.value, ast.Name) and scope.kinds.get(node.value.id) == LIST:
            near = [other for other in scope.variables if other != node.value.id and other in used]
            for other in dict.fromkeys((*scope.parameters[:3], *near[:3])):
                yield f"{node.value.id}.append({other})", 0.8
    owner = context.module.enclosing_class(site.function) if site.function else None
    for step in (item for item in ast.walk(owner) if isinstance(item, ast.AugAssign)) if owner is not None else ():
        names = {item.id for item in ast.walk(step) if isinstance(item, ast.Name)}
        if names <= {*scope.variables, "self"} and isinstance(step.op, ast.Add | ast.Sub):
            target, value = context.code(step.target), context.code(step.value)
            yield f"{target} += {value}", 1.0
            yield f"{target} -= {value}", 1.0


def _outer_nodes(context: Context, site: Site) -> list[ast.AST]:
    outer = context.module.enclosing_function(site.function) if site.function else None
    return list(ast.walk(outer)) if outer is not None else []


def loop_steps(context: Context, site: Site) -> Iterator[Change]:
    """Propose the step that a ``while`` loop waits for, at the end of its body."""
    statement = site.statement
    if not isinstance(statement, ast.While) or not block_is_clear(context, statement.body[-1]):
        return
    for node in ast.walk(statement.test):
        if isinstance(node, ast.Name) and node.id in site.scope.variables:
            weight = 1.0 if site.scope.kinds.get(node.id) == NUMBER else 0.4
            for step in (" += 1", " -= 1", " //= 2"):
                yield after(context, statement.body[-1], node.id + step, weight)


def conditional(context: Context, site: Site) -> Iterator[Change]:
    """Propose that a statement runs only under a condition that the function tests elsewhere."""
    statement, module = site.statement, context.module
    if site.function is None or not block_is_clear(context, statement) or is_docstring(statement):
        return
    if not isinstance(
        statement, ast.Expr | ast.Assign | ast.AugAssign | ast.Return | ast.Raise | ast.Break | ast.Continue
    ):
        return
    used = list(dict.fromkeys(node.id for node in ast.walk(statement) if isinstance(node, ast.Name)))
    names = [name for name in used if name in site.scope.variables]
    pool = dict.fromkeys(site.scope.conditions, 0.7)
    pool |= dict.fromkeys(names, 0.5) | {f"{name} is not None": 0.4 for name in names}
    holders = [name for name in site.scope.variables if site.scope.kinds.get(name) in (LIST, SET, DICT)]
    pool |= {f"{name} not in {holder}": 0.6 for name in names for holder in holders if name != holder}
    for condition, weight in pool.items():
        start = module.line_start(module.first_line(statement))
        indent, newline = module.indent_of(statement), module.source.newline
        body = module.text[start : module.line_end(statement.end_lineno or statement.lineno)]
        lines = [module.indent_unit + line if line.strip() else line for line in body.splitlines()]
        edit = TextEdit(start, start + len(body), newline.join([f"{indent}if {condition}:", *lines]))
        yield Change((edit,), f"line {statement.lineno} only if {condition}", weight)


def has_room(context: Context, statement: ast.stmt) -> bool:
    """Return whether statements can be put before and behind a statement."""
    if context.module.text[slice(*context.module.span(statement))].startswith("elif") or is_docstring(statement):
        return False
    return block_is_clear(context, statement)


def _variants(site: Site, code: str, node: ast.stmt) -> Iterator[tuple[str, float]]:
    names = {item.id for item in ast.walk(node) if isinstance(item, ast.Name) and item.id in site.scope.variables}
    for name in sorted(names):
        for other in site.scope.variables:
            if other != name:
                fit = compatible(site.scope.kinds.get(name, ""), site.scope.kinds.get(other, ""))
                if fit >= 0.5:
                    yield re.sub(rf"(?<![\w.]){re.escape(name)}\b", other, code), fit


def _around(context: Context, statement: ast.stmt, ranked: list[tuple[str, float]]) -> Iterator[Change]:
    final = isinstance(statement, ast.Return | ast.Break | ast.Continue | ast.Raise)
    own = context.code(statement)
    for text, weight in ranked:
        if text == own and not final:
            yield after(context, statement, text, weight * 0.3)
            continue
        if not final:
            yield after(context, statement, text, weight)
        yield before(context, statement, text, weight if final else weight * 0.6)
