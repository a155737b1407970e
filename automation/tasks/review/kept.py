"""What was found out about a file's content, kept by its hash: unchanged files are not looked at again."""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path

from automation.databases import database

_log = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS kept (
    topic TEXT NOT NULL, digest TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (topic, digest)
) STRICT, WITHOUT ROWID
"""
_MOST_ROWS = 60_000


def digest_of(text: str) -> str:
    """Return the SHA-256 of a text, in hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Kept:
    """Plain JSON by topic and content hash, in a SQLite file; one that cannot be used keeps nothing.

    Parameters
    ----------
    path : Path
        The file.
    topic : str
        What is kept, with the version of whoever found it out.
    """

    def __init__(self, path: Path, topic: str) -> None:
        self._path = path
        self._topic = topic

    def get(self, digests: Iterable[str]) -> dict[str, object]:
        """Return what is kept of some contents, by hash."""
        wanted = set(digests)
        try:
            with database(self._path, _SCHEMA) as connection:
                rows = connection.execute("SELECT digest, value FROM kept WHERE topic = ?", (self._topic,)).fetchall()
            return {digest: json.loads(value) for digest, value in rows if digest in wanted}
        except (sqlite3.Error, OSError, ValueError) as error:
            _log.warning("event=cache_unreadable file=%s reason=%s", self._path, error)
            return {}

    def put(self, values: Mapping[str, object]) -> None:
        """Keep values by hash; when there are too many, all others go."""
        if not values:
            return
        rows = [(self._topic, digest, json.dumps(value, ensure_ascii=False)) for digest, value in values.items()]
        try:
            with database(self._path, _SCHEMA) as connection:
                (count,) = connection.execute("SELECT count(*) FROM kept").fetchone()
                if count + len(rows) > _MOST_ROWS:
                    connection.execute("DELETE FROM kept")
                connection.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", rows)
        except (sqlite3.Error, OSError) as error:
            _log.warning("event=cache_unwritable file=%s reason=%s", self._path, error)
