"""Missing control flow anywhere in a function: a guard, statements under a condition, what is left after a loop."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from automation.repair.records import TextEdit
from automation.repair.templates.blocks import after, before, block_is_clear, block_text, first_body_statement
from automation.repair.templates.changes import Change, Context, Site
from automation.repair.templates.insertions import has_room
from automation.repair.templates.kinds import CONTAINER, DICT, LIST, NUMBER, SET, TEXT, TUPLE

_MOST_CONDITIONS, _MOST_RESULTS = 14, 6
_LOOPS = (ast.For, ast.While, ast.AsyncFor)
_DEFAULTS = ("default", "fallback", "missing", "initial")
_HOLDERS = (LIST, SET, DICT, CONTAINER)


def local_guards(context: Context, site: Site) -> Iterator[Change]:
    """Propose to leave a loop's turn, the loop or the function before a statement that cannot handle what it gets."""
    statement = site.statement
    if site.function is None or statement is site.function or not has_room(context, statement):
        return
    unit = context.module.indent_unit
    jumps = [("continue", 1.0), ("break", 0.5)] if _in_loop(context, statement) else []
    jumps += [(f"return {text}".rstrip(), weight * 0.8) for text, weight in _results(context, site)]
    for condition, likely in local_conditions(context, site)[:_MOST_CONDITIONS]:
        for jump, share in jumps:
            yield before(context, statement, f"if {condition}:\n{unit}{jump}", likely * share)


def late_guards(context: Context, site: Site) -> Iterator[Change]:
    """Propose to leave, or to put a value right, as soon as a statement has made it go out of range."""
    statement = site.statement
    if site.function is None or not has_room(context, statement):
        return
    target: ast.expr | None = statement.target if isinstance(statement, ast.AugAssign) else None
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
    if not isinstance(target, ast.Name | ast.Attribute):
        return
    name, unit = context.code(target), context.module.indent_unit
    numeric = site.scope.kind(target) in (NUMBER, "")
    jumps = ["break", "continue"] if _in_loop(context, statement) else []
    jumps += [f"return {text}".rstrip() for text, _ in _results(context, site)]
    tests = ((f"{name} < 0", 1.0), (f"{name} == 0", 0.8), (f"{name} == -1", 0.5)) if numeric else ()
    for condition, likely in (*tests, (f"{name} is None", 0.7), (f"not {name}", 0.7)):
        for jump in jumps:
            yield after(context, statement, f"if {condition}:\n{unit}{jump}", likely)
        for other in ("0", *site.scope.parameters) if condition.endswith(("< 0", "-1", "None")) else ():
            yield after(context, statement, f"if {condition}:\n{unit}{name} = {other}", likely * 0.6)


def sibling_guards(context: Context, site: Site) -> Iterator[Change]:
    """Propose a check at a function's entry that another function of the file makes on variables of the same names."""
    function = site.function
    if function is None or site.statement is not function:
        return
    first = first_body_statement(function)
    known = {*site.scope.variables, "self", *site.scope.defined.difference(site.scope.stored_elsewhere)}
    for node in ast.walk(context.module.tree):
        if not isinstance(node, ast.If) or node.orelse or not isinstance(node.body[-1], ast.Raise | ast.Return):
            continue
        names = {item.id for item in ast.walk(node) if isinstance(item, ast.Name)}
        if names <= known and block_is_clear(context, node) and names & set(site.scope.parameters):
            yield before(context, first, block_text(context, node), 1.0)
            for one, other in ((" <= ", " > "), (" > ", " <= "), (" < ", " >= "), (" >= ", " < ")):
                text = block_text(context, node)
                if one in text.partition("\n")[0]:
                    yield before(context, first, text.replace(one, other, 1), 0.3)


def conditional_runs(context: Context, site: Site) -> Iterator[Change]:
    """Propose that a statement and those behind it, or a whole compound statement, run only under a condition."""
    module, statement = context.module, site.statement
    block = module.blocks.get(statement, [])
    if site.function is None or statement is site.function or not has_room(context, statement):
        return
    at = block.index(statement)
    ends = [end for end in dict.fromkeys((at + 1, at + 2, len(block) - 1)) if at < end < len(block)]
    if isinstance(statement, ast.For | ast.While | ast.If | ast.With):
        ends.insert(0, at)
    for order, end in enumerate(ends):
        run = block[at : end + 1]
        if not all(block_is_clear(context, item) and not isinstance(item, ast.Return) for item in run):
            continue
        start, stop = module.line_start(module.first_line(statement)), module.lines_span(run[-1])[1]
        lines = module.text[start:stop].splitlines(keepends=True)
        indented = "".join(module.indent_unit + line if line.strip() else line for line in lines)
        for condition, likely in local_conditions(context, site)[:_MOST_CONDITIONS]:
            new = f"{module.indent_of(statement)}if {opposite(condition)}:{module.source.newline}{indented}"
            description = f"lines {statement.lineno} to {run[-1].end_lineno} only if {opposite(condition)}"
            yield Change((TextEdit(start, stop, new),), description, likely * (1.0 if order == 0 else 0.7))


