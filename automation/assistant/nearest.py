"""Which command a sentence is near to: kernel ridge regression over vectors of words and of meaning.

The examples' vectors and the weights are kept in the data home by a hash of what they were made from, so that the first
sentence of a new process does not wait for them.
"""

from __future__ import annotations

import hashlib
import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from automation.assistant.examples import Example
from automation.assistant.normalise import stem, word_set
from automation.assistant.vectors import embedded
from automation.codebase.search.embedding import SentenceEmbedder

_DIMENSIONS = 8_192
_VERSION = "4"
# caches that stay: of the examples before a change, and with and without the sentence model
_KEPT = 3
_REMEMBERED = 512
# Function words say little about the command, but which question it is.
_LIGHT = word_set(
    "a an the of to in on at for with by from and or is are be it its this that these those my our your me i you"
    " we us do does did has have had will would can could should so as some any all about there"
)
_LIGHT_WEIGHT = 0.35
# Chosen by leaving each example out in turn.
_MEANING_SHARE = 0.8
_SHARPNESS = 3.0
_RIDGE = 0.1

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near a sentence is to each command.

    Parameters
    ----------
    regression : ndarray of float32, shape (commands,)
        About 1 for the command whose examples the sentence is like, about 0 for the others.
    likeness : ndarray of float32, shape (commands,)
        Likeness to the nearest example of each command, up to 1.
    example : tuple of str
        That example, by command.
    """

    regression: Vectors
    likeness: Vectors
    example: tuple[str, ...]


class Neighbours:
    """The examples as vectors, ready to be compared with sentences.

    Parameters
    ----------
    examples : sequence of Example
        What is known.
    commands : sequence of str
        Names in the order of the results; the empty one stands for what no command does.
    embedder : SentenceEmbedder, optional
        Gives meaning; None compares words alone.
    cache : Path, optional
        Folder that keeps vectors and weights.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        commands: Sequence[str],
        embedder: SentenceEmbedder | None,
        cache: Path | None,
    ) -> None:
        self._examples = tuple(examples)
        self._commands = tuple(commands)
        self._embedder = embedder
        self._said: dict[str, Vectors] = {}
        self._rarity = _rarities([example.sentence for example in examples])
        self._owner = np.array([self._commands.index(example.command) for example in examples])
        kept = None if cache is None else cache / f"{self._digest()}.npz"
        arrays = _read(kept)
        if arrays is None:
            arrays = self._fitted()
            _write(kept, arrays)
        # words: a row for each feature, so that those of a sentence lie together
        self._words, self._meanings, self._dual = arrays

    def of(self, sentence: str) -> Nearness:
        """Compare one sentence in normal form with all examples."""
        words = self._word_vectors([sentence])[0]
        used = np.flatnonzero(words)
        likeness = words[used] @ self._words[used]
        if self._embedder is not None:
            meaning = self._meaning(sentence, self._embedder)
            likeness = (1 - _MEANING_SHARE) * likeness + _MEANING_SHARE * (self._meanings @ meaning)
        regression = np.exp(_SHARPNESS * (likeness - 1)) @ self._dual
        best = np.full(len(self._commands), -1.0, dtype=np.float32)
        np.maximum.at(best, self._owner, likeness)
        order = np.argsort(likeness)
        nearest = dict(zip(self._owner[order].tolist(), order.tolist(), strict=True))
        told = tuple(
            self._examples[nearest[place]].sentence if place in nearest else "" for place in range(len(self._commands))
        )
        return Nearness(regression.astype(np.float32), best, told)

    def _meaning(self, sentence: str, embedder: SentenceEmbedder) -> Vectors:
        # people say the same again with other names, which are masked by now
        if sentence not in self._said:
            if len(self._said) >= _REMEMBERED:
                self._said.clear()
            self._said[sentence] = embedder.embed([sentence])[0]
        kept: Vectors = self._said[sentence]
        return kept

    def _fitted(self) -> tuple[Vectors, Vectors, Vectors]:
        sentences = [example.sentence for example in self._examples]
        words = self._word_vectors(sentences)
        empty = np.zeros((len(sentences), 0), dtype=np.float32)
        meanings = empty if self._embedder is None else embedded(sentences, self._embedder)
        alike = words @ words.T
        if self._embedder is not None:
            alike = (1 - _MEANING_SHARE) * alike + _MEANING_SHARE * (meanings @ meanings.T)
        kernel = np.exp(_SHARPNESS * (alike - 1))
        dual = np.linalg.solve(kernel + _RIDGE * np.eye(len(kernel)), self._targets()).astype(np.float32)
        return np.ascontiguousarray(words.T), meanings, dual

    def _targets(self) -> NDArray[np.float32]:
        targets: Vectors = np.eye(len(self._commands), dtype=np.float32)[self._owner]
        return targets

    def _word_vectors(self, sentences: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(sentences), _DIMENSIONS), dtype=np.float32)
        for row, sentence in enumerate(sentences):
            for feature, weight in _features(sentence):
                slot = zlib.crc32(feature.encode()) % _DIMENSIONS
                vectors[row, slot] += weight * self._rarity.get(feature, self._rarity[""])
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        normal: Vectors = (vectors / np.maximum(lengths, 1e-9)).astype(np.float32)
        return normal

    def _digest(self) -> str:
        told = repr((_VERSION, _DIMENSIONS, _MEANING_SHARE, _SHARPNESS, _RIDGE, self._commands, self._examples))
        model = "" if self._embedder is None else self._embedder.name
        return hashlib.sha256(f"{model} {told}".encode()).hexdigest()[:24]


