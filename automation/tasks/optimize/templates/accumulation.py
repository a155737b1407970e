"""Loops that add up, join, search or compare, as built-in functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from automation.tasks.optimize.drafts import Draft
from automation.tasks.optimize.templates.comprehensions import Built, built_by, clauses
from automation.tasks.optimize.templates.subject import Change, Place, Subject, loaded, walk


def accumulation(subject: Subject) -> Iterator[Draft]:
    """Yield drafts for text that grows in a loop, for counts, ``any``, ``all``, ``min`` and ``max``."""
    for place in subject.loops:
        if isinstance(place.statement, ast.For):
            yield from _joined_at_once(subject, place, place.statement)
            yield from _counted(subject, place, place.statement)
            yield from _found(subject, place, place.statement)
            yield from _extreme(subject, place, place.statement)
        yield from _joined_later(subject, place)


def _start(place: Place, kind: type) -> tuple[str, ast.stmt] | None:
    first = place.before
    if not isinstance(first, ast.Assign) or len(first.targets) != 1 or not isinstance(first.targets[0], ast.Name):
        return None
    value = first.value
    empty = isinstance(value, ast.Constant) and type(value.value) is kind and not value.value
    return (first.targets[0].id, first) if empty else None


def _added(built: Built | None) -> ast.expr | None:
    last = built.last if built is not None else None
    if built is None or not isinstance(last, ast.AugAssign) or not isinstance(last.op, ast.Add):
        return None
    own = isinstance(last.target, ast.Name) and last.target.id == built.name
    return last.value if own and built.name not in loaded(last.value) else None


def _joined_at_once(subject: Subject, place: Place, loop: ast.For) -> Iterator[Draft]:
    begun = _start(place, str)
    built = built_by(subject, loop, begun[0]) if begun else None
    value = _added(built)
    if begun is None or built is None or value is None or not subject.whole_lines(begun[1], loop):
        return
    line = f'{begun[0]} = "".join([{ast.unparse(value)} {" ".join(clauses(built))}])'
    yield from subject.draft(
        "join", f"{begun[0]} is joined once instead of growing", loop, [subject.replaced(begun[1], loop, line)]
    )


def _joined_later(subject: Subject, place: Place) -> Iterator[Draft]:
    begun, loop = _start(place, str), place.statement
    if begun is None or not subject.whole_lines(begun[1], loop):
        return
    name = begun[0]
    grown = [
        each for each in walk(loop)
        if isinstance(each, ast.AugAssign) and isinstance(each.op, ast.Add)
        and isinstance(each.target, ast.Name) and each.target.id == name
    ]  # fmt: skip
    inside = sum(isinstance(each, ast.Name) and each.id == name for each in ast.walk(loop))
    leaves = any(isinstance(each, ast.Return | ast.Raise | ast.Yield) for each in walk(loop))
    if not grown or inside != len(grown) or leaves:
        return
    parts = subject.free(f"{name}_parts")
    changes: list[Change | None] = [subject.replaced(begun[1], begun[1], f"{parts} = []")]
    for each in grown:
        start, end = subject.span_of(each)
        changes.append(Change(start, end, f"{parts}.append({subject.words(each.value)})"))
    whole = subject.replaced(loop, loop)
    changes.append(
        Change(whole.end, whole.end, f'{" " * loop.col_offset}{name} = "".join({parts}){subject.source.newline}')
    )
    yield from subject.draft("join", f"{name} is joined once instead of growing", loop, changes)


def _counted(subject: Subject, place: Place, loop: ast.For) -> Iterator[Draft]:
    begun = _start(place, int)
    built = built_by(subject, loop, begun[0]) if begun else None
    value = _added(built)
    # Floating point sums may be rounded otherwise by `sum` in newer Pythons, so only whole numbers are added up.
    if begun is None or built is None or value is None or not _is_whole(subject, value):
        return
    if subject.whole_lines(begun[1], loop):
        line = f"{begun[0]} = sum({_summed(value, loop, built)})"
        yield from subject.draft(
            "sum", f"{begun[0]} is added up by sum", loop, [subject.replaced(begun[1], loop, line)]
        )


def _summed(value: ast.expr, loop: ast.For, built: Built) -> str:
    single = isinstance(value, ast.Call) and ast.unparse(value.args[0]) == ast.unparse(loop.target)
    if single and not built.conditions:
        return f"map(len, {ast.unparse(loop.iter)})"
    return f"[{ast.unparse(value)} {' '.join(clauses(built))}]"


def _is_whole(subject: Subject, value: ast.expr) -> bool:
    if isinstance(value, ast.Constant):
        return type(value.value) is int
    return isinstance(value, ast.Call) and subject.is_builtin(value.func, "len") and len(value.args) == 1


def _found(subject: Subject, place: Place, loop: ast.For) -> Iterator[Draft]:
    body, after = loop.body, place.after
    if len(body) != 1 or not isinstance(body[0], ast.If) or body[0].orelse or not isinstance(after, ast.Return):
        return
    inner = body[0].body
    if len(inner) != 1 or not isinstance(inner[0], ast.Return):
        return
    answers = (_truth(inner[0].value), _truth(after.value))
    if answers not in ((True, False), (False, True)) or not subject.whole_lines(loop, after):
        return
    test = ast.unparse(body[0].test)
    head = f"for {ast.unparse(loop.target)} in {ast.unparse(loop.iter)}"
    line = f"return any({test} {head})" if answers[0] else f"return not any({test} {head})"
    yield from subject.draft("any", "the search is done by any", loop, [subject.replaced(loop, after, line)])


def _truth(value: ast.expr | None) -> bool | None:
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, bool) else None


def _extreme(subject: Subject, place: Place, loop: ast.For) -> Iterator[Draft]:
    first = place.before
    if not isinstance(first, ast.Assign) or len(first.targets) != 1 or len(loop.body) != 1:
        return
    test = loop.body[0]
    if not isinstance(test, ast.If) or test.orelse or len(test.body) != 1 or not isinstance(test.test, ast.Compare):
        return
    best, seen = ast.unparse(first.targets[0]), ast.unparse(loop.iter)
    item, compare = ast.unparse(loop.target), ast.unparse(test.test)
    begins = ast.unparse(first.value) == f"{seen}[0]" and isinstance(loop.iter, ast.Name)
    takes = ast.unparse(test.body[0]) == f"{best} = {item}"
    name = {f"{item} > {best}": "max", f"{best} < {item}": "max", f"{item} < {best}": "min", f"{best} > {item}": "min"}
    if not begins or not takes or compare not in name or subject.uses(item, outside=[loop]):
        return
    if subject.whole_lines(first, loop):
        line = f"{best} = {name[compare]}({seen})"
        yield from subject.draft(
            "extreme", f"{best} is found by {name[compare]}", loop, [subject.replaced(first, loop, line)]
        )
