"""Talking to exchanges: ccxt clients that reach only what they may, one shared rate limit, the clock, and retries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trading.lazy import on_first_use

if TYPE_CHECKING:
    from trading.exchange.account import AccountOptions, open_account, open_public
    from trading.exchange.calls import AnswerUnusable, VenueCalls, VenueRefusal
    from trading.exchange.circuit import CircuitBreaker
    from trading.exchange.client import Exchange, OhlcvRow, open_exchange
    from trading.exchange.clock import Clock, SystemClock
    from trading.exchange.limiter import Limiter, WeightBudget
    from trading.exchange.retry import Retry, RetryPolicy
    from trading.exchange.venue_client import VenueClient

__all__ = [
    "AccountOptions",
    "AnswerUnusable",
    "CircuitBreaker",
    "Clock",
    "Exchange",
    "Limiter",
    "OhlcvRow",
    "Retry",
    "RetryPolicy",
    "SystemClock",
    "VenueCalls",
    "VenueClient",
    "VenueRefusal",
    "WeightBudget",
    "open_account",
    "open_exchange",
    "open_public",
]

__getattr__ = on_first_use(
    __name__,
    {
        "AccountOptions": "account",
        "AnswerUnusable": "calls",
        "CircuitBreaker": "circuit",
        "Clock": "clock",
        "Exchange": "client",
        "Limiter": "limiter",
        "OhlcvRow": "client",
        "Retry": "retry",
        "RetryPolicy": "retry",
        "SystemClock": "clock",
        "VenueCalls": "calls",
        "VenueClient": "venue_client",
        "VenueRefusal": "calls",
        "WeightBudget": "limiter",
        "open_account": "account",
        "open_exchange": "client",
        "open_public": "account",
    },
)
