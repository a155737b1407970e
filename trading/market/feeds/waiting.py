"""Waits that end when a feed is closed, and pauses between tries to reconnect."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import TypeVar

from trading.exchange.clock import Clock

T = TypeVar("T")


class FeedClosed(Exception):
    """The feed was closed while something was waited for."""


class Closing:
    """Says that a feed is being closed, and ends what is waited for then."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def is_set(self) -> bool:
        """Whether the feed is being closed."""
        return self._event.is_set()

    def set(self) -> None:
        """Close; every wait through this object ends."""
        self._event.set()

    async def unless(self, work: Coroutine[object, object, T]) -> T:
        """Return what the work returns.

        Raises
        ------
        FeedClosed
            When the feed is closed first; the work is cancelled and waited for.
        """
        task = asyncio.ensure_future(work)
        closed = asyncio.ensure_future(self._event.wait())
        try:
            await asyncio.wait({task, closed}, return_when=asyncio.FIRST_COMPLETED)
            if self._event.is_set():
                raise FeedClosed
            return task.result()
        finally:
            await stop(task)
            await stop(closed)


async def unless_ended(work: Coroutine[object, object, T], tasks: Sequence[asyncio.Task[None]]) -> T:
    """Return what the work returns, as long as none of the tasks that feed it has failed; what one raised is raised."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        for ended in tasks:
            if ended.done() and not task.done():
                ended.result()
        return await task
    finally:
        await stop(task)


async def stop(*tasks: asyncio.Future[T]) -> None:
    """Cancel tasks and wait until they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Backoff:
    """Pauses that double from try to try, with jitter, up to a cap.

    Parameters
    ----------
    clock : Clock
        Sleeps.
    jitter : callable
        Uniform random numbers in [0, 1); up to half of each pause is taken away at random.
    first_s, cap_s : float
        First and greatest pause, seconds.
    """

    def __init__(self, clock: Clock, jitter: Callable[[], float], first_s: float = 0.5, cap_s: float = 30.0) -> None:
        self._clock = clock
        self._jitter = jitter
        self._first_s = first_s
        self._cap_s = cap_s
        self._tries = 0

    def reset(self) -> None:
        """Begin anew: a try has succeeded."""
        self._tries = 0

    def next_s(self) -> float:
        """Return the next pause in seconds."""
        longest = min(self._cap_s, self._first_s * 2.0 ** min(self._tries, 20))
        self._tries += 1
        return longest * (1 - self._jitter() / 2)

    async def pause(self) -> None:
        """Wait for the next pause."""
        await self._clock.sleep(self.next_s())
