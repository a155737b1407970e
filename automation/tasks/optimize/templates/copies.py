"""Lists that are made only to be walked once."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from automation.tasks.optimize.drafts import Draft
from automation.tasks.optimize.templates.subject import Subject, loaded, root_of, stored, touched

_TAKES_ANY = ("sum", "min", "max", "any", "all", "sorted", "set", "frozenset", "tuple", "list", "dict", "enumerate")


def copies(subject: Subject) -> Iterator[Draft]:
    """Yield drafts without needless copies: ``list`` around what is walked anyway, a list where a generator does."""
    for node in subject.nodes:
        if isinstance(node, ast.For):
            copied = _copied(subject, node.iter)
            if copied is not None and not _changes(subject, node, copied):
                yield from _without(subject, node.iter, copied, node)
        elif isinstance(node, ast.comprehension):
            copied = _copied(subject, node.iter)
            if copied is not None:
                yield from _without(subject, node.iter, copied, node.iter)
        elif isinstance(node, ast.Call) and len(node.args) == 1:
            yield from _argument(subject, node)


def _copied(subject: Subject, node: ast.expr) -> ast.expr | None:
    if not isinstance(node, ast.Call) or len(node.args) != 1 or node.keywords or isinstance(node.args[0], ast.Starred):
        return None
    if subject.is_builtin(node.func, "list", "tuple"):
        return node.args[0]
    return None


def _changes(subject: Subject, loop: ast.For, copied: ast.expr) -> bool:
    changed: set[str] = set()
    for statement in loop.body:
        changed |= set(stored(statement)) | touched(subject, statement)
    return bool(changed & (loaded(copied) | {root_of(copied)}))


def _without(subject: Subject, node: ast.expr, copied: ast.expr, at: ast.AST) -> Iterator[Draft]:
    text = subject.words(copied)
    yield from subject.draft("copy", f"{text[:40]} is walked without a copy", at, [subject.instead(node, text)])


def _argument(subject: Subject, call: ast.Call) -> Iterator[Draft]:
    argument = call.args[0]
    is_join = (
        isinstance(call.func, ast.Attribute) and call.func.attr == "join" and isinstance(call.func.value, ast.Constant)
    )
    if not is_join and not subject.is_builtin(call.func, *_TAKES_ANY):
        return
    copied = _copied(subject, argument)
    if copied is not None:
        yield from _without(subject, argument, copied, call)
    elif isinstance(argument, ast.ListComp) and not call.keywords and not is_join:
        text = subject.words(argument).strip()
        change = subject.instead(argument, text[1:-1].strip())
        yield from subject.draft("generator", "a generator in the place of a list", call, [change])
    elif isinstance(argument, ast.GeneratorExp) and (
        is_join or subject.is_builtin(call.func, "sum", "min", "max", "set", "tuple")
    ):
        # A short list is built faster than a generator is walked; the clock decides.
        start, end = subject.span_of(argument)
        text = subject.text[start:end]
        inner = text[1:-1].strip() if text.startswith("(") and text.endswith(")") else text
        bracketed = f"([{inner}])" if text.startswith("(") and subject.text[start - 1] != "(" else f"[{inner}]"
        yield from subject.draft(
            "generator", "a list in the place of a generator", call, [subject.instead(argument, bracketed)]
        )
