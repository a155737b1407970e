"""The symbol index of a repository: definitions, references and callers, kept in SQLite by content hash."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

from automation.codebase.files import python_files
from automation.codebase.resolution import Resolver
from automation.codebase.sources import source_of
from automation.codebase.symbols import Symbol, qualified, symbols_of_tree, tree_of
from automation.codebase.uses import Use, uses_of_tree
from automation.databases import open_database, transaction
from automation.errors import EditRefused, WorkspaceFailed

_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE files (path TEXT PRIMARY KEY, digest TEXT NOT NULL, problem TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE symbols (
    path TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, line INTEGER NOT NULL, end_line INTEGER NOT NULL,
    signature TEXT NOT NULL, doc TEXT NOT NULL, public INTEGER NOT NULL, own_name TEXT NOT NULL
);
CREATE INDEX symbols_by_name ON symbols (own_name);
CREATE INDEX symbols_by_path ON symbols (path);
CREATE TABLE uses (
    path TEXT NOT NULL, name TEXT NOT NULL, line INTEGER NOT NULL, column INTEGER NOT NULL, kind TEXT NOT NULL,
    is_call INTEGER NOT NULL, function TEXT NOT NULL
);
CREATE INDEX uses_by_name ON uses (name);
CREATE INDEX uses_by_path ON uses (path);
"""


@dataclass(frozen=True, slots=True)
class IndexChange:
    """What a refresh of the index did.

    Parameters
    ----------
    parsed : tuple of str
        Files that were read anew, because they are new or changed.
    removed : tuple of str
        Files that are gone.
    unchanged : int
        Files whose entries were kept.
    """

    parsed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: int


