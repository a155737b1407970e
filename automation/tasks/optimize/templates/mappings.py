"""Mappings that are asked once instead of twice."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from automation.tasks.optimize.drafts import Draft
from automation.tasks.optimize.templates.subject import Place, Subject, loaded

_EMPTY = ("[]", "{}", "set()", "list()", "dict()")


def mappings(subject: Subject) -> Iterator[Draft]:
    """Yield drafts with ``get``, ``setdefault`` and ``defaultdict`` for a test and a lookup of the same key."""
    for place in subject.places:
        statement = place.statement
        if isinstance(statement, ast.If) and subject.whole_lines(statement):
            yield from _got(subject, statement)
            yield from _set_first(subject, place, statement)
            yield from _counted(subject, statement)
    yield from _defaults(subject)


def _asked(statement: ast.If) -> tuple[ast.expr, ast.expr, bool] | None:
    """Return key, mapping, and whether the test asks for the key's presence."""
    test = statement.test
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], ast.In | ast.NotIn):
        return None
    simple = all(
        isinstance(each, ast.Name | ast.Attribute | ast.Subscript | ast.Constant)
        for each in (test.left, test.comparators[0])
    )
    return (test.left, test.comparators[0], isinstance(test.ops[0], ast.In)) if simple else None


def _single(block: list[ast.stmt]) -> ast.Assign | None:
    one = block[0] if len(block) == 1 else None
    return one if isinstance(one, ast.Assign) and len(one.targets) == 1 else None


def _got(subject: Subject, statement: ast.If) -> Iterator[Draft]:
    asked, first, second = _asked(statement), _single(statement.body), _single(statement.orelse)
    if asked is None or first is None or second is None:
        return
    key, mapping, present = asked
    found, other = (first, second) if present else (second, first)
    item = f"{ast.unparse(mapping)}[{ast.unparse(key)}]"
    same = ast.unparse(first.targets[0]) == ast.unparse(second.targets[0])
    if same and ast.unparse(found.value) == item and isinstance(other.value, ast.Constant | ast.Name):
        default = "" if ast.unparse(other.value) == "None" else f", {ast.unparse(other.value)}"
        line = f"{ast.unparse(first.targets[0])} = {ast.unparse(mapping)}.get({ast.unparse(key)}{default})"
        yield from subject.draft(
            "mapping", "one lookup by get", statement, [subject.replaced(statement, statement, line)]
        )


def _set_first(subject: Subject, place: Place, statement: ast.If) -> Iterator[Draft]:
    asked, made, after = _asked(statement), _single(statement.body), place.after
    if asked is None or made is None or after is None or statement.orelse or asked[2]:
        return
    key, mapping, _ = asked
    item = f"{ast.unparse(mapping)}[{ast.unparse(key)}]"
    if ast.unparse(made.targets[0]) != item or ast.unparse(made.value) not in _EMPTY or not subject.whole_lines(after):
        return
    if not isinstance(after, ast.Expr) or not ast.unparse(after).startswith(f"{item}."):
        return
    given = f"{ast.unparse(mapping)}.setdefault({ast.unparse(key)}, {ast.unparse(made.value)})"
    line = given + ast.unparse(after)[len(item) :]
    yield from subject.draft(
        "mapping", "one lookup by setdefault", statement, [subject.replaced(statement, after, line)]
    )


def _counted(subject: Subject, statement: ast.If) -> Iterator[Draft]:
    """``if k in d: d[k] += 1 else: d[k] = 1`` as one ``get``."""
    asked = _asked(statement)
    if asked is None or len(statement.body) != 1 or len(statement.orelse) != 1:
        return
    key, mapping, present = asked
    grown, begun = (statement.body[0], statement.orelse[0]) if present else (statement.orelse[0], statement.body[0])
    item = f"{ast.unparse(mapping)}[{ast.unparse(key)}]"
    if not isinstance(grown, ast.AugAssign) or not isinstance(grown.op, ast.Add) or not isinstance(begun, ast.Assign):
        return
    step = ast.unparse(grown.value)
    same = ast.unparse(begun.value) == step and isinstance(grown.value, ast.Constant) and type(grown.value.value) is int
    if same and ast.unparse(grown.target) == item == ast.unparse(begun.targets[0]):
        line = f"{item} = {ast.unparse(mapping)}.get({ast.unparse(key)}, 0) + {step}"
        yield from subject.draft(
            "mapping", "one lookup by get", statement, [subject.replaced(statement, statement, line)]
        )


def _defaults(subject: Subject) -> Iterator[Draft]:
    """``setdefault(k, []).append(v)`` on a local mapping, as a defaultdict that leaves as a dict."""
    returned = [node for node in subject.nodes if isinstance(node, ast.Return) and isinstance(node.value, ast.Name)]
    for place in subject.places:
        start = place.statement
        if not isinstance(start, ast.Assign) or len(start.targets) != 1 or not isinstance(start.targets[0], ast.Name):
            continue
        name = start.targets[0].id
        if ast.unparse(start.value) not in ("{}", "dict()") or not subject.whole_lines(start):
            continue
        calls = [
            node for node in subject.nodes
            if isinstance(node, ast.Call) and ast.unparse(node.func) == f"{name}.setdefault" and len(node.args) == 2
            and ast.unparse(node.args[1]) == "[]"
        ]  # fmt: skip
        ends = [node for node in returned if isinstance(node.value, ast.Name) and node.value.id == name]
        if not calls or len(ends) != 1 or subject.uses(name) != len(calls) + 2:
            continue
        if any(name in loaded(each) for call in calls for each in call.args):
            continue
        imported = subject.with_import("collections")
        value = ends[0].value
        if value is None:
            continue
        changes = [
            subject.replaced(start, start, f"{name} = collections.defaultdict(list)"),
            *(subject.instead(call, f"{name}[{subject.words(call.args[0])}]") for call in calls),
            subject.instead(value, f"dict({name})"),
            imported,
        ]
        yield from subject.draft("mapping", f"{name} is a defaultdict while it grows", start, changes)
