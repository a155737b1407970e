"""What a sentence names: files, sessions, coins, times, amounts, each with its place in the sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_DIGITS = re.compile(r"\$?\d[\d,.]*k?")
# The word that stands for a thing of a kind while sentences are compared.
MASKS = {
    "command": "this command", "error": "this error", "url": "", "candle file": "this candle file",
    "log": "the log file", "gguf": "the model", "recording": "a file", "python": "this file", "document": "a file",
    "model": "the model", "run": "the run", "assignment": "the setting", "setting": "the setting",
    "folder": "this folder",
    "symbol": "bitcoin", "session": "the session", "identifier": "this function", "exchange": "binance",
    "timeframe": "hourly", "duration": "for an hour", "span": "last week",
    "money": "dollars", "risk": "", "here": "this file", "diff": "my changes", "json": "",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mention:
    """One thing that a sentence names.

    Parameters
    ----------
    kind : str
        A key of `MASKS`.
    value : object
        What it is, ready for a request.
    start, end : int
        Place in the sentence.
    label : str
        What kind of number or text it is, such as ``"seed"``; empty otherwise.
    """

    kind: str
    value: object
    start: int
    end: int
    label: str = ""


class Mentions:
    """The things that a sentence names; those found first keep their place.

    Parameters
    ----------
    text : str
        The sentence.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._found: list[Mention] = []

    def take(self, kind: str, value: object, start: int, end: int, label: str = "") -> bool:
        """Add a mention unless its place is taken."""
        if start >= end or any(each.start < end and start < each.end for each in self._found):
            return False
        self._found.append(Mention(kind, value, start, end, label))
        return True

    def __iter__(self) -> Iterator[Mention]:
        return iter(sorted(self._found, key=lambda each: each.start))

    def all(self, kind: str, label: str | None = None) -> list[Mention]:
        """Return the mentions of a kind in their order."""
        return [each for each in self if each.kind == kind and label in (None, each.label)]

    def first(self, kind: str, label: str | None = None) -> object:
        """Return the value of the first mention of a kind, or None."""
        found = self.all(kind, label)
        return found[0].value if found else None

    def values(self, kind: str) -> list[object]:
        """Return the values of a kind, each once, in their order."""
        return list(dict.fromkeys(each.value for each in self.all(kind)))

    def rest(self, *kinds: str) -> str:
        """Return the sentence without the mentions of some kinds, or of any."""
        return self._rebuilt(lambda each: "" if not kinds or each.kind in kinds else None)

    @property
    def masked(self) -> str:
        """The sentence with every mention replaced by the word of its kind."""
        return self._rebuilt(self._mask)

    def _mask(self, each: Mention) -> str:
        # of a number its words stay: "the last 5 runs" is about runs
        return _DIGITS.sub("", self.text[each.start : each.end]) if each.kind == "number" else MASKS[each.kind]

    def is_taken(self, start: int, end: int) -> bool:
        """Say whether a mention has any of a place."""
        return any(each.start < end and start < each.end for each in self._found)

    def _rebuilt(self, word: Callable[[Mention], str | None]) -> str:
        parts, at = [], 0
        for each in self:
            told = word(each)
            if told is None:
                continue
            parts += [self.text[at : each.start], f" {told} "]
            at = each.end
        return " ".join("".join([*parts, self.text[at:]]).split())
