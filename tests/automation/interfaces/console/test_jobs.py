"""A command at work: what it tells is kept in bounds, and seen in whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from automation.interfaces.console.jobs import Job
from automation.interfaces.execution import Event, Execution, Order
from automation.registry import gridbot_registry
from tests.automation.interfaces.console.piloting import OneAtATime
from trading.commands import Progress


@pytest.fixture(scope="module")
def executor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OneAtATime]:
    executor = OneAtATime(tmp_path_factory.mktemp("folder"))
    yield executor
    executor.close()


def _job(executor: OneAtATime, home: Path, name: str, **values: object) -> Job:
    order = Order(name, values, colour=False, environment={"GRIDBOT_HOME": str(home)})
    return Job(1, gridbot_registry()[name], f"gridbot {name}", executor.start(order), 5)


def test_a_job_is_followed_to_its_end_and_says_when_that_was(executor: OneAtATime, own_home: Path) -> None:
    job = _job(executor, own_home, "config automation")
    calls: list[Job] = []
    job.follow(calls.append, lambda: 9)
    view = job.view()
    assert view.ended is not None
    assert (view.ended.exit_code, job.ended_ms, job.started_ms) == (0, 9, 5)
    assert view.progress[-1].label == "reading the configuration"
    # who does not look is told once, however much happens
    assert calls == [job]


class Told(Execution):
    """A command that tells of its steps and of no end."""

    def __init__(self, *steps: Progress) -> None:
        self.steps = steps

    def events(self) -> Iterator[Event]:
        yield from self.steps


def test_steps_without_a_total_do_not_outlive_the_next_step() -> None:
    steps = [Progress("reading", 3, 9), *(Progress(f"price {price}") for price in (100, 101, 102))]
    job = Job(1, gridbot_registry()["paper"], "gridbot paper", Told(*steps), 5)
    job.follow(lambda _: None, lambda: 9)
    assert [step.label for step in job.view().progress] == ["reading", "price 102"]


@pytest.mark.slow
def test_a_second_cancel_kills_what_does_not_stop(executor: OneAtATime, own_home: Path) -> None:
    job = _job(executor, own_home, "exchange", symbol=["SIM/USDT"], minutes=10)
    marks = iter((False, True))

    def changed(one: Job) -> None:
        one.view()
        if next(marks, True) is False:
            one.cancel()
            assert one.cancelled
            one.cancel()

    job.follow(changed, lambda: 9)
    assert job.ended is not None
    assert job.ended.exit_code != 0
    # an ended one is let alone
    job.cancel()
