"""``Listening``: what a session waits for: its feed's events, its venue's hints, and a call to look around."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeVar

from trading.brokers.protocol import Hint
from trading.market.feeds.protocol import FeedEvent, FeedNews, FeedState

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Heard:
    """What came while a session waited; nothing of it when only time has passed.

    Parameters
    ----------
    event : FeedEvent or None
        Of the feed.
    hint : Hint or None
        Of the venue.
    is_over : bool
        The feed has ended.
    """

    event: FeedEvent | None = None
    hint: Hint | None = None
    is_over: bool = False


class Listening:
    """Waits for the next event, hint or call, whichever comes first; none of them is lost meanwhile."""

    def __init__(self) -> None:
        self._events: AsyncIterator[FeedEvent] | None = None
        self._hints: AsyncIterator[Hint] | None = None
        self._event: asyncio.Task[FeedEvent | _End] | None = None
        self._hint: asyncio.Task[Hint | _End] | None = None
        self._call: asyncio.Task[bool] | None = None
        self._wake = asyncio.Event()

    def to_events(self, events: AsyncIterator[FeedEvent]) -> None:
        """Listen to a feed from now on."""
        self._events = events

    def to_hints(self, hints: AsyncIterator[Hint]) -> None:
        """Listen to a venue from now on."""
        self._hints = hints

    def call(self) -> None:
        """End the wait that goes on now, or the next one."""
        self._wake.set()

    async def wait(self, longest_s: float | None) -> Heard:
        """Return what came first.

        Parameters
        ----------
        longest_s : float or None
            Real seconds; None waits until something comes.
        """
        if self._events is not None and self._event is None:
            self._event = asyncio.ensure_future(_one(self._events))
        if self._hints is not None and self._hint is None:
            self._hint = asyncio.ensure_future(_one(self._hints))
        if self._call is None:
            self._call = asyncio.ensure_future(self._wake.wait())
        waiting = [task for task in (self._event, self._hint, self._call) if task is not None]
        await asyncio.wait(waiting, timeout=longest_s, return_when=asyncio.FIRST_COMPLETED)
        if self._wake.is_set():
            self._wake.clear()
            self._call = None
        return self._heard()

    async def close(self) -> None:
        """Stop listening."""
        waiting = [task for task in (self._event, self._hint, self._call) if task is not None]
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        self._event = self._hint = self._call = None
        for source in (self._events, self._hints):
            if isinstance(source, AsyncGenerator):
                with suppress(Exception):
                    await source.aclose()

    def _heard(self) -> Heard:
        hint: Hint | None = None
        if self._hint is not None and self._hint.done():
            told, self._hint = self._hint.result(), None
            if isinstance(told, _End):
                self._hints = None
            else:
                hint = told
        if self._event is None or not self._event.done():
            return Heard(hint=hint)
        event, self._event = self._event.result(), None
        if isinstance(event, _End) or (isinstance(event, FeedNews) and event.state is FeedState.ENDED):
            return Heard(hint=hint, is_over=True)
        return Heard(event, hint)


class _End:
    pass


_ENDED: Final = _End()


async def _one(source: AsyncIterator[T]) -> T | _End:
    try:
        return await anext(source)
    except StopAsyncIteration:
        return _ENDED
