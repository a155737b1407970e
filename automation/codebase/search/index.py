"""The search index of a repository: brought up to date by content, asked by words, by meaning and by name."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Generator
from dataclasses import dataclass
from math import inf
from pathlib import Path, PurePosixPath
from time import monotonic
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from automation.codebase.files import python_files
from automation.codebase.search.documents import Area, Described, Document, Kind, documents_of
from automation.codebase.search.embedding import SentenceEmbedder
from automation.codebase.search.ranking import Scores, Weights, Why, fused
from automation.codebase.search.store import Known, SearchStore, Shelf, Stamp
from automation.codebase.search.words import identifiers, match_expression, query_words
from automation.codebase.sources import SourceFile, source_of
from automation.errors import EditRefused, WorkspaceFailed
from trading.commands import Progress
from trading.setting_sources import data_home

_BATCH = 64
_TEST_WORDS = frozenset({"test", "tests", "tested", "fixture", "pytest"})
_DOC_FOLDER = "docs"
_FEW_UNREAD = 0.02


@dataclass(frozen=True, slots=True)
class IndexUpdate:
    """What bringing the index up to date did.

    Parameters
    ----------
    parsed, removed : int
        Files read anew, and files that are gone.
    embedded : int
        Sentences that were turned into vectors.
    documents : int
        What can be found now.
    unread : int
        Sentences that still wait to be turned into vectors; what they stand for is found by its words.
    """

    parsed: int
    removed: int
    embedded: int
    documents: int
    unread: int = 0


@dataclass(frozen=True, slots=True)
class Hit:
    """One answer: what, its score from 0 to 1, and what spoke for it."""

    document: Document
    score: float
    why: tuple[Why, ...]


class SearchIndex:
    """What can be found in a repository.

    Parameters
    ----------
    root : Path
        The repository's folder.
    cache : Path
        SQLite file to keep the index in.
    embedder : SentenceEmbedder, optional
        Gives sentences their vectors; without one only words count.
    weights : Weights, optional
        What counts how much.

    Raises
    ------
    WorkspaceFailed
        When the cache cannot be written.
    """

    def __init__(
        self, root: Path, cache: Path, embedder: SentenceEmbedder | None = None, weights: Weights | None = None
    ) -> None:
        self.root = root.resolve()
        self.embedder = embedder
        self._is_mostly_unread = False
        self.weights = weights or Weights()
        self._store = SearchStore(cache)
        self._shelf: Shelf | None = None
        self._shelf_version: tuple[int, int] | None = None
        self._settled: tuple[tuple[int, int], int] | None = None
        self._known_factors: dict[bool, Scores] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the cache."""
        self._store.close()

    def refresh(self, reading_s: float = inf) -> Generator[Progress, None, IndexUpdate]:
        """Take in what changed on disk since the last time; what is embedded is kept when this ends early.

        Parameters
        ----------
        reading_s : float
            Time for turning sentences into vectors; the most useful come first, and the rest waits for the next time.

        Raises
        ------
        RepositoryUnusable
            When the root is no folder.
        WorkspaceFailed
            When the cache cannot be written.
        """
        try:
            parsed, removed = yield from self._read_files()
            if (parsed, removed) == (0, 0) and self._settled is not None and self._settled[0] == self._store.version():
                return IndexUpdate(0, 0, 0, self._settled[1])
            embedded, unread = yield from self._embed_missing(reading_s)
            if parsed or removed:
                self._store.drop_unused_vectors()
            count = self._store.count()
            # half of the meanings would put what was read first before what fits
            self._is_mostly_unread = unread > _FEW_UNREAD * count
            # the same version again means that nobody has anything left to embed
            self._settled = None if unread else (self._store.version(), count)
        except sqlite3.Error as error:
            raise WorkspaceFailed(f"the search index of {self.root} cannot be written: {error}; try again") from error
        return IndexUpdate(parsed, removed, embedded, count, unread)

    def search(self, query: str, *, limit: int = 10, kind: Kind | None = None, under: str = "") -> tuple[Hit, ...]:
        """Find what a question asks for, in the state of the last `refresh`.

        Parameters
        ----------
        query : str
            A question, some words, or a name.
        limit : int
            Most answers.
        kind : Kind, optional
            Only this kind.
        under : str
            Only this file, or what lies in this folder.

        Returns
        -------
        tuple of Hit
            The best first.
        """
        # before the transaction: a model takes its time, and is no reason to hold a state open
        asked = None if self.embedder is None or self._is_mostly_unread else self.embedder.embed([query])[0]
        with self._store.reading():
            return self._answers(query, asked, limit, kind, under)

    def _answers(
        self, query: str, asked: NDArray[np.float32] | None, limit: int, kind: Kind | None, under: str
    ) -> tuple[Hit, ...]:
        shelf = self._current_shelf()
        allowed = _allowed(shelf, kind, under)
        if not query.strip() or not allowed.any():
            return ()
        likeness = None if asked is None else (shelf.vectors @ asked).astype(np.float64)
        words = query_words(query)
        factors = allowed * self._factors(shelf, asks_for_tests=bool(_TEST_WORDS.intersection(words)))
        found = fused(self._by_words(shelf, words), likeness, shelf.homes, factors, self.weights)
        named = self._named(shelf, query, allowed)[:limit]
        rest = [row for row in found.best(limit + len(named)) if row not in named]
        first = [self._hit(shelf, row, 1.0, (Why.NAME, *found.why(row))) for row in named]
        others = (self._hit(shelf, row, float(found.score[row]), found.why(row)) for row in rest[: limit - len(first)])
        return (*first, *others)

    def _hit(self, shelf: Shelf, row: int, score: float, why: tuple[Why, ...]) -> Hit:
        return Hit(self._store.document(int(shelf.ids[row])), score, why)

    def _by_words(self, shelf: Shelf, words: tuple[str, ...]) -> Scores:
        scores = np.zeros(len(shelf.ids))
        rows = self._store.by_words(match_expression(words), self.weights.columns) if words else []
        if rows:
            table = np.array(rows)
            scores[np.searchsorted(shelf.ids, table[:, 0].astype(np.int64))] = -table[:, 1]
        return scores

    def _named(self, shelf: Shelf, query: str, allowed: NDArray[np.bool_]) -> list[int]:
        ids = [identity for name in identifiers(query) for identity in self._store.by_name(name)]
        rows = (int(row) for row in np.searchsorted(shelf.ids, np.array(ids, dtype=np.int64)))
        return [row for row in dict.fromkeys(rows) if allowed[row]]

    def _factors(self, shelf: Shelf, *, asks_for_tests: bool) -> Scores:
        if asks_for_tests not in self._known_factors:
            weights = self.weights
            # who asks for tests is given tests
            areas = [Area.CODE if asks_for_tests else area for area in shelf.areas]
            told = zip(areas, shelf.kinds, shelf.public, strict=True)
            factors = [weights.factor(area, kind, public=bool(public)) for area, kind, public in told]
            self._known_factors[asks_for_tests] = np.array(factors)
        return self._known_factors[asks_for_tests]

    def _current_shelf(self) -> Shelf:
        version = self._store.version()
        if self._shelf is None or self._shelf_version != version:
            model = None if self.embedder is None else self.embedder.name
            self._shelf = self._store.shelf(model, 0 if self.embedder is None else self.embedder.size)
            self._shelf_version = self._store.version()
            self._known_factors.clear()
        return self._shelf

    def _read_files(self) -> Generator[Progress, None, tuple[int, int]]:
        known = self._store.files()
        if known and self._is_quiet(known):
            return 0, 0
        paths = _searchable_files(self.root)
        folders = _folder_times(self.root, paths)
        removed = known.keys() - set(paths)
        if removed:
            self._store.forget(removed)
        touched: dict[str, Stamp] = {}
        parsed = 0
        for done, path in enumerate(paths):
            stamp = _stamp(self.root / path)
            before = known.get(path)
            if stamp is None or (before is not None and before.stamp == stamp):
                continue
            content = (self.root / path).read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            if before is not None and before.digest == digest:
                touched[path] = stamp
                continue
            self._store.learn(path, Known(stamp, digest), _described(path, content))
            parsed += 1
            yield Progress("reading code", done + 1, len(paths), "files")
        if touched:
            self._store.touch(touched)
        if folders != self._store.folders():
            self._store.set_folders(folders)
        return parsed, len(removed)

    def _is_quiet(self, known: dict[str, Known]) -> bool:
        """Say whether no file and no folder changed, which is quicker than to list the files anew."""
        folders = self._store.folders()
        # they are noted when all files were read: without any, an earlier reading was cut short
        return (
            bool(folders)
            and all(_mtime(self.root / path) == time for path, time in folders.items())
            and all(_stamp(self.root / path) == one.stamp for path, one in known.items())
        )

    def _embed_missing(self, reading_s: float) -> Generator[Progress, None, tuple[int, int]]:
        if self.embedder is None:
            return 0, 0
        missing = self._store.without_vector(self.embedder.name)
        end = monotonic() + reading_s
        for start in range(0, len(missing), _BATCH):
            if monotonic() > end:
                return start, len(missing) - start
            yield Progress("reading meanings", start, len(missing), "texts")
            batch = missing[start : start + _BATCH]
            vectors = self.embedder.embed([text for _, text in batch])
            self._store.add_vectors(self.embedder.name, [key for key, _ in batch], vectors)
        return len(missing), 0


