"""What a sentence takes back or says again in short: "bitcoin, sorry, ether", "the same again with five minutes"."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from automation.assistant.reading import Reading

_TAKEN_BACK = re.compile(
    r"[\s,.;:(-]*(?:no,? )?(?:sorry|i mean|i meant|actually|rather|or rather|wait|no|make (?:it|that)|scratch that"
    r"|correction|pardon|oops)[\s,.:-]+(?:no,? |i mean,? |make (?:it|that) |make |on |with |in |for |the |a )*",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"(?P<kind>\b[a-z_.]+ )(?P<first>\d[\d.,]*\d|\d)(?P<between>[\s,.;:(-]+(?:then[\s,.]+)?(?:no,? )?(?:sorry|i mean"
    r"|i meant|actually|rather|or rather|wait|no|make it|make that|scratch that|correction|oops)[\s,.:-]+"
    r"(?:no,? |i mean,? |make (?:it|that) |on )*(?:(?P=kind))?)(?P<second>\d[\d.,]*\d|\d)",
    re.IGNORECASE,
)
_AGAIN = re.compile(
    r"^(?P<said>.+?)[,.;]? +(?:and )?(?:then )?(?:and )?(?:do )?(?:the )?(?:very |exact )?"
    r"(?:same(?: thing)?(?: again| once more| too)?|(?:once )?again|once more) (?:with |for |on |using |at |as |but )+"
    r"(?P<other>(?!(?:it|them|that|this|me)\b)[^,;]+?)[.!?]?$",
    re.IGNORECASE,
)
# They stand in place of what was said before; anything else comes on top of it.
_REPLACED = frozenset({
    "symbol", "session", "exchange", "timeframe", "risk", "money", "span", "python", "identifier", "model", "run",
    "candle file", "log", "folder", "duration",
})  # fmt: skip


def spoken_out(text: str, read: Callable[[str], Reading]) -> str:
    """Return a sentence without what it takes back, and with what is to be done again said in full.

    Parameters
    ----------
    text : str
        As it was typed, with plain quotes.
    read : callable
        Reads a sentence, so that what it names is known.
    """
    match = _AGAIN.match(text)
    if match is not None:
        said, other = match["said"].rstrip(" ,"), match["other"]
        said = _kept(said, read)
        repeated = _with(read(said), read(other))
        return f"{said}, then {repeated}" if repeated is not None else text
    return _kept(text, read)


def _kept(text: str, read: Callable[[str], Reading]) -> str:
    """Return a sentence without the first of two things of a kind between which the speaker changes his mind."""
    if _TAKEN_BACK.search(text) is None:
        return text
    text = _NUMBER.sub(r"\g<kind>\g<second>", text)
    reading = read(text)
    cut = reading.text
    for one, other in reversed(list(pairwise(reading.mentions))):
        if one.kind == other.kind and _TAKEN_BACK.fullmatch(reading.text[one.end : other.start]):
            cut = cut[: one.start] + cut[other.start :]
    return text if cut == reading.text else cut


def _with(said: Reading, other: Reading) -> str | None:
    """Return what was said with the things of another kind in place of its own; None where it is not clear how."""
    kinds = [each.kind for each in other.mentions]
    if not kinds:
        return None
    text, added = said.text, other.text
    own = [each for each in said.mentions if each.kind == kinds[0]]
    if kinds[0] not in _REPLACED or not own:
        return f"{text} with {added}"
    if len(set(kinds)) > 1 or len(own) > 1:
        return None
    return f"{text[: own[0].start]}{added}{text[own[0].end :]}"
