"""What the names in a sentence say for and against each command."""

from __future__ import annotations

from collections.abc import Iterable

# A mention of a kind speaks for the commands that can use it, and against those that cannot.
_CODE = ("review", "test", "document", "optimize")
_MARKET = (
    "backtest", "paper", "live", "exchange", "data export", "data check", "data download", "data synthetic",
    "agents explain", "config show", "simulate", "status", "stop", "sessions stop", "sessions show",
    "sessions report", "sessions replay", "data import", "data list",
)  # fmt: skip
_SESSION = (
    "stop",
    "sessions stop",
    "sessions show",
    "sessions report",
    "sessions replay",
    "fix",
    "paper",
    "live",
    "status",
)
_KINDS: dict[str, tuple[str, ...]] = {
    "candle file": ("backtest", "paper", "data import", "data check", "agents explain", "config show", "exchange"),
    "log": ("incidents", "explain", "fix"),
    "gguf": ("models use", "models bench"),
    "model": ("models pull", "models use", "models bench", "config set", "fix", *_CODE),
    "recording": ("sessions replay", "fix"),
    "python": (*_CODE, "explain", "fix", "search", "incidents", "improvement compare"),
    "identifier": (*_CODE, "explain", "fix", "search"),
    "here": (*_CODE, "explain", "fix", "search"),
    "diff": (*_CODE, "fix"),
    "run": ("runs show", "runs edit", "runs resume", "runs approve", "runs reject", "runs abandon"),
    "setting": ("config explain", "config set"),
    "assignment": ("backtest", "paper", "live", "config show", "config set", "simulate", "agents explain"),
    "error": ("explain", "fix", "incidents"),
    "session": _SESSION,
    "exchange": ("keys set", "keys list", "keys test", "keys remove", "live", "paper", "data download", "health",
                 "exchange"),
    "symbol": _MARKET,
    "timeframe": _MARKET,
    "risk": ("backtest", "paper", "live", "config show", "agents explain"),
    "money": ("backtest", "paper", "live", "exchange", "data synthetic", "config show", "stop"),
}  # fmt: skip
# Whose option a labelled number is.
_LABELS: dict[str, tuple[str, ...]] = {
    "seed": (
        "exchange",
        "data synthetic",
        "simulate",
        "demo",
        "paper",
        "fix",
        "nightly",
        "improvement compare",
        *_CODE,
    ),
    "port": ("mcp", "exchange"),
    "kills": ("simulate",),
    "keep": ("data export",),
    "pairs": ("improvement compare",),
    "fail_under": ("review",),
    "older_than": ("clean",),
    "candles": ("data synthetic",),
    "start_price": ("data synthetic", "exchange"),
}
_KIND_WEIGHT, _LABEL_WEIGHT = 1.2, 2.5


def evidence(kinds: Iterable[tuple[str, str]], commands: Iterable[str]) -> dict[str, float]:
    """Return what the things that are named say for and against each command.

    Parameters
    ----------
    kinds : iterable of (str, str)
        Kind and label of each mention.
    commands : iterable of str
        Names; the empty one stands for what no command does.
    """
    told = dict.fromkeys(commands, 0.0)
    for kind, label in set(kinds):
        fitting = _LABELS.get(label) if kind == "number" else _KINDS.get(kind)
        if fitting is not None:
            weight = _LABEL_WEIGHT if kind == "number" else _KIND_WEIGHT
            for name in told:
                told[name] += weight if name in fitting else -weight
    return told
