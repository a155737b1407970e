"""Sentences with several wishes: whether they are several, and what a later one means by "it"."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from automation.assistant.answers import Step
from automation.assistant.classify import Likely
from automation.assistant.reading import Reading
from automation.assistant.splitting import Cut, begins_with_verb

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
# Least share of a part's command in the whole, with a verb in front and without; least likeness to an example.
_TRACE, _PLAIN_TRACE, _LIKE_ONE = 1e-4, 0.05, 0.45
_SURE, _CLEAR, _CLEARLY_LIKE = 0.5, 0.8, 0.6
_SAME = {"sessions stop": "stop"}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a sentence and the command that it most likely means."""

    text: str
    best: Likely


def may_be_several(cut: Cut, whole: Sequence[Likely]) -> bool:
    """Say whether it is worth reading the parts of a cut, which takes as long as the whole for each."""
    likely = sum(one.probability >= _TRACE for one in whole)
    return cut.is_certain or likely > 1 or any(begins_with_verb(part) for part in cut.parts[1:])


def are_several(parts: Sequence[Part], whole: Sequence[Likely]) -> bool:
    """Say whether commas and "and" stand between wishes, and not within one.

    Parameters
    ----------
    parts : sequence of Part
        What stands between them.
    whole : sequence of Likely
        What the sentence means as one, the likeliest first.
    """
    commands = {_SAME.get(part.best.command, part.best.command) for part in parts}
    if len(commands) < len(parts) or min(part.best.probability for part in parts) < _SURE:
        return False
    in_whole = {one.command: one.probability for one in whole}
    if not all(_stands_alone(part, in_whole.get(part.best.command, 0.0)) for part in parts):
        return False
    nearest = sum(part.best.likeness for part in parts) / len(parts)
    return nearest > whole[0].likeness - 0.05


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


def _stands_alone(part: Part, share_in_whole: float) -> bool:
    best = part.best
    if begins_with_verb(part.text):
        clear = best.probability >= _CLEAR and best.likeness >= _CLEARLY_LIKE
        # what is no wish of its own leaves no trace in the whole, unless it is clear without it
        return clear or (share_in_whole >= _TRACE and best.likeness >= _LIKE_ONE)
    return share_in_whole >= _PLAIN_TRACE and best.likeness >= _LIKE_ONE


def _items(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else [value]
