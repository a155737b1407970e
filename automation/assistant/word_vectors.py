"""Sentences as vectors of words: stems, pairs of neighbours and parts of words, the rare ones counting most."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automation.assistant.normalise import stem, word_set

DIMENSIONS = 8_192
# Function words say little about the command, but which question it is.
_LIGHT = word_set(
    "a an the of to in on at for with by from and or is are be it its this that these those my our your me i you"
    " we us do does did has have had will would can could should so as some any all about there"
)
_LIGHT_WEIGHT = 0.35

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class WordIndex:
    """Sentences by the features of their words, those of one feature together.

    Parameters
    ----------
    rarity : ndarray of float32, shape (DIMENSIONS,)
        How much a feature counts.
    starts : ndarray of int64, shape (DIMENSIONS + 1,)
        Where the sentences of a feature begin in the other two.
    places, values : ndarray, shape (entries,)
        Number of a sentence, and how much of it the feature is.
    size : int
        How many sentences.
    """

    rarity: Floats
    starts: Integers
    places: Integers
    values: Floats
    size: int

    @classmethod
    def of(cls, sentences: Sequence[str]) -> WordIndex:
        """Index sentences in normal form."""
        slots = [[_slot(feature) for feature, _ in _features(sentence)] for sentence in sentences]
        counts = np.zeros(DIMENSIONS, dtype=np.float32)
        for each in slots:
            counts[list(set(each))] += 1
        total = len(sentences)
        # a word that no example holds must not outweigh those that some do
        rarity = np.where(counts > 0, np.log((1 + total) / (1 + counts)), 0.5 * np.log(1 + total)).astype(np.float32)
        vectors = [_vector(sentence, rarity) for sentence in sentences]
        every = np.concatenate([slot for slot, _ in vectors])
        places = np.concatenate([np.full(len(slot), row) for row, (slot, _) in enumerate(vectors)])
        order = np.argsort(every, kind="stable")
        starts = np.searchsorted(every[order], np.arange(DIMENSIONS + 1))
        return cls(rarity, starts, places[order], np.concatenate([value for _, value in vectors])[order], total)

    def likeness(self, sentence: str) -> Floats:
        """Return the likeness of a sentence in normal form to each that is indexed, 0 to 1."""
        told = np.zeros(self.size, dtype=np.float32)
        for slot, value in zip(*_vector(sentence, self.rarity), strict=True):
            there = slice(self.starts[slot], self.starts[slot + 1])
            told[self.places[there]] += value * self.values[there]
        return told


def _vector(sentence: str, rarity: Floats) -> tuple[Integers, Floats]:
    weights: dict[int, float] = {}
    for feature, weight in _features(sentence):
        slot = _slot(feature)
        weights[slot] = weights.get(slot, 0.0) + weight
    slots = np.fromiter(weights, dtype=np.int64, count=len(weights))
    values = np.fromiter(weights.values(), dtype=np.float32, count=len(weights)) * rarity[slots]
    return slots, values / max(float(np.linalg.norm(values)), 1e-9)


def _slot(feature: str) -> int:
    return zlib.crc32(feature.encode()) % DIMENSIONS


def _features(sentence: str) -> list[tuple[str, float]]:
    words = sentence.split()
    stems = [stem(word) for word in words]
    features = [(one, _LIGHT_WEIGHT if word in _LIGHT else 1.0) for word, one in zip(words, stems, strict=True)]
    features += [(f"{a} {b}", 0.6) for a, b in zip(["^", *stems], [*stems, "$"], strict=True)]
    for word in words:
        if word not in _LIGHT:
            padded = f"<{word}>"
            grams = {padded[i : i + 4] for i in range(max(1, len(padded) - 3))}
            features += [(f"#{gram}", 0.5 / len(grams) ** 0.5) for gram in sorted(grams)]
    return features
