"""A clock of the test's own: time stands still while anything works, and jumps when all that is left are sleepers."""

from __future__ import annotations

import asyncio
import heapq
import time
from itertools import count


class VirtualClock:
    """A ``Clock`` whose time moves only when the event loop has nothing left to do but to wait for it.

    Then it jumps to the nearest end of a sleep, wakes that sleeper, and lets everything settle before the next jump.
    What talks over loopback sockets inside the same event loop is waited for; for servers in other threads or
    processes, ``idle_s`` gives them real time to answer in.

    Parameters
    ----------
    now_ms : int
        Where time starts, milliseconds UTC.
    idle_rounds : int
        Passes of the event loop without any other work that count as idle.
    idle_s : float
        Real seconds of idleness that must pass too.
    """

    def __init__(self, now_ms: int = 1_704_067_200_000, idle_rounds: int = 12, idle_s: float = 0.0) -> None:
        self._now_us = now_ms * 1_000
        self._idle_rounds = idle_rounds
        self._idle_s = idle_s
        self._order = count()
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._watching = False
        self.sleeps: list[float] = []

    def now_ms(self) -> int:
        """Return the time in milliseconds UTC."""
        return self._now_us // 1_000

    def advance(self, seconds: float) -> None:
        """Move time on by hand; sleepers whose time has come wake."""
        self._now_us += round(seconds * 1_000_000)
        self._wake()

    async def sleep(self, seconds: float) -> None:
        """Wait until virtual time has moved on by that many seconds."""
        self.sleeps.append(seconds)
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        waiter = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now_us + round(seconds * 1_000_000), next(self._order), waiter))
        self._watch()
        await waiter

    def _watch(self) -> None:
        if not self._watching:
            self._watching = True
            loop = asyncio.get_running_loop()
            loop.call_soon(self._look, loop, 0, time.monotonic())

    def _look(self, loop: asyncio.AbstractEventLoop, rounds: int, since: float) -> None:
        # A pass of the loop with nothing else ready: all tasks wait for sockets without data, events, or this clock.
        if loop._ready:  # type: ignore[attr-defined]
            rounds, since = 0, time.monotonic()
        elif rounds >= self._idle_rounds and time.monotonic() - since >= self._idle_s:
            self._jump()
            rounds, since = 0, time.monotonic()
        if not self._sleepers:
            self._watching = False
        elif rounds >= self._idle_rounds:
            loop.call_later(0.0005, self._look, loop, rounds, since)
        else:
            loop.call_soon(self._look, loop, rounds + 1, since)

    def _jump(self) -> None:
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        if self._sleepers:
            self._now_us = max(self._now_us, self._sleepers[0][0])
            self._wake()

    def _wake(self) -> None:
        while self._sleepers and self._sleepers[0][0] <= self._now_us:
            waiter = heapq.heappop(self._sleepers)[2]
            if not waiter.done():
                waiter.set_result(None)
