"""The sessions of a data home: where each keeps its files, what there are, and which run."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from trading.errors import GridBotError, UsageError
from trading.orders.journal import JournalReader, SessionFacts
from trading.sessions.session_lock import Holder, holder_of, is_held

LONGEST_NAME = 20

_NAME = re.compile(rf"[a-z0-9_-]{{1,{LONGEST_NAME}}}")


@dataclass(frozen=True, slots=True)
class SessionFiles:
    """Where a session keeps what.

    Parameters
    ----------
    folder : Path
        All of it.
    """

    folder: Path

    @property
    def journal(self) -> Path:
        """The journal."""
        return self.folder / "journal.sqlite"

    @property
    def log(self) -> Path:
        """Folder of the logs."""
        return self.folder / "log"

    @property
    def control(self) -> Path:
        """Socket on which a running session listens."""
        return self.folder / "control.sock"

    @property
    def stop(self) -> Path:
        """A file whose presence stops the session."""
        return self.folder / "STOP"

    @property
    def lock(self) -> Path:
        """Held while the session runs."""
        return self.folder / "lock"


@dataclass(frozen=True, slots=True)
class SessionEntry:
    """A session in the catalog.

    Parameters
    ----------
    name : str
        Its name.
    files : SessionFiles
        Where it keeps what.
    running : bool
        Whether a living process holds it.
    facts : SessionFacts or None
        What it is; None when its journal cannot be read.
    problem : str
        Why the journal cannot be read, in one sentence; empty otherwise.
    """

    name: str
    files: SessionFiles
    running: bool
    facts: SessionFacts | None
    problem: str = ""


class SessionCatalog:
    """The sessions of a data home.

    Parameters
    ----------
    home : Path
        The data home, as `trading.setting_sources.data_home` gives it; it need not exist yet.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self._root = home / "sessions"

    def path_of(self, name: str) -> Path:
        """Return a session's folder; it need not exist yet.

        Raises
        ------
        UsageError
            When the name cannot be one.
        """
        return self._root / checked_name(name)

    def files_of(self, name: str) -> SessionFiles:
        """Return where a session keeps what; nothing of it need exist yet.

        Raises
        ------
        UsageError
            When the name cannot be one.
        """
        return SessionFiles(self.path_of(name))

    def exists(self, name: str) -> bool:
        """Return whether there is a session of this name."""
        return self.files_of(name).journal.is_file()

    def is_running(self, name: str) -> bool:
        """Return whether a living process holds the session."""
        return is_held(self.files_of(name).lock)

    def holder(self, name: str) -> Holder | None:
        """Return which process runs the session; None when none does."""
        lock = self.files_of(name).lock
        return holder_of(lock) if is_held(lock) else None

    def read(self, name: str) -> JournalReader:
        """Open a session's journal for reading only, whether or not it runs.

        Returns
        -------
        JournalReader
            To be closed, or used in a ``with`` block.

        Raises
        ------
        UsageError
            When there is no such session.
        StateCorrupt
            When its journal is damaged.
        """
        self.require(name)
        return JournalReader.read(self.files_of(name).journal)

    def require(self, name: str) -> None:
        """Raise `UsageError`, with the names that there are, when there is no such session."""
        if not self.exists(name):
            known = ", ".join(self.names())
            there = f"there are: {known}" if known else "`gridbot paper` starts one"
            raise UsageError(f"there is no session {name} in {self.home}; {there}")

    def names(self) -> list[str]:
        """Return the names of all sessions, sorted."""
        if not self._root.is_dir():
            return []
        folders = (path for path in self._root.iterdir() if _NAME.fullmatch(path.name))
        return sorted(path.name for path in folders if SessionFiles(path).journal.is_file())

    def list(self) -> list[SessionEntry]:
        """Return all sessions by name, those with an unreadable journal included."""
        return [self._entry(name) for name in self.names()]

    def _entry(self, name: str) -> SessionEntry:
        files, running = self.files_of(name), self.is_running(name)
        try:
            with self.read(name) as journal:
                return SessionEntry(name, files, running, journal.facts)
        except GridBotError as error:
            return SessionEntry(name, files, running, None, str(error))


def checked_name(name: str) -> str:
    """Return a session's name when it can be one.

    Raises
    ------
    UsageError
        When it holds anything but small letters, digits, ``_`` and ``-``, or is empty or too long.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"a session cannot be called {name[:60]!r}; take 1 to {LONGEST_NAME} of the characters a-z, 0-9, _ and -"
        )
    return name


def default_name(mode: str, symbol: str) -> str:
    """Return the name of a session that was given none, such as ``paper-btc-usdt``.

    Parameters
    ----------
    mode : str
        ``paper`` or ``live``.
    symbol : str
        ``BASE/QUOTE``.

    Returns
    -------
    str
        The same for the same words, and valid; what is too long ends in a part of its hash instead.
    """
    plain = re.sub(r"[^a-z0-9]+", "-", f"{mode}-{symbol}".lower()).strip("-")
    if len(plain) <= LONGEST_NAME:
        return plain
    mark = hashlib.sha256(f"{mode}-{symbol}".encode()).hexdigest()[:6]
    return f"{plain[: LONGEST_NAME - len(mark) - 1].rstrip('-')}-{mark}"
