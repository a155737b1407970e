"""Talking to exchanges: the ccxt client factory, the clock, and retries that share one rate limit."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trading.exchange.client import Exchange, OhlcvRow, open_exchange
    from trading.exchange.clock import Clock, SystemClock
    from trading.exchange.retry import Retry, RetryPolicy

_HOMES = {
    "Clock": "clock",
    "Exchange": "client",
    "OhlcvRow": "client",
    "Retry": "retry",
    "RetryPolicy": "retry",
    "SystemClock": "clock",
    "open_exchange": "client",
}

__all__ = [
    "Clock",
    "Exchange",
    "OhlcvRow",
    "Retry",
    "RetryPolicy",
    "SystemClock",
    "open_exchange",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
