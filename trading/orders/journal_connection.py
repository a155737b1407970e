"""How journals are opened, and what a failing disk or a locked file is called."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

from trading.errors import GridBotError, StateCorrupt, UsageError

CommitHook: TypeAlias = Callable[[str], None]
"""Called with ``begin``, ``write``, ``before`` and ``after``: each statement and each commit of a journal."""

PATIENCE_S: Final = 10.0
"""How long a statement waits for another connection that holds the file."""

_RETRY_S = 0.01
_WAL_LIMIT_BYTES = 16 * 2**20
_BUSY, _LOCKED, _READONLY, _IOERR, _CORRUPT, _FULL, _CANTOPEN, _CONSTRAINT, _NOTADB = 5, 6, 8, 10, 11, 13, 14, 19, 26


class JournalFailed(GridBotError):
    """A journal that could not be written or read just now; what was committed before is safe."""


def open_writer(path: Path, patience_s: float = PATIENCE_S) -> sqlite3.Connection:
    """Open the one connection that writes a journal: write-ahead log, every commit on the disk before it returns.

    Parameters
    ----------
    path : Path
        The journal's file.
    patience_s : float
        How long to wait for a file that another process holds.

    Returns
    -------
    sqlite3.Connection
        In autocommit; transactions are begun by hand.

    Raises
    ------
    JournalFailed
        When the file or its folder cannot be opened or written.
    StateCorrupt
        When the file is not a database.
    """
    try:
        connection = sqlite3.connect(path, timeout=patience_s, isolation_level=None)
    except sqlite3.Error as error:
        raise failure(error, path) from error
    try:
        _use_write_ahead_log(connection, patience_s)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT_BYTES}")
    except sqlite3.Error as error:
        connection.close()
        raise failure(error, path) from error
    return connection


def _use_write_ahead_log(connection: sqlite3.Connection, patience_s: float) -> None:
    # SQLite does not wait by itself when two connections switch a new file at once
    until = time.monotonic() + patience_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in (_BUSY, _LOCKED) or time.monotonic() >= until:
                raise
            time.sleep(_RETRY_S)
        else:
            return


def open_reader(path: Path, patience_s: float = PATIENCE_S) -> sqlite3.Connection:
    """Open a journal for reading only; it never keeps the writer waiting.

    Parameters
    ----------
    path : Path
        The journal's file.
    patience_s : float
        How long to wait while the file is being recovered.

    Returns
    -------
    sqlite3.Connection
        May be used from any one thread at a time.

    Raises
    ------
    UsageError
        When there is no such file.
    JournalFailed
        When it cannot be opened.
    """
    if not path.is_file():
        raise UsageError(f"there is no journal {path}; `gridbot sessions` lists those there are")
    address = f"{path.absolute().as_uri()}?mode=ro"
    try:
        connection = sqlite3.connect(
            address, timeout=patience_s, isolation_level=None, uri=True, check_same_thread=False
        )
    except sqlite3.Error as error:
        raise failure(error, path) from error
    return connection


def make_folder(folder: Path) -> None:
    """Make a folder where it is missing.

    Raises
    ------
    JournalFailed
        When it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise JournalFailed(f"the folder {folder} cannot be made ({error.strerror}); choose another") from error


def failure(error: sqlite3.Error, path: Path) -> GridBotError:
    """Return what SQLite's error is called here, in one sentence.

    Parameters
    ----------
    error : sqlite3.Error
        As it was raised.
    path : Path
        The file.

    Returns
    -------
    GridBotError
        `StateCorrupt` for a damaged file, `JournalFailed` for all else; nothing of the transaction was written.
    """
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (_CORRUPT, _NOTADB):
        return StateCorrupt(f"{path} is damaged ({error}); restore a backup of it")
    reasons = {
        _FULL: "has no room on its disk; make room and start the session again, nothing committed is lost",
        _READONLY: "is read-only; make the file and its folder writable and start the session again",
        _CANTOPEN: "cannot be opened; see that its folder is there and may be written",
        _BUSY: "is held by another process; stop the other writer and start the session again",
        _LOCKED: "is held by another statement of this process; finish that first",
        _IOERR: f"cannot be written or read ({error}); see to the disk and start the session again",
        _CONSTRAINT: f"has or lacks what this write contradicts ({error}); write each order once, before its fills",
    }
    return JournalFailed(f"{path} {reasons.get(code, f'failed: {error}; start the session again')}")
