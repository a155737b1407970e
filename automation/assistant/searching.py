"""What a sentence searches for in the code: the words without their frame, where, and which kind of thing."""

from __future__ import annotations

import re

from automation.assistant.filling import Filling
from automation.assistant.normalise import stem, word_set
from automation.codebase.search.words import split_name

# Words that ask, and say nothing of what is asked for.
_FRAME = word_set(
    "a about all am an and any anything anywhere appears are area around as at be bit bits by can class classes code"
    " codebase could dear dealing deals deal def defined definition did do does doing done dig each else every exactly"
    " explain fetch file files find finding fn for friend from function functions get give go good grep greppish"
    " grep-ish"
    " grepping happen happens happening has have having help here hey hi how hunt i if implementation implemented in"
    " inside into is it its kindly know let lets like line lines list live lives locate located look looking lookup"
    " made me meaning means method methods module modules my need of on one ones only our out part parts piece pinpoint"
    " place places please pls plz point program project question repo repository responsible say search searching see"
    " seek semantic should show sit sits some somebody someone something somewhere source spot spots stuff such takes"
    " taking tell that the their them then there these they thing things this those thx to track trace us use want we"
    " were what whats what's where wheres where's which who whose why wish with wonder would you your ya handled"
    " concerned concerning exist exists can't cannot remember forgot again bot gridbot whereabouts regarding related"
    " thanks thank many much lot sir exactly actually currently just quickly also too now hits results answers script"
    " defining holds hold constant constants stands stand found written coded programmed kept hides hidden hiding"
    " by word words sits hit max most called named i'm i've i'd i'll we've we're though might mind only among"
)
_OFTEN = word_set("where the code find which what function does search place that")
_TAIL = _FRAME - word_set("in out up down on off with by from to about")
_STOP = _FRAME | word_set(
    "calculate calculates calculated calculating calculation compute computes computed computing computation handle"
    " handles handling implement implements implementing works work done doing decide decides decided make makes"
)
_STOP_STEMS = frozenset(stem(word) for word in _STOP)
_LEAD = (
    r"(?:,? ?\b(?:but )?(?:only|just|solely|nowhere else than|restricted to|limited to|confined to|look) ?)?"
    r"\b(?:in|inside|under|within|from|of|below|at|through)\s+(?:only )?(?:the |our |my )?"
    r"(?:folder |directory |file |package |module |tree )?$"
)
_AFTER = re.compile(r"\s*(?:folder|directory|package|module|file|tree)?\s*(?:only|alone)?\b", re.IGNORECASE)
_KIND = re.compile(
    r"\b(?P<lead>in |inside |of )?(?:which|what|whichever|the|a|any|all|find|show|me|look up|get|only|just)? ?"
    r"\b(?P<kind>function|fn|func|method|class|module|constant)(?:es|s)?\b"
    r"(?=,? (?:(?:in|inside|under|from) \S+ )?(?:that|which|for|to|where|in charge|responsible|dealing|only|does|do"
    r"|is|are|has|have|\w+s\b|\w+ing\b)|,|$)",
    re.IGNORECASE,
)
_KINDS = {"fn": "function", "func": "function"}
_WORD = re.compile(r"\S+")
_ASKS = re.compile(
    r"\b(?:where|which|what|who|how|find|search|locate|show|look(?:ing)? for|point|grep)\b", re.IGNORECASE
)


def fill_search(filling: Filling) -> None:
    """Fill what is searched for, which kind of thing, and in which file or folder.

    Parameters
    ----------
    filling : Filling
        Its fields ``query``, ``kind`` and ``inside`` are set.
    """
    _fill_inside(filling)
    mentions = filling.reading.mentions
    named = mentions.all("identifier")
    if not named:
        _fill_kind(filling)
    quoted = mentions.first("command") or mentions.first("error")
    left = _asking(_left(filling))
    if quoted is not None:
        filling.put("query", quoted)
    elif len(named) == 1 and len(content_words(left.replace(str(named[0].value), " "))) < 2:
        filling.put("query", named[0].value)
    else:
        filling.put("query", bare_query(left) or filling.reading.text.strip(" .?!"))


def bare_query(text: str) -> str:
    """Return a question without the words around what it asks for: ``"where do we cap the size?"`` is ``cap the size``.

    Parameters
    ----------
    text : str
        As it was said.
    """
    words = _WORD.findall(re.sub(r"[?!;]|[.,:](?=\s|$)", " ", text))
    while words and _is_frame(words[0]):
        words.pop(0)
    while words and words[-1].lower() in _TAIL:
        words.pop()
    return " ".join(words).strip(" .,-")


def content_words(text: str) -> frozenset[str]:
    """Return the stems of the words of a question that say what it is about; two questions with the same are alike.

    Parameters
    ----------
    text : str
        A question or some words.
    """
    stems = {stem(word) for word in split_name(text).split() if len(word) > 1}
    return frozenset(stems - _STOP_STEMS) or frozenset(stems)


def _asking(text: str) -> str:
    """Return the one of several sentences that asks."""
    parts = [part for part in re.split(r"(?<=[\w)\"'])[.!?;]+\s+", text) if len(part.split()) > 1]
    asking = [part for part in parts if _ASKS.search(part)]
    return asking[-1] if len(parts) > 1 and asking else text


def _is_frame(word: str) -> bool:
    lowered = word.lower().strip("'\"")
    if lowered in _FRAME:
        return True
    # letters that changed places, as in "teh" and "wehre"
    return any(one[0] == lowered[0] and sorted(one) == sorted(lowered) for one in _OFTEN)


def _fill_inside(filling: Filling) -> None:
    text = filling.reading.text
    for mention in filling.reading.mentions:
        if mention.kind not in {"folder", "python", "here"}:
            continue
        lead = re.search(_LEAD, text[: mention.start], re.IGNORECASE)
        value = filling.context.file if mention.kind == "here" else filling.places.path_of(str(mention.value))
        if lead is not None and value:
            filling.put("inside", value)
            after = _AFTER.match(text, mention.end)
            filling.used.append((lead.start(), after.end() if after else mention.end))


def _fill_kind(filling: Filling) -> None:
    found = _KIND.search(_left(filling)) and _KIND.search(filling.reading.text)
    if found is not None and not found["lead"]:
        kind = found["kind"].lower()
        filling.put("kind", _KINDS.get(kind, kind))
        filling.used.append(found.span())


def _left(filling: Filling) -> str:
    """Return the sentence without what is understood already."""
    kept, at = [], 0
    spans = [*filling.used, *((each.start, each.end) for each in filling.reading.mentions.all("json"))]
    for start, end in sorted(spans):
        kept.append(filling.reading.text[at : max(start, at)])
        at = max(at, end)
    return " ".join([*kept, filling.reading.text[at:]])
