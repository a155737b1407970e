"""The words of a description of code: what they say of which code is meant, and what kind of thing it is."""

from __future__ import annotations

import re

from automation.assistant.normalise import stem, word_set
from automation.codebase.search.words import split_name

# What people call code, which says nothing of which code.
CALLED = word_set(
    "a an the this that these those of in on at for to with from by and or is are be it its my our your me i we"
    " you all function functions method methods class classes module modules file files folder directory package"
    " part parts code logic calculation calculations computation computing calculating compute computes calculate"
    " calculates thing stuff implementation handling handler component system source script python symbol section"
    " some new please entire whole everything about which what where does do how into need needs missing trading"
    " gridbot there use used one bot more repository project current any unit better good much so very too so has"
    " have can get lot tests test testing tested them they he she whom mine"
)
_LIKE = {
    "websocket": ("stream", "feed"), "websockets": ("stream", "feed"), "ws": ("stream", "feed"), "key": ("keys",),
    "database": ("store", "journal"), "backtest": ("backtesting",), "backtester": ("backtest",), "stop": ("stopping",),
    "reader": ("readers",), "fee": ("fees", "accounting"), "order": ("orders",), "indicator": ("indicators",),
    "downloader": ("download",), "grids": ("grid",), "price": ("prices",), "rate": ("limiter",), "limit": ("limits",),
}  # fmt: skip
KIND_WORDS = (
    ("folder", re.compile(r"\b(?:folder|directory|package|wing|subpackage)\b")),
    ("symbol", re.compile(r"\b(?:functions?|fn|methods?|class|constant|routine)\b")),
    ("file", re.compile(r"\b(?:file|module|script)\b")),
)  # fmt: skip


def is_called(words: list[str], at: int) -> bool:
    """Say whether a word stands beside "function" or the like: "the resample function", "the class Grid"."""
    kind = KIND_WORDS[1][1]
    after, before = words[at + 1 : at + 2], words[max(0, at - 1) : at]
    return bool((after and kind.fullmatch(after[0].lower())) or (before and kind.fullmatch(before[0].lower())))


def telling_words(description: str) -> dict[str, float]:
    """Return the stems of the words that say which code is meant, with their weights; words alike weigh less than 1.

    Parameters
    ----------
    description : str
        Words such as ``"the grid calculation function"``.
    """
    words: dict[str, float] = {}
    for word in split_name(description).split():
        if word in CALLED or len(word) < 2:
            continue
        words[stem(word)] = 1.0
        for other in _LIKE.get(word, ()):
            words.setdefault(stem(other), 0.8)
    return words


def stems_of(name: str) -> frozenset[str]:
    """Return the stems of the words of a name."""
    return frozenset(stem(word) for word in split_name(name).split())
