"""Delta debugging leaves out what a failure does not need, and nothing more."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from automation.incidents.inside.reduction import Reduction, reduce

needles = st.sets(st.integers(0, 59), min_size=1, max_size=6)


def failing_with(needed: set[int], counts: list[int] | None = None):
    """Return what fails as soon as all of some inputs were told."""

    def fails(sequence: Sequence[int]) -> int | None:
        missing = set(needed)
        if counts is not None:
            counts.append(len(sequence))
        for told, number in enumerate(sequence, start=1):
            missing.discard(number)
            if not missing:
                return told
        return None

    return fails


@given(needles)
def test_only_the_inputs_that_are_needed_together_are_kept(needed):
    found = reduce(Reduction(tuple(range(60))), failing_with(needed))
    assert found.kept == tuple(sorted(needed))
    assert found.done


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_no_single_input_of_the_result_can_be_left_out(votes):
    # fails as soon as three of the wanted ones were told, whichever: many sequences are minimal
    wanted = {number for number, vote in enumerate(votes) if vote}
    least = min(3, len(wanted))

    def fails(sequence: Sequence[int]) -> int | None:
        seen = 0
        for told, number in enumerate(sequence, start=1):
            seen += number in wanted
            if seen >= least:
                return told
        return None

    whole = tuple(range(len(votes)))
    start = Reduction(whole[: fails(whole)])
    found = reduce(start, fails)
    assert found.done
    assert fails(found.kept) is not None
    if len(found.kept) > 1:
        assert all(fails(found.kept[:at] + found.kept[at + 1 :]) is None for at in range(len(found.kept)))


@given(needles, st.integers(1, 5))
def test_a_reduction_in_slices_ends_where_one_in_a_single_go_does(needed, runs):
    fails, left = failing_with(needed), [runs]
    found = Reduction(tuple(range(60)))

    def is_over() -> bool:
        left[0] -= 1
        return left[0] < 0

    for _ in range(1_000):
        left[0] = runs
        before, found = found, reduce(found, fails, is_over)
        assert fails(found.kept) is not None
        assert found.tried <= before.tried + runs
        if found.done:
            break
    assert found.kept == tuple(sorted(needed))


def test_a_failure_of_the_last_inputs_is_found_without_running_the_long_sequence():
    counts: list[int] = []
    found = reduce(Reduction(tuple(range(10_000))), failing_with({9_997, 9_999}, counts))
    assert found.kept == (9_997, 9_999)
    assert max(counts) <= 4


def test_no_time_means_no_run_and_nothing_lost():
    start = Reduction(tuple(range(8)))
    assert reduce(start, failing_with({3}), lambda: True) == start
