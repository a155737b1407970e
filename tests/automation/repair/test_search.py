"""The search keeps what is needed of a change, and no more."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from time import monotonic

import pytest

from automation.codebase.sources import read_source
from automation.incidents.suites import suite_server
from automation.repair.records import Candidate, Place, TextEdit
from automation.repair.search import Patience, Tally, search
from automation.repair.templates.catalogue import pairs
from automation.repair.verify import Goal, Judge, Verdict
from tests.automation.repair.scenes import Scene, scene

FILES = {
    "scale.py": "def twice(value):\n    return value + 1\n\n\ndef thrice(value):\n    return value * 2\n",
    "test_scale.py": "from scale import thrice, twice\n\n\n"
    "def test_twice():\n    assert twice(5) == 10\n\n\n"
    "def test_thrice_of_nothing():\n    assert thrice(0) == 0\n",
}
BOTH = FILES | {"test_scale.py": FILES["test_scale.py"] + "\n\ndef test_thrice():\n    assert thrice(5) == 15\n"}


def edit(on: Scene, old: str, new: str) -> Candidate:
    source = read_source(on.tree, "scale.py")
    at = source.text.index(old)
    line = source.text.count("\n", 0, at) + 1
    function = "twice" if line < 4 else "thrice"
    change = (TextEdit(at, at + len(old), new),)
    return Candidate(source, change, "template:t", Place("scale.py", line, function, 1.0), f"{old} becomes {new}", 0.5)


def found(on: Scene, candidates: Iterable[Candidate], beside: tuple[str, ...] = ()) -> Tally:
    def stream() -> Generator[Candidate, Verdict | None, None]:
        yield from candidates

    tally = Tally()
    targets = tuple(test for test in on.failing if test not in beside)
    goal = Goal(targets, frozenset(on.report.passed), len(on.report.collected), beside)
    with suite_server(on.tree, on.settings) as server:
        judge = Judge(on.tree, on.settings, server, goal, on.report)
        list(search(stream(), judge, tally, Patience(monotonic() + 60, 50, 10), label="trying"))
    return tally


@pytest.fixture
def one_fault(tmp_path: Path) -> Scene:
    """Give a repository with one fault."""
    return scene(tmp_path, FILES)


def test_a_second_edit_that_is_not_needed_is_taken_out(one_fault: Scene) -> None:
    right, needless = edit(one_fault, "+ 1", "+ value"), edit(one_fault, "* 2", "* 7")
    tally = found(one_fault, pairs([needless, right]))
    assert tally.plausible == [right]


def test_pairs_around_an_edit_that_is_enough_are_not_tried(one_fault: Scene) -> None:
    right = edit(one_fault, "+ 1", "+ value")
    others = [edit(one_fault, "* 2", f"* {factor}") for factor in (3, 4, 5, 6)]
    tally = found(one_fault, (pair for other in others for pair in pairs([right, other])))
    assert tally.plausible == [right]
    assert tally.total < len(list(combinations(others, 2))) + len(others)


def test_a_pair_of_which_both_edits_are_needed_stays_whole(tmp_path: Path) -> None:
    both = scene(tmp_path, BOTH)
    one, other = edit(both, "+ 1", "+ value"), edit(both, "* 2", "* 3")
    tally = found(both, pairs([one, other]))
    assert [candidate.parts for candidate in tally.plausible] == [(one, other)]


def test_what_a_change_mends_beside_its_target_is_counted_and_nothing_is_turned_away_for_it(tmp_path: Path) -> None:
    more = "\n\ndef test_twice_of_three():\n    assert twice(3) == 6\n"
    on = scene(tmp_path, FILES | {"test_scale.py": FILES["test_scale.py"] + more})
    wrong, right = edit(on, "+ 1", "+ 5"), edit(on, "+ 1", "+ value")
    tally = found(on, [wrong, right], ("test_scale.py::test_twice_of_three",))
    assert {candidate.description: tally.mended[id(candidate)] for candidate in tally.plausible} == {
        wrong.description: 0,
        right.description: 1,
    }


def test_a_test_that_refuted_one_candidate_is_asked_of_those_that_follow(tmp_path: Path) -> None:
    # What reaches the change is asked in any case; what only reads the file is not.
    reaching = "\n\ndef test_twice_of_one():\n    assert twice(1) > 1\n"
    told = f"{reaching}\n\ndef test_no_five():\n    assert '+ 5' not in open('scale.py').read()\n"
    on = scene(tmp_path, FILES | {"test_scale.py": FILES["test_scale.py"] + told})
    wrong = edit(on, "+ 1", "+ 5")
    refuter = "test_scale.py::test_no_five"
    goal = Goal(on.failing, frozenset(on.report.passed), len(on.report.collected))
    with suite_server(on.tree, on.settings) as server:
        judge = Judge(on.tree, on.settings, server, goal, on.report)
        assert judge.check_neighbours(wrong).plausible
        assert judge.check_suite(wrong).lost == (refuter,)
        warned = Judge(on.tree, on.settings, server, replace(goal, refuters=(refuter,)), on.report)
        assert not warned.check_neighbours(wrong).plausible
