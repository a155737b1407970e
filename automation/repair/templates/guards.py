"""Missing checks at a function's entry or a loop's start: None, empty, the base case of a recursion."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from automation.repair.templates.blocks import before, first_body_statement
from automation.repair.templates.changes import Change, Context, Site
from automation.repair.templates.kinds import BOOL, CONTAINER, DICT, LIST, NUMBER, SET, TEXT, TUPLE

_EXPECTED = re.compile(r"raises\(\s*\(?\s*([A-Za-z_][\w.]*)")
_NAME = re.compile(r"[A-Za-z_]\w*")
_EMPTY = {NUMBER: "0", TEXT: "''", LIST: "[]", DICT: "{}", SET: "set()", TUPLE: "()", BOOL: "False"}


def entry(context: Context, site: Site) -> Iterator[Change]:
    """Propose to return early when a parameter is None, empty, zero or small."""
    first = _entry_of(context, site)
    if first is None:
        return
    results = _plausible_results(context, site)
    for condition, likely in _conditions(site):
        for result, fit in results:
            yield _guard(context, first, condition, f"return {result}".rstrip(), likely * fit)
        for name in () if condition.endswith("is None") else _NAME.findall(condition):
            if name in site.scope.parameters:
                yield _guard(context, first, condition, f"return {name}", likely * 0.5)


def refusals(context: Context, site: Site) -> Iterator[Change]:
    """Propose to raise what the failing test expects, on parameters out of range."""
    first = _entry_of(context, site)
    if first is None:
        return
    expected = dict.fromkeys(_EXPECTED.findall(context.evidence.test_source))
    for name in expected:
        kind = name.rsplit(".", 1)[-1]
        if "." not in name and name not in site.scope.defined:
            continue
        for condition, likely in _conditions(site):
            parameter = next((item for item in site.scope.parameters if item in condition), "value")
            text = f"raise {kind}({f'{parameter} is out of range'!r})"
            yield _guard(context, first, condition, text, likely * 2.0)
        for one in site.scope.parameters:
            for other in site.scope.parameters:
                if one != other:
                    text = f"raise {kind}({f'{one} and {other} do not fit'!r})"
                    yield _guard(context, first, f"{one} > {other}", text, 0.4)


def skips(context: Context, site: Site) -> Iterator[Change]:
    """Propose to pass over an element of a loop that is None, empty, or was met before."""
    statement = site.statement
    if (
        not isinstance(statement, ast.For | ast.AsyncFor)
        or context.module.first_line(statement.body[0]) == statement.lineno
    ):
        return
    targets = [node.id for node in ast.walk(statement.target) if isinstance(node, ast.Name)]
    holders = [name for name in site.scope.variables if site.scope.kinds.get(name) in (SET, DICT, LIST, CONTAINER)]
    first = statement.body[0]
    if not context.module.stands_alone(first) and not hasattr(first, "body"):
        return
    for name in targets:
        pool = {f"{name} in {holder}": 0.8 for holder in holders if holder != name}
        pool |= {f"not {name}": 1.0, f"{name} is None": 0.8}
        pool |= {f"{name} == {other}": 0.4 for other in site.scope.variables if other != name}
        pool |= {condition: 0.5 for condition in site.scope.conditions if name in condition}
        for condition, weight in pool.items():
            for jump, share in (("continue", 1.0), ("break", 0.4)):
                yield _guard(context, first, condition, jump, weight * share)


def _entry_of(context: Context, site: Site) -> ast.stmt | None:
    if site.function is None or site.statement is not site.function:
        return None
    first = first_body_statement(site.function)
    return first if context.module.first_line(first) > site.function.lineno else None


def _guard(context: Context, first: ast.stmt, condition: str, action: str, weight: float) -> Change:
    return before(context, first, f"if {condition}:\n{context.module.indent_unit}{action}", weight)


def _conditions(site: Site) -> Iterator[tuple[str, float]]:
    for at, name in enumerate(site.scope.parameters[:5]):
        rank = 1.0 if at == 0 else 0.7
        kind = site.scope.kinds.get(name, "")
        if kind == NUMBER:
            choices = (("== 0", 1.0), ("<= 0", 0.9), ("< 0", 0.8), ("<= 1", 0.7), ("== 1", 0.6), ("< 2", 0.6))
            yield from ((f"{name} {text}", rank * likely) for text, likely in choices)
            yield f"{name} is None", rank * 0.4
            continue
        yield f"not {name}", rank
        yield f"{name} is None", rank * 0.7
        if kind in (LIST, TEXT, TUPLE, CONTAINER, SET, DICT):
            yield f"len({name}) == 1", rank * 0.5
            yield f"len({name}) <= 1", rank * 0.6
        elif not kind:
            yield f"{name} <= 0", rank * 0.3
            yield f"{name} < 0", rank * 0.3
            yield f"{name} <= 1", rank * 0.25


def _plausible_results(context: Context, site: Site) -> list[tuple[str, float]]:
    weights: dict[str, float] = {}
    for statement in site.scope.returns:
        value = statement.value
        if value is None:
            weights.setdefault("", 1.0)
        elif isinstance(value, ast.Constant):
            weights.setdefault(context.code(value), 1.0)
        else:
            kind = site.scope.kind(value)
            if kind in _EMPTY:
                weights.setdefault(_EMPTY[kind], 1.0)
            if kind == BOOL:
                weights.setdefault("True", 0.9)
    for text, weight in (
        ("0", 0.5),
        ("None", 0.5),
        ("[]", 0.5),
        ("''", 0.4),
        ("False", 0.5),
        ("True", 0.4),
        ("1", 0.4),
    ):
        weights.setdefault(text, weight)
    for text in ("{}", "[[]]", "-1"):
        weights.setdefault(text, 0.25)
    if not any(statement.value for statement in site.scope.returns):
        weights[""] = 1.0
    return sorted(weights.items(), key=lambda item: -item[1])
