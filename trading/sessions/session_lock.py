"""One session per account and symbol: locks that the operating system releases when their holder dies."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout

from trading.errors import Refused

# Whoever only asks holds a lock for a moment; a start outlasts that and is not refused by it.
_PATIENCE_S = 0.5
_HOLDER_ENDING = ".holder"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock.

    Parameters
    ----------
    pid : int
        The process.
    session : str
        The session's name.
    symbol : str
        ``BASE/QUOTE``.
    """

    pid: int
    session: str
    symbol: str


class SessionLock:
    """What a running session holds: its own folder, and its symbol on its account.

    Parameters
    ----------
    home : Path
        The data home.
    name : str
        The session's name.
    account : str
        Hash of the key, never the key.
    symbol : str
        ``BASE/QUOTE``.
    """

    def __init__(self, home: Path, name: str, account: str, symbol: str) -> None:
        self._name, self._symbol = name, symbol
        self._own = home / "sessions" / name / "lock"
        market = hashlib.sha256(f"{account}\n{symbol}".encode()).hexdigest()[:24]
        self._shared = home / "sessions" / ".locks" / market
        self._held = ExitStack()

    def acquire(self) -> Self:
        """Take both locks.

        Returns
        -------
        SessionLock
            This lock, to be released or used in a ``with`` block.

        Raises
        ------
        Refused
            When a session of this name runs, or another one trades this symbol on this account.
        """
        with ExitStack() as taken:
            self._take(taken, self._own, f"session {self._name} is running already")
            self._take(taken, self._shared, f"{self._symbol} of this account is traded already")
            self._held = taken.pop_all()
        return self

    def release(self) -> None:
        """Let both locks go; a second time does nothing."""
        self._held.close()

    def __enter__(self) -> Self:
        return self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _take(self, taken: ExitStack, path: Path, refusal: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path, timeout=_PATIENCE_S, thread_local=False)
        try:
            lock.acquire()
        except Timeout:
            other = holder_of(path)
            by = f" by session {other.session} (process {other.pid})" if other else ""
            raise Refused(f"{refusal}{by}; stop that one first with `gridbot stop`") from None
        taken.callback(lock.release)
        # Beside the lock, because a locked file cannot be read by others on every system.
        note = path.with_name(path.name + _HOLDER_ENDING)
        part = note.with_name(f"{note.name}.{os.getpid()}")
        holder = Holder(os.getpid(), self._name, self._symbol)
        part.write_text(json.dumps(asdict(holder)), encoding="utf-8")
        part.replace(note)


def is_held(path: Path) -> bool:
    """Return whether a living process holds a lock file.

    Parameters
    ----------
    path : Path
        The lock file; it may be missing.

    Returns
    -------
    bool
        False after its holder was killed.
    """
    if not path.exists():
        return False
    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


def holder_of(path: Path) -> Holder | None:
    """Return who took a lock file last.

    Parameters
    ----------
    path : Path
        The lock file.

    Returns
    -------
    Holder or None
        None when nobody ever did, or what was written is not readable.
    """
    try:
        told = json.loads(path.with_name(path.name + _HOLDER_ENDING).read_text(encoding="utf-8"))
        return Holder(int(told["pid"]), str(told["session"]), str(told["symbol"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
