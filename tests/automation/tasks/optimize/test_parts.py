"""The parts of an optimisation: exact shapes, inputs at the edges, and rewrites that a model writes."""

from __future__ import annotations

import copy
import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automation.codebase.sources import SourceFile
from automation.pipeline.evidence import evidence_lines
from automation.repair.asking import Samples
from automation.tasks.optimize.drafts import applied
from automation.tasks.optimize.inside import extremes
from automation.tasks.optimize.inside.shapes import same, shape_of
from automation.tasks.optimize.profiling import HotFunction
from automation.tasks.optimize.rewriting import model_drafts, said_of
from tests.automation.repair.scenes import ScriptedModel

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)
TEXT = '"""Sums."""\n\n\ndef total(xs):\n    """Sum."""\n    t = 0\n    for x in xs:\n        t += x\n    return t\n'


class Box:
    __slots__ = ("held",)

    def __init__(self, held: object) -> None:
        self.held = held


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(VALUES)
def test_a_copy_has_the_same_shape(value: object) -> None:
    assert same(shape_of(value), shape_of(copy.deepcopy(value)), 0.0)
    assert same(shape_of(Box(value)), shape_of(Box(copy.deepcopy(value))), 0.0)
    assert not same(shape_of([value]), shape_of((value,)), 0.0)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (0.0, -0.0),
        (1, 1.0),
        (1, True),
        ([1, 2], [2, 1]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (0.1 + 0.2, 0.3),
        (math.nan, 0.0),
        (Box(1), Box(2)),
        (np.array([1.0, 2.0]), np.array([1.0, 2.0 + 2**-51])),
        (np.array([1, 2]), np.array([1, 2], dtype=np.int32)),
        (np.arange(5_000), np.arange(5_000)[::-1]),
    ],
)
def test_what_differs_anywhere_has_another_shape(one: object, other: object) -> None:
    assert not same(shape_of(one), shape_of(other), 0.0)


def test_a_tolerance_lets_numbers_differ_and_nothing_else() -> None:
    assert same(shape_of([0.1 + 0.2, "a"]), shape_of([0.3, "a"]), 1e-12)
    assert not same(shape_of([0.31, "a"]), shape_of([0.3, "a"]), 1e-12)
    assert not same(shape_of([0.3, "b"]), shape_of([0.3, "a"]), 1e-1)
    assert same(shape_of(math.nan), shape_of(float("nan")), 0.0)
    assert not same(shape_of(math.nan), shape_of(1.0), 0.5)


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(xs=st.lists(st.integers(), min_size=1, max_size=30), seed=st.integers(0, 100))
def test_inputs_at_the_edges_are_of_the_same_kinds_and_leave_what_was_seen(xs: list[int], seed: int) -> None:
    seen = [{"xs": xs, "limit": 2.5, "name": "abc", "self": object()}]
    kept = list(xs)
    rng = random.Random(seed)
    found = [*extremes.strained(seen, rng, 12), *extremes.grown(seen, 2), extremes.shrunk(seen[0], rng)]
    assert xs == kept
    for arguments in found:
        assert {name: type(value) for name, value in arguments.items()} == {
            name: type(value) for name, value in seen[0].items()
        }
        assert arguments["self"] is seen[0]["self"]
    assert any(arguments["xs"] == xs + xs for arguments in found)


def test_arrays_that_always_had_one_length_keep_one() -> None:
    seen = [{"a": np.zeros(n), "b": np.ones(n), "n": n} for n in (3, 40)]
    names = extremes.linked(seen)
    assert names == {"a", "b"}
    assert extremes.keeps(extremes.shrunk(seen[1], random.Random(0)), names)
    assert not extremes.keeps({"a": np.zeros(3), "b": np.ones(2)}, names)
    assert extremes.linked([*seen, {"a": np.zeros(3), "b": np.ones(2), "n": 3}]) == frozenset()
    assert extremes.linked([{"a": np.zeros(3), "n": 3}]) == frozenset()


def test_a_model_s_rewrites_keep_signature_and_docstring_and_come_once() -> None:
    answers = iter(
        [
            "```python\ndef total(xs):\n    return sum(xs)\n```",
            "I cannot.",
            "```python\ndef total(xs, fast=True):\n    return sum(xs)\n```",
            "```python\ndef other(:\n```",
        ]
    )
    model = ScriptedModel(lambda *_: next(answers))
    source = SourceFile("sums.py", TEXT)
    function = HotFunction("sums.py", "total", 4, 9, 0.9, 0.9, 12)
    drafts = list(model_drafts(model, source, function, Samples(), 4, seed=1, deadline=lambda: 60.0))
    assert len(drafts) == 1
    after = applied(TEXT, drafts[0].edits)
    assert after == '"""Sums."""\n\n\ndef total(xs):\n    """Sum."""\n    return sum(xs)\n'
    assert drafts[0].proposer == f"function:{model.name}"


def test_a_model_without_time_is_not_asked() -> None:
    model = ScriptedModel(lambda *_: pytest.fail("was asked"))
    function = HotFunction("sums.py", "total", 4, 9, 0.9, 0.9)
    source = SourceFile("sums.py", TEXT)
    made = Samples()
    assert list(model_drafts(model, source, function, made, 3, seed=1, deadline=lambda: 0.0)) == []
    assert said_of(made) == "no time left"


def test_what_became_of_answers_without_a_rewrite_is_told():
    assert said_of(Samples(asked=3, failed=1, cut=2)) == "of 3 answers 1 failed, 2 were cut"
    assert said_of(Samples(asked=2)) == "of 2 answers none held another function of this name"


def test_evidence_is_told_in_short_lines() -> None:
    lines = dict(evidence_lines({"saved": 0.25, "n": 1200, "found": True, "none": None, "run": {"before_s": 1.5}}))
    assert lines == {"saved": "0.25", "n": "1,200", "found": "yes", "run, before s": "1.5"}
    rows = list(evidence_lines({"edits": [{"place": "a.py:1", "saved": 0.5}] * 30}))
    assert rows[0] == ("edits", "place a.py:1, saved 0.5")
    assert rows[-1] == ("edits", "and 10 more")
    assert all(len(text) <= 200 for _, text in evidence_lines({"long": "x" * 900}))
