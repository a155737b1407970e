"""What words and names speak for which command, as data."""

from __future__ import annotations

import re
from collections.abc import Iterable

# A mention of a kind speaks for the commands that can use it, and against those that cannot.
_CODE = ("review", "test", "document", "optimize")
_MARKET = (
    "backtest", "paper", "live", "exchange", "data export", "data check", "data download", "data synthetic", "agents explain",
    "config show", "simulate", "status", "stop", "sessions stop", "sessions show", "sessions report", "sessions replay",
    "data import", "data list",
)  # fmt: skip
_SESSION = ("stop", "sessions stop", "sessions show", "sessions report", "sessions replay", "fix", "paper", "live", "status")
KINDS: dict[str, tuple[str, ...]] = {
    "candle file": ("backtest", "paper", "data import", "data check", "agents explain", "config show", "exchange"),
    "log": ("incidents", "explain", "fix"),
    "gguf": ("models use", "models bench"),
    "model": ("models pull", "models use", "models bench", "config set", "fix", *_CODE),
    "recording": ("sessions replay", "fix"),
    "python": (*_CODE, "explain", "fix", "search", "incidents", "improvement compare"),
    "identifier": (*_CODE, "explain", "fix", "search"),
    "here": (*_CODE, "explain", "fix", "search"),
    "diff": (*_CODE, "fix"),
    "run": ("runs show", "runs resume", "runs approve", "runs reject", "runs abandon"),
    "setting": ("config explain", "config set"),
    "assignment": ("backtest", "paper", "live", "config show", "config set", "simulate", "agents explain"),
    "error": ("explain", "fix", "incidents"),
    "session": _SESSION,
    "exchange": ("keys set", "keys list", "keys test", "keys remove", "live", "paper", "data download", "health", "exchange"),
    "symbol": _MARKET,
    "timeframe": _MARKET,
    "risk": ("backtest", "paper", "live", "config show", "agents explain"),
    "money": ("backtest", "paper", "live", "exchange", "data synthetic", "config show", "stop"),
}  # fmt: skip

# Commands whose ``--name``, or number, a labelled number is.
LABELS: dict[str, tuple[str, ...]] = {
    "seed": ("exchange", "data synthetic", "simulate", "demo", "paper", "fix", "nightly", "improvement compare", *_CODE),
    "port": ("mcp", "exchange"),
    "kills": ("simulate",),
    "keep": ("data export",),
    "pairs": ("improvement compare",),
    "fail_under": ("review",),
    "older_than": ("clean",),
    "candles": ("data synthetic",),
    "start_price": ("data synthetic", "exchange"),
}
_FOR, _AGAINST = 1.2, -1.2
_LABEL = 2.5

# Words that speak for (or against) a command: name, pattern over the normal form, weight.
_WORDS: tuple[tuple[str, str, float], ...] = ()
WORDS = tuple((command, re.compile(pattern), weight) for command, pattern, weight in _WORDS)


def evidence(words: str, kinds: Iterable[tuple[str, str]], commands: Iterable[str]) -> dict[str, float]:
    """Return what rules say for and against each command.

    Parameters
    ----------
    words : str
        The sentence in normal form.
    kinds : iterable of (str, str)
        Kind and label of each mention.
    commands : iterable of str
        Names.
    """
    told = dict.fromkeys(commands, 0.0)
    for kind, label in set(kinds):
        fitting = LABELS.get(label) if kind == "number" else KINDS.get(kind)
        if fitting is None:
            continue
        for_it, against = (_LABEL, -_LABEL) if kind == "number" else (_FOR, _AGAINST)
        for name in told:
            told[name] += for_it if name in fitting else against
    for command, pattern, weight in WORDS:
        if command in told and pattern.search(words):
            told[command] += weight
    return told
