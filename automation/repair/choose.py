"""Choosing among candidates that pass: the better supported, the smaller, the less made for the tests."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from automation.repair.records import Candidate, Evidence, Place
from automation.repair.verify import Judge

_MARGIN = 3


def best_first(plausible: Sequence[Candidate], judge: Judge, evidence: Evidence) -> list[Candidate]:
    """Return plausible candidates, the one to be proven first at the front."""
    return sorted(plausible, key=lambda candidate: -candidate.score)


def guard_scope(places: Sequence[Place]) -> dict[str, list[tuple[int, int]]]:
    """Return the lines, by file, that a change may touch without being questioned."""
    scope: dict[str, list[tuple[int, int]]] = {}
    for place in places:
        scope.setdefault(place.path, []).append((place.line - _MARGIN, place.line + _MARGIN))
    return scope


def test_literals(evidence: Evidence) -> frozenset[str]:
    """Return the reprs of the literals in the failing test."""
    try:
        tree = ast.parse(evidence.test_source)
    except SyntaxError:
        return frozenset()
    return frozenset(repr(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant))
