"""Asynchronous work under a generator: results, errors and interruptions arrive where they belong."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from trading.commands import Progress
from trading.errors import FeedFailed
from trading.exchange.background import in_background

Report = Callable[[Progress], None]


class Endless:
    """Work that reports one step and then waits for ever; notes that it was cancelled."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()

    async def __call__(self, report: Report) -> None:
        report(Progress("begun"))
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


def test_progress_is_yielded_and_the_result_returned() -> None:
    async def work(report: Report) -> str:
        for done in range(3):
            report(Progress("step", done, 3))
            await asyncio.sleep(0)
        return "done"

    generator = in_background(work)
    assert [next(generator).done for _ in range(3)] == [0, 1, 2]
    with pytest.raises(StopIteration) as end:
        next(generator)
    assert end.value.value == "done"


def test_an_error_is_raised_to_the_caller() -> None:
    async def work(report: Report) -> None:
        report(Progress("begun"))
        raise FeedFailed("no candles")

    generator = in_background(work)
    assert next(generator).label == "begun"
    with pytest.raises(FeedFailed, match="no candles"):
        next(generator)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, ValueError])
def test_an_interruption_cancels_the_work_and_passes_on(interruption: type[BaseException]) -> None:
    work = Endless()
    generator = in_background(work)
    next(generator)
    with pytest.raises(interruption):
        generator.throw(interruption())
    assert work.cancelled.is_set()


def test_closing_the_generator_cancels_the_work() -> None:
    work = Endless()
    generator = in_background(work)
    next(generator)
    generator.close()
    assert work.cancelled.is_set()
    assert "background work" not in {thread.name for thread in threading.enumerate()}
