"""Arithmetic that a processor does faster in another form."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from automation.tasks.optimize.drafts import Draft
from automation.tasks.optimize.templates.subject import Change, Subject, is_plain


def arithmetic(subject: Subject) -> Iterator[Draft]:
    """Yield a draft in which squares and cubes are products; overflow of floating point numbers tells them apart."""
    changes: list[Change | None] = []
    first: ast.AST | None = None
    for node in subject.nodes:
        power = _power(node)
        if power is None:
            continue
        base, exponent = power
        text = subject.words(base)
        changes.append(subject.instead(base_of(node), f"({' * '.join([text] * exponent)})"))
        first = first or node
    if first is not None:
        yield from subject.draft("square", "powers of small whole numbers are products", first, changes)


def base_of(node: ast.AST) -> ast.expr:
    """Return a node that is known to be an expression as one."""
    if not isinstance(node, ast.expr):
        raise TypeError(f"{type(node).__name__} is no expression")
    return node


def _power(node: ast.AST) -> tuple[ast.expr, int] | None:
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Pow) or not isinstance(node.right, ast.Constant):
        return None
    simple = isinstance(node.left, ast.Name) and is_plain(node.left)
    exponent = node.right.value
    return (node.left, exponent) if simple and type(exponent) is int and exponent in (2, 3) else None
