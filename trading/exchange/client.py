"""Clients of exchanges: ccxt's own, watched so that a bad answer cannot pass for an empty one."""

from __future__ import annotations

from typing import Protocol, cast

import ccxt.async_support as ccxt

from trading.errors import UsageError
from trading.exchange.addresses import hosts, moved, rest_base, stream_base_of
from trading.exchange.watched import OhlcvRow, Watched

SPARING_OPTIONS: dict[str, dict[str, object]] = {
    "binance": {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False, "fetchMargins": False},
}
"""What a spot client never needs, by exchange; each spared call is weight that candles can use."""

__all__ = ["SPARING_OPTIONS", "Exchange", "OhlcvRow", "open_exchange"]


class Exchange(Protocol):
    """The part of an asynchronous ccxt exchange that market data needs."""

    id: str
    symbols: list[str]
    timeframes: dict[str, str]
    has: dict[str, object]

    async def load_markets(self) -> object:
        """Fetch the list of markets once."""
        ...

    async def fetch_time(self) -> int | None:
        """Return the exchange's time in milliseconds UTC."""
        ...

    async def fetch_ohlcv(
        self, symbol: str, timeframe: str, since: int | None = None, limit: int | None = None
    ) -> list[OhlcvRow]:
        """Return rows of timestamp, open, high, low, close, volume, oldest first."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


def open_exchange(exchange_id: str, rest_url: str | None = None, timeout_ms: int = 15_000) -> Exchange:
    """Open a public client of an exchange: no keys, ccxt's own rate limiter on.

    Parameters
    ----------
    exchange_id : str
        ccxt's name of the exchange, such as ``"binance"``.
    rest_url : str, optional
        ``http://host:port`` that replaces scheme and host of every address that the client knows, such as a simulated
        exchange on this machine.
    timeout_ms : int
        Patience with one answer, milliseconds.

    Returns
    -------
    Exchange
        An asynchronous ccxt exchange; close it in the event loop that used it.

    Raises
    ------
    UsageError
        When ccxt does not know the exchange, or the address is none.
    Refused
        When an address of the client cannot be replaced, so that calls could reach the real exchange.
    """
    if exchange_id not in ccxt.exchanges:
        raise UsageError(f"there is no exchange {exchange_id!r}; ccxt's names are such as binance, coinbase, kraken")
    watched = type(f"Watched{exchange_id.title()}", (Watched, getattr(ccxt, exchange_id)), {})
    client = watched({"enableRateLimit": True, "timeout": timeout_ms, "options": SPARING_OPTIONS.get(exchange_id, {})})
    if rest_url is not None:
        rest = rest_base(rest_url)
        client.urls["api"] = moved(client.urls["api"], rest, stream_base_of(rest), client.hostname or "")
        client.allowed_hosts = frozenset(hosts(client.urls["api"]))
    return cast("Exchange", client)
