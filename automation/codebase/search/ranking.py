"""How much words and meaning say for a document, in one score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from automation.codebase.search.documents import Area, Kind

Scores = NDArray[np.float64]


class Why(StrEnum):
    """What made a document an answer."""

    NAME = "name"
    WORDS = "words"
    MEANING = "meaning"


@dataclass(frozen=True, slots=True)
class Weights:
    """What counts how much; the defaults are those that found best on half of the benchmark's questions.

    Parameters
    ----------
    names, place, header, text, body : float
        Of a word by where it stands, in BM25.
    meaning : float
        Share of the meaning in the whole score, 0 to 1; the rest is the words'.
    module : float
        Share of its module's scores that is added to a document's own: what a file is about, its functions are too.
    method : float
        Share of the best of its methods' scores that is added to a class's own.
    least_likeness : float
        Cosine under which a meaning is taken for another.
    areas, kinds : mapping
        Factors of a whole document by where it stands and what it is.
    private : float
        Factor of a name that begins with an underscore.
    """

    names: float = 4.0
    place: float = 2.0
    header: float = 1.0
    text: float = 8.0
    body: float = 1.0
    meaning: float = 0.67
    module: float = 0.2
    method: float = 0.1
    least_likeness: float = 0.25
    areas: Mapping[str, float] = field(default_factory=lambda: {Area.TESTS: 0.4, Area.DOCS: 0.4})
    kinds: Mapping[str, float] = field(default_factory=lambda: {Kind.CONSTANT: 0.5, Kind.MODULE: 0.6, Kind.METHOD: 0.9})
    private: float = 0.8

    @property
    def columns(self) -> tuple[float, ...]:
        """Weights of the word columns, in the order of the index."""
        return (self.names, self.place, self.header, self.text, self.body)

    def factor(self, area: str, kind: str, *, public: bool) -> float:
        """Return the factor of a document."""
        return self.areas.get(area, 1.0) * self.kinds.get(kind, 1.0) * (1.0 if public else self.private)


@dataclass(frozen=True, slots=True)
class Homes:
    """What each document stands in, as rows; its own row where it stands in nothing of the kind.

    Parameters
    ----------
    modules : ndarray of int64, shape (n,)
        Of its module.
    classes : ndarray of int64, shape (n,)
        Of its class.
    """

    modules: NDArray[np.int64]
    classes: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Fused:
    """The scores of all documents.

    Parameters
    ----------
    words, meaning : ndarray of float64, shape (n,)
        What each way adds to the score, before factors; their sum is 0 to 1.
    score : ndarray of float64, shape (n,)
        0 for what is no answer at all.
    """

    words: Scores
    meaning: Scores
    score: Scores

    def best(self, limit: int) -> list[int]:
        """Return the rows of the best answers, the best first; equals stay in their order."""
        order = np.argsort(-self.score, kind="stable")[:limit]
        return [int(row) for row in order if self.score[row] > 0]

    def why(self, row: int) -> tuple[Why, ...]:
        """Return what spoke for a row, the stronger reason first."""
        reasons = [(self.words[row], Why.WORDS), (self.meaning[row], Why.MEANING)]
        return tuple(reason for share, reason in sorted(reasons, key=lambda one: -one[0]) if share > 0)


def fused(words: Scores, likeness: Scores | None, homes: Homes, factors: Scores, weights: Weights) -> Fused:
    """Join both ways: each is scaled to its best document, then weighed.

    Parameters
    ----------
    words : ndarray of float64, shape (n,)
        BM25, higher is better, 0 where no word occurs.
    likeness : ndarray of float64, shape (n,), optional
        Cosine between question and document; without it only words count.
    homes : Homes
        What each document stands in.
    factors : ndarray of float64, shape (n,)
        Of the whole documents; 0 leaves one out.
    weights : Weights
        What counts how much.
    """
    by_words = _scaled(_shared(words, homes, weights))
    by_meaning = np.zeros_like(by_words)
    found = words > 0
    share = 0.0
    if likeness is not None and weights.meaning > 0:
        share = weights.meaning
        by_meaning = _scaled(_shared(np.maximum(likeness, 0.0), homes, weights))
        found = found | (likeness >= weights.least_likeness)
    by_words = (1.0 - share) * np.where(words > 0, by_words, 0.0)
    by_meaning = share * np.where(found, by_meaning, 0.0)
    return Fused(by_words, by_meaning, np.where(found, (by_words + by_meaning) * factors, 0.0))


def _shared(scores: Scores, homes: Homes, weights: Weights) -> Scores:
    """Add what the module is about to everything in it, and the best method to its class."""
    whole = scores + weights.module * scores[homes.modules]
    best = np.zeros_like(whole)
    inside = np.flatnonzero(homes.classes != np.arange(len(whole)))
    np.maximum.at(best, homes.classes[inside], whole[inside])
    return whole + weights.method * best


def _scaled(scores: Scores) -> Scores:
    most = float(scores.max(initial=0.0))
    return scores / most if most > 0 else scores
