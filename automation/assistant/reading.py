"""One part of a sentence, read: what it names, and its words in the form in which sentences are compared."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from automation.assistant.mentions import Mentions
from automation.assistant.moments import recognise_times
from automation.assistant.names import Names
from automation.assistant.normalise import Speller, normal, plain_quotes
from automation.assistant.numbers import recognise_amounts, recognise_markets
from automation.assistant.recognise_names import recognise_names

_HERE = re.compile(
    r"\b(?:this|the current|the open|my current|the opened|current|the active)[ -](?:python )?"
    r"(?:file|module|script|editor(?: file)?|buffer|source file)\b"
    r"|\bthe file (?:i am|i'm|that is|that i have) \w+(?: in| at| open)?\b|\bwhat i (?:have open|am looking at)\b",
    re.IGNORECASE,
)
_DIFF = re.compile(
    r"\b(?:my|the|these|those|our|all|uncommitted|current|last|latest|recent|pending)? ?"
    r"(?:(?:uncommitted|current|last|latest|recent|local|code) )*"
    r"(?:diffs?|changes|modifications|edits)\b(?! of run)(?= |$|[.,?!])"
    r"|\bwhat (?:i|we)(?:'ve| have)? (?:just )?(?:changed|edited|modified|wrote|written)\b"
    r"|\b(?:files|code|lines) (?:that )?(?:i|we)(?:'ve| have)? (?:just )?(?:changed|edited|modified|touched)\b",
    re.IGNORECASE,
)
_JSON = re.compile(r"\b(?:as|in|with|to) (?:an? )?json(?: format| object)?\b|\bjson (?:please|output)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reading:
    """One part of a sentence, read.

    Parameters
    ----------
    text : str
        As it was typed.
    mentions : Mentions
        What it names.
    words : str
        In normal form, with the names masked and slips put right.
    """

    text: str
    mentions: Mentions
    words: str


def read(text: str, names: Names, speller: Speller, now: datetime) -> Reading:
    """Read one part of a sentence.

    Parameters
    ----------
    text : str
        As it was typed.
    names : Names
        What there is to be named.
    speller : Speller
        Puts slips right.
    now : datetime
        The present.
    """
    mended = _mended(plain_quotes(text), speller)
    found = Mentions(mended)
    recognise_names(found, names)
    for kind, pattern in (("here", _HERE), ("json", _JSON), ("diff", _DIFF)):
        for match in pattern.finditer(found.text):
            start = match.start() + len(match[0]) - len(match[0].lstrip())
            found.take(kind, True, start, match.end())
    # amounts first, so that "2000 dollars" is no year and "older than 30 days" no length of work
    recognise_amounts(found)
    recognise_markets(found)
    recognise_times(found, now)
    return Reading(mended, found, normal(found.masked))


_PLAIN_WORD = re.compile(r"(?<![\w./:@\"'`=-])[a-z]{4,}(?![\w/:@\"'`=(-]|\.\w)")


def _mended(text: str, speller: Speller) -> str:
    """Put slips right before names are looked for, so that "etherum" is a coin; what is quoted stays."""
    quoted = [match.span() for match in re.finditer(r'"[^"]*"|`[^`]*`', text)]

    def mend(match: re.Match[str]) -> str:
        if any(start <= match.start() < end for start, end in quoted):
            return match[0]
        return speller.corrected(match[0])

    return _PLAIN_WORD.sub(mend, text)
