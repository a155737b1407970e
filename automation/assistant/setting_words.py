"""What the settings are called and mean in words, so that a sentence can mean one without its name."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from automation.assistant.normalise import stem, word_set
from automation.codebase.search.words import split_name
from automation.config import automation_field, automation_setting_names
from trading.settings import Settings, setting_names, setting_sections

_EMPTY = word_set(
    "a all an and any are as at be by can could do does each else every for from give gives go have has how i if in"
    " into is"
    " it its me mean means my no not now null of off on or our please put set setting settings so tell than that"
    " the their"
    " them then these this to too up us use used value want was we what when which while who why will with would"
    " you your"
    " should let make change changes config configuration option parameter explain about default defaults only per one"
)
# Other words for the words of settings.
_LIKE = {
    "distance": "spacing", "apart": "spacing", "gap": "spacing", "gaps": "spacing", "ram": "memory", "mb": "memory",
    "night": "nightly", "nights": "nightly", "overnight": "nightly", "maintenance": "nightly", "cap": "max",
    "ceiling": "max", "maximum": "max", "most": "max", "biggest": "max", "greatest": "max", "limit": "max",
    "minimum": "min", "least": "min", "lines": "lines levels", "patch": "changed", "patches": "changed",
    "cleanup": "cleaning", "clean": "cleaning", "keep": "keep days", "old": "days", "age": "days",
    "allowance": "budget", "spend": "budget", "cpu": "cpu processor", "processor": "cpu processor",
    "procs": "processes process",
    "process": "processes process", "threads": "threads processes", "jail": "sandbox", "approve": "approval",
    "person": "approval", "asking": "ask approval", "confirmation": "approval", "stoploss": "stop loss",
    "fix": "repair", "fixing": "repair", "repairs": "repair", "patience": "timeout", "wait": "timeout",
    "waits": "timeout", "retained": "keep days", "url": "ollama url", "address": "url", "daily": "day daily",
    "day": "day daily", "hour": "minutes", "hours": "minutes", "tries": "candidates",
    "attempts": "candidates", "cores": "workers threads", "creativity": "temperature", "randomness": "temperature",
    "fallback": "fallbacks", "clock": "wall", "filesize": "file", "slip": "slippage",
    "commission": "fee", "benchmark": "benchmarks", "backup": "backups",
    "log": "logs", "cache": "caches",
}  # fmt: skip
_OWN, _AROUND, _HELP, _UNSAID, _UNIT = 1.0, 0.8, 0.35, 0.3, 2.0
_LEAST, _AHEAD = 2.2, 1.04


@dataclass(frozen=True, slots=True)
class SettingWords:
    """The words of one setting.

    Parameters
    ----------
    name : str
        Dotted.
    own, around, told : frozenset of str
        Stems of its last name, of its section's, and of its help.
    kind : str
        ``"truth"``, ``"number"``, ``"share"`` or ``"text"``.
    unit : str
        What a number of it counts: ``"minutes"``, ``"s"``, ``"days"``, ``"mb"``; empty for none.
    choices : tuple of str
        The words that its value is one of, or some of; empty for any value.
    """

    name: str
    own: frozenset[str]
    around: frozenset[str]
    told: frozenset[str]
    kind: str
    unit: str
    choices: tuple[str, ...]


@cache
def setting_words() -> dict[str, SettingWords]:
    """Return the words of every setting of both wings, by its name."""
    fields = {name: automation_field(name) for name in automation_setting_names()}
    sections = setting_sections()
    for name in setting_names():
        section, _, own = name.rpartition(".")
        fields[name] = (sections[section] if section else Settings).model_fields[own]
    return {name: _words(name, field) for name, field in fields.items()}


def setting_meant(
    text: str, names: Iterable[str], *, kinds: Collection[str] = (), units: Collection[str] = ()
) -> str | None:
    """Return the one setting that a text describes; None when none or several fit.

    Parameters
    ----------
    text : str
        What is said of it.
    names : iterable of str
        The settings that are asked about.
    kinds : collection of str
        Which kinds of value it may have; empty allows all.
    units : collection of str
        What its value may be counted in, where that is said.
    """
    said = said_stems(text)
    rare = _rarity()
    scored = []
    for name in names:
        words = setting_words()[name]
        if (kinds and words.kind not in kinds) or (units and words.unit not in units):
            continue
        score = sum(
            rare.get(word, 0.0)
            * (_OWN if word in words.own else _AROUND if word in words.around else _HELP if word in words.told else 0.0)
            for word in said
        )
        score -= _UNSAID * sum(rare[word] for word in words.own - said)
        score += _UNIT if words.unit in units else 0.0
        if said & (words.own | words.around):
            scored.append((score, -len(name), name))
    scored.sort(reverse=True)
    if not scored or scored[0][0] < _LEAST:
        return None
    if len(scored) > 1 and scored[0][0] < scored[1][0] * _AHEAD:
        return None
    return scored[0][2]


def said_stems(text: str) -> frozenset[str]:
    """Return the stems of the words of a text, and of those that mean the same in a setting's name."""
    words = [word for word in split_name(text).split() if word not in _EMPTY]
    like = [other for word in words for other in _LIKE.get(word, "").split()]
    return frozenset(stem(word) for word in (*words, *like))


@cache
def _rarity() -> dict[str, float]:
    every = setting_words().values()
    counts = Counter(word for words in every for word in words.own | words.around | words.told)
    return {word: math.log(1 + len(every) / count) for word, count in counts.items()}


def _words(name: str, field: FieldInfo) -> SettingWords:
    section, _, own = name.rpartition(".")
    pieces = split_name(own).split()
    unit = next((unit for unit in ("mb", "s", "days", "minutes") if unit in pieces), "")
    told = {stem(word) for word in split_name(field.description or "").split() if word not in _EMPTY}
    return SettingWords(
        name,
        frozenset(stem(word) for word in pieces if word not in {"mb", "s", "per"}),
        frozenset(stem(word) for word in split_name(section).split()),
        frozenset(told),
        _kind(str(field.annotation), field.description or ""),
        unit,
        _choices(field),
    )


def _choices(field: FieldInfo) -> tuple[str, ...]:
    if get_origin(field.annotation) is Literal:
        return tuple(str(each) for each in get_args(field.annotation))
    several = isinstance(field.default, tuple) and all(isinstance(each, str) for each in field.default)
    return field.default if several else ()


def _kind(annotation: str, told: str) -> str:
    if "bool" in annotation:
        return "truth"
    if re.search(r"\bint\b|float|Decimal|Count|Share|Fraction", annotation):
        return "share" if "share" in told.lower() or "Share" in annotation or "Fraction" in annotation else "number"
    return "text"