def _features(sentence: str) -> list[tuple[str, float]]:
    words = sentence.split()
    stems = [stem(word) for word in words]
    features = [(one, _LIGHT_WEIGHT if word in _LIGHT else 1.0) for word, one in zip(words, stems, strict=True)]
    features += [(f"{a} {b}", 0.6) for a, b in zip(["^", *stems], [*stems, "$"], strict=True)]
    for word in words:
        if word not in _LIGHT:
            padded = f"<{word}>"
            grams = {padded[i : i + 4] for i in range(max(1, len(padded) - 3))}
            features += [(f"#{gram}", 0.5 / len(grams) ** 0.5) for gram in grams]
    return features


def _rarities(sentences: Sequence[str]) -> dict[str, float]:
    counts: dict[str, int] = {}
    for sentence in sentences:
        for feature in {feature for feature, _ in _features(sentence)}:
            counts[feature] = counts.get(feature, 0) + 1
    total = len(sentences)
    rarity = {feature: float(np.log((1 + total) / (1 + count))) for feature, count in counts.items()}
    # a word that no example holds must not outweigh those that some do
    rarity[""] = float(np.log(1 + total)) * 0.5
    return rarity


def _read(path: Path | None) -> tuple[Vectors, Vectors, Vectors] | None:
    if path is None or not path.is_file():
        return None
    try:
        with np.load(path) as kept:
            meanings, dual = kept["meanings"], kept["dual"]
            words = np.zeros((_DIMENSIONS, len(dual)), dtype=np.float32)
            words[kept["rows"], kept["columns"]] = kept["values"]
            return words, meanings, dual
    except (OSError, ValueError, KeyError, EOFError):
        # half a file of a process that was killed; it is made anew
        return None


def _write(path: Path | None, arrays: tuple[Vectors, Vectors, Vectors]) -> None:
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            words, meanings, dual = arrays
            rows, columns = np.nonzero(words)
            np.savez(file, rows=rows, columns=columns, values=words[rows, columns], meanings=meanings, dual=dual)
        Path(file.name).replace(path)
        for older in sorted(path.parent.glob("*.npz"), key=lambda each: each.stat().st_mtime)[:-_KEPT]:
            older.unlink(missing_ok=True)
    except OSError:
        # a home that cannot be written costs time, not answers
        return
