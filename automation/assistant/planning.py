"""Sentences with several wishes: whether they are several, and what a later one means by "it"."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import log

from automation.assistant.answers import Step
from automation.assistant.classify import Likely
from automation.assistant.examples import UNKNOWN
from automation.assistant.reading import Reading
from automation.assistant.splitting import Piece

_PRONOUN = re.compile(r"\b(?:it|its|them|their|that|those|these)\b")
# What a pronoun stands for, by what the steps before were about.
_MEANT = (
    ("session", "the session"),
    ("run", "the run"),
    ("series", "the candles"),
    ("diff", "my changes"),
    ("target", "this file"),
)
_HANDED_ON = ("target", "diff", "session", "path", "log", "tests", "run")
# Of a part: least probability of its command after a word such as "then", and without one; least likeness to an example.
_CERTAIN_PART, _PART, _LIKE_ONE = 0.35, 0.6, 0.4
# What a cut must be worth, in logarithms of probability.
_CUT, _CERTAIN_CUT = -0.2, 1.5


@dataclass(frozen=True, slots=True)
class Part:
    """A run of pieces of a sentence, read as one wish.

    Parameters
    ----------
    reading : Reading
        What it says.
    likely : tuple of Likely
        What it may mean, the likeliest first.
    is_certain : bool
        Whether a word such as "then" says that it is a wish of its own.
    """

    reading: Reading
    likely: tuple[Likely, ...]
    is_certain: bool

    @property
    def best(self) -> Likely:
        """The likeliest command."""
        return self.likely[0]


def spans(pieces: Sequence[Piece]) -> list[tuple[int, int]]:
    """Return every run of pieces that may be one wish, the whole first."""
    count = len(pieces)
    runs = [(start, end) for start in range(count) for end in range(start + 1, count + 1)]
    return sorted(runs, key=lambda run: run[0] - run[1])


def wishes(parts: Mapping[tuple[int, int], Part], count: int) -> tuple[Part, ...]:
    """Return the likeliest way to read a sentence as one wish or as several.

    Parameters
    ----------
    parts : mapping of (int, int) to Part
        By the first piece and the one after the last.
    count : int
        How many pieces there are.
    """
    whole = parts[0, count]
    best: tuple[float, tuple[Part, ...]] = (log(max(whole.best.probability, 1e-9)), (whole,))
    for cuts in range(1, count):
        for places in combinations(range(1, count), cuts):
            chosen = tuple(parts[run] for run in pairwise((0, *places, count)))
            worth = _worth(chosen)
            if worth is not None and worth > best[0]:
                best = (worth, chosen)
    return best[1]


def _worth(parts: Sequence[Part]) -> float | None:
    worth = log(max(parts[0].best.probability, 1e-9))
    if parts[0].best.command == UNKNOWN or parts[0].best.probability < _CERTAIN_PART:
        return None
    for before, part in pairwise(parts):
        least = _CERTAIN_PART if part.is_certain else _PART
        if part.best.command == UNKNOWN or part.best.probability < least:
            return None
        if not part.is_certain and (part.best.command == before.best.command or part.best.likeness < _LIKE_ONE):
            return None
        worth += log(part.best.probability) + (_CERTAIN_CUT if part.is_certain else _CUT)
    return worth


def handed_on(step: Step) -> dict[str, object]:
    """Return what a later step may mean by "it"."""
    values = dict(step.values)
    told: dict[str, object] = {name: values[name] for name in _HANDED_ON if name in values}
    for name in ("symbols", "targets", "candles", "symbol"):
        series = values.get(name)
        if series is not None:
            told["series"] = [str(each) for each in series] if isinstance(series, list) else [str(series)]
            break
    if isinstance(values.get("files"), list):
        files = values["files"]
        told["series"] = [values["symbol"]] if "symbol" in values else [str(each) for each in _items(files)]
    return told


def with_meant(reading: Reading, before: Mapping[str, object]) -> str:
    """Return the words of a part with its pronoun replaced by what it stands for.

    Parameters
    ----------
    reading : Reading
        The part.
    before : mapping of str to object
        What the steps before handed on.
    """
    named = {each.kind for each in reading.mentions} - {"duration", "number", "json", "money", "risk", "timeframe"}
    meant = next((words for name, words in _MEANT if name in before), None)
    if named or meant is None:
        return reading.words
    return _PRONOUN.sub(meant, reading.words, count=1)


def _items(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else [value]
