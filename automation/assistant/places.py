"""Where in a repository a description leads: "the grid module", "the candle store", "the function that trails"."""

from __future__ import annotations

import math
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from automation.assistant.normalise import stem, word_set
from automation.codebase.files import python_files
from automation.codebase.search.words import split_name
from automation.codebase.sources import source_of
from automation.codebase.symbols import Symbol, symbols_of
from automation.errors import AutomationError

_FRESH_S = 20.0
_NAMES_FRESH_S = 300.0
_HEAD_BYTES = 400
_MOST_OPENED = 6
_MOST_TESTS = 4
_LEAST_CODE = 0.6
_MOSTLY = 0.5
_DEFINED = re.compile(r"^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)|^([A-Za-z_]\w*)[ \t]*[:=]", re.MULTILINE)
# What people call code, which says nothing of which code.
CALLED = word_set(
    "a an the this that these those of in on at for to with from by and or is are be it its my our your me i we"
    " you all function functions method methods class classes module modules file files folder directory package"
    " part parts code logic calculation calculations computation computing calculating compute computes calculate"
    " calculates thing stuff implementation handling handler component system source script python symbol section"
    " some new please entire whole everything about which what where does do how into need needs missing trading"
    " gridbot there use used one bot more repository project current any unit better good much so very too so has"
    " have can get lot tests test testing tested them they he she whom mine"
)
_LIKE = {
    "websocket": ("stream", "feed"), "websockets": ("stream", "feed"), "ws": ("stream", "feed"), "key": ("keys",),
    "database": ("store", "journal"), "backtest": ("backtesting",), "backtester": ("backtest",), "stop": ("stopping",),
    "reader": ("readers",), "fee": ("fees", "accounting"), "order": ("orders",), "indicator": ("indicators",),
    "downloader": ("download",), "grids": ("grid",), "price": ("prices",), "rate": ("limiter",), "limit": ("limits",),
}  # fmt: skip
_KIND_WORDS = (
    ("folder", re.compile(r"\b(?:folder|directory|package|wing|subpackage)\b")),
    ("symbol", re.compile(r"\b(?:functions?|fn|methods?|class|constant|routine)\b")),
    ("file", re.compile(r"\b(?:file|module|script)\b")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    words: Counter[str]
    stem: str
    weight: float


@dataclass(frozen=True, slots=True)
class _Contents:
    changed: int
    text: str
    defined: frozenset[str]


class Places:
    """The places of a repository, found by words; what is on disk is looked at again after a while.

    Parameters
    ----------
    root : Path
        The repository's folder.
    clock : callable
        Seconds that only rise.
    """

    def __init__(self, root: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.root = root.resolve()
        self._clock = clock
        self._seen_at = -math.inf
        self._files: tuple[_File, ...] = ()
        self._rarity: dict[str, float] = {}
        self._symbols: dict[tuple[str, int], tuple[Symbol, ...]] = {}
        self._read: dict[str, _Contents] = {}
        self._names: dict[str, frozenset[str]] = {}
        self._named_at = -math.inf

    def target(self, description: str, *, clearly: bool = False) -> str | None:
        """Return the file, folder or ``file::symbol`` that a description means, or None.

        Parameters
        ----------
        description : str
            Words such as ``"the grid calculation function"``.
        clearly : bool
            Whether a place counts only when it answers to every word, and to one by its own name.
        """
        words = _content(description)
        if not words:
            return None
        found = self._likeliest(description, words)
        return None if clearly and found is not None and not self._answers(found, words) else found

    def _likeliest(self, description: str, words: dict[str, float]) -> str | None:
        kind = next((kind for kind, pattern in _KIND_WORDS if pattern.search(description.lower())), "")
        ranked = self._ranked(words, description)
        if kind == "folder" or (kind == "" and not self._names_file(words, ranked)):
            folder = self._folder(words)
            if folder is not None:
                return folder
        if not ranked:
            return None
        if kind == "symbol":
            # a file of exactly that name is meant before like names elsewhere
            named = self._names_file(words, ranked[:1])
            found = self._symbol(words, [path for _, path in ranked[: 1 if named else _MOST_OPENED]])
            if found is not None:
                return found
        return ranked[0][1]

    def _answers(self, place: str, words: dict[str, float]) -> bool:
        path, _, symbol = place.partition("::")
        file = next((file for file in self._files if file.path == path), None)
        around = set(file.words) if file is not None else {stem(word) for word in split_name(path).split()}
        own = {stem(word) for word in split_name(PurePosixPath(path).stem).split()}
        for each in self._symbols_in(path) if symbol else ():
            if each.name == symbol:
                own |= {stem(word) for word in split_name(symbol).split()}
                around |= own | {stem(word) for word in split_name(each.doc).split()}
        asked = {word for word, weight in words.items() if weight == 1}
        return bool(own & words.keys()) and (
            asked <= around | own or bool(symbol and asked & own and own <= words.keys())
        )

    def named_in(self, text: str) -> str | None:
        """Return the one definition that a text names by its words: ``Reconciler``, "kelly share", "resample function".

        Parameters
        ----------
        text : str
            As it was said, without what is understood already.
        """
        words = re.findall(r"[A-Za-z]\w*|[^\sA-Za-z]", text)
        for size in (4, 3, 2, 1):
            for at in range(len(words) - size + 1):
                part = words[at : at + size]
                if size == 1 and not (part[0][0].isupper() and at) and not _is_called(words, at):
                    continue
                if any(word.lower() in CALLED or not word[0].isalpha() for word in part):
                    continue
                names = self._squashed().get("".join(part).lower().replace("_", ""), frozenset())
                if len(names) == 1 and (size > 1 or part[0][0].islower() or part[0] in names):
                    return self.symbol(next(iter(names)))
        return None

    def path_of(self, text: str) -> str | None:
        """Return a path of the repository as it stands there, whatever the case it was typed in; None for none."""
        bare = text.rstrip("/")
        if self.holds(bare):
            return bare
        self._look()
        known = {parent.as_posix() for file in self._files for parent in PurePosixPath(file.path).parents}
        known |= {file.path for file in self._files}
        found = [path for path in known if path.lower() == bare.lower()]
        return found[0] if len(found) == 1 else None

    def same_target(self, one: str, other: str) -> bool:
        """Say whether two targets mean the same code: ``kelly_share`` and the file and symbol that it is found as.

        Parameters
        ----------
        one, other : str
            Files, folders, symbols, or ``file::symbol``.
        """
        return one == other or self._resolved(one) == self._resolved(other)

    def _resolved(self, target: str) -> str:
        bare = target.rstrip("/").removeprefix("./")
        return bare if "::" in bare or self.holds(bare) else self.symbol(bare) or bare

    def _squashed(self) -> dict[str, frozenset[str]]:
        self._look()
        if not self._names:
            names: dict[str, set[str]] = {}
            for file in self._files:
                if file.weight >= _LEAST_CODE:
                    for name in self._contents(file.path).defined:
                        if name.isupper():
                            continue
                        names.setdefault(name.lower().replace("_", ""), set()).add(name)
            self._named_at = self._seen_at
            self._names = {key: frozenset(own) for key, own in names.items()}
        return self._names

    def symbol(self, name: str) -> str | None:
        """Return ``file::name`` of a definition by its name; None when there is none.

        Parameters
        ----------
        name : str
            Qualified, or the end of a qualified name.
        """
        self._look()
        own = name.rpartition(".")[2]
        found = [
            (file.weight, file.path, each.name)
            for file in self._files
            if own in self._contents(file.path).defined
            for each in self._symbols_in(file.path)
            if f".{each.name}".endswith(f".{name}")
        ]
        best = max((weight for weight, _, _ in found), default=0.0)
        chosen = [(path, full) for weight, path, full in found if weight == best]
        if len(chosen) == 1:
            return "::".join(chosen[0])
        # of several none is guessed: the command says which there are
        return name if chosen else None

    def file_called(self, name: str) -> str | None:
        """Return the one Python file of a name, wherever it is; code before tests."""
        self._look()
        found = [(file.weight, file.path) for file in self._files if PurePosixPath(file.path).name == name]
        best = max((weight for weight, _ in found), default=0.0)
        chosen = [path for weight, path in found if weight == best]
        return chosen[0] if len(chosen) == 1 else None

    def speaks_of(self, word: str) -> bool:
        """Say whether a word stands in the name or the first line of any file of code."""
        self._look()
        return stem(word) in self._rarity

    def holds(self, path: str) -> bool:
        """Say whether a path is in the repository."""
        return (self.root / path).exists()

    def tests_of(self, description: str) -> tuple[str, ...]:
        """Return the test files that fit a description best, those that use the code it means before others."""
        words = _content(description)
        if not words:
            return ()
        ranked = self._ranked(words, description)
        modules = {path.removesuffix(".py").replace("/", ".") for _, path in ranked[:_MOST_OPENED]}
        scores: list[tuple[float, str]] = []
        for file in self._files:
            if not PurePosixPath(file.path).name.startswith("test_"):
                continue
            own = sum(weight * self._rare(word) for word, weight in words.items() if word in file.words)
            text = self._contents(file.path).text
            told = sum(weight * self._rare(word) * min(text.count(word), 5) / 5 for word, weight in words.items())
            uses = sum(f"from {module} import" in text for module in modules)
            score = 2 * own + told + 3 * uses
            if own or uses or told > _MOSTLY * sum(weight * self._rare(word) for word, weight in words.items()):
                scores.append((score, file.path))
        scores.sort(key=lambda pair: (-pair[0], pair[1]))
        best = scores[0][0] if scores else 0.0
        return tuple(path for score, path in scores[:_MOST_TESTS] if score >= best / 2)

    def _names_file(self, words: dict[str, float], ranked: list[tuple[float, str]]) -> bool:
        return any(stem(split_name(PurePosixPath(path).stem)) in words for _, path in ranked[:3])

    def _ranked(self, words: dict[str, float], description: str) -> list[tuple[float, str]]:
        self._look()
        scored = []
        asked = [word for word in split_name(description).split() if word not in CALLED]
        for file in self._files:
            hits = {word: weight for word, weight in words.items() if word in file.words}
            if not hits:
                continue
            score = sum(weight * self._rare(word) * min(file.words[word], 4) for word, weight in hits.items())
            # a file that is called exactly so comes before one whose name holds the words among others
            exact = set(split_name(file.stem).split())
            stems = {stem(word) for word in exact}
            score *= 1 + 0.8 * len(stems & words.keys()) / len(
                stems | {word for word, own in words.items() if own == 1}
            )
            if file.stem == "_".join(asked):
                score *= 2
            scored.append((score * file.weight, file.path))
        scored.sort(key=lambda pair: (-pair[0], len(pair[1]), pair[1]))
        return scored

    def _folder(self, words: dict[str, float]) -> str | None:
        folders = {
            parent.as_posix() for file in self._files if file.weight == 1 for parent in PurePosixPath(file.path).parents
        }
        asked = {word for word, weight in words.items() if weight == 1}
        named = [
            (len(folder.split("/")), folder)
            for folder in folders - {"."}
            if {stem(word) for word in split_name(folder.rpartition("/")[2]).split()} == asked
        ]
        return min(named)[1] if named else None

    def _symbol(self, words: dict[str, float], paths: Iterable[str]) -> str | None:
        best, found = 0.0, None
        code = {file.path for file in self._files if file.weight >= _LEAST_CODE}
        for order, path in enumerate(path for path in paths if path in code):
            around = {stem(word) for word in split_name(path).split()}
            for each in self._symbols_in(path):
                if each.kind == "constant":
                    continue
                own = {stem(word) for word in split_name(each.own_name).split()}
                told = {stem(word) for word in split_name(each.doc).split()}
                score = sum(
                    weight * self._rare(word) * (3.0 if word in own else 1.0 if word in told else 0.0)
                    + (0.4 * self._rare(word) if word in around else 0.0)
                    for word, weight in words.items()
                )
                score *= (1.0 if each.public else 0.8) / (1 + order)
                if score > best and (own | told) & words.keys():
                    best, found = score, f"{path}::{each.name}"
        return found

    def _rare(self, word: str) -> float:
        return self._rarity.get(word, 1.0)

    def _look(self) -> None:
        if self._clock() - self._seen_at < _FRESH_S:
            return
        try:
            paths = tuple(python_files(self.root))
        except AutomationError:
            paths = ()
        known = {file.path: file for file in self._files}
        self._files = tuple(known.get(path) or self._described(path) for path in paths)
        counts = Counter(word for file in self._files for word in file.words)
        total = len(self._files) + 1
        self._rarity = {word: math.log(1 + total / count) for word, count in counts.items()}
        self._seen_at = self._clock()
        # names inside of files change seldom, and to read them all again takes a moment
        if paths != tuple(known) or self._seen_at - self._named_at > _NAMES_FRESH_S:
            self._names = {}

    def _described(self, path: str) -> _File:
        pure = PurePosixPath(path)
        own = pure.parent.name if pure.name == "__init__.py" else pure.stem
        words: Counter[str] = Counter()
        for word in split_name(own).split():
            words[stem(word)] += 3
        for folder in pure.parts[:-1]:
            for word in split_name(folder).split():
                words[stem(word)] += 1
        for word in _first_line(self.root / path):
            words[stem(word)] += 1
        aside = pure.parts[0] in {"tests", "test", "benchmarks", "docs", "examples"} or pure.name.startswith("test_")
        weight = 0.25 if aside else 0.6 if pure.name == "__init__.py" or "inside" in pure.parts else 1.0
        return _File(path, words, own, weight)

    def _contents(self, path: str) -> _Contents:
        try:
            changed = (self.root / path).stat().st_mtime_ns
            kept = self._read.get(path)
            if kept is None or kept.changed != changed:
                text = (self.root / path).read_text(encoding="utf-8", errors="replace")
                defined = frozenset(name for pair in _DEFINED.findall(text) for name in pair if name)
                kept = self._read[path] = _Contents(changed, text.lower(), defined)
        except OSError:
            return _Contents(0, "", frozenset())
        return kept

    def _symbols_in(self, path: str) -> tuple[Symbol, ...]:
        try:
            changed = (self.root / path).stat().st_mtime_ns
            if (path, changed) not in self._symbols:
                self._symbols[path, changed] = symbols_of(source_of(path, (self.root / path).read_bytes()))
            return self._symbols[path, changed]
        except (AutomationError, OSError):
            # a file that does not parse defines nothing that could be named
            return ()


def _is_called(words: list[str], at: int) -> bool:
    """Say whether a word stands beside "function" or the like: "the resample function", "the class Grid"."""
    kind = _KIND_WORDS[1][1]
    after, before = words[at + 1 : at + 2], words[max(0, at - 1) : at]
    return bool((after and kind.fullmatch(after[0].lower())) or (before and kind.fullmatch(before[0].lower())))


def _content(description: str) -> dict[str, float]:
    words: dict[str, float] = {}
    for word in split_name(description).split():
        if word in CALLED or len(word) < 2:
            continue
        words[stem(word)] = 1.0
        for other in _LIKE.get(word, ()):
            words.setdefault(stem(other), 0.8)
    return words


def _first_line(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES).decode("utf-8", "replace")
    except OSError:
        return []
    match = re.match(r'\s*(?:#[^\n]*\n\s*)*(?:"""|\'\'\')(.+?)(?:\n|"""|\'\'\')', head, re.DOTALL)
    return split_name(match[1]).split() if match else []
