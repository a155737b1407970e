"""The search index on disk: documents, their words and their vectors in one SQLite file, by file and content hash."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from automation.codebase.search.documents import Area, Described, Document, Kind
from automation.codebase.search.ranking import Homes
from automation.databases import open_database, transaction
from automation.errors import WorkspaceFailed

_SCHEMA_VERSION = 3
_TABLES = ("files", "folders", "documents", "words", "vectors")
_SCHEMA = """
CREATE TABLE files (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, digest TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE folders (path TEXT PRIMARY KEY, mtime_ns INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE documents (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL, name TEXT NOT NULL, own_name TEXT NOT NULL, kind TEXT NOT NULL,
    area TEXT NOT NULL, line INTEGER NOT NULL, end_line INTEGER NOT NULL, signature TEXT NOT NULL, doc TEXT NOT NULL,
    public INTEGER NOT NULL, meaning TEXT NOT NULL, meaning_key TEXT NOT NULL
);
CREATE INDEX documents_by_path ON documents (path);
CREATE INDEX documents_by_own_name ON documents (own_name COLLATE NOCASE);
CREATE VIRTUAL TABLE words USING fts5(names, place, header, text, body, tokenize = 'porter unicode61');
CREATE TABLE vectors (
    meaning_key TEXT NOT NULL, model TEXT NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (meaning_key, model)
) WITHOUT ROWID;
"""
_COLUMNS = "path, name, kind, line, end_line, signature, doc, public"


@dataclass(frozen=True, slots=True)
class Stamp:
    """Size in bytes and time of change of a file, nanoseconds: alike, nobody need read it again."""

    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Known:
    """What the index knows of a file: its stamp, and the SHA-256 of its content."""

    stamp: Stamp
    digest: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """All documents in memory, as columns of the same length.

    Parameters
    ----------
    ids : ndarray of int64
        Ascending.
    areas, kinds : tuple of str
        Of each document.
    paths : tuple of str
        Of each document.
    public : ndarray of bool
        Of each document.
    homes : Homes
        Module and class that each document stands in.
    vectors : ndarray of float32, shape (n, size)
        Of length 1; zeros where there is none yet, and of no columns without an embedder.
    """

    ids: NDArray[np.int64]
    areas: tuple[str, ...]
    kinds: tuple[str, ...]
    paths: tuple[str, ...]
    public: NDArray[np.bool_]
    homes: Homes
    vectors: NDArray[np.float32]


class SearchStore:
    """The SQLite file of one repository's search index; a file of another version is emptied.

    Parameters
    ----------
    cache : Path
        Where it is; folders are made.

    Raises
    ------
    WorkspaceFailed
        When it cannot be opened, or this Python's SQLite has no full-text search.
    """

    def __init__(self, cache: Path) -> None:
        try:
            self._database = open_database(cache)
            self._make_tables()
        except (sqlite3.Error, OSError) as error:
            raise WorkspaceFailed(
                f"the search index {cache} cannot be kept: {error}; remove it and try again"
            ) from error

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Let everything that is read inside see one state, whatever others write meanwhile."""
        with transaction(self._database, writing=False):
            yield

    def version(self) -> tuple[int, int]:
        """Return what differs after every change, by this connection or another."""
        return self._database.execute("PRAGMA data_version").fetchone()[0], self._database.total_changes

    def files(self) -> dict[str, Known]:
        """Return every file that the index knows."""
        rows = self._database.execute("SELECT path, size, mtime_ns, digest FROM files")
        return {path: Known(Stamp(size, mtime_ns), digest) for path, size, mtime_ns, digest in rows}

    def folders(self) -> dict[str, int]:
        """Return the times of change of the folders that held the files, nanoseconds."""
        return dict(self._database.execute("SELECT path, mtime_ns FROM folders"))

    def learn(self, path: str, known: Known, described: Sequence[Described]) -> None:
        """Replace all that is known of a file."""
        with transaction(self._database):
            self._forget(path)
            self._database.execute(
                "INSERT INTO files VALUES (?, ?, ?, ?)", (path, known.stamp.size, known.stamp.mtime_ns, known.digest)
            )
            for each in described:
                self._insert(each)

    def touch(self, stamps: Mapping[str, Stamp]) -> None:
        """Note the stamps of files whose content did not change."""
        with transaction(self._database):
            self._database.executemany(
                "UPDATE files SET size = ?, mtime_ns = ? WHERE path = ?",
                [(stamp.size, stamp.mtime_ns, path) for path, stamp in stamps.items()],
            )

    def forget(self, paths: Iterable[str]) -> None:
        """Drop files that are gone."""
        with transaction(self._database):
            for path in paths:
                self._forget(path)

    def set_folders(self, folders: Mapping[str, int]) -> None:
        """Note when the folders changed."""
        with transaction(self._database):
            self._database.execute("DELETE FROM folders")
            self._database.executemany("INSERT INTO folders VALUES (?, ?)", folders.items())

    def without_vector(self, model: str) -> list[tuple[str, str]]:
        """Return key and sentence of what the model has not embedded yet, the most useful first.

        Tests and constants are found by their words alone: they are half of a repository's names, and who asks for
        one of them knows what it is called. So are private functions of which nobody says what they do: their
        names and parameters are all that could be read.
        """
        return self._database.execute(
            "SELECT meaning_key, min(meaning) FROM documents d WHERE area <> ? AND kind <> ?"
            " AND NOT (public = 0 AND doc = '' AND kind IN (?, ?)) AND NOT EXISTS ("
            "  SELECT 1 FROM vectors v WHERE v.meaning_key = d.meaning_key AND v.model = ?"
            ") GROUP BY meaning_key ORDER BY max(public) DESC, min(id)",
            (Area.TESTS.value, Kind.CONSTANT.value, Kind.FUNCTION.value, Kind.METHOD.value, model),
        ).fetchall()

    def add_vectors(self, model: str, keys: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Keep vectors, rounded to 16 bits a number."""
        rows = [(key, model, row.tobytes()) for key, row in zip(keys, vectors.astype(np.float16), strict=True)]
        with transaction(self._database):
            self._database.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)

    def drop_unused_vectors(self) -> None:
        """Drop the vectors of sentences that are no longer there, once they outnumber the documents."""
        used, kept = self._database.execute(
            "SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM vectors)"
        ).fetchone()
        if kept > 2 * used:
            with transaction(self._database):
                self._database.execute(
                    "DELETE FROM vectors WHERE meaning_key NOT IN (SELECT meaning_key FROM documents)"
                )

    def shelf(self, model: str | None, size: int) -> Shelf:
        """Read all documents, with the vectors of one model."""
        rows = self._database.execute(
            "SELECT id, area, kind, path, public, vector, name FROM documents d LEFT JOIN vectors v"
            " ON v.meaning_key = d.meaning_key AND v.model = ? ORDER BY id",
            (model,),
        ).fetchall()
        empty = np.zeros(size, dtype=np.float16).tobytes()
        numbers = np.frombuffer(b"".join(row[5] or empty for row in rows), dtype=np.float16)
        return Shelf(
            ids=np.array([row[0] for row in rows], dtype=np.int64),
            areas=tuple(row[1] for row in rows),
            kinds=tuple(row[2] for row in rows),
            paths=tuple(row[3] for row in rows),
            public=np.array([row[4] for row in rows], dtype=np.bool_),
            homes=_homes([(row[3], row[2], row[6]) for row in rows]),
            vectors=numbers.reshape(len(rows), size).astype(np.float32),
        )

    def by_words(self, expression: str, weights: Sequence[float]) -> list[tuple[int, float]]:
        """Return id and BM25 score of the documents that hold any of the words; lower is better, all are negative.

        Parameters
        ----------
        expression : str
            As SQLite's full-text search takes it.
        weights : sequence of float
            Of words in the names, the place, the header, the text and the body.
        """
        places = ", ".join(str(float(weight)) for weight in weights)
        return self._database.execute(
            f"SELECT rowid, bm25(words, {places}) FROM words WHERE words MATCH ?",  # noqa: S608 - numbers only
            (expression,),
        ).fetchall()

    def by_name(self, name: str) -> list[int]:
        """Return ids of the definitions of a name, qualified or not, whatever its capitals; code before tests."""
        own = name.rpartition(".")[2]
        rows = self._database.execute(
            "SELECT id, name, path FROM documents WHERE own_name = ? COLLATE NOCASE AND kind <> ?"
            " ORDER BY area, public DESC, path, line",
            (own, Kind.SECTION),
        )
        wanted = f".{name.lower()}"
        return [
            identity
            for identity, found, path in rows
            if f".{path.removesuffix('.py').replace('/', '.')}.{found}".rstrip(".").lower().endswith(wanted)
        ]

    def document(self, identity: int) -> Document:
        """Return a document by its id."""
        row = self._database.execute(f"SELECT {_COLUMNS} FROM documents WHERE id = ?", (identity,)).fetchone()  # noqa: S608
        path, name, kind, line, end_line, signature, doc, public = row
        return Document(path, name, Kind(kind), line, end_line, signature, doc, bool(public))

    def count(self) -> int:
        """Return how many documents there are."""
        return int(self._database.execute("SELECT count(*) FROM documents").fetchone()[0])

    def _insert(self, described: Described) -> None:
        one = described.document
        meaning = _storable(described.meaning)
        key = hashlib.sha256(meaning.encode()).hexdigest()[:32]
        place = (one.path, one.name, one.own_name, one.kind.value, one.area.value, one.line, one.end_line)
        values = (*place, _storable(one.signature), _storable(one.doc), one.public, meaning, key)
        marks = ", ".join("?" * len(values))
        added = self._database.execute(f"INSERT INTO documents VALUES (NULL, {marks})", values)  # noqa: S608
        texts = (described.names, described.place, described.header, described.text, described.body)
        self._database.execute(
            "INSERT INTO words (rowid, names, place, header, text, body) VALUES (?, ?, ?, ?, ?, ?)",
            (added.lastrowid, *map(_storable, texts)),
        )

    def _forget(self, path: str) -> None:
        self._database.execute("DELETE FROM words WHERE rowid IN (SELECT id FROM documents WHERE path = ?)", (path,))
        for table in ("documents", "files"):
            self._database.execute(f"DELETE FROM {table} WHERE path = ?", (path,))  # noqa: S608

    def _make_tables(self) -> None:
        # who only searches takes no lock, and waits for nobody who reads files in
        if self._database.execute("PRAGMA user_version").fetchone()[0] == _SCHEMA_VERSION:
            return
        with transaction(self._database):
            if self._database.execute("PRAGMA user_version").fetchone()[0] == _SCHEMA_VERSION:
                return
            for table in _TABLES:
                self._database.execute(f"DROP TABLE IF EXISTS {table}")
            for statement in filter(str.strip, _SCHEMA.split(";")):
                self._database.execute(statement)
            self._database.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")


def _homes(rows: Sequence[tuple[str, str, str]]) -> Homes:
    modules = {path: row for row, (path, kind, _) in enumerate(rows) if kind == Kind.MODULE}
    classes = {(path, name): row for row, (path, kind, name) in enumerate(rows) if kind == Kind.CLASS}
    return Homes(
        np.array([modules.get(path, row) for row, (path, _, _) in enumerate(rows)], dtype=np.int64),
        np.array(
            [classes.get((path, name.rpartition(".")[0]), row) for row, (path, _, name) in enumerate(rows)],
            dtype=np.int64,
        ),
    )


def _storable(text: str) -> str:
    """Return a text without halves of characters, which literals may hold and files may not."""
    return text.encode("utf-8", "replace").decode("utf-8")
