"""Which of several candidates that pass is proven first: the better supported, the smaller, the less specialised."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from automation.repair.differential import Behaviour
from automation.repair.objections import leaves_unread, only_takes_away
from automation.repair.records import Candidate, Evidence

if TYPE_CHECKING:
    # It tells recordings to the core, which takes a second to import.
    from automation.incidents.session_agreement import Agreement

_NOT_COMPARED = Behaviour(comparable=False)
# Weights of the parts of a rank; each part is 0..1.
_SUPPORT, _SIZE, _GENERAL, _AGREEMENT, _CLUSTER = 0.40, 0.25, 0.15, 0.10, 0.10
_IDLE, _REUSED, _LEFT_OUT, _UNREAD, _TAKEN, _CRASHES, _HANGS = 0.25, 0.15, 0.3, 0.4, 0.1, 0.1, 0.4
_COMPOSITE = re.compile(r"\w\s*[-+*/%(\[.]\s*\w")
_HALF_SIZE = 8
# Ranks that lie closer together than this decide nothing between changes that behave differently.
_CLOSE = 0.17
_TRIVIAL = frozenset({"0", "1", "-1", "2", "None", "True", "False", "''", "0.0", "1.0"})


@dataclass(frozen=True, slots=True)
class Plausible:
    """A candidate that passes the tests it was put to.

    Parameters
    ----------
    candidate : Candidate
        The change.
    findings : int
        What the guard holds against it.
    specialised : float
        `specialised` of it, 0..1.
    behaviour : Behaviour
        How it behaves beside the original and its rivals.
    agreement : Agreement or None
        Whether it decides as a session did before it failed; None where there is none, or it is not known.
    mended : int
        Failing tests that it mends beside those that it must mend.
    """

    candidate: Candidate
    findings: int = 0
    specialised: float = 0.0
    behaviour: Behaviour = _NOT_COMPARED
    agreement: Agreement | None = None
    mended: int = 0


def rank_plausible(candidates: Sequence[Plausible]) -> list[Plausible]:
    """Order plausible candidates, the one to be proven first at the front.

    Parameters
    ----------
    candidates : sequence of Plausible
        All of one fault.

    Returns
    -------
    list of Plausible
        Fewest guard findings first; then what mends most tests beside; then those that get through a session's
        recording and decide as it did before it failed; among equals by ``0.40 s + 0.25 z + 0.15 (1 - l) + 0.10 a +
        0.10 c``: ``s`` is place times prior over the best of them, ``z = 8 / (8 + d)`` with ``d`` changed syntax
        nodes, ``l`` is `specialised`, ``a`` the agreement with the original on inputs like those of passing tests
        (0.5 where nothing could be compared), ``c`` the share of candidates that behave like it. A step that does
        nothing, such as ``+ 0``, costs 0.25, to leave out an order or a fill at the input that failed 0.3, to leave
        something unread that was read before 0.4, to take code away and add none 0.1, to raise on more inputs than
        the steadiest rival 0.1, to hang on more of them 0.4; a change that puts an expression where the file has it
        elsewhere already gains 0.15 (Barr et al. 2014: most changes are made of code that is there). Ties keep their
        order.
    """
    worths = _worths(candidates)

    return sorted(candidates, key=lambda one: (*_standing(one), -worths[id(one)]))


def is_undecided(ranked: Sequence[Plausible]) -> bool:
    """Say whether nothing decides that the first of ranked candidates is the right one.

    Parameters
    ----------
    ranked : sequence of Plausible
        From `rank_plausible`.

    Returns
    -------
    bool
        Whether the first leaves something unread, or another one that does not, that hangs no more often and that no
        finding or test speaks against, behaves differently on some input and ranks less than 0.17 behind it. Where a
        session's recording was asked, that has decided.
    """
    if not ranked or ranked[0].agreement is not None:
        return False
    first, *others = ranked
    if leaves_unread(first.candidate):
        return True
    worths = _worths(ranked)
    return any(
        one.behaviour.comparable
        and first.behaviour.comparable
        and one.behaviour.cluster != first.behaviour.cluster
        and _standing(one) == _standing(first)
        and not leaves_unread(one.candidate)
        and one.behaviour.hangs <= first.behaviour.hangs
        and worths[id(first)] - worths[id(one)] < _CLOSE
        for one in others
    )


def _standing(one: Plausible) -> tuple[int, int, bool]:
    return one.findings, -one.mended, one.agreement is not None and not one.agreement.as_recorded


def _worths(candidates: Sequence[Plausible]) -> dict[int, float]:
    best = max((one.candidate.score for one in candidates), default=0.0) or 1.0
    clusters = [one.behaviour.cluster for one in candidates if one.behaviour.comparable]
    compared = [one.behaviour for one in candidates if one.behaviour.comparable]
    crashes = min((behaviour.crashes for behaviour in compared), default=0)
    hangs = min((behaviour.hangs for behaviour in compared), default=0)

    def worth(one: Plausible) -> float:
        behaviour = one.behaviour
        agreement = behaviour.agreement if behaviour.comparable else 0.5
        alike = clusters.count(behaviour.cluster) / len(candidates) if behaviour.comparable else 0.0
        size = _HALF_SIZE / (_HALF_SIZE + edit_distance(one.candidate))
        support = one.candidate.score / best
        shape = _SUPPORT * support + _SIZE * size + _GENERAL * (1 - one.specialised)
        shape += _AGREEMENT * agreement + _CLUSTER * alike
        shape += _REUSED if _reuses(one.candidate) else 0.0
        shape -= _CRASHES if behaviour.comparable and behaviour.crashes > crashes else 0.0
        shape -= _HANGS if behaviour.comparable and behaviour.hangs > hangs else 0.0
        return shape - _doubts(one)

    return {id(one): worth(one) for one in candidates}


def _doubts(one: Plausible) -> float:
    candidate = one.candidate
    doubts = _IDLE if _idle_steps(candidate.text()) > _idle_steps(candidate.source.text) else 0.0
    doubts += 0.0 if one.agreement is None or one.agreement.same_last else _LEFT_OUT
    doubts += _UNREAD if leaves_unread(candidate) else 0.0
    return doubts + (_TAKEN if only_takes_away(candidate) else 0.0)


def _reuses(candidate: Candidate) -> bool:
    """Say whether all that a change puts in are expressions, more than a name, that stand elsewhere in the file."""
    rest = candidate.source.text
    # What is taken out in the same change is moved, not known from elsewhere.
    for edit in sorted(candidate.edits, key=lambda edit: edit.start, reverse=True):
        rest = rest[: edit.start] + "\n" + rest[edit.end :]
    added = [edit.new.strip() for edit in candidate.edits]
    return all(_COMPOSITE.search(new) and new in rest for new in added)


def _idle_steps(text: str) -> int:
    """Count operations that change nothing; a person would write none."""
    try:
        nodes = list(ast.walk(ast.parse(text)))
    except (SyntaxError, ValueError):
        return 0
    return sum(
        isinstance(node, ast.BinOp)
        and isinstance(node.right, ast.Constant)
        and (
            (isinstance(node.op, ast.Add | ast.Sub) and node.right.value == 0)
            or (isinstance(node.op, ast.Mult | ast.FloorDiv | ast.Div | ast.Pow) and node.right.value == 1)
        )
        for node in nodes
    )


def specialised(candidate: Candidate, evidence: Evidence) -> float:
    """Say how much a change is made for the failing test.

    Parameters
    ----------
    candidate : Candidate
        The change.
    evidence : Evidence
        Of the failure; the literals of its test and message are what a special case would name.

    Returns
    -------
    float
        0..1. Of the nodes that the change adds, a literal of the test counts 1, another new literal 0.5, a name or
        attribute that the file does not hold yet 0.25, and what the file holds already 0; the sum is divided by the
        nodes that were looked at, one at least. Literals such as 0, 1 and None count as known.
    """
    try:
        before, after = _leaves(candidate.source.text), _leaves(candidate.text())
        shown = set(_leaves(evidence.test_source))
    except SyntaxError:
        return 0.0
    known = set(before)
    added = _added(before, after)
    if not added:
        return 0.0
    return sum(_oddity(leaf, known, shown) for leaf in added) / len(added)


def edit_distance(candidate: Candidate) -> int:
    """Return how many syntax nodes a change removes and adds; layout and comments count nothing."""
    try:
        before, after = _shape(candidate.source.text), _shape(candidate.text())
    except SyntaxError:
        return max(len(edit.new) + edit.end - edit.start for edit in candidate.edits)
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    middle = before[start : len(before) - end], after[start : len(after) - end]
    matcher = difflib.SequenceMatcher(None, *middle, autojunk=False)
    return sum((i2 - i1) + (j2 - j1) for tag, i1, i2, j1, j2 in matcher.get_opcodes() if tag != "equal")


Leaf = tuple[str, str]


def _leaves(text: str) -> list[Leaf]:
    found: list[Leaf] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant):
            found.append(("literal", repr(node.value)))
        elif isinstance(node, ast.Name):
            found.append(("name", node.id))
        elif isinstance(node, ast.Attribute):
            found.append(("name", node.attr))
    return found


def _added(before: Sequence[Leaf], after: Sequence[Leaf]) -> list[Leaf]:
    left = list(before)
    added = []
    for leaf in after:
        if leaf in left:
            left.remove(leaf)
        else:
            added.append(leaf)
    return added


def _oddity(leaf: Leaf, known: set[Leaf], shown: set[Leaf]) -> float:
    kind, text = leaf
    if kind == "name":
        return 0.0 if leaf in known else 0.25
    if text in _TRIVIAL:
        return 0.0
    if leaf in shown:
        return 1.0
    return 0.0 if leaf in known else 0.5


def _shape(text: str) -> list[str]:
    return list(_tokens(ast.parse(text)))


def _tokens(node: ast.AST) -> Iterator[str]:
    plain = [str(value) for _, value in ast.iter_fields(node) if isinstance(value, str | int | float | bytes)]
    yield " ".join([type(node).__name__, *plain])
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.Load | ast.Store | ast.Del):
            yield from _tokens(child)
