"""Wrong results: another value returned, a return missing, too early or too late."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from automation.repair.records import TextEdit
from automation.repair.templates.blocks import after, block_is_clear
from automation.repair.templates.changes import Change, Context, Site, shorten
from automation.repair.templates.kinds import NUMBER, compatible


def other_values(context: Context, site: Site) -> Iterator[Change]:
    """Propose to return another variable or a plain constant."""
    statement = site.statement
    if not isinstance(statement, ast.Return):
        return
    start, end = context.module.span(statement)
    value, scope = statement.value, site.scope
    if value is None:
        for name in scope.variables[-8:]:
            yield Change((TextEdit(start, end, f"return {name}"),), f"return also gives {name}", 1.0)
        for text in ("True", "False", "[]", "0", "''", "{}"):
            yield Change((TextEdit(start, end, f"return {text}"),), f"return also gives {text}", 0.4)
        return
    kind = scope.kind(value)
    returned = {context.code(item.value): item.value for item in scope.returns if item.value is not None}
    for code, node in returned.items():
        if node is not value and len(code) <= 60:
            yield context.swap(value, code, 0.5)
    for name in scope.variables:
        yield context.swap(value, name, 0.6 * compatible(kind, scope.kinds.get(name, "")))
    for text in ("True", "False", "None", "0", "1", "-1", "[]", "''", "{}", "[[]]"):
        yield context.swap(value, text, 0.3)
    for text in ("0", "None", "''", "[]", "'0'", "1") if isinstance(value, ast.Name | ast.Call | ast.BinOp) else ():
        yield context.swap(value, f"{context.code(value)} or {text}", 0.2)
    yield from _made_of_variables(context, site, value)


def _made_of_variables(context: Context, site: Site, value: ast.expr) -> Iterator[Change]:
    scope, code = site.scope, context.code(value)
    plain, flag = (
        isinstance(value, ast.Name | ast.List),
        isinstance(value, ast.Constant) and value.value in (True, False),
    )
    for name in scope.variables[:8]:
        if isinstance(value, ast.List) and not value.elts:
            yield context.swap(value, f"[{name}]", 0.5)
        if flag:
            number = scope.kinds.get(name) == NUMBER
            yield context.swap(value, f"{name} == 0" if number else f"not {name}", 0.5)
            yield context.swap(value, f"{name} > 0" if number else f"bool({name})", 0.3)
        if plain and name != code:
            yield context.swap(value, f"{code}, {name}", 0.1)


def missing_returns(context: Context, site: Site) -> Iterator[Change]:
    """Propose ``return`` before a value that is thrown away, and at the end of a function that has none there."""
    statement = site.statement
    if isinstance(statement, ast.Expr) and not isinstance(statement.value, ast.Constant | ast.Yield | ast.YieldFrom):
        start, _ = context.module.span(statement)
        weight = 1.0 if isinstance(statement.value, ast.Call) else 2.0
        change = TextEdit(start, start, "return ")
        yield Change((change,), f"{shorten(context.code(statement))} is returned", weight)
        yield Change((TextEdit(start, start, "yield "),), f"{shorten(context.code(statement))} is yielded", 0.2)
        yield Change(
            (TextEdit(start, start, "yield from "),), f"{shorten(context.code(statement))} is yielded from", 0.5
        )
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        start, _ = context.module.span(statement)
        new = TextEdit(start, context.module.span(statement.value)[0], "return ")
        yield Change((new,), f"{shorten(context.code(statement.value))} is returned", 0.15)
    function = site.function
    if function is None or statement is not function:
        return
    last = function.body[-1]
    if isinstance(last, ast.Return | ast.Raise) or not block_is_clear(context, last):
        return
    assigned = [name for name in site.scope.variables if name not in site.scope.parameters]
    for at, name in enumerate([*assigned, *site.scope.parameters]):
        yield after(context, last, f"return {name}", 1.0 if at == 0 else 0.6)
    for text in ("True", "False", "None", "0", "-1", "[]", "''", "self"):
        yield after(context, last, f"return {text}", 0.5)


def yields(context: Context, site: Site) -> Iterator[Change]:
    """Propose ``yield`` for ``return`` and the other way round, and ``yield from`` for ``yield``."""
    statement = site.statement
    if isinstance(statement, ast.Return) and statement.value is not None:
        start, end = context.module.span(statement)[0], context.module.span(statement.value)[0]
        generator = any(isinstance(node, ast.Yield | ast.YieldFrom) for node in site.scope.nodes)
        weight = 1.0 if generator else 0.2
        for new in ("yield", "yield from"):
            change = context.token(start, end, re.compile("return"), new, weight)
            if change:
                yield change
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Yield | ast.YieldFrom):
        start, end = context.module.span(statement)
        other = "yield" if isinstance(statement.value, ast.YieldFrom) else "yield from"
        for new, weight in ((other, 1.0), ("return", 0.5)):
            change = context.token(start, end, re.compile(r"yield\s+from\b|yield\b"), new, weight)
            if change:
                yield change


def ends_of_branches(context: Context, site: Site) -> Iterator[Change]:
    """Propose a return, ``break`` or ``continue`` behind a statement."""
    statement = site.statement
    if site.function is None or not block_is_clear(context, statement):
        return
    if isinstance(statement, ast.Return | ast.Raise | ast.Break | ast.Continue | ast.FunctionDef | ast.ClassDef):
        return
    if isinstance(statement, ast.AsyncFunctionDef):
        return
    block = context.module.blocks.get(statement, [])
    nested = not isinstance(context.module.parents.get(statement), ast.FunctionDef | ast.AsyncFunctionDef)
    last = bool(block) and block[-1] is statement
    if nested and last:
        for text in ("break", "continue", "return"):
            yield after(context, statement, text, 0.5)
    names = [node.id for node in ast.walk(statement) if isinstance(node, ast.Name)]
    for name in list(dict.fromkeys(name for name in names if name in site.scope.variables))[:4]:
        yield after(context, statement, f"return {name}", 0.4 if last else 0.1)
    for text in ("return True", "return False", "return None"):
        yield after(context, statement, text, 0.3 if last else 0.05)
