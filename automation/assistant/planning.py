"""Sentences with several wishes: whether they are several, and what a later one means by "it"."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from math import log

from automation.assistant.answers import Step
from automation.assistant.classify import Likely
from automation.assistant.examples import UNKNOWN
from automation.assistant.reading import Reading

_PRONOUN = re.compile(r"\b(?:it|its|them|they|their|that|those|these)\b")
# What a pronoun stands for, by what the pieces before name; the last that fits is meant.
_MEANT = {
    "session": "the session", "run": "the run", "diff": "my changes", "here": "this file", "python": "this file",
    "identifier": "this function", "candle file": "the candles", "symbol": "the candles", "model": "the model",
    "gguf": "the model", "exchange": "the keys",
}  # fmt: skip
# They say how, and not what.
_MANNERS = frozenset({"duration", "number", "json", "money", "risk", "timeframe", "span"})
_HANDED_ON = ("target", "diff", "session", "path", "log", "tests", "run", "exchange", "query")
# Commands that take one thing of a kind, so that two are two command lines.
_SESSION, _CODE = ("session", "symbol"), ("python", "identifier")
_ONE_AT_A_TIME = {
    **dict.fromkeys(("stop", "sessions show", "sessions report", "sessions replay"), _SESSION),
    **dict.fromkeys(("keys set", "keys test", "keys remove"), ("exchange",)),
    **dict.fromkeys(("review", "test", "document", "optimize"), _CODE),
    "config explain": ("setting",), "models pull": ("model",),
    "backtest": ("risk",), "fix": ("folder",),
}  # fmt: skip
_AND = re.compile(
    r"(?:(?:'s)?(?: (?:sessions?|keys?|ones?|risk))?\s*"
    r"(?:,|(?:, )?(?:and|then)(?: (?:once )?again| then)?|&|\+|as well as|versus|vs\.?|against)\s*"
    r"(?:of |on |for |at |with |the )*)",
    re.IGNORECASE,
)
_BOTH = re.compile(r"\bboth(?: of)?(?: the| my| our)?(?: (?P<mode>paper|live))?(?: sessions?| bots?)\b", re.IGNORECASE)
_BOTH_NAMES = 2
# Of a part: least probability after a word such as "then", and without one; least likeness to an example.
_CERTAIN_PART, _PART, _LIKE_ONE = 0.35, 0.6, 0.45
# As like as this to one example, a sentence is that wish, whatever its parts may be.
_ALIKE = 0.9
# What a cut must be worth, in logarithms of probability.
_CUT, _CERTAIN_CUT = 0.1, 1.5


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


def spans(count: int) -> list[tuple[int, int]]:
    """Return every run of so many pieces that may be one wish, the whole first."""
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
    alone = all(parts[place, place + 1].best.likeness >= _ALIKE for place in range(count))
    if whole.best.likeness >= _ALIKE and whole.best.probability >= _PART and not alone:
        return (whole,)
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


def one_each(reading: Reading, command: str, sessions: Sequence[str] = ()) -> tuple[str, ...]:
    """Return a sentence for each thing that a wish names, where its command takes one at a time; itself otherwise.

    Parameters
    ----------
    reading : Reading
        "test the binance and kraken keys".
    command : str
        Its command.
    sessions : sequence of str
        Names of those that there are, for "both sessions".
    """
    for kind in _ONE_AT_A_TIME.get(command, ()):
        named = reading.mentions.all(kind)
        between = [reading.text[one.end : other.start] for one, other in pairwise(named)]
        if len({each.value for each in named}) == len(named) > 1 and all(map(_AND.fullmatch, between)):
            head, tail = reading.text[: named[0].start], reading.text[named[-1].end :]
            return tuple(f"{head}{reading.text[each.start : each.end]}{tail}" for each in named)
    both = _BOTH.search(reading.text) if _ONE_AT_A_TIME.get(command) == _SESSION else None
    if both is not None and not reading.mentions.all("symbol"):
        names = [name for name in sessions if name.startswith(f"{both['mode'] or ''}".lower())]
        if len(names) == _BOTH_NAMES:
            return tuple(f"{reading.text[: both.start()]}{name}{reading.text[both.end() :]}" for name in sorted(names))
    return (reading.text,)


def handed_on(step: Step) -> dict[str, object]:
    """Return what a later step may mean by "it"."""
    values = dict(step.values)
    told: dict[str, object] = {name: values[name] for name in _HANDED_ON if name in values}
    for name in ("symbols", "targets", "candles", "symbol"):
        series = values.get(name)
        if series is not None:
            told["series"] = [str(each) for each in series] if isinstance(series, list) else [str(series)]
            break
    if step.command.name in {"config explain", "config set"}:
        told["setting"] = values.get("name")
    if step.command.name.startswith("models"):
        named = values.get("names") or values.get("name") or values.get("model")
        told["models"] = [str(each) for each in _items(named)] if named else []
    if isinstance(values.get("files"), list):
        files = values["files"]
        told["series"] = [values["symbol"]] if "symbol" in values else [str(each) for each in _items(files)]
    return told


def with_meant(reading: Reading, before: Sequence[Reading]) -> Reading:
    """Return a part with its pronoun replaced by what the pieces before it name.

    Parameters
    ----------
    reading : Reading
        The part.
    before : sequence of Reading
        The pieces before it, in their order.
    """
    if {each.kind for each in reading.mentions} - _MANNERS:
        return reading
    named = [each.kind for one in before for each in one.mentions if each.kind in _MEANT]
    if not named:
        return reading
    return replace(reading, words=_PRONOUN.sub(_MEANT[named[-1]], reading.words, count=1))


def asks_of_another(reading: Reading) -> bool:
    """Say whether a part names nothing but "it", so that another part must say what is meant."""
    return not {each.kind for each in reading.mentions} - _MANNERS and _PRONOUN.search(reading.text.lower()) is not None


def _items(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else [value]