def search_cache(root: Path, home: Path | None = None) -> Path:
    """Return the file that keeps a repository's search index in the data home."""
    name = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]
    return data_home(home) / "indexes" / f"{name}-search.db"


def _allowed(shelf: Shelf, kind: Kind | None, under: str) -> NDArray[np.bool_]:
    allowed = np.ones(len(shelf.ids), dtype=np.bool_)
    if kind is not None:
        allowed &= np.array([each == kind for each in shelf.kinds], dtype=np.bool_)
    place = under.strip("/")
    if place not in {"", "."}:
        allowed &= np.array([path == place or path.startswith(f"{place}/") for path in shelf.paths], dtype=np.bool_)
    return allowed


def _searchable_files(root: Path) -> tuple[str, ...]:
    pages = (*root.glob("*.md"), *(root / _DOC_FOLDER).glob("**/*.md"))
    return (*python_files(root), *sorted(page.relative_to(root).as_posix() for page in pages if page.is_file()))


def _folder_times(root: Path, paths: tuple[str, ...]) -> dict[str, int]:
    folders = {folder.as_posix() for path in paths for folder in PurePosixPath(path).parents} | {"."}
    return {folder: _mtime(root / folder) for folder in folders}


def _stamp(path: Path) -> Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return Stamp(found.st_size, found.st_mtime_ns)


def _mtime(path: Path) -> int:
    stamp = _stamp(path)
    return 0 if stamp is None else stamp.mtime_ns


def _described(path: str, content: bytes) -> tuple[Described, ...]:
    try:
        if path.endswith(".md"):
            return documents_of(SourceFile(path, content.decode("utf-8", "replace")))
        return documents_of(source_of(path, content))
    except EditRefused:
        # a file that does not parse has nothing to be found until it is mended
        return ()
