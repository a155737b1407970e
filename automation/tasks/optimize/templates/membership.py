"""Membership tests in a set instead of in a list."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from automation.tasks.optimize.drafts import Draft
from automation.tasks.optimize.templates.subject import (
    Change,
    Place,
    Subject,
    is_plain,
    loaded,
    root_of,
    stored,
    touched,
    walk,
)

_LEAST_ITEMS = 3
_READERS = ("len", "sorted", "sum", "min", "max", "tuple")


def membership(subject: Subject) -> Iterator[Draft]:
    """Yield drafts in which what is looked for stands in a set: of literals, lists that a loop reads or fills."""
    yield from _literals(subject)
    yield from _keys(subject)
    for place in subject.loops:
        if subject.whole_lines(place.statement):
            yield from _read_lists(subject, place)
    yield from _comprehended(subject)
    yield from _filled_lists(subject)


def _tests(subject: Subject, node: ast.AST) -> Iterator[tuple[ast.Compare, ast.expr]]:
    for each in ast.walk(node):
        if isinstance(each, ast.Compare) and len(each.ops) == 1 and isinstance(each.ops[0], ast.In | ast.NotIn):
            yield each, each.comparators[0]


def _literals(subject: Subject) -> Iterator[Draft]:
    for test, where in _tests(subject, subject.node):
        if not isinstance(where, ast.List | ast.Tuple) or len(where.elts) < _LEAST_ITEMS:
            continue
        if all(isinstance(each, ast.Constant) for each in where.elts):
            text = "{" + ", ".join(subject.words(each) for each in where.elts) + "}"
            yield from subject.draft("membership", "looked up in a set", test, [subject.instead(where, text)])


def _keys(subject: Subject) -> Iterator[Draft]:
    for test, where in _tests(subject, subject.node):
        called = where.func if isinstance(where, ast.Call) and not where.args else None
        if isinstance(called, ast.Attribute) and called.attr == "keys":
            change = subject.instead(where, subject.words(called.value))
            yield from subject.draft("membership", "looked up in the mapping itself", test, [change])


def _read_lists(subject: Subject, place: Place) -> Iterator[Draft]:
    loop = place.statement
    changed = frozenset(stored(loop)) | touched(subject, loop)
    found: dict[str, list[ast.Name | ast.Attribute]] = {}
    for _, where in _tests(subject, loop):
        if isinstance(where, ast.Name | ast.Attribute) and root_of(where) and root_of(where) not in changed:
            found.setdefault(ast.unparse(where), []).append(where)
    for text, nodes in found.items():
        last = text.rpartition(".")[2]
        name = subject.free(f"{last}_set")
        changes: list[Change | None] = [subject.instead(node, name) for node in nodes]
        changes.append(subject.before(loop, f"{name} = set({text})"))
        yield from subject.draft("membership", f"{text} is made a set before the loop", loop, changes)


def _comprehended(subject: Subject) -> Iterator[Draft]:
    """Make a set, before the statement, of a list that a comprehension reads in each round."""
    for place in subject.places:
        statement = place.statement
        if isinstance(statement, ast.For | ast.While | ast.If | ast.With | ast.Try) or not subject.whole_lines(
            statement
        ):
            continue
        for node in walk(statement):
            if not isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) or not is_plain(node):
                continue
            bound = {name for each in node.generators for name in stored(each.target)}
            for _, where in _tests(subject, node):
                if isinstance(where, ast.Name) and where.id not in bound and where.id in subject.locals:
                    name = subject.free(f"{where.id}_set")
                    changes: list[Change | None] = [
                        subject.instead(where, name),
                        subject.before(statement, f"{name} = set({where.id})"),
                    ]
                    yield from subject.draft("membership", f"{where.id} is made a set first", statement, changes)


def _filled_lists(subject: Subject) -> Iterator[Draft]:
    """Give a list that is filled and searched a set beside it."""
    for place in subject.places:
        start = place.statement
        if not isinstance(start, ast.Assign) or len(start.targets) != 1 or not isinstance(start.targets[0], ast.Name):
            continue
        if not isinstance(start.value, ast.List) or start.value.elts or not subject.whole_lines(start):
            continue
        name = start.targets[0].id
        found = _fillings(subject, name)
        searches = [
            where for _, where in _tests(subject, subject.node) if isinstance(where, ast.Name) and where.id == name
        ]
        if not found or not searches or not _is_only_read(subject, name, found, start):
            continue
        known = subject.free(f"{name}_set")
        changes: list[Change | None] = [subject.instead(where, known) for where in searches]
        # The list may not be needed any more, which nobody can tell from here; it stays.
        changes.append(subject.replaced(start, start, subject.words(start), f"{known} = set()"))
        for statement, value in found:
            _, end = subject.span_of(statement)
            indent = " " * statement.col_offset
            changes.append(Change(end, end, f"{subject.source.newline}{indent}{known}.add({subject.words(value)})"))
        yield from subject.draft("membership", f"{name} is searched by a set beside it", start, changes)


def _fillings(subject: Subject, name: str) -> list[tuple[ast.stmt, ast.expr]]:
    found: list[tuple[ast.stmt, ast.expr]] = []
    for place in subject.places:
        call = place.statement.value if isinstance(place.statement, ast.Expr) else None
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and ast.unparse(call.func) == f"{name}.append"
        ):
            if len(call.args) == 1 and isinstance(call.args[0], ast.Name) and subject.whole_lines(place.statement):
                found.append((place.statement, call.args[0]))
            else:
                return []
    return found


def _is_only_read(subject: Subject, name: str, found: list[tuple[ast.stmt, ast.expr]], start: ast.stmt) -> bool:
    hidden = [start, *(statement for statement, _ in found)]
    for node in subject.nodes:
        if isinstance(node, ast.Attribute | ast.Subscript) and root_of(node) == name:
            inside = any(node in ast.walk(statement) for statement in hidden)
            if not inside and not (isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load)):
                return False
        rebinds = isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load)
        if rebinds and not any(node in ast.walk(statement) for statement in hidden):
            return False
        given = isinstance(node, ast.Call) and any(name in loaded(each) for each in node.args)
        if given and isinstance(node, ast.Call) and not subject.is_builtin(node.func, *_READERS):
            return False
    return True
