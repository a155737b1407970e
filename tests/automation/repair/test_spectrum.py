"""The measures against their definitions and at their edges."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.repair.spectrum import Counts, dstar, ochiai, suspicion

COUNTS = st.builds(Counts, *[st.integers(0, 50)] * 4)


@given(COUNTS)
def test_suspicion_stays_between_zero_and_one(counts: Counts) -> None:
    assert 0.0 <= suspicion(counts) <= 1.0
    assert 0.0 <= ochiai(counts) <= 1.0
    assert dstar(counts) >= 0.0


@given(COUNTS)
def test_one_more_passing_test_never_raises_suspicion(counts: Counts) -> None:
    more = Counts(counts.failed_ran, counts.failed_not, counts.passed_ran + 1, counts.passed_not)
    assert suspicion(more) <= suspicion(counts)


@given(st.integers(1, 30), st.integers(0, 30))
def test_element_of_failing_tests_only_is_as_suspicious_as_can_be(failed: int, passed_not: int) -> None:
    assert suspicion(Counts(failed, 0, 0, passed_not)) == 1.0


def test_measures_by_hand() -> None:
    counts = Counts(failed_ran=2, failed_not=1, passed_ran=1, passed_not=5)
    assert ochiai(counts) == pytest.approx(2 / 3)
    assert dstar(counts) == 2.0
    assert suspicion(counts) == pytest.approx((2 / 3 + 2 / 5) / 2)


def test_division_by_zero_is_settled() -> None:
    assert ochiai(Counts(0, 0, 0)) == 0.0
    assert dstar(Counts(0, 3, 0)) == 0.0
    assert math.isinf(dstar(Counts(3, 0, 0)))
    assert suspicion(Counts(0, 0, 0)) == 0.0
