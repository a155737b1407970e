"""Where in a repository a description leads: "the grid module", "the candle store", "the function that trails"."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

from automation.assistant.normalise import stem
from automation.assistant.place_index import LEAST_CODE, PlaceIndex
from automation.assistant.place_words import CALLED, KIND_WORDS, is_called, stems_of, telling_words
from automation.codebase.search.words import split_name

_MOST_OPENED = 6
_MOST_TESTS = 4
_MOSTLY = 0.5


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
        self._index = PlaceIndex(self.root, clock)

    def warm(self) -> None:
        """Read all files now rather than when the first place is looked for."""
        self._index.warm()

    def target(self, description: str, *, clearly: bool = False) -> str | None:
        """Return the file, folder or ``file::symbol`` that a description means, or None.

        Parameters
        ----------
        description : str
            Words such as ``"the grid calculation function"``.
        clearly : bool
            Whether a place counts only when it answers to every word, and to one by its own name.
        """
        words = telling_words(description)
        if not words:
            return None
        found = self._likeliest(description, words)
        return None if clearly and found is not None and not self._answers(found, words) else found

    def _likeliest(self, description: str, words: dict[str, float]) -> str | None:
        kind = next((kind for kind, pattern in KIND_WORDS if pattern.search(description.lower())), "")
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
            if found is not None and not (named and self._says_the_file(found, words)):
                return found
        return ranked[0][1]

    def _says_the_file(self, place: str, words: dict[str, float]) -> bool:
        """Say whether words name a file and nothing that tells one of its symbols from the others."""
        path, _, symbol = place.partition("::")
        asked = {word for word, weight in words.items() if weight == 1}
        own = stems_of(PurePosixPath(path).stem)
        return asked <= own and not asked & stems_of(symbol)

    def _answers(self, place: str, words: dict[str, float]) -> bool:
        path, _, symbol = place.partition("::")
        file = self._index.file(path)
        around = set(file.words) if file is not None else stems_of(path)
        own = stems_of(PurePosixPath(path).stem)
        for each in self._index.symbols_in(path) if symbol else ():
            if each.name == symbol:
                own |= stems_of(symbol)
                around |= own | stems_of(each.doc)
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
                if size == 1 and not (part[0][0].isupper() and at) and not is_called(words, at):
                    continue
                if any(word.lower() in CALLED or not word[0].isalpha() for word in part):
                    continue
                names = self._index.spelled("".join(part).lower().replace("_", ""))
                if len(names) == 1 and (size > 1 or part[0][0].islower() or part[0] in names):
                    return self.symbol(next(iter(names)))
        return None

    def path_of(self, text: str) -> str | None:
        """Return a path of the repository as it stands there, whatever the case it was typed in; None for none."""
        bare = text.rstrip("/")
        if self.holds(bare):
            return bare
        known = {parent.as_posix() for file in self._index.files for parent in PurePosixPath(file.path).parents}
        known |= {file.path for file in self._index.files}
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

    def symbol(self, name: str) -> str | None:
        """Return ``file::name`` of a definition by its name; None when there is none.

        Parameters
        ----------
        name : str
            Qualified, or the end of a qualified name.
        """
        own = name.rpartition(".")[2]
        found = [
            (file.weight, file.path, each.name)
            for file in self._index.defining(own)
            for each in self._index.symbols_in(file.path)
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
        found = [(file.weight, file.path) for file in self._index.files if PurePosixPath(file.path).name == name]
        best = max((weight for weight, _ in found), default=0.0)
        chosen = [path for weight, path in found if weight == best]
        return chosen[0] if len(chosen) == 1 else None

    def speaks_of(self, word: str) -> bool:
        """Say whether a word stands in the name or the first line of any file of code."""
        return self._index.knows(stem(word))

    def holds(self, path: str) -> bool:
        """Say whether a path is in the repository."""
        return (self.root / path).exists()

    def tests_of(self, description: str) -> tuple[str, ...]:
        """Return the test files that fit a description best, those that use the code it means before others."""
        words = telling_words(description)
        if not words:
            return ()
        ranked = self._ranked(words, description)
        modules = {path.removesuffix(".py").replace("/", ".") for _, path in ranked[:_MOST_OPENED]}
        rarity = {word: weight * self._index.rarity(word) for word, weight in words.items()}
        scores: list[tuple[float, str]] = []
        for file in self._index.files:
            if not PurePosixPath(file.path).name.startswith("test_"):
                continue
            own = sum(rare for word, rare in rarity.items() if word in file.words)
            text = self._index.text(file.path)
            told = sum(rare * min(text.count(word), 5) / 5 for word, rare in rarity.items())
            uses = sum(f"from {module} import" in text for module in modules)
            score = 2 * own + told + 3 * uses
            if own or uses or told > _MOSTLY * sum(rarity.values()):
                scores.append((score, file.path))
        scores.sort(key=lambda pair: (-pair[0], pair[1]))
        best = scores[0][0] if scores else 0.0
        return tuple(path for score, path in scores[:_MOST_TESTS] if score >= best / 2)

    def _names_file(self, words: dict[str, float], ranked: list[tuple[float, str]]) -> bool:
        return any(stem(split_name(PurePosixPath(path).stem)) in words for _, path in ranked[:3])

    def _ranked(self, words: dict[str, float], description: str) -> list[tuple[float, str]]:
        scored = []
        asked = [word for word in split_name(description).split() if word not in CALLED]
        for file in self._index.files:
            hits = {word: weight for word, weight in words.items() if word in file.words}
            if not hits:
                continue
            score = sum(weight * self._index.rarity(word) * min(file.words[word], 4) for word, weight in hits.items())
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
            parent.as_posix()
            for file in self._index.files
            if file.weight == 1
            for parent in PurePosixPath(file.path).parents
        }
        asked = {word for word, weight in words.items() if weight == 1}
        named = [
            (len(folder.split("/")), folder)
            for folder in folders - {"."}
            if stems_of(folder.rpartition("/")[2]) == asked
        ]
        return min(named)[1] if named else None

    def _symbol(self, words: dict[str, float], paths: Iterable[str]) -> str | None:
        best, found = 0.0, None
        code = {file.path for file in self._index.files if file.weight >= LEAST_CODE}
        for order, path in enumerate(path for path in paths if path in code):
            around = stems_of(path)
            for each in self._index.symbols_in(path):
                if each.kind == "constant":
                    continue
                own = stems_of(each.own_name)
                told = stems_of(each.doc)
                score = sum(
                    weight * self._index.rarity(word) * (3.0 if word in own else 1.0 if word in told else 0.0)
                    + (0.4 * self._index.rarity(word) if word in around else 0.0)
                    for word, weight in words.items()
                )
                score *= (1.0 if each.public else 0.8) / (1 + order)
                if score > best and (own | told) & words.keys():
                    best, found = score, f"{path}::{each.name}"
        return found