def leftovers(context: Context, site: Site) -> Iterator[Change]:
    """Propose what a loop does inside once more behind it, for what is left when it ends."""
    loop = _loop_of(context, site.statement)
    if site.function is None or loop is None or not context.module.stands_alone(loop):
        return
    unit = context.module.indent_unit
    for node in (item for part in loop.body for item in ast.walk(part)):
        if not isinstance(node, ast.stmt) or not block_is_clear(context, node):
            continue
        if isinstance(node, ast.If) and not context.code(node).startswith("elif"):
            if any(isinstance(item, ast.Break | ast.Continue) for item in ast.walk(node)):
                continue
            nested = isinstance(context.module.parents.get(node), ast.If)
            yield after(context, loop, block_text(context, node), 0.8 if nested else 0.5)
        if not isinstance(node, ast.Expr) or isinstance(node.value, ast.Constant):
            continue
        text = block_text(context, node)
        names = dict.fromkeys(item.id for item in ast.walk(node) if isinstance(item, ast.Name))
        known = [name for name in names if name in site.scope.variables]
        share = 1.0 if isinstance(context.module.parents.get(node), ast.If) else 0.5
        for name in known[-3:]:
            for condition in (name, f"{name} is not None"):
                yield after(context, loop, f"if {condition}:\n{unit}{text}", share)
        yield after(context, loop, text, share * 0.8)


def local_conditions(context: Context, site: Site) -> list[tuple[str, float]]:
    """Return conditions under which a statement may be wrong, by the variables that it uses, likeliest first."""
    scope, weights = site.scope, dict[str, float]()
    header = [node for node in site.expressions if isinstance(node, ast.Name) and node.id in scope.variables]
    inner = [node for node in ast.walk(site.statement) if isinstance(node, ast.Name) and node.id in scope.variables]
    names = list(dict.fromkeys(node.id for node in (*header, *inner) if isinstance(node.ctx, ast.Load)))[:4]
    for node in ast.walk(site.statement):
        match node:
            case ast.Subscript(value=ast.Name() | ast.Attribute() as holder, slice=ast.Name() | ast.Constant() as key):
                kind = scope.kind(holder)
                if kind in (DICT, CONTAINER, ""):
                    weights.setdefault(f"{context.code(key)} not in {context.code(holder)}", 1.0)
                    weights.setdefault(f"{context.code(key)} in {context.code(holder)}", 0.8)
                if kind in (LIST, TEXT, TUPLE, CONTAINER, "") and isinstance(key, ast.Name):
                    weights.setdefault(f"{key.id} >= len({context.code(holder)})", 0.5)
            case ast.BinOp(op=ast.Div() | ast.FloorDiv() | ast.Mod(), right=ast.Name() as divisor):
                weights.setdefault(f"{divisor.id} == 0", 1.0)
    _test_names(site, names, weights)
    for condition in scope.conditions:
        if any(name in condition for name in names):
            weights.setdefault(condition, 0.5)
    return sorted(weights.items(), key=lambda item: -item[1])


def _test_names(site: Site, names: list[str], weights: dict[str, float]) -> None:
    scope = site.scope
    for name in names:
        kind = scope.kinds.get(name, "")
        weights.setdefault(f"not {name}", 0.9)
        weights.setdefault(f"{name} is None", 0.6 if kind in ("", NUMBER) else 0.3)
        if kind == NUMBER:
            weights.setdefault(f"{name} < 0", 0.4)
        if kind not in _HOLDERS:
            for holder in scope.variables:
                if holder != name and scope.kinds.get(holder) in (SET, DICT, LIST):
                    weights.setdefault(f"{name} in {holder}", 0.9 if scope.kinds[holder] == SET else 0.6)


def opposite(condition: str) -> str:
    """Return the text of a short condition's opposite."""
    for one, other in ((" not in ", " in "), (" in ", " not in "), (" is None", " is not None"), (" == ", " != ")):
        if one in condition and " or " not in condition and " and " not in condition:
            return condition.replace(one, other, 1)
    for one, other in ((" >= ", " < "), (" < ", " >= "), (" <= ", " > "), (" > ", " <= ")):
        if condition.count(one) == 1 and condition.count(" ") == 2:
            return condition.replace(one, other)
    plain = condition.removeprefix("not ")
    return plain if plain != condition and plain.isidentifier() else f"not ({condition})"


def _results(context: Context, site: Site) -> list[tuple[str, float]]:
    weights = {name: 1.2 for name in site.scope.parameters if any(part in name for part in _DEFAULTS)}
    for item in site.scope.returns:
        if item.value is None:
            weights.setdefault("", 1.0)
        elif len(context.code(item.value)) <= 20:
            weights.setdefault(context.code(item.value), 1.0 if isinstance(item.value, ast.Constant) else 0.7)
    if not any(item.value for item in site.scope.returns):
        weights.setdefault("", 1.0)
    weights |= {text: weights.get(text, 0.4) for text in ("None", "False", "0", "[]", "True")}
    return sorted(weights.items(), key=lambda item: -item[1])[:_MOST_RESULTS]


def _in_loop(context: Context, statement: ast.stmt) -> bool:
    return _loop_of(context, context.module.parents.get(statement)) is not None


def _loop_of(context: Context, node: ast.AST | None) -> ast.For | ast.While | ast.AsyncFor | None:
    while node is not None and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        if isinstance(node, _LOOPS):
            return node
        node = context.module.parents.get(node)
    return None
