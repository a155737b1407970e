"""A sentence with several wishes, cut into its parts."""

from __future__ import annotations

import re
from dataclasses import dataclass

_STRONG = re.compile(
    r"\s*(?:[,;.]\s*)?\b(?:and )?(?:then|after that|after this|afterwards|afterward|next"
    r"|finally|lastly|subsequently|later on|thereafter|followed by"
    r"|once (?:that is|that's|this is) done|when (?:that is|that's|this is) done)\b[,:]?\s+"
    r"(?:also )?(?:please )?|\s*;\s+",
    re.IGNORECASE,
)
_WEAK = re.compile(r"\s*,\s*(?:and |but )?(?:also |please )*|\s+and (?:also |please )*|\s*[.!?]\s+", re.IGNORECASE)
_FIRST = re.compile(
    r"^(?:first(?:ly)?|to begin with|to start with|start by|begin by|start with)[,:]?\s+(?:of all,? )?", re.IGNORECASE
)
_BEFORE = re.compile(
    r"^before (?:you )?(?P<later>[^,]+),\s*(?P<first>.+)$|^(?P<first2>.+?),? (?:but )?before "
    r"(?P<later2>(?:you \w+|\w+ing)\b.+)$",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"^(?:after|once) (?:you )?(?:have )?(?P<first>[^,]+),\s*(?P<later>.+)$|^(?P<later2>.+?) after "
    r"(?:you (?:have )?)?(?P<first2>\w+ing\b.+)$",
    re.IGNORECASE,
)
_DIAGNOSIS = re.compile(
    r"^(?:find out|find the|find|look|see|why|what|check (?:why|what)|figure out|locate"
    r"|is|are|there is|it|the|my|our|i|we|something)\b",
    re.IGNORECASE,
)
_PRONOUN = re.compile(r"\b(?:it|them|that|this|these|those)\b", re.IGNORECASE)
# "stop it and sell what it holds", "write tests and land them on a branch": a manner, no wish of its own
_BELONGS = re.compile(
    r"^(?:sell|cancel|close|flatten|liquidate) (?:all|every\w*|its|it|the|what|any|my|open|orders?|positions?)\b"
    r"|^(?:land|apply|keep|approve) (?:it|them|the (?:change|patch|tests))\b|^(?:write|save|put|store)"
    r" (?:it|them|the report|the result\w*|a report) (?:in|into|to|under)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r'"[^"]*"|`[^`]*`')


_VERB = re.compile(
    r"^(?:please |also |just |kindly |can you |could you |would you |now )*(?:add|apply"
    r"|approve|audit|backtest|back test|begin|bring|build|check|clean|compare|cover|create"
    r"|debug|delete"
    r"|demonstrate|diagnose|display|document|download|dump|end|execute|explain|export"
    r"|fetch|find|fix|follow|forget|free|generate|get|give|halt|heal|import|improve|install"
    r"|kill|launch|lint"
    r"|list|load|look|make|measure|mend|monitor|open|optimi[sz]e|paper|plot|practi[sz]e"
    r"|print|profile|prove|pull|purge|put|read|refresh|reject|remove|repair|replay|report"
    r"|resume|review|run"
    r"|save|say|scan|search|sell|set|show|shut|simulate|speed|start|stop|store|summari[sz]e"
    r"|switch|sync|tell|terminate|test|tidy|time|trade|try|tune|update|use|verify|watch"
    r"|write|document)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Cut:
    """A way to read a sentence as several.

    Parameters
    ----------
    parts : tuple of str
        In the order in which they are to be done.
    is_certain : bool
        Whether a word such as "then" says that they are several; else they may still be one wish.
    """

    parts: tuple[str, ...]
    is_certain: bool


def cuts(sentence: str) -> tuple[Cut, ...]:
    """Return the ways in which a sentence may be several, the surest first; the whole is not among them.

    Parameters
    ----------
    sentence : str
        As it was typed; what is quoted is never cut.
    """
    for pattern in (_BEFORE, _AFTER):
        match = pattern.match(sentence)
        if match is not None:
            found = {name: text for name, text in match.groupdict().items() if text}
            first = next(text for name, text in found.items() if name.startswith("first"))
            later = next(text for name, text in found.items() if name.startswith("later"))
            return (Cut((first.strip(), later.strip()), True),)
    strong = _split(_FIRST.sub("", sentence), _STRONG)
    if len(strong) > 1:
        # what stands before "then" may be several, too: "run the tests, fix what fails, then document it"
        finer = [part for piece in strong for part in _joined(_split(piece, _WEAK))]
        return (Cut(tuple(finer), False), Cut(strong, True)) if len(finer) > len(strong) else (Cut(strong, True),)
    weak = _joined(_split(_FIRST.sub("", sentence), _WEAK))
    if len(weak) < 2 or (_DIAGNOSIS.match(weak[0]) and _PRONOUN.search(weak[-1])):
        return ()
    return (Cut(weak, False),)


def begins_with_verb(part: str) -> bool:
    """Say whether a part begins as a wish does: with what is to be done."""
    return _VERB.match(part) is not None


def _joined(parts: tuple[str, ...]) -> tuple[str, ...]:
    """Put parts that say how a wish is to be carried out back to it."""
    joined: list[str] = []
    for part in parts:
        if joined and _BELONGS.match(part):
            joined[-1] = f"{joined[-1]} and {part}"
        else:
            joined.append(part)
    return tuple(joined)


def _split(sentence: str, pattern: re.Pattern[str]) -> tuple[str, ...]:
    quoted = [match.span() for match in _QUOTED.finditer(sentence)]
    parts, at = [], 0
    for match in pattern.finditer(sentence):
        inside = any(start < match.end() and match.start() < end for start, end in quoted)
        if not inside and sentence[at : match.start()].strip():
            parts.append(sentence[at : match.start()].strip(" ,;"))
            at = match.end()
    rest = sentence[at:].strip(" ,;")
    return tuple(part for part in (*parts, rest) if part)
