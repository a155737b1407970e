"""The circuit breaker leaves a silent exchange alone, and finds out by one call when it is back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.trading.exchange.venue_server import SteppingClock
from trading.exchange.circuit import Circuit, CircuitBreaker


def opened(clock: SteppingClock) -> CircuitBreaker:
    breaker = CircuitBreaker(clock, failures=3, first_pause_s=5, longest_pause_s=30)
    for _ in range(3):
        assert breaker.admit()
        breaker.failed()
    return breaker


def test_failures_in_a_row_open_it() -> None:
    breaker = opened(SteppingClock())
    assert breaker.state is Circuit.OPEN
    assert not breaker.admit()


def test_an_answer_in_between_keeps_it_closed() -> None:
    breaker = CircuitBreaker(SteppingClock(), failures=3)
    for _ in range(5):
        breaker.failed()
        breaker.failed()
        breaker.succeeded()
    assert breaker.state is Circuit.CLOSED


def test_one_call_tries_after_the_pause_and_closes_it() -> None:
    clock = SteppingClock()
    breaker = opened(clock)
    clock.pass_time(5)
    assert breaker.state.value == "half_open"
    assert [breaker.admit(), breaker.admit()] == [True, False]
    breaker.succeeded()
    assert breaker.state.value == "closed"


def test_each_failed_trial_doubles_the_pause_up_to_the_longest() -> None:
    clock = SteppingClock()
    breaker = opened(clock)
    for pause in (5, 10, 20, 30, 30):
        clock.pass_time(pause - 0.001)
        assert not breaker.admit()
        clock.pass_time(0.001)
        assert breaker.admit()
        breaker.failed()


def test_a_cancelled_trial_lets_another_try() -> None:
    clock = SteppingClock()
    breaker = opened(clock)
    clock.pass_time(5)
    assert breaker.admit()
    breaker.abandoned()
    assert breaker.admit()


@given(st.lists(st.sampled_from(["ask", "fail", "succeed", "wait"]), max_size=60))
def test_it_never_stays_shut_for_longer_than_its_longest_pause(steps: list[str]) -> None:
    clock = SteppingClock()
    breaker = CircuitBreaker(clock, failures=2, first_pause_s=5, longest_pause_s=30)
    for step in steps:
        if step == "wait":
            clock.pass_time(3)
        elif breaker.admit():
            if step == "fail":
                breaker.failed()
            elif step == "succeed":
                breaker.succeeded()
            else:
                breaker.abandoned()
    clock.pass_time(30)
    assert breaker.admit()
