"""The instants of a session at which it can be killed: each step of its journal, and each wait of its event loop."""

from __future__ import annotations

import asyncio
import functools
import selectors
import sys
from collections.abc import Callable, Iterable
from types import CoroutineType, FrameType
from typing import Protocol

Kinds = Callable[[], list[str]]

_KEPT = frozenset(
    {"SessionKeeper", "Journal", "JournalWriter", "CcxtBroker", "RestFeed", "LockstepClock", "ClientResponse"}
)
_PLUMBING = frozenset({"JournalWriter.transaction", "JournalWriter._write", "CcxtBroker._read", "SessionKeeper._tell"})


class Killer(Protocol):
    """Decides at each instant of a child whether it dies there."""

    def at(self, kinds: Kinds) -> str | None:
        """Return why the child dies now; None lets it live. ``kinds`` tells what the instant is, for those who ask."""
        ...


class AtNumber:
    """Dies at the n-th instant."""

    def __init__(self, number: int) -> None:
        self._left = number

    def at(self, kinds: Kinds) -> str | None:
        self._left -= 1
        return (kinds() or ["nothing"])[0] if self._left == 0 else None


class AtNewKind:
    """Dies at the first instant of a kind at which none has died before."""

    def __init__(self, done: set[str]) -> None:
        self._done = done

    def at(self, kinds: Kinds) -> str | None:
        return next((kind for kind in kinds() if kind not in self._done), None)


class AtKind:
    """Dies at the n-th instant of a kind that begins with a text and holds another."""

    def __init__(self, begins: str, holds: str, number: int = 1) -> None:
        self._begins = begins
        self._holds = holds
        self._left = number

    def at(self, kinds: Kinds) -> str | None:
        found = next((kind for kind in kinds() if kind.startswith(self._begins) and self._holds in kind), None)
        self._left -= found is not None
        return found if self._left == 0 else None


class Never:
    """Lets the child live."""

    def at(self, kinds: Kinds) -> str | None:
        del kinds
        return None


class WatchedSelector(selectors.DefaultSelector):
    """Tells of each wait of the event loop: ``waits`` before it, ``woken`` after it and before anything goes on."""

    def __init__(self, reached: Callable[[str], None]) -> None:
        super().__init__()
        self._reached = reached

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._reached("waits")
        found = super().select(timeout)
        self._reached("woken")
        return found


def awaited_kinds(moment: str, *, full: bool) -> list[str]:
    """Return what each task of the running loop waits for: who asks, and how far its request has come.

    Parameters
    ----------
    moment : str
        ``waits`` or ``woken``.
    full : bool
        Tell all callers apart, and the moments of questions that change nothing.
    """
    return sorted({_waiting(tuple(_awaiting(task.get_coro())), moment, full) for task in asyncio.all_tasks()})


@functools.lru_cache(maxsize=4_096)
def _waiting(names: tuple[str, ...], moment: str, full: bool) -> str:
    kind = _kind(names, full=full)
    changes = kind.startswith(("CcxtBroker.place", "CcxtBroker.cancel"))
    return f"{moment if full or changes else 'asks'}: {kind}"


def journal_kinds(point: str, *, full: bool) -> list[str]:
    """Return which step of the journal the caller is at, and for whom; none for one that is the same as the next.

    Parameters
    ----------
    point : str
        ``begin``, ``write``, ``before`` or ``after``.
    full : bool
        Tell all callers apart.
    """
    if point == "begin" and not full:
        return []
    names: list[str] = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if _is_ours(code.co_filename):
            told = _told(frame) if code.co_qualname in ("SessionKeeper.apply", "SessionKeeper.tell") else ""
            names.append(f"{code.co_qualname}{told}")
        frame = frame.f_back
    return [f"{point}: {_kind(reversed(names), full=full)}"]


def _told(frame: FrameType) -> str:
    said = frame.f_locals.get("fact", frame.f_locals.get("item"))
    return f"({type(said).__name__})"


def _awaiting(coroutine: object) -> Iterable[str]:
    while isinstance(coroutine, CoroutineType):
        code = coroutine.cr_code
        if _is_ours(code.co_filename) or "/aiohttp/" in code.co_filename:
            yield code.co_qualname
        coroutine = coroutine.cr_await


def _is_ours(filename: str) -> bool:
    return "/trading/" in filename and "/tests/" not in filename


def _kind(names: Iterable[str], *, full: bool) -> str:
    if full:
        return " > ".join(names)
    kept = (name for name in names if name.partition(".")[0] in _KEPT and name not in _PLUMBING)
    # of the feed it is enough that it asks
    return " > ".join(dict.fromkeys("RestFeed" if name.startswith("RestFeed") else name for name in kept))
