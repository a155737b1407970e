"""``VenueClient``: the part of a ccxt.pro exchange that trading uses, as our own clients have it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol


class VenueClient(Protocol):
    """A ccxt.pro exchange that watches its addresses, its pace and its streams."""

    id: str
    urls: dict[str, object]
    options: dict[str, object]
    has: dict[str, object]
    hostname: str | None
    apiKey: str  # noqa: N815 - ccxt's own names
    secret: str
    password: str
    number: type
    precisionMode: int  # noqa: N815
    rollingWindowSize: float  # noqa: N815
    timeout_on_exit: int
    logger: logging.Logger
    allowed_hosts: frozenset[str] | None
    pace: Callable[[float], Awaitable[None]] | None
    observe: Callable[[int, Mapping[str, str]], None] | None
    on_dropped: Callable[[], None] | None
    on_raw: Callable[[object], None] | None
    offset_ms: int
    has_streams: bool

    def set_sandbox_mode(self, enabled: bool) -> None:
        """Use the exchange's test network."""
        ...

    def milliseconds(self) -> int:
        """Return our clock, corrected by ``offset_ms``; milliseconds UTC."""
        ...

    def market(self, symbol: str) -> Mapping[str, object]:
        """Return a loaded market."""
        ...

    def parse_order(self, order: Mapping[str, object], market: object = None) -> Mapping[str, object]:
        """Return ccxt's structure of an order as the venue tells it."""
        ...

    def parse_trade(self, trade: Mapping[str, object], market: object = None) -> Mapping[str, object]:
        """Return ccxt's structure of a trade as the venue tells it."""
        ...

    def parse_balance(self, response: Mapping[str, object]) -> Mapping[str, object]:
        """Return ccxt's structure of an account as the venue tells it."""
        ...

    def safe_currency_code(self, currency_id: str) -> str:
        """Return ccxt's name of an asset."""
        ...

    def parse8601(self, timestamp: str) -> int | None:
        """Return a time that is text, milliseconds UTC; None when it is none."""
        ...

    def iso8601(self, timestamp: int) -> str:
        """Return a time in milliseconds UTC as text."""
        ...

    def price_to_precision(self, symbol: str, price: str) -> str:
        """Return a price as it would be sent."""
        ...

    def amount_to_precision(self, symbol: str, amount: str) -> str:
        """Return a quantity as it would be sent."""
        ...

    async def load_markets(self, reload: bool = False) -> Mapping[str, Mapping[str, object]]:
        """Fetch the list of markets once."""
        ...

    async def fetch_time(self) -> int | None:
        """Return the exchange's time, milliseconds UTC."""
        ...

    async def fetch_balance(self) -> Mapping[str, object]:
        """Return the account's assets."""
        ...

    async def fetch_ticker(self, symbol: str) -> Mapping[str, object]:
        """Return the market's latest prices."""
        ...

    async def fetch_trading_fee(self, symbol: str) -> Mapping[str, object]:
        """Return the account's fees in one market."""
        ...

    async def fetch_trading_fees(self) -> Mapping[str, object]:
        """Return the account's fees in all markets."""
        ...

    async def create_order(
        self, symbol: str, kind: str, side: str, amount: str, price: str | None, params: Mapping[str, object]
    ) -> Mapping[str, object]:
        """Send an order."""
        ...

    async def cancel_order(self, order_id: str | None, symbol: str, params: Mapping[str, object]) -> object:
        """Cancel an order."""
        ...

    async def fetch_order(
        self, order_id: str | None, symbol: str, params: Mapping[str, object]
    ) -> Mapping[str, object]:
        """Return one order."""
        ...

    async def fetch_open_orders(
        self, symbol: str, since: int | None, limit: int | None, params: Mapping[str, object]
    ) -> Sequence[Mapping[str, object]]:
        """Return open orders."""
        ...

    async def fetch_closed_orders(
        self, symbol: str, since: int | None, limit: int | None, params: Mapping[str, object]
    ) -> Sequence[Mapping[str, object]]:
        """Return orders that have ended."""
        ...

    async def fetch_orders(
        self, symbol: str, since: int | None, limit: int | None, params: Mapping[str, object]
    ) -> Sequence[Mapping[str, object]]:
        """Return all orders."""
        ...

    async def fetch_my_trades(
        self, symbol: str, since: int | None, limit: int | None, params: Mapping[str, object]
    ) -> Sequence[Mapping[str, object]]:
        """Return the account's trades."""
        ...

    async def fetch_deposits(
        self, code: str | None, since: int | None, limit: int | None, params: Mapping[str, object]
    ) -> Sequence[Mapping[str, object]]:
        """Return money that came in."""
        ...

    async def fetch_withdrawals(
        self, code: str | None, since: int | None, limit: int | None, params: Mapping[str, object]
    ) -> Sequence[Mapping[str, object]]:
        """Return money that went out."""
        ...

    async def watch_orders(self, symbol: str) -> Sequence[Mapping[str, object]]:
        """Wait for orders that changed."""
        ...

    async def watch_my_trades(self, symbol: str) -> Sequence[Mapping[str, object]]:
        """Wait for trades of the account."""
        ...

    async def close_ws_clients(self) -> None:
        """Close the streams."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...
