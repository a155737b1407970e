"""Paired comparisons: noise is not taken for improvement, improvement is found in noise."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.improvement.command_timing import compare_commands
from automation.improvement.paired import Comparison, compare, comparison_of
from tests.automation.codebase.confined import eventually, processes_with
from trading.errors import Refused, UsageError

EXPERIMENTS = 200


def noisy(cost: float, noise: float, rng: np.random.Generator) -> Callable[[], float]:
    return lambda: float(cost * np.exp(rng.normal(0, noise)))


def accepted_share(b_cost: float, noise: float, minimum: float, pairs: int = 20) -> float:
    rng = np.random.default_rng(11)
    found = [
        compare(noisy(1.0, noise, rng), noisy(b_cost, noise, rng), pairs, seed).accepts(minimum)
        for seed in range(EXPERIMENTS)
    ]
    return sum(found) / EXPERIMENTS


@pytest.mark.parametrize("noise", [0.005, 0.05, 0.3])
def test_equal_costs_are_seldom_accepted(noise):
    # The one-sided error of a 95% interval is 2.5%; twice that leaves room for the small number of pairs.
    assert accepted_share(1.0, noise, minimum=0.0) <= 0.05


def test_an_improvement_of_just_the_minimum_is_seldom_accepted():
    assert accepted_share(0.99, 0.02, minimum=0.01) <= 0.05


def test_a_five_per_cent_gain_in_small_noise_is_accepted():
    assert accepted_share(0.95, 0.02, minimum=0.01) >= 0.95


def test_a_loss_is_never_accepted():
    assert accepted_share(1.05, 0.02, minimum=0.0) == 0


def test_one_run_that_was_slowed_down_does_not_decide():
    a = [1.0] * 20
    b = [0.9] * 19 + [50.0]
    found = comparison_of(a, b, seed=1)
    assert found.accepts(0.05)
    assert found.improvement == pytest.approx(0.1)


def test_drift_of_the_machine_favours_neither():
    clock = iter(np.linspace(1.0, 2.0, 200))
    drifting = lambda: float(next(clock))  # noqa: E731
    found = compare(drifting, drifting, 40, seed=5)
    assert found.low < 0 < found.high


def test_runs_alternate_in_blocks_of_abba():
    calls: list[str] = []

    def noting(name: str) -> Callable[[], float]:
        return lambda: calls.append(name) or 1.0

    compare(noting("A"), noting("B"), 8, seed=0, warmups=2)
    assert calls[:4] == list("ABAB")
    blocks = {"".join(calls[at : at + 4]) for at in range(4, len(calls), 4)}
    assert len(calls) == 2 * (2 + 8)
    assert blocks == {"ABBA", "BAAB"}


costs = st.floats(1e-3, 1e3)


@given(st.lists(st.tuples(costs, costs), min_size=6, max_size=30), st.integers(0, 2**32))
def test_interval_holds_the_improvement_and_swaps_with_its_sides(pairs, seed):
    a, b = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    forth, back = comparison_of(a, b, seed, resamples=500), comparison_of(b, a, seed, resamples=500)
    slack = 1e-9
    assert forth.low - slack <= forth.improvement <= forth.high + slack
    assert (1 - forth.improvement) * (1 - back.improvement) == pytest.approx(1)
    assert (1 - forth.low) * (1 - back.high) == pytest.approx(1)
    assert not (forth.accepts(0.0) and back.accepts(1e-9))


@given(st.lists(st.tuples(costs, costs), min_size=6, max_size=12), st.floats(1e-3, 1e3))
def test_the_unit_of_cost_does_not_matter(pairs, unit):
    a, b = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    one = comparison_of(a, b, 3, resamples=200)
    other = comparison_of([cost * unit for cost in a], [cost * unit for cost in b], 3, resamples=200)
    assert (one.low, one.high) == pytest.approx((other.low, other.high), rel=1e-6, abs=1e-9)


def test_same_seed_same_interval():
    rng = np.random.default_rng(0)
    a, b = rng.uniform(1, 2, 10), rng.uniform(1, 2, 10)
    assert comparison_of(a, b, 7) == comparison_of(a, b, 7)


def test_acceptance_is_by_the_lower_bound_alone():
    found = Comparison((1.0,), (0.9,), improvement=0.1, low=0.01, high=0.2, confidence=0.95)
    assert found.accepts(0.01)
    assert not found.accepts(0.0101)


@pytest.mark.parametrize("cost", [0.0, -1.0, float("nan"), float("inf")])
def test_costs_that_cannot_be_compared_are_refused(cost):
    with pytest.raises(UsageError, match="measure more work"):
        compare(lambda: 1.0, lambda: cost, 6, seed=0)


def test_too_few_pairs_are_refused_before_anything_runs():
    with pytest.raises(UsageError, match="at least 6"):
        compare(pytest.fail, pytest.fail, 5, seed=0)


def test_commands_are_timed_by_wall_and_by_the_cpu_of_their_children(tmp_path):
    # Two processes that sleep for different times and hardly compute: only the wall clock tells them apart.
    short, long = ([sys.executable, "-S", "-c", f"import time; time.sleep({naptime})"] for naptime in (0.0, 0.2))
    found = compare_commands(long, short, 6, folder=tmp_path)
    assert min(found.wall.a) >= 0.2 > max(found.cpu.a)
    assert min(found.wall.b) >= min(found.cpu.b) > 0
    assert min(found.cpu.a) > 0


def test_a_failing_command_is_refused_with_its_last_words():
    failing = [sys.executable, "-S", "-c", "import sys; sys.exit('out of cheese')"]
    with pytest.raises(Refused, match=r"exit code 1.*out of cheese"):
        compare_commands(failing, failing, 6)


def test_a_command_that_does_not_exist_is_named():
    with pytest.raises(UsageError, match="no-such-program"):
        compare_commands(["no-such-program"], ["true"], 6)


def test_a_command_over_its_limit_is_killed_with_its_children():
    nap = f"600.{uuid.uuid4().int}"
    with pytest.raises(Refused, match="took over"):
        compare_commands(["sh", "-c", f"sleep {nap} & wait"], ["sleep", "600"], 6, timeout_s=1)
    # a busy machine takes its time to end what was killed; left alone, it would sleep for ten minutes
    assert eventually(lambda: not processes_with(nap))
