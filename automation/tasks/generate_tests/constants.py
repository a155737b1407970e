"""Numbers and texts that a function is likely to treat in a way of its own: those that its code and its words name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

_QUOTED = re.compile(r"``([^`\n]{1,40})``|\"([^\"\n]{1,40})\"|'([^'\n]{1,40})'")
_DEEPEST = 3
_MOST = 24
_LARGEST = 1e15
_LONGEST = 40
_MOST_BLANKS = 1


def constants_of(tree: ast.Module, function: ast.AST) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Return the numbers and texts of a function, of the private functions that it calls, and of the names it reads.

    Parameters
    ----------
    tree : ast.Module
        The file.
    function : ast.AST
        The function or class.
    """
    named = {name: node for node in tree.body for name in _names(node)}
    numbers: dict[float, None] = {}
    texts: dict[str, None] = {}
    for node in _reached(function, named, 0, set()):
        for value in _values(node):
            if isinstance(value, str):
                texts[value] = None
            elif abs(value) <= _LARGEST:
                numbers[value] = None
    return tuple(numbers)[:_MOST], tuple(texts)[:_MOST]


def _names(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id


def _reached(node: ast.AST, named: dict[str, ast.stmt], depth: int, seen: set[str]) -> Iterator[ast.AST]:
    yield node
    if depth >= _DEEPEST:
        return
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and inner.id in named and inner.id not in seen:
            seen.add(inner.id)
            found = named[inner.id]
            if found is not node and not isinstance(found, ast.ClassDef):
                yield from _reached(found, named, depth + 1, seen)


def _values(node: ast.AST) -> Iterator[float | str]:
    docstrings = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and inner.body:
            first = inner.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                docstrings.add(id(first.value))
                yield from _quoted(str(first.value.value))
    told = {id(part) for inner in ast.walk(node) if isinstance(inner, ast.Raise) for part in ast.walk(inner)}
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and id(inner) not in docstrings | told:
            value = inner.value
            if isinstance(value, str):
                yield from [value] if 0 < len(value) <= _LONGEST else []
            elif isinstance(value, int | float) and not isinstance(value, bool):
                yield value


def _quoted(doc: str) -> Iterator[float | str]:
    for parts in _QUOTED.findall(doc):
        text = next(part for part in parts if part).strip("\"'")
        if text.count(" ") <= _MOST_BLANKS:
            yield text
        yield from (word for word in text.split() if word != text)
