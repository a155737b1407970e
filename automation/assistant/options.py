"""How people name the options of commands and their values: the patterns of ``options.toml``, tried on a sentence."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic.fields import FieldInfo

from automation.assistant.amounts import NUMBER, TIME, minutes_of, number_of, plain_number, share_of
from automation.assistant.mentions import Mentions

if TYPE_CHECKING:
    from automation.assistant.filling import Filling

_FILE = Path(__file__).with_name("options.toml")
_PLACEHOLDER = re.compile(r"(?<!\?P)<(n|share|time|place|word|text)>")
_PLACE = r"(?:~|\.{1,2})?/?[\w.+-]+(?:/[\w.+-]+)*/?"
_WHAT = {
    "n": NUMBER, "share": rf"{NUMBER}(?: ?%| per ?cent\b)?", "time": TIME, "place": _PLACE, "word": r"[\w.-]+",
    "text": r"[^\"]+",
}  # fmt: skip
_WRITTEN = {"once": 1, "twice": 2, "thrice": 3, "one in a million": 1e-6}
_PER_MINUTE = {"minutes": 1.0, "seconds": 60.0, "days": 1 / 1_440}
_NEGATED = re.compile(r"\b(?:not|never|without|n't|dont)\s+(?:\w+\s+)?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Option:
    """One table of ``options.toml``: patterns with a value in them, and literal values with theirs."""

    always: tuple[re.Pattern[str], ...]
    say: tuple[re.Pattern[str], ...]
    literal: Mapping[str, tuple[re.Pattern[str], ...]]
    unit: str


@dataclass(frozen=True, slots=True)
class Found:
    """A value of an option, as it is said, and its place in the sentence."""

    value: object
    start: int
    end: int


def fill_options(filling: Filling) -> None:
    """Fill every option of the command that the sentence names with its value.

    Parameters
    ----------
    filling : Filling
        Sentence and request; the places of what is understood are kept in ``used``.
    """
    fields = filling.model.model_fields
    # numbers and names first, as a flag may be told by the same words
    for name in sorted(fields, key=lambda name: fields[name].annotation is bool):
        tables = (_options().get(f"{filling.command}.{name}"), _options().get(name))
        found = [
            each
            for option in tables
            if option is not None
            for each in _found(option, filling.reading.text, fields[name], filling.is_used)
        ]
        if found:
            filling.put(name, found[0].value)
            # what says the same once more is understood as well
            filling.used += [(each.start, each.end) for each in found if each.value == found[0].value]


def recognise_options(found: Mentions) -> None:
    """Add the numbers that speak for an option whatever the command, as mentions of the kind ``number``.

    Parameters
    ----------
    found : Mentions
        The sentence.
    """
    for name, option in _options().items():
        for pattern in option.always:
            for match in pattern.finditer(found.text):
                number = _value(match, option.unit, None)
                if number is not None:
                    found.take("number", number, match.start(), match.end(), name.rpartition(".")[2])


def is_said(name: str, value: str, text: str) -> bool:
    """Say whether a text names a literal value of an option: ``is_said("model", "none", "without any llm")``."""
    return any(pattern.search(text) for pattern in _options()[name].literal[value])


@cache
def option_words() -> frozenset[str]:
    """Return the words that options are known by, which are no slips of other words."""
    texts = [pattern.pattern for option in _options().values() for pattern in (*option.always, *option.say)]
    texts += [one.pattern for option in _options().values() for patterns in option.literal.values() for one in patterns]
    plain = (re.sub(r"\\[bwdsS]|\(\?P<\w+>|[?]:", " ", text) for text in texts)
    return frozenset(word for text in plain for word in re.findall(r"(?<!\\)\b[a-z]{4,}\b(?![*?{+])", text))


def _found(option: _Option, text: str, field: FieldInfo, is_used: Callable[[int, int], bool]) -> Iterator[Found]:
    for value, patterns in option.literal.items():
        for pattern in patterns:
            for match in pattern.finditer(text):
                if value != "true":
                    yield Found(value, match.start(), match.end())
                elif not _NEGATED.search(text[: match.start()]):
                    yield Found(True, match.start(), match.end())
    for pattern in (*option.always, *option.say):
        for match in pattern.finditer(text):
            told = _value(match, option.unit, field)
            if told is not None and not is_used(match.start(), match.end()):
                yield Found(told, match.start(), match.end())


def _value(match: re.Match[str], unit: str, field: FieldInfo | None) -> object:
    kind, told = next(((kind, told) for kind, told in match.groupdict().items() if told), ("", ""))
    kind = kind.rstrip("0123456789")
    kinds = str(None if field is None else field.annotation)
    try:
        if kind == "time":
            value = plain_number(round(minutes_of(told) * _PER_MINUTE[unit or "minutes"], 6))
        elif kind == "n":
            value = plain_number(number_of(told))
        elif kind == "share":
            value = share_of(told)
        elif told.lower() in _WRITTEN:
            value = _WRITTEN[told.lower()]
        else:
            return _text(told, kind, kinds)
    except ValueError:
        return None
    if "float" not in kinds and "Decimal" not in kinds and "int" in kinds and value != int(value):
        return None
    return Decimal(str(value)) if "Decimal" in kinds else value


def _text(told: str, kind: str, kinds: str) -> object:
    text = told.strip(" .,!?\"'")
    if not text:
        return None
    return Path(text) if "Path" in kinds else text.lower() if kind == "w" else text


@cache
def _options() -> dict[str, _Option]:
    tables = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {name: _option(table) for name, table in tables.items()}


def _option(table: dict[str, object]) -> _Option:
    unit = str(table.pop("unit", ""))
    patterns = {key: tuple(_compiled(str(text)) for text in _items(texts)) for key, texts in table.items()}
    return _Option(patterns.pop("always", ()), patterns.pop("say", ()), patterns, unit)


def _compiled(text: str) -> re.Pattern[str]:
    places = count()
    named = _PLACEHOLDER.sub(lambda found: f"(?P<{found[1]}{next(places)}>{_WHAT[found[1]]})", text)
    return re.compile(named, re.IGNORECASE)


def _items(texts: object) -> list[object]:
    return list(texts) if isinstance(texts, list) else [texts]
