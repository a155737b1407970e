"""SQLite files that several processes share: write-ahead log, and patience with each other."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_BUSY_S = 10.0


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
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.executescript(schema)
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
    finally:
        connection.close()
