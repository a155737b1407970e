"""Choosing among candidates that pass: the better supported, the smaller, the less made for the tests."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from automation.incidents.suites import SuiteSettings
from automation.repair.differential import Behaviour, Observed, compare
from automation.repair.minimal import Plausible, is_undecided, rank_plausible, specialised
from automation.repair.records import Candidate, Evidence, Place
from automation.repair.verify import Judge

if TYPE_CHECKING:
    from automation.incidents.session_agreement import Agreement

_MARGIN = 3
_COMPARE_S = 5.0


def best_first(
    passing: Sequence[tuple[Candidate, int]],
    judge: Judge,
    evidence: Evidence,
    tree: Path,
    settings: SuiteSettings,
    *,
    seed: int = 0,
    agreed: Sequence[Agreement | None] = (),
    mended: Mapping[int, int] = {},
) -> list[Plausible]:
    """Return candidates that pass, the one to be proven first at the front; none where nothing decides between them.

    Those are kept in `Judge.undecided`: to land one of them would be a guess.

    Parameters
    ----------
    passing : sequence of (Candidate, int)
        Each with the number of findings that the guard has, none of them blocking.
    judge : Judge
        Knows which passing tests reach a candidate's place.
    evidence : Evidence
        Of the failure: a change that repeats its literals is made for the test.
    tree : Path
        The private copy.
    settings : SuiteSettings
        How its tests run, for comparing rivals on the same inputs.
    seed : int
        Same seed, same inputs.
    agreed : sequence of (Agreement or None)
        Of each candidate with a session's recording; empty where there is none.
    mended : mapping of int to int
        By `id` of a candidate: the failing tests that it mends beside those that it must mend.
    """
    candidates = [candidate for candidate, _ in passing]
    behaviours = _behaviours(candidates, judge, tree, settings, seed) if len(candidates) > 1 else {}
    rivals = [
        Plausible(
            candidate,
            findings,
            specialised(candidate, evidence),
            behaviours.get(id(candidate), Behaviour(False)),
            agreement,
            mended.get(id(candidate), 0),
        )
        for (candidate, findings), agreement in zip(passing, agreed or [None] * len(passing), strict=True)
    ]
    ranked = rank_plausible(rivals)
    if is_undecided(ranked):
        judge.undecided += ranked
        return []
    return ranked


def _behaviours(
    candidates: Sequence[Candidate], judge: Judge, tree: Path, settings: SuiteSettings, seed: int
) -> dict[int, Behaviour]:
    groups: dict[tuple[str, str], list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        groups[candidate.source.path, candidate.place.function].append(candidate)
    found: dict[int, Behaviour] = {}
    for (_, function), rivals in groups.items():
        if len(rivals) > 1 and function:
            tests = Observed(judge.neighbours(rivals[0]), judge.goal.targets)
            texts = [rival.text() for rival in rivals]
            behaviours = compare(
                tree, settings, rivals[0].source, function, texts, tests, seconds=_COMPARE_S, seed=seed
            )
            found |= {id(rival): behaviour for rival, behaviour in zip(rivals, behaviours, strict=True)}
    return found


def guard_scope(places: Sequence[Place]) -> dict[str, list[tuple[int, int]]]:
    """Return the lines, by file, that a change may touch without being questioned."""
    scope: dict[str, list[tuple[int, int]]] = {}
    for place in places:
        scope.setdefault(place.path, []).append((place.line - _MARGIN, place.line + _MARGIN))
    return scope


def literals_of_test(evidence: Evidence) -> frozenset[str]:
    """Return the reprs of the literals in the failing test."""
    try:
        tree = ast.parse(evidence.test_source)
    except SyntaxError:
        return frozenset()
    return frozenset(repr(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant))
