"""Words of names, texts and questions."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PIECE = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_WORD = re.compile(r"\w+")
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*(?:(?:\.|::)[A-Za-z_]\w*)*")
_SMALL_WORDS = """
    a about all an and any are as at be been by can code could did do does doing each for from
    function functions get gets give had has have how i if in into is it its just know line like
    look many me method most much my need of often on one or our part piece please put see show so
    some something tell that the their them then there they thing this to up us use used uses using
    want was we were what when where which while who whose why will with would you your happen
    happens find come comes go goes gridbot
"""
_STOP_WORDS = frozenset(_SMALL_WORDS.split())


def split_name(name: str) -> str:
    """Return the words of an identifier or a path, in lower case: ``TrailBuy.next_price`` is ``trail buy next price``.

    Parameters
    ----------
    name : str
        Snake case, camel case, dots and slashes in any mixture.
    """
    return " ".join(piece.lower() for piece in _PIECE.findall(name))


def query_words(query: str) -> tuple[str, ...]:
    """Return the words of a question that may stand in code, in lower case, each once; identifiers are split too.

    Parameters
    ----------
    query : str
        A question or a few words.
    """
    words: dict[str, None] = {}
    for word in _WORD.findall(query):
        pieces = split_name(word).split()
        for piece in (word.lower(), *(pieces if len(pieces) > 1 else ())):
            words[piece] = None
    told = tuple(word for word in words if word not in _STOP_WORDS and len(word) > 1)
    # a question of nothing but small words is still a question
    return told or tuple(words)


def identifiers(query: str) -> tuple[str, ...]:
    """Return the names that a question may mean literally.

    Parameters
    ----------
    query : str
        A name alone is meant whatever it looks like; among other words only what no English word looks like.
    """
    whole = query.strip().removesuffix("()")
    if _IDENTIFIER.fullmatch(whole):
        return (whole.replace("::", "."),)
    found = (word.rstrip(".") for word in _IDENTIFIER.findall(query))
    return tuple(word.replace("::", ".") for word in found if _looks_like_code(word))


def match_expression(words: Iterable[str]) -> str:
    """Return what SQLite's full-text search is asked: any of the words."""
    return " OR ".join(f'"{word}"' for word in words)


def _looks_like_code(word: str) -> bool:
    return "_" in word or "." in word or "::" in word or any(one.isupper() for one in word[1:])
