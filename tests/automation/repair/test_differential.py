"""Candidates compared on real calls, in a real sandbox."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.codebase.sources import SourceFile
from automation.repair.differential import Behaviour, Observed, compare
from automation.repair.inside.variations import mixed, neighbours, typical, varied
from tests.automation.repair.scenes import Scene, scene

CODE = """\
class Box:
    def __init__(self, items):
        self.items = items

    def top(self):
        return self.items[0]

    @staticmethod
    def twice(value):
        return value + 2


def clamp(value: int, low: int, high: int) -> int:
    if value < low:
        return low
    if value > high:
        return low
    return value


def pairs(items):
    for left, right in zip(items, items):
        yield left, right


def drop(items, at=0):
    items.pop(at)
    return len(items)


def spin(n):
    return n


async def later(n):
    return n
"""
TESTS = """\
import asyncio
from boxes import Box, clamp, drop, later, pairs, spin

def test_inside(): assert clamp(5, 0, 10) == 5
def test_below(): assert clamp(-5, 0, 10) == 0
def test_above(): assert clamp(50, 0, 10) == 10
def test_top_of_one(): assert Box([3]).top() == 3
def test_top_of_two(): assert Box([3, 4]).top() == 4
def test_twice(): assert Box.twice(2) == 4
def test_pairs(): assert list(pairs([1, 2])) == [(1, 1), (2, 2)]
def test_drop(): assert drop([1, 2]) == 1
def test_spin(): assert spin(3) == 3
def test_later(): assert asyncio.run(later(3)) == 3
"""


def _scene(tmp_path: Path) -> Scene:
    return scene(tmp_path, {"boxes.py": CODE, "test_boxes.py": TESTS})


def _compare(made: Scene, function: str, *changes: tuple[str, str]) -> tuple[Behaviour, ...]:
    texts = [CODE.replace(old, new, 1) for old, new in changes]
    assert all(text != CODE for text in texts)
    tests = Observed(tuple(sorted(made.report.passed)), made.failing)
    return compare(made.tree, made.settings, SourceFile("boxes.py", CODE), function, texts, tests)


def test_right_change_agrees_more_than_a_special_case_and_equal_ones_cluster(tmp_path: Path) -> None:
    wrong = "    if value > high:\n        return low\n"
    right, special, same, broken = _compare(
        _scene(tmp_path),
        "clamp",
        (wrong, wrong.replace("return low", "return high")),
        (
            "    if value < low:\n        return low\n" + wrong,
            "    return 10 if value == 50 else 5 if value > 0 else 0\n",
        ),
        (wrong, wrong.replace("return low", "return low + high - low")),
        ("    return value\n", "    raise KeyError(value)\n"),
    )
    assert right.agreement > special.agreement
    assert right.agreement >= 0.8
    assert right.cluster == same.cluster != special.cluster
    assert broken.crashes > 0
    assert "{'value': 50, 'low': 0, 'high': 10}: returns 0 -> returns 10" in right.examples


def test_method_is_called_on_a_copy_of_the_instance_that_was_seen(tmp_path: Path) -> None:
    last, second = _compare(_scene(tmp_path), "Box.top", ("items[0]", "items[-1]"), ("items[0]", "items[1]"))
    assert last.agreement == 1.0
    assert (second.agreement, second.crashes) == (0.0, 1)
    assert last.examples == ("{'self': Box({'items': [3, 4]})}: returns 3 -> returns 4",)


def test_static_method_generator_and_changed_arguments_are_compared(tmp_path: Path) -> None:
    made = _scene(tmp_path)
    (doubled,) = _compare(made, "Box.twice", ("value + 2", "value * 2"))
    assert doubled.comparable
    assert 0.5 < doubled.agreement < 1.0
    (shifted,) = _compare(made, "pairs", ("zip(items, items)", "zip(items, items[1:])"))
    assert shifted.comparable
    assert shifted.agreement < 0.5
    kept, popped = _compare(
        made, "drop", ("items.pop(at)\n    return len(items)", "return len(items) - 1"), ("pop(at)", "pop()")
    )
    assert "leaves" in kept.examples[0]
    assert kept.cluster != popped.cluster


@pytest.mark.slow
def test_endless_candidate_is_told_from_the_others_without_ending_them(tmp_path: Path) -> None:
    endless, good = _compare(
        _scene(tmp_path),
        "spin",
        ("    return n\n\n\nasync", "    while n: pass\n\n\nasync"),
        ("return n\n\n\nasync", "return +n\n\n\nasync"),
    )
    assert endless.agreement < 1.0 == good.agreement
    assert "runs too long" in endless.examples[0]


def test_what_cannot_be_compared_says_why(tmp_path: Path) -> None:
    made = _scene(tmp_path)
    (waiting,) = _compare(made, "later", ("    return n\n\n\n", "    return n + 0\n\n\n"))
    assert (waiting.comparable, waiting.reason) == (False, "it is asynchronous")
    (unknown,) = _compare(made, "missing", ("value + 2", "value * 2"))
    assert unknown.reason == "missing is no function"
    nobody = compare(made.tree, made.settings, SourceFile("boxes.py", CODE), "clamp", [CODE], Observed(()))
    assert not nobody[0].comparable


def test_module_that_cannot_be_executed_counts_as_raising(tmp_path: Path) -> None:
    (found,) = _compare(_scene(tmp_path), "spin", ("class Box:", "import missing_module\n\n\nclass Box:"))
    assert found.agreement == 0.0
    assert "module raises ModuleNotFoundError" in found.examples[0]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.tuples(inner) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(VALUES, st.integers(0, 2**32))
def test_varied_values_keep_their_type_and_leave_the_seen_one_alone(value: object, seed: int) -> None:
    before = repr(value)
    for option in varied(value, random.Random(seed)):
        assert type(option) is type(value)
    assert repr(value) == before


def test_neighbours_repeat_themselves_and_follow_annotations() -> None:
    seen: list[dict[str, object]] = [{"self": 1, "n": 3, "names": ["a"]}]
    hints: dict[str, object] = {"n": int | None, "names": list[str]}
    first, second = (list(neighbours(seen, hints, random.Random(4), 40)) for _ in range(2))
    assert first == second
    assert all(one["self"] == 1 for one in first)
    assert any(one["n"] is None for one in first)
    assert {type(one["names"]) for one in first} == {list}
    assert list(typical("no type", random.Random(1))) == []


@given(
    st.dictionaries(st.text(min_size=1, max_size=2), st.lists(st.text(max_size=2), max_size=3), max_size=4),
    st.integers(0, 99),
)
def test_mixed_values_are_made_of_what_was_seen_and_change_one_part(value: dict[str, list[str]], seed: int) -> None:
    before = repr(value)
    known = {*value, *(item for items in value.values() for item in items), "other"}
    for mixture in mixed(value, ["other"], random.Random(seed)):
        assert isinstance(mixture, dict)
        assert {*mixture, *(item for items in mixture.values() for item in items)} <= known
        assert mixture != value
    assert repr(value) == before


def test_a_chain_can_be_closed_to_a_circle() -> None:
    chain = {"a": ["b"], "b": ["c"]}
    made = [option for seed in range(200) for option in mixed(chain, [chain], random.Random(seed))]
    assert {"a": ["b"], "b": ["a"]} in made


def test_plain_values_are_left_to_be_varied() -> None:
    assert list(mixed(3, [4], random.Random(0))) == []
    assert list(mixed([], [4], random.Random(0))) == []
