"""One call of the REST API: what its handler is given, and how endpoints are described."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from trading.brokers.exchange_server.account_history import AccountHistory
from trading.brokers.exchange_server.accounts import Account
from trading.brokers.exchange_server.config import LimitConfig
from trading.brokers.exchange_server.faults import Faults
from trading.brokers.exchange_server.limits import RateLimits
from trading.brokers.exchange_server.markets import MarketRules
from trading.brokers.exchange_server.parameters import Parameters
from trading.brokers.exchange_server.records import ExchangeRefusal
from trading.brokers.exchange_server.venue import SimulatedExchange
from trading.errors import StateCorrupt


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler works with.

    Parameters
    ----------
    parameters : Parameters
        As sent.
    exchange : SimulatedExchange
        At the market time of the call.
    faults : Faults
        What goes wrong.
    limits : RateLimits
        What has been used up.
    history : AccountHistory
        Old views of accounts.
    server_ms : int
        The exchange's real time.
    account_or_none : Account or None
        Who signed it; None for public calls.
    """

    parameters: Parameters
    exchange: SimulatedExchange
    faults: Faults
    limits: RateLimits
    history: AccountHistory
    server_ms: int
    account_or_none: Account | None = None

    @property
    def account(self) -> Account:
        """Who signed it."""
        if self.account_or_none is None:
            raise StateCorrupt("a private endpoint of the built-in exchange was reached unsigned; report it")
        return self.account_or_none

    @property
    def limit_config(self) -> LimitConfig:
        """The rate limits."""
        return self.limits.config

    def market(self) -> MarketRules:
        """Return the rules of the market that the call names.

        Raises
        ------
        ExchangeRefusal
            -1102, -1100 or -1121.
        """
        return self.market_named(self.parameters.symbol())

    def market_named(self, market_id: str) -> MarketRules:
        """Return the rules of a market by its id.

        Raises
        ------
        ExchangeRefusal
            -1121 when there is none.
        """
        symbol = self.exchange.find(market_id)
        if symbol is None or self.exchange.market(symbol).id != market_id:
            raise ExchangeRefusal(-1121, "Invalid symbol.")
        return self.exchange.market(symbol)

    def limit(self, default: int, most: int) -> int:
        """Return how many rows are wanted."""
        return self.parameters.integer("limit", 1, most) or default

    def stale_ms(self) -> int | None:
        """Draw whether the answer is an old one; return the market time it is of, else None."""
        if not self.faults.happens("stale"):
            return None
        return self.exchange.now_ms - self.faults.config.stale_ms


class Security(Enum):
    """What an endpoint asks for."""

    NONE = "none"
    KEY = "key"
    SIGNED = "signed"


Weigh = Callable[[Parameters], int]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path.

    Parameters
    ----------
    method, path : str
        Such as ``"GET"`` and ``"/api/v3/klines"``.
    handler : callable
        Takes a `Call` and returns what is sent as JSON.
    weight : int or callable
        Request weight; by parameters where it hangs on them.
    security : Security
        What it asks for.
    is_order : bool
        Whether it counts as a new order.
    """

    method: str
    path: str
    handler: Callable[[Call], object]
    weight: int | Weigh
    security: Security = Security.NONE
    is_order: bool = False

    def weighs(self, parameters: Parameters) -> int:
        """Return the request weight of a call."""
        return self.weight if isinstance(self.weight, int) else self.weight(parameters)
