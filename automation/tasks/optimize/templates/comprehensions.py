"""Loops that build a collection item by item, as comprehensions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from automation.tasks.optimize.drafts import Draft
from automation.tasks.optimize.templates.subject import Subject, is_plain, loaded, stored

_EMPTY_CALLS = {"list": "list", "dict": "dict", "set": "set"}
_WIDTH = 100


@dataclass(frozen=True, slots=True)
class Built:
    """A loop that builds one collection: what it is called, what is put in, and when."""

    name: str
    loop: ast.For
    conditions: tuple[ast.expr, ...]
    last: ast.stmt


def comprehension(subject: Subject) -> Iterator[Draft]:
    """Yield drafts in which an empty collection and the loop that fills it become one comprehension."""
    for place in subject.places:
        start, loop = place.before, place.statement
        if not isinstance(loop, ast.For) or loop.orelse or start is None:
            continue
        begun = _empty(subject, start)
        built = built_by(subject, loop, begun[0]) if begun else None
        if begun is None or built is None or not subject.whole_lines(start, loop):
            continue
        inside = _inside(built, begun[1])
        if inside is None:
            continue
        opening, closing = ("[", "]") if begun[1] == "list" else ("{", "}")
        lines = _written(subject, start, opening, closing, inside, built)
        yield from subject.draft(
            "comprehension",
            f"{begun[0]} is built by a {begun[1]} comprehension",
            loop,
            [subject.replaced(start, loop, *lines)],
        )


def built_by(subject: Subject, loop: ast.For, name: str) -> Built | None:
    """Return what a loop builds when its body does nothing else, perhaps under conditions; None otherwise."""
    conditions: list[ast.expr] = []
    body = loop.body
    while len(body) == 1 and isinstance(body[0], ast.If) and not body[0].orelse:
        conditions.append(body[0].test)
        body = body[0].body
    if len(body) != 1 or isinstance(body[0], ast.If):
        return None
    targets = set(stored(loop.target))
    parts = (loop.iter, *conditions, body[0])
    # The comprehension keeps its variables to itself, and cannot see what is being built.
    if any(subject.uses(each, outside=[loop]) for each in targets) or not is_plain(*parts):
        return None
    if name in loaded(loop.iter) or any(name in loaded(test) for test in conditions):
        return None
    return Built(name, loop, tuple(conditions), body[0])


def _empty(subject: Subject, statement: ast.stmt) -> tuple[str, str] | None:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target, value = statement.targets[0], statement.value
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        target, value = statement.target, statement.value
    else:
        return None
    if not isinstance(target, ast.Name):
        return None
    if isinstance(value, ast.List) and not value.elts:
        return target.id, "list"
    if isinstance(value, ast.Dict) and not value.keys:
        return target.id, "dict"
    if (
        isinstance(value, ast.Call)
        and not value.args
        and not value.keywords
        and subject.is_builtin(value.func, *_EMPTY_CALLS)
    ):
        return target.id, ast.unparse(value.func)
    return None


def _inside(built: Built, kind: str) -> str | None:
    """Return what stands at the head of the comprehension, or None when the loop builds something else."""
    last = built.last
    if kind == "dict":
        if isinstance(last, ast.Assign) and len(last.targets) == 1 and isinstance(last.targets[0], ast.Subscript):
            target = last.targets[0]
            own = isinstance(target.value, ast.Name) and target.value.id == built.name
            if own and built.name not in loaded(last.value) | loaded(target.slice):
                return f"{ast.unparse(target.slice)}: {ast.unparse(last.value)}"
        return None
    method = "append" if kind == "list" else "add"
    call = last.value if isinstance(last, ast.Expr) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or call.func.attr != method:
        return None
    own = isinstance(call.func.value, ast.Name) and call.func.value.id == built.name
    if not own or len(call.args) != 1 or call.keywords or isinstance(call.args[0], ast.Starred):
        return None
    return ast.unparse(call.args[0]) if built.name not in loaded(call.args[0]) else None


def clauses(built: Built) -> list[str]:
    """Return the ``for`` and the ``if`` parts of a comprehension."""
    target = ast.unparse(built.loop.target)
    target = target[1:-1] if target.startswith("(") else target
    return [f"for {target} in {ast.unparse(built.loop.iter)}", *(f"if {_test(test)}" for test in built.conditions)]


def _test(test: ast.expr) -> str:
    text = ast.unparse(test)
    return f"({text})" if isinstance(test, ast.IfExp | ast.Lambda) else text


def _written(subject: Subject, start: ast.stmt, opening: str, closing: str, inside: str, built: Built) -> list[str]:
    annotation = f": {subject.words(start.annotation)}" if isinstance(start, ast.AnnAssign) else ""
    head = f"{built.name}{annotation} = {opening}"
    parts = clauses(built)
    line = f"{head}{inside} {' '.join(parts)}{closing}"
    if start.col_offset + len(line) <= _WIDTH:
        return [line]
    return [head, f"    {inside}", *(f"    {part}" for part in parts), closing]
