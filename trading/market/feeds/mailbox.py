"""``Mailbox``: what waits to be read: ticks up to a bound, the oldest making room; everything else is kept."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """A queue of two kinds of mail, read in the order of arrival; memory is bounded by the one and by `has_room`.

    Parameters
    ----------
    passing : int
        Most mail of the kind that may be lost; the oldest of it makes room.
    lasting : int
        Mail of the other kind from which on `room` waits; `put` itself never refuses any.
    """

    def __init__(self, passing: int = 1_000, lasting: int = 1_000) -> None:
        self.dropped = 0
        self._passing: deque[tuple[int, T]] = deque()
        self._lasting: deque[tuple[int, T]] = deque()
        self._most_passing = passing
        self._most_lasting = lasting
        self._number = 0
        self._arrived = asyncio.Event()
        self._read = asyncio.Event()

    def __len__(self) -> int:
        return len(self._passing) + len(self._lasting)

    @property
    def has_room(self) -> bool:
        """Whether more lasting mail is welcome."""
        return len(self._lasting) < self._most_lasting

    def put(self, mail: T) -> None:
        """Add what must not be lost."""
        self._lasting.append((self._next(), mail))

    def put_passing(self, mail: T) -> None:
        """Add what may be lost when too much of its kind waits."""
        if len(self._passing) >= self._most_passing:
            self._passing.popleft()
            self.dropped += 1
        self._passing.append((self._next(), mail))

    async def room(self) -> None:
        """Wait until more lasting mail is welcome."""
        while not self.has_room:
            self._read.clear()
            await self._read.wait()

    async def get(self) -> T:
        """Return the mail that arrived first, waiting for it."""
        while not len(self):
            self._arrived.clear()
            await self._arrived.wait()
        queue = self._passing
        if not queue or (self._lasting and self._lasting[0][0] < queue[0][0]):
            queue = self._lasting
        self._read.set()
        return queue.popleft()[1]

    def _next(self) -> int:
        self._number += 1
        self._arrived.set()
        return self._number
