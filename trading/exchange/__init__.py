"""Talking to exchanges: the ccxt client factory, the clock, and retries that share one rate limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trading.lazy import on_first_use

if TYPE_CHECKING:
    from trading.exchange.client import Exchange, OhlcvRow, open_exchange
    from trading.exchange.clock import Clock, SystemClock
    from trading.exchange.retry import Retry, RetryPolicy

__all__ = [
    "Clock",
    "Exchange",
    "OhlcvRow",
    "Retry",
    "RetryPolicy",
    "SystemClock",
    "open_exchange",
]

__getattr__ = on_first_use(
    __name__,
    {
        "Clock": "clock",
        "Exchange": "client",
        "OhlcvRow": "client",
        "Retry": "retry",
        "RetryPolicy": "retry",
        "SystemClock": "clock",
        "open_exchange": "client",
    },
)
