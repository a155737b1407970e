"""Clients of exchanges: ccxt's own, watched so that a bad answer cannot pass for an empty one."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from operator import itemgetter
from typing import Protocol, cast
from urllib.parse import urlsplit

import ccxt.async_support as ccxt

from trading.errors import Refused, UsageError
from trading.exchange.answers import note

OhlcvRow = list[float]

_ROW_LENGTH = 6

_PROTOCOLS = {"http": {"http": "http", "https": "http", "ws": "ws", "wss": "ws"}}
_PROTOCOLS["https"] = {"http": "https", "https": "https", "ws": "wss", "wss": "wss"}

# What a public client never needs; each spared call is weight that candles can use.
_OPTIONS: dict[str, dict[str, object]] = {
    "binance": {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False, "fetchMargins": False},
}


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


class _Watched(ccxt.Exchange):  # type: ignore[misc]  # ccxt is untyped
    """Mixed in before a ccxt class: notes every answer's status and headers, and lets no nonsense through."""

    def on_rest_response(
        self,
        code: int,
        reason: str,
        url: str,
        method: str,
        response_headers: Mapping[str, str],
        response_body: str,
        request_headers: object,
        request_body: object,
    ) -> str:
        note(code, response_headers)
        body: str = super().on_rest_response(
            code, reason, url, method, response_headers, response_body, request_headers, request_body
        )
        # ccxt hands text that is no JSON on to its parsers, which make an empty list of candles out of it.
        if code == HTTPStatus.OK and self.parse_json(body) is None:
            raise ccxt.BadResponse(
                f"{self.id} answered {method} {urlsplit(url).path} with {len(body)} bytes of broken JSON"
            )
        return body

    def parse_ohlcvs(
        self,
        ohlcvs: object,
        market: object = None,
        timeframe: str = "1m",
        since: int | None = None,
        limit: int | None = None,
        tail: bool = False,
    ) -> list[OhlcvRow]:
        # ccxt drops rows before `since` without a word, so a server that ignores it would look like one without data.
        if not isinstance(ohlcvs, list):
            raise ccxt.BadResponse(f"{self.id} answered no list of candles")
        rows = [self.parse_ohlcv(row, market) for row in ohlcvs]
        if any(len(row) < _ROW_LENGTH or None in row for row in rows):
            raise ccxt.BadResponse(f"{self.id} answered candles with missing values")
        return sorted(rows, key=itemgetter(0))


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
    watched = type(f"Watched{exchange_id.title()}", (_Watched, getattr(ccxt, exchange_id)), {})
    client = watched({"enableRateLimit": True, "timeout": timeout_ms, "options": _OPTIONS.get(exchange_id, {})})
    if rest_url is not None:
        client.urls["api"] = _moved(client.urls["api"], _base(rest_url), client.hostname or "")
    return cast("Exchange", client)


def _base(rest_url: str) -> str:
    parts = urlsplit(rest_url)
    if parts.scheme not in _PROTOCOLS or not parts.netloc or parts.query or parts.fragment:
        raise UsageError(f"{rest_url!r} is no server address; write it such as http://127.0.0.1:8080")
    return rest_url.rstrip("/")


def _moved(addresses: object, base: str, hostname: str) -> object:
    if isinstance(addresses, dict):
        return {name: _moved(address, base, hostname) for name, address in addresses.items()}
    if isinstance(addresses, list):
        return [_moved(address, base, hostname) for address in addresses]
    if addresses is None:
        return None
    old = urlsplit(str(addresses).replace("{hostname}", hostname))
    protocols = _PROTOCOLS[urlsplit(base).scheme]
    if old.scheme not in protocols:
        raise Refused(f"the client's address {addresses!r} cannot be moved to {base}, so the exchange is not opened")
    return f"{protocols[old.scheme]}://{base.partition('://')[2]}{old.path}"
