"""A sentence with several wishes, cut where one may end and the next begin."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from automation.assistant.normalise import word_set

_STRONG = (
    r"(?:\s*[,;.]\s*|\s+)(?:and |but |oh,? )?(?:then|after that|after this|after which|afterwards|afterward|next"
    r"|finally|lastly|subsequently|later on|thereafter|followed by"
    r"|(?:once|when|as soon as) (?:that|this|it)(?: is|'s|s| has)? (?:done|finished|over|through|been done)"
    r"|if (?:all is |it is )?(?:well|good|fine|green|so),? then"
    r")\b[,:]?\s+(?:and )?(?:then )?(?:also )?(?:please )?"
    r"|[.!?]\s+(?:oh, |and )?(?:then|after that|afterwards|next|and|also|separately)\b[,:]?\s+"
)
_WEAK = (
    r"\s*,\s*(?:and |but |oh,? )*(?:also |please |kindly )*|\s+(?:and|&&?|\+) (?:also |please |kindly )*"
    r"|\s*[.!?:;]\s+(?:oh,? )?(?:and |also )*|\s+-\s+"
)
_CUT = re.compile(f"(?P<strong>{_STRONG})|(?P<weak>{_WEAK})", re.IGNORECASE)
_FIRST = re.compile(
    r"^(?:please )?(?:first(?:ly)?|to begin with|to start with|start by|begin by|start with)(?: of all)?[,:]?\s+",
    re.IGNORECASE,
)
_LAST = re.compile(r"[, ]+(?:afterwards?|after that|thereafter|next|after)[.!?]?$", re.IGNORECASE)
_BEFORE = re.compile(
    r"^before (?P<later>[^,:]+)[,:]\s*(?P<first>.+)$"
    r"|^(?P<first2>.+?),? (?:but )?before (?P<later2>(?:you \w+|\w+ing)\b.+)$",
    re.IGNORECASE,
)
_BUT_FIRST = re.compile(
    r"^(?P<later>.+?),? (?:but|only) (?:first(?: of all)?|before (?:that|you do|doing so))[,:]? (?P<first>.+)$",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"^(?:after|once) (?P<first>(?:you|i)\b[^,]+|\w+ing\b[^,]+),\s*(?P<later>.+)$"
    r"|^(?P<later2>.+?) after (?P<first2>(?:you (?:have )?)?\w+ing\b.+)$",
    re.IGNORECASE,
)
_CORRECTION = re.compile(
    r"[,.;]* (?:no,? (?:wait|hang on|hold on|actually|sorry)|scratch that|wait,? no|actually,? no|on second thoughts?"
    r"|forget that)[,.:]? (?:make (?:it|that) )?",
    re.IGNORECASE,
)
_WISH_BEFORE = re.compile(r"(?!(?:the|i|it|my|we|they)\b|going\b)", re.IGNORECASE)
_SUBJECT = re.compile(r"^(?:you(?:'ve| have)?|i(?:'ve| have)?|we)(?: had)? ", re.IGNORECASE)
# "stop it and sell what it holds", "write tests and land them on a branch": a manner, no wish of its own
_BELONGS = re.compile(
    r"^(?:sell|cancel|close|clear|flatten|liquidate|pull|withdraw|dump|unload|take (?:away|back)|kill|remove|drop)"
    r" (?:all|every\w*|its|it|the|what\w*|any|my|open|orders?|positions?|holdings?|coins?)\b"
    r"|^(?:land|apply|keep|approve|leave) (?:it|them|me|the (?:change|patch|tests))\b"
    r"|^(?:write|save|put|store|note|treat|call|name) (?:it|them|that|the (?:report|result\w*)|a report|every|as)\b"
    r"|^(?:write |put |give me |with |leave )?(?:its |an? |the )?(?:html ?)?(?:page|report|html) (?:in|into|to|under) "
    r"(?:\w+ )?[\w./~-]*[/_-]"
    r"|^(?:measure|run|count) (?:its|the|their)? ?(?:tests?|test coverage|coverage)\b.*\b(?:too|coverage|as well)$"
    r"|^(?:list|show|name|tell me) (?:it|them|those|these|em)(?: all)?(?: for me)?$"
    r"|^what (?:does|do|did) (?:it|they) say\b|^explain(?: (?:it|that|this))?(?: to me)?[.?!]?$"
    r"|^(?:do not|don't|dont|no|nothing|at most|but|one after|only|just|preview|list only|in that order)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r'"[^"]*"|`[^`]*`')
_FILLERS = re.compile(
    r"^(?:(?:please|also|just|kindly|now|well|then|can you|could you|would you|if i may|while (?:you're|you are) at it"
    r"|i'd like (?:you )?to|i would like (?:you )?to|i want (?:you )?to|let me|i may add one more)[, ]+)+",
    re.IGNORECASE,
)
# No wish begins with these, however often sentences do.
_NO_BEGINNING = word_set(
    "a an the my our your its his her of to in on at for with from by as it them they i you we me that this those these"
    " or not no so per than which who because since until till while over under up down off out into all both each"
    " every only at same w via using plus whether bitcoin binance hourly dollars"
)
# Wishes that stand at the end of others more often than alone.
_BEGINNINGS = word_set(
    "bench vet judge bundle have gather mend swap rehearse verify redo renew optimise land whats what's where's how's"
)
# After "and" a question, within a sentence a relative clause.
_QUESTION = re.compile(r"^(?:which|who|whether) ", re.IGNORECASE)
_AND = re.compile(r"\band\b|[.?!;]", re.IGNORECASE)
_MOST_PIECES = 5


@dataclass(frozen=True, slots=True)
class Piece:
    """What stands between two places where a wish may end.

    Parameters
    ----------
    text : str
        As it was typed.
    is_certain : bool
        Whether a word such as "then" before it says that a wish begins.
    """

    text: str
    is_certain: bool


class Splitter:
    """Cuts sentences, with the words that wishes begin with.

    Parameters
    ----------
    beginnings : iterable of str
        First words of known wishes, in small letters.
    """

    def __init__(self, beginnings: Iterable[str]) -> None:
        self._beginnings: Collection[str] = (frozenset(beginnings) | _BEGINNINGS) - _NO_BEGINNING

    def pieces(self, sentence: str) -> tuple[Piece, ...]:
        """Return the pieces of a sentence in the order in which they are to be done; one where nothing may be cut.

        Parameters
        ----------
        sentence : str
            As it was typed; what is quoted is never cut.
        """
        text = self._corrected(sentence)
        for pattern in (_BUT_FIRST, _BEFORE, _AFTER):
            match = pattern.match(text)
            if match is not None and not _inside(match.start(match.lastindex or 0), text):
                found = {name.rstrip("2"): part for name, part in match.groupdict().items() if part}
                if not _WISH_BEFORE.match(found["later"]):
                    # "before I go to bed, …" says when, and asks for nothing
                    return self._cut(found["first"])
                first, later = (self._cut(_SUBJECT.sub("", found[name])) for name in ("first", "later"))
                return (*first, *(Piece(each.text, True) for each in later))
        return self._cut(text)

    def begins_a_wish(self, part: str) -> bool:
        """Say whether a part begins as wishes do."""
        words = re.findall(r"[a-z']+", _FILLERS.sub("", part).lower())
        return bool(words) and words[0].split("'")[0] in self._beginnings and not _BELONGS.match(part)

    def _corrected(self, sentence: str) -> str:
        """Return what a sentence says after "no, wait", where that is a wish of its own."""
        *_, last = _CORRECTION.split(sentence)
        return last if last != sentence and " " in last and self.begins_a_wish(last) else sentence

    def _cut(self, text: str) -> tuple[Piece, ...]:
        text = _FIRST.sub("", text)
        found: list[Piece] = []
        at, certain = 0, False
        for match in _CUT.finditer(text):
            before, after = text[at : match.start()].strip(" ,;"), text[match.end() :]
            is_strong = match["strong"] is not None
            if not before or not after or _inside(match.start(), text):
                continue
            asks = _QUESTION.match(after) and _AND.search(match[0])
            if not is_strong and not asks and not self.begins_a_wish(after):
                continue
            found.append(Piece(before, certain))
            at, certain = match.end(), is_strong
        rest = text[at:].strip(" ,;")
        found.append(Piece(_LAST.sub("", rest), certain or bool(found and _LAST.search(rest))))
        return tuple(found) if len(found) <= _MOST_PIECES else tuple(_only_certain(found))


def _only_certain(pieces: list[Piece]) -> list[Piece]:
    joined = pieces[:1]
    for piece in pieces[1:]:
        if piece.is_certain:
            joined.append(piece)
        else:
            joined[-1] = Piece(f"{joined[-1].text}, {piece.text}", joined[-1].is_certain)
    return joined


def _inside(place: int, text: str) -> bool:
    return any(match.start() < place < match.end() for match in _QUOTED.finditer(text))
