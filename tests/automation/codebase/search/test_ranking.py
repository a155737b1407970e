"""Words and meaning in one score."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from automation.codebase.search.ranking import Homes, Weights, Why, fused

_OWN = Homes(np.arange(3), np.arange(3))
_ALL = np.ones(3)


def test_without_an_embedder_the_words_are_everything() -> None:
    found = fused(np.array([0.0, 4.0, 2.0]), None, _OWN, _ALL, Weights())
    assert found.best(10) == [1, 2]
    assert found.why(1) == (Why.WORDS,)


def test_what_is_alike_is_found_without_a_common_word() -> None:
    found = fused(np.zeros(3), np.array([0.1, 0.6, 0.3]), _OWN, _ALL, Weights())
    assert found.best(10) == [1, 2]
    assert found.why(1) == (Why.MEANING,)


def test_both_ways_together_beat_either() -> None:
    found = fused(np.array([5.0, 4.9, 0.0]), np.array([0.0, 0.5, 0.55]), _OWN, _ALL, Weights())
    assert found.best(1) == [1]
    assert set(found.why(1)) == {Why.WORDS, Why.MEANING}


def test_a_function_gains_from_what_its_module_is_about() -> None:
    words, homes = np.array([3.0, 3.0, 5.0]), Homes(np.array([0, 2, 2]), np.arange(3))
    assert fused(words, None, homes, np.array([1.0, 1.0, 0.0]), Weights()).best(10) == [1, 0]


def test_a_class_gains_from_the_best_of_its_methods() -> None:
    homes = Homes(np.arange(4), np.array([0, 1, 1, 1]))
    score = fused(np.array([3.0, 3.0, 1.0, 5.0]), None, homes, np.ones(4), Weights()).score
    assert score[1] > score[0]
    assert score[1] == fused(np.array([3.0, 3.0, 0.0, 5.0]), None, homes, np.ones(4), Weights()).score[1]


def test_a_factor_of_nothing_leaves_a_document_out() -> None:
    assert fused(np.array([3.0, 2.0, 1.0]), None, _OWN, np.array([0.0, 1.0, 1.0]), Weights()).best(10) == [1, 2]


@given(
    words=arrays(np.float64, 3, elements=st.floats(0, 50)),
    likeness=arrays(np.float64, 3, elements=st.floats(-1, 1)),
)
def test_scores_lie_between_nothing_and_one(words: np.ndarray, likeness: np.ndarray) -> None:
    score = fused(words, likeness, Homes(np.zeros(3, dtype=np.int64), np.array([0, 0, 2])), _ALL, Weights()).score
    assert ((score >= 0) & (score <= 1 + 1e-9)).all()
