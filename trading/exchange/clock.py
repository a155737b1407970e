"""The clock that everything which waits is given."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


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
