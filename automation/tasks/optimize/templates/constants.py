"""Values that never change, made once when the module is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from automation.tasks.optimize.drafts import Draft
from automation.tasks.optimize.templates.subject import Change, Subject

_IMMUTABLE = {
    "decimal.Decimal": "DECIMAL",
    "fractions.Fraction": "FRACTION",
    "datetime.timedelta": "SPAN",
    "pathlib.Path": "PATH",
    "pathlib.PurePath": "PATH",
    "uuid.UUID": "UUID",
}
_LEAST_ITEMS = 2


def constants(subject: Subject) -> Iterator[Draft]:
    """Yield drafts in which numbers, time spans and fixed sets are made when the module is imported."""
    found: dict[str, list[ast.Call]] = {}
    for node in subject.nodes:
        if isinstance(node, ast.Call) and _kind(subject, node):
            found.setdefault(subject.words(node), []).append(node)
    changes: list[Change | None] = []
    lines: list[str] = []
    taken: set[str] = set()
    for text, nodes in found.items():
        base = f"_{_kind(subject, nodes[0])}"
        name = next(each for each in (base, *(f"{base}_{n}" for n in range(2, 99))) if _is_free(subject, each, taken))
        taken.add(name)
        changes += [subject.instead(node, name) for node in nodes]
        lines.append(f"{name} = {text}")
    if lines:
        first = next(iter(found.values()))[0]
        told = f"{next(iter(found))[:40]}{' and others are' if len(lines) > 1 else ' is'} made once"
        yield from subject.draft("constant", told, first, [*changes, subject.at_top(*lines)])


def _is_free(subject: Subject, name: str, taken: set[str]) -> bool:
    return name not in taken and subject.free(name) == name


def _kind(subject: Subject, node: ast.Call) -> str:
    """Return a word for a call of constants that makes something that cannot be changed; empty for any other."""
    values = [*node.args, *(each.value for each in node.keywords if each.arg is not None)]
    if not values or len(values) < len(node.args) + len(node.keywords):
        return ""
    if subject.is_builtin(node.func, "frozenset") and len(values) == 1:
        items = values[0].elts if isinstance(values[0], ast.List | ast.Tuple | ast.Set) else []
        fixed = len(items) >= _LEAST_ITEMS and all(isinstance(each, ast.Constant) for each in items)
        return "FIXED" if fixed else ""
    if not all(_is_constant(each) for each in values):
        return ""
    called = node.func
    if isinstance(called, ast.Name) and called.id not in subject.locals:
        return _IMMUTABLE.get(subject.imports.get(called.id, ""), "")
    if isinstance(called, ast.Attribute) and subject.is_module(called.value):
        return _IMMUTABLE.get(f"{subject.imports[ast.unparse(called.value)]}.{called.attr}", "")
    return ""


def _is_constant(node: ast.expr) -> bool:
    inner = node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else node
    return isinstance(inner, ast.Constant)
