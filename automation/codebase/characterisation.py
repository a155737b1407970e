"""Tests that state what code did when it was watched, right or wrong: how they are marked, and which ones they are.

Such a test guards against a change by accident; it is never alone what justifies a change.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

MARK = "# characterisation: what the code did, not what it was meant to do"
_BEGINNING = MARK.partition(":")[0] + ":"


def characterised(text: str) -> frozenset[str]:
    """Return the names of the test functions of a file that are marked as characterisation.

    Parameters
    ----------
    text : str
        The file; one that does not parse has none.
    """
    if _BEGINNING not in text:
        return frozenset()
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return frozenset()
    lines = text.splitlines()
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min(each.lineno for each in (node, *node.decorator_list))
            if first > 1 and lines[first - 2].strip().startswith(_BEGINNING):
                found.add(node.name)
    return frozenset(found)


def characterisations(tree: Path, tests: Iterable[str]) -> frozenset[str]:
    """Return those of some tests that are marked as characterisation.

    Parameters
    ----------
    tree : Path
        The repository.
    tests : iterable of str
        Node ids of pytest.
    """
    known: dict[str, frozenset[str]] = {}
    found = set()
    for test in tests:
        path, _, name = test.partition("::")
        if path not in known:
            file = tree / path
            known[path] = (
                characterised(file.read_text(encoding="utf-8", errors="replace")) if file.is_file() else frozenset()
            )
        if name.partition("[")[0].rpartition("::")[2] in known[path]:
            found.add(test)
    return frozenset(found)
