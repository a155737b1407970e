"""Asynchronous work under a plain generator: an event loop in a thread of its own, progress handed over a queue."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from trading.commands import Step

T = TypeVar("T")
Work = Callable[[Callable[[Step], None]], Coroutine[object, object, T]]

# A wait without an end cannot be interrupted by Ctrl-C on Windows.
_LISTEN_S = 0.2


def in_background(work: Work[T]) -> Generator[Step, None, T]:
    """Run asynchronous work to its end, yielding its progress.

    Parameters
    ----------
    work : callable
        Makes the coroutine to run; is given the function to report progress to.

    Yields
    ------
    Progress
        As it is reported.

    Returns
    -------
    object
        What the coroutine returns. What it raises is raised here; when the generator is closed, or meets a
        KeyboardInterrupt, the coroutine is cancelled and waited for first.
    """
    runner = _Runner(work)
    runner.start()
    try:
        while True:
            try:
                step = runner.steps.get(timeout=_LISTEN_S)
            except Empty:
                continue
            if step is None:
                break
            yield step
    finally:
        runner.stop()
    if runner.error is not None:
        raise runner.error
    return runner.outcome


class _Runner(Generic[T]):
    def __init__(self, work: Work[T]) -> None:
        self.steps: SimpleQueue[Step | None] = SimpleQueue()
        self.outcome: T
        self.error: BaseException | None = None
        self._work = work
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[T] | None = None
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="background work", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._started.wait()

    def stop(self) -> None:
        if self._loop is not None and self._task is not None:
            with suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits for it
            self.error = error
        finally:
            self._started.set()
            self.steps.put(None)

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._work(self.steps.put))
        self._started.set()
        self.outcome = await self._task
