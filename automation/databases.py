"""SQLite files that several processes share: write-ahead log, and patience with each other."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

_PATIENCE_S = 10.0
_RETRY_S = 0.01


def open_database(path: Path, *, durable: bool = False) -> sqlite3.Connection:
    """Open a database that others may read and write meanwhile; transactions are begun by hand.

    Parameters
    ----------
    path : Path
        Its file; folders are made.
    durable : bool
        Whether what is committed outlives a power cut; without it, the last commits may be lost, never mixed up.

    Raises
    ------
    sqlite3.DatabaseError
        When the file is no database.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False)
    try:
        _use_write_ahead_log(connection)
        connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        connection.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log; SQLite does not wait by itself when two do this at once."""
    until = time.monotonic() + _PATIENCE_S
    while not _switched(connection, last_try=time.monotonic() >= until):
        time.sleep(_RETRY_S)


def _switched(connection: sqlite3.Connection, *, last_try: bool) -> bool:
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if last_try or "locked" not in str(error):
            raise
        return False
    return True


@contextmanager
def transaction(connection: sqlite3.Connection, *, writing: bool = True) -> Iterator[sqlite3.Connection]:
    """Commit at the end, or roll back on an error.

    Parameters
    ----------
    connection : sqlite3.Connection
        From `open_database`.
    writing : bool
        Whether to lock the file at once; a reading transaction sees one state of it in all its queries.
    """
    connection.execute("BEGIN IMMEDIATE" if writing else "BEGIN")
    try:
        yield connection
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextmanager
def database(path: Path, schema: str) -> Iterator[sqlite3.Connection]:
    """Open a database for one transaction, and make its tables when they are missing.

    Parameters
    ----------
    path : Path
        Its file; folders are made.
    schema : str
        ``CREATE TABLE IF NOT EXISTS …`` statements.

    Yields
    ------
    sqlite3.Connection
        Committed at the end, rolled back on an error.
    """
    with closing(open_database(path)) as connection:
        connection.executescript(schema)
        with transaction(connection):
            yield connection
