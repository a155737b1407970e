"""The files of a repository with their words and definitions; what has changed on disk is read again."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from automation.assistant.normalise import stem
from automation.codebase.files import python_files
from automation.codebase.search.words import split_name
from automation.codebase.sources import source_of
from automation.codebase.symbols import Symbol, symbols_of
from automation.errors import AutomationError

# Below this weight a file is a test or the like, whose definitions nobody means.
LEAST_CODE = 0.6
_FRESH_S, _SURELY_FRESH_S = 20.0, 300.0
_HEAD_BYTES = 400
_DEFINED = re.compile(r"^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)|^([A-Za-z_]\w*)[ \t]*[:=]", re.MULTILINE)
_ASIDE = frozenset({"tests", "test", "benchmarks", "docs", "examples"})


@dataclass(frozen=True, slots=True)
class CodeFile:
    """A Python file, as descriptions are compared with it.

    Parameters
    ----------
    path : str
        Relative, with forward slashes.
    words : Counter of str
        Stems of its name, its folders and its first line, by how much they say.
    stem : str
        Its name without the ending; of a package the folder's.
    weight : float
        1 for code, less for tests and the like.
    """

    path: str
    words: Counter[str]
    stem: str
    weight: float


@dataclass(frozen=True, slots=True)
class _Contents:
    changed: int
    text: str
    defined: frozenset[str]


class PlaceIndex:
    """The Python files of a repository, found and read when they are needed, and again when they changed.

    Parameters
    ----------
    root : Path
        The repository's folder.
    clock : callable
        Seconds that only rise.
    """

    def __init__(self, root: Path, clock: Callable[[], float]) -> None:
        self._root = root
        self._clock = clock
        self._looked_at = self._listed_at = -math.inf
        self._folders: dict[str, int] = {}
        self._files: dict[str, CodeFile] = {}
        self._rarity: dict[str, float] = {}
        self._read: dict[str, _Contents] = {}
        self._symbols: dict[str, tuple[int, tuple[Symbol, ...]]] = {}
        self._defining: dict[str, tuple[CodeFile, ...]] | None = None
        self._names: dict[str, frozenset[str]] | None = None

    def warm(self) -> None:
        """Read all files now rather than when they are needed."""
        self.defining("")
        self.spelled("")

    @property
    def files(self) -> tuple[CodeFile, ...]:
        """All files."""
        self._look()
        return tuple(self._files.values())

    def file(self, path: str) -> CodeFile | None:
        """Return a file by its path."""
        self._look()
        return self._files.get(path)

    def rarity(self, word: str) -> float:
        """Return how much a stem says: more, the fewer files hold it."""
        return self._rarity.get(word, 1.0)

    def knows(self, word: str) -> bool:
        """Say whether any file has this stem among its words."""
        self._look()
        return word in self._rarity

    def text(self, path: str) -> str:
        """Return a file's text in small letters; none when it can not be read."""
        return self._contents(path).text

    def defining(self, name: str) -> tuple[CodeFile, ...]:
        """Return the files that define a name."""
        self._look()
        if self._defining is None:
            found: dict[str, list[CodeFile]] = {}
            for file in self._files.values():
                for each in self._contents(file.path).defined:
                    found.setdefault(each, []).append(file)
            self._defining = {each: tuple(files) for each, files in found.items()}
        return self._defining.get(name, ())

    def spelled(self, letters: str) -> frozenset[str]:
        """Return the names of code, constants apart, that are these letters without regard to case and underscores."""
        self._look()
        if self._names is None:
            names: dict[str, set[str]] = {}
            for file in self._files.values():
                for name in self._contents(file.path).defined if file.weight >= LEAST_CODE else ():
                    if not name.isupper():
                        names.setdefault(name.lower().replace("_", ""), set()).add(name)
            self._names = {key: frozenset(own) for key, own in names.items()}
        return self._names.get(letters, frozenset())

    def symbols_in(self, path: str) -> tuple[Symbol, ...]:
        """Return a file's definitions; none of a file that does not parse."""
        changed = self._changed(path)
        kept = self._symbols.get(path)
        if kept is None or kept[0] != changed:
            try:
                kept = (changed, symbols_of(source_of(path, (self._root / path).read_bytes())))
            except (AutomationError, OSError):
                kept = (changed, ())
            self._symbols[path] = kept
        return kept[1]

    def _look(self) -> None:
        now = self._clock()
        if now - self._looked_at < _FRESH_S:
            return
        if now - self._listed_at > _SURELY_FRESH_S or self._folders != self._times(self._folders):
            self._list(now)
        if self._defining is not None or self._names is not None:
            # what is read already shows whether any of it is old
            old = [path for path, kept in self._read.items() if kept.changed != self._changed(path)]
            if old:
                self._defining = self._names = None
        self._looked_at = now

    def _list(self, now: float) -> None:
        """List the files anew; a file that comes or goes changes the time of its folder, which is cheaper to ask."""
        folders = {parent.as_posix() for path in self._files for parent in PurePosixPath(path).parents} | {"."}
        before = self._times(folders)
        try:
            paths = python_files(self._root)
        except AutomationError:
            paths = ()
        found = {parent.as_posix() for path in paths for parent in PurePosixPath(path).parents} | {"."}
        times = self._times(found)
        # of a folder that changed meanwhile the time before counts, so that it is looked at again
        self._folders = {folder: before.get(folder, changed) for folder, changed in times.items()}
        if tuple(self._files) != tuple(paths):
            self._defining = self._names = None
            self._files = {path: self._files.get(path) or self._described(path) for path in paths}
            counts = Counter(word for file in self._files.values() for word in file.words)
            total = len(self._files) + 1
            self._rarity = {word: math.log(1 + total / count) for word, count in counts.items()}
            self._read = {path: kept for path, kept in self._read.items() if path in self._files}
        self._listed_at = now

    def _times(self, folders: dict[str, int] | set[str]) -> dict[str, int]:
        return {folder: self._changed(folder) for folder in folders}

    def _changed(self, path: str) -> int:
        try:
            return (self._root / path).stat().st_mtime_ns
        except OSError:
            return 0

    def _contents(self, path: str) -> _Contents:
        changed = self._changed(path)
        kept = self._read.get(path)
        if kept is None or kept.changed != changed:
            try:
                text = (self._root / path).read_text(encoding="utf-8", errors="replace")
            except OSError:
                text = ""
            defined = frozenset(name for pair in _DEFINED.findall(text) for name in pair if name)
            kept = self._read[path] = _Contents(changed, text.lower(), defined)
        return kept

    def _described(self, path: str) -> CodeFile:
        pure = PurePosixPath(path)
        own = pure.parent.name if pure.name == "__init__.py" else pure.stem
        words: Counter[str] = Counter()
        for word in split_name(own).split():
            words[stem(word)] += 3
        for folder in pure.parts[:-1]:
            for word in split_name(folder).split():
                words[stem(word)] += 1
        for word in _first_line(self._root / path):
            words[stem(word)] += 1
        aside = pure.parts[0] in _ASIDE or pure.name.startswith("test_")
        weight = 0.25 if aside else LEAST_CODE if pure.name == "__init__.py" or "inside" in pure.parts else 1.0
        return CodeFile(path, words, own, weight)


def _first_line(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES).decode("utf-8", "replace")
    except OSError:
        return []
    match = re.match(r'\s*(?:#[^\n]*\n\s*)*(?:"""|\'\'\')(.+?)(?:\n|"""|\'\'\')', head, re.DOTALL)
    return split_name(match[1]).split() if match else []
