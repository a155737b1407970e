"""Where a sentence wants something written: the folder of a report, the file of an export."""

from __future__ import annotations

import re
from pathlib import Path

from automation.assistant.filling import Filling

_LEAD = (
    r"\b(?:in|into|to|under|inside|at|as|on|out|from|use|->)\s+(?:the |a |my |our )?"
    r"(?P<said>(?:\w+ )?(?:folder|directory|dir|file|place)(?: (?:called|named))?\s+)?"
)
_PLACE = (
    r"(?P<place>(?!(?:in|into|to|under|with|from|of|for|and|the|my|on|at|as)(?:\s|$))(?:~"
    r"|\.{1,2})?/?[\w.+-]+(?:/[\w.+-]+)*/?)(?=[\s,.;:!?)]|$)"
)
_TO = re.compile(_LEAD + _PLACE, re.IGNORECASE)
_NAMED = re.compile(r"\b(?:folder|directory|dir) (?:called |named )?" + _PLACE, re.IGNORECASE)
# A word like this is no plain word, but a name.
_LIKE_A_NAME = re.compile(r"[/_~]|\w-\w|\.\w+$")
_IS_PATH = re.compile(r"[/~]|\w\.[a-z]{2,8}$", re.IGNORECASE)
# After a name with nothing but hyphens, a noun would make an adjective of it: "a throw-away copy".
_ENDS = re.compile(
    r"[,.;:!?)](?:\s|$)|\s+[-(&]|\s*$|\s+(?:and|please|pls|plz|with|for|so|then|when|as|too|by|since|from|thanks"
    r"|thank|instead"
    r"|if|once|after|afterwards|written|later|on|of)\b",
    re.IGNORECASE,
)
_OPTIONS = ("report", "out", "export", "edited")
_NO_PLACE = frozenset({"in", "into", "to", "under", "with", "from", "of", "for", "and", "the", "my"})


def fill_outlets(filling: Filling) -> None:
    """Fill the options that take a folder or file to write to.

    Parameters
    ----------
    filling : Filling
        Its fields ``report``, ``out``, ``export`` or ``edited`` are set.
    """
    option = next((name for name in _OPTIONS if name in filling.model.model_fields), None)
    if option is not None and option not in filling.values:
        filling.put(option, _place(filling, option))


def _place(filling: Filling, option: str) -> Path | None:
    text = filling.reading.text
    found = [(match, bool(match["said"])) for match in _TO.finditer(text)]
    found += [(match, True) for match in _NAMED.finditer(text)]
    taken = {str(value) for value in filling.values.values()}
    for match, is_said in found:
        start, end = match.span("place")
        place = match["place"].rstrip(".")
        if place.rstrip("/") in taken or filling.is_used(start, end):
            continue
        kinds = {each.kind for each in filling.reading.mentions if each.start < end and start < each.end}
        allowed = {
            "folder",
            "recording",
            "document",
            "identifier",
            *({"candle file", "log"} if option == "export" else ()),
        }
        if kinds - allowed or place.lower() in _NO_PLACE:
            continue
        ends = _ENDS.match(text, end) is not None
        into = match[0].lower().startswith("into") and end >= len(text.rstrip(" .!?"))
        if _IS_PATH.search(place) or (ends and (is_said or _LIKE_A_NAME.search(place) or into)):
            return Path(place)
    return None
