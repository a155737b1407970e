"""Which command a sentence is near to: kernel ridge regression over vectors of words and of meaning.

What is fitted comes along with the examples (`vectors.npz`); with other examples, or with words alone, it is fitted at
the first use and kept in the data home by a hash of what it was made from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from automation.assistant.examples import Example
from automation.assistant.vectors import KEPT, Fitted, embedded, read_fitted, write_fitted
from automation.assistant.word_vectors import WordIndex
from automation.codebase.search.embedding import SentenceEmbedder

_VERSION = "5"
# caches that stay: of the examples before a change, and with and without the sentence model
_KEPT_CACHES = 3
_REMEMBERED = 512
# Chosen by leaving each outside author out in turn.
_MEANING_SHARE = 0.6
_SHARPNESS = 1.5
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
        Folder that keeps what was fitted.
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
        self._remembered: dict[str, Vectors] = {}
        self._owner = np.array([self._commands.index(example.command) for example in examples])
        self._own = [np.flatnonzero(self._owner == place) for place in range(len(self._commands))]
        self._fitted = self._kept(cache)

    def of(self, sentences: Sequence[str]) -> list[Nearness]:
        """Compare sentences in normal form with all examples, in one pass of the sentence model."""
        if self._embedder is None:
            return [self._nearness(sentence, None) for sentence in sentences]
        missing = [each for each in dict.fromkeys(sentences) if each not in self._remembered]
        if len(self._remembered) + len(missing) > _REMEMBERED:
            self._remembered.clear()
            missing = list(dict.fromkeys(sentences))
        # people say the same again with other names, which are masked by now
        self._remembered.update(zip(missing, self._embedder.embed(missing), strict=True))
        return [self._nearness(sentence, self._remembered[sentence]) for sentence in sentences]

    def write(self, file: Path) -> None:
        """Keep what was fitted."""
        model = "" if self._embedder is None else self._embedder.name
        write_fitted(file, self._digest(), self._fitted, [each.sentence for each in self._examples], model)

    def _nearness(self, sentence: str, meaning: Vectors | None) -> Nearness:
        likeness = self._fitted.words.likeness(sentence)
        if meaning is not None:
            likeness = (1 - _MEANING_SHARE) * likeness + _MEANING_SHARE * (self._fitted.meanings @ meaning)
        regression = np.exp(_SHARPNESS * (likeness - 1)) @ self._fitted.dual
        best = np.full(len(self._commands), -1.0, dtype=np.float32)
        told = [""] * len(self._commands)
        for place, own in enumerate(self._own):
            if len(own):
                nearest = own[likeness[own].argmax()]
                best[place], told[place] = likeness[nearest], self._examples[nearest].sentence
        return Nearness(regression.astype(np.float32), best, tuple(told))

    def _kept(self, cache: Path | None) -> Fitted:
        digest = self._digest()
        own = None if cache is None else cache / f"{digest}.npz"
        fitted = read_fitted(KEPT, digest) or (None if own is None else read_fitted(own, digest))
        if fitted is None:
            self._fitted = fitted = self._fit()
            if own is not None:
                self._keep(own)
        return fitted

    def _keep(self, own: Path) -> None:
        try:
            self.write(own)
            for older in sorted(own.parent.glob("*.npz"), key=lambda each: each.stat().st_mtime)[:-_KEPT_CACHES]:
                older.unlink(missing_ok=True)
        except OSError:
            # a home that cannot be written costs time, not answers
            return

    def _fit(self) -> Fitted:
        sentences = [example.sentence for example in self._examples]
        words = WordIndex.of(sentences)
        alike = np.stack([words.likeness(sentence) for sentence in sentences])
        meanings = np.zeros((len(sentences), 0), dtype=np.float32)
        if self._embedder is not None:
            meanings = embedded(sentences, self._embedder)
            alike = (1 - _MEANING_SHARE) * alike + _MEANING_SHARE * (meanings @ meanings.T)
        kernel = np.exp(_SHARPNESS * (alike - 1)) + _RIDGE * np.eye(len(alike), dtype=np.float32)
        targets = np.eye(len(self._commands), dtype=np.float32)[self._owner]
        return Fitted(words, meanings, np.linalg.solve(kernel, targets).astype(np.float32))

    def _digest(self) -> str:
        told = repr((_VERSION, _MEANING_SHARE, _SHARPNESS, _RIDGE, self._commands, self._examples))
        model = "" if self._embedder is None else self._embedder.name
        return hashlib.sha256(f"{model} {told}".encode()).hexdigest()[:24]
