"""The clock that everything which waits is given: the machine's, a faster one, or a venue's own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from trading.errors import UsageError


class Clock(Protocol):
    """Time as a session sees it: real, or driven by a test or a simulation."""

    def now_ms(self) -> int:
        """Return the time in milliseconds UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that many seconds."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now_ms(self) -> int:
        """Return the time in milliseconds UTC."""
        return time.time_ns() // 1_000_000

    async def sleep(self, seconds: float) -> None:
        """Wait that many seconds without blocking the event loop."""
        await asyncio.sleep(seconds)


class ScaledClock:
    """A clock that starts anywhere and runs faster or slower than the machine's.

    Parameters
    ----------
    now_ms : int
        What it shows now, milliseconds UTC.
    speed : float
        Seconds of this clock in one real second.
    """

    def __init__(self, now_ms: int, speed: float) -> None:
        if speed <= 0:
            raise UsageError(f"a clock cannot run at speed {speed}; give a positive speed")
        self._origin_ms = now_ms
        self._began_ns = time.monotonic_ns()
        self.speed = speed

    def now_ms(self) -> int:
        """Return the time in milliseconds UTC."""
        return self._origin_ms + int((time.monotonic_ns() - self._began_ns) * self.speed) // 1_000_000

    async def sleep(self, seconds: float) -> None:
        """Wait that many seconds of this clock."""
        await asyncio.sleep(seconds / self.speed)


class LockstepClock:
    """A venue's own time, which stands still until somebody waits.

    Parameters
    ----------
    now_ms : int
        What it shows now, milliseconds UTC.
    advance : callable
        Moves the venue's time on by that many milliseconds and returns its new time.
    """

    def __init__(self, now_ms: int, advance: Callable[[int], Awaitable[int]]) -> None:
        self._now_ms = now_ms
        self._advance = advance
        self._turn = asyncio.Lock()

    def now_ms(self) -> int:
        """Return the time in milliseconds UTC, as the venue last told it."""
        return self._now_ms

    async def sleep(self, seconds: float) -> None:
        """Wait until the venue's time has moved on so far; those who wait at the same time share what passes."""
        until_ms = self._now_ms + max(1, round(seconds * 1000))
        async with self._turn:
            if self._now_ms < until_ms:
                self._now_ms = await self._advance(until_ms - self._now_ms)