class SymbolIndex:
    """Definitions and uses of names in the Python files of a repository.

    The index is refreshed when it is opened; `refresh` takes later changes in. Only files whose content changed are
    parsed again. Files that do not parse are listed in `broken`.

    Parameters
    ----------
    root : Path
        The repository's folder.
    cache : Path
        SQLite file to keep the index in; a cache of another version is built anew.

    Raises
    ------
    RepositoryUnusable
        When the root is no folder.
    WorkspaceFailed
        When the cache cannot be written.
    """

    def __init__(self, root: Path, cache: Path) -> None:
        self.root = root.resolve()
        self._cache = cache
        try:
            self._database = _opened(cache)
            self.last_change = self.refresh()
        except (sqlite3.Error, OSError) as error:
            raise WorkspaceFailed(
                f"the symbol index {cache} cannot be kept: {error}; remove it and try again"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the cache."""
        self._database.close()

    def refresh(self) -> IndexChange:
        """Take in what changed on disk since the last time."""
        known = dict(self._database.execute("SELECT path, digest FROM files"))
        sources: list[tuple[str, bytes, str]] = []
        found = set()
        for path in python_files(self.root):
            content = (self.root / path).read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            found.add(path)
            if known.get(path) != digest:
                sources.append((path, content, digest))
        removed = tuple(sorted(known.keys() - found))
        with transaction(self._database):
            for path in (*removed, *(path for path, _, _ in sources if path in known)):
                self._forget(path)
            for path, content, digest in sources:
                self._learn(path, content, digest)
        parsed = tuple(path for path, _, _ in sources)
        self.last_change = IndexChange(parsed, removed, len(found) - len(parsed))
        return self.last_change

    @property
    def files(self) -> tuple[str, ...]:
        """The indexed files, those that do not parse too."""
        return tuple(path for (path,) in self._database.execute("SELECT path FROM files ORDER BY path"))

    @property
    def broken(self) -> Mapping[str, str]:
        """Files that do not parse, with the reason."""
        rows = self._database.execute("SELECT path, problem FROM files WHERE problem <> '' ORDER BY path")
        return MappingProxyType(dict(rows))

    def definitions(self, name: str, path: str | None = None) -> tuple[Symbol, ...]:
        """Return what is defined under a name.

        Parameters
        ----------
        name : str
            Qualified, ``"Grid.decide"``, or the end of a qualified name, ``"decide"``.
        path : str or None
            Look in this file only.
        """
        wanted = qualified(name)
        own = wanted.rpartition(".")[2]
        return tuple(
            symbol
            for symbol in self._symbols("own_name = ?", own)
            if f".{symbol.name}".endswith(f".{wanted}") and path in {None, symbol.path}
        )

    def symbols_in(self, path: str) -> tuple[Symbol, ...]:
        """Return what a file defines, in the order of its lines."""
        return tuple(self._symbols("path = ?", path))

    def classes(self) -> tuple[Symbol, ...]:
        """Return every class of the repository."""
        return tuple(self._symbols("kind = ?", "class"))

    def function_at(self, path: str, line: int) -> Symbol | None:
        """Return the innermost function or method around a line, None at module or class level."""
        around = [
            symbol
            for symbol in self._symbols("path = ?", path)
            if symbol.kind in {"function", "method"} and symbol.line <= line <= symbol.end_line
        ]
        return max(around, key=lambda symbol: symbol.line, default=None)

    def uses(self, name: str) -> tuple[Use, ...]:
        """Return where a word is used, by its spelling alone; ``name`` is its own name, without dots."""
        return tuple(self._uses("name = ?", name))

    def references(self, symbol: Symbol) -> tuple[Use, ...]:
        """Return the uses that lead to a definition, as jedi resolves them."""
        return self.resolve(symbol)[0]

    def resolve(self, symbol: Symbol) -> tuple[tuple[Use, ...], tuple[Use, ...]]:
        """Return the uses that lead to a definition, and those of the same word that lead nowhere known."""
        resolver = Resolver(self.root, self._cache.with_name(f"{self._cache.name}-jedi"))
        leading, unknown = [], []
        for use in self.uses(symbol.own_name):
            targets = resolver.targets(use)
            if not targets:
                unknown.append(use)
            elif any(self._is_definition(symbol, path, line) for path, line in targets):
                leading.append(use)
        return tuple(leading), tuple(unknown)

    def callers(self, symbol: Symbol) -> tuple[Symbol, ...]:
        """Return the functions that refer to a definition, by file and line."""
        found: dict[Symbol, None] = {}
        for use in self.references(symbol):
            function = self.function_at(use.path, use.line)
            if use.kind != "import" and function is not None and function != symbol:
                found[function] = None
        return tuple(found)

    def _is_definition(self, symbol: Symbol, path: str, line: int) -> bool:
        named = [
            other
            for other in self._symbols("path = ?", path)
            if other.own_name == symbol.own_name and other.line <= line <= other.end_line
        ]
        return max(named, key=lambda other: other.line, default=None) == symbol

    def _symbols(self, where: str, value: str) -> Iterator[Symbol]:
        rows = self._database.execute(f"SELECT * FROM symbols WHERE {where} ORDER BY path, line", (value,))  # noqa: S608
        for path, name, kind, line, end_line, signature, doc, public, _ in rows:
            yield Symbol(path, name, kind, line, end_line, signature, doc, bool(public))

    def _uses(self, where: str, value: str) -> Iterator[Use]:
        rows = self._database.execute(f"SELECT * FROM uses WHERE {where} ORDER BY path, line, column", (value,))  # noqa: S608
        for path, name, line, column, kind, is_call, function in rows:
            yield Use(path, name, line, column, kind, bool(is_call), function)

    def _forget(self, path: str) -> None:
        for statement in ("symbols", "uses", "files"):
            self._database.execute(f"DELETE FROM {statement} WHERE path = ?", (path,))  # noqa: S608

    def _learn(self, path: str, content: bytes, digest: str) -> None:
        symbols: tuple[Symbol, ...] = ()
        uses: tuple[Use, ...] = ()
        problem = ""
        try:
            source = source_of(path, content)
            tree = tree_of(source)
            symbols, uses = symbols_of_tree(path, tree), uses_of_tree(source, tree)
        except EditRefused as error:
            problem = str(error)
        self._database.execute("INSERT INTO files VALUES (?, ?, ?)", (path, digest, problem))
        self._database.executemany("INSERT INTO symbols VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", map(_row, symbols))
        self._database.executemany(
            "INSERT INTO uses VALUES (?, ?, ?, ?, ?, ?, ?)",
            ((one.path, one.name, one.line, one.column, one.kind, one.is_call, one.function) for one in uses),
        )


def _row(symbol: Symbol) -> tuple[str | int, ...]:
    place = (symbol.path, symbol.name, symbol.kind, symbol.line, symbol.end_line)
    return (*place, symbol.signature, symbol.doc, symbol.public, symbol.own_name)


def _opened(cache: Path) -> sqlite3.Connection:
    database = open_database(cache)
    with transaction(database):
        if database.execute("PRAGMA user_version").fetchone()[0] != _SCHEMA_VERSION:
            for table in ("files", "symbols", "uses"):
                database.execute(f"DROP TABLE IF EXISTS {table}")
            for statement in filter(str.strip, _SCHEMA.split(";")):
                database.execute(statement)
            database.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
    return database
