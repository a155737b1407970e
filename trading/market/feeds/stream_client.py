"""Clients of venues' streams: ccxt.pro's own, listened to, and let go of without leaving connections behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, cast

from trading.exchange.account import open_public
from trading.exchange.clock import Clock
from trading.market.feeds.venue_candles import MarketData

_BINANCE_FAMILY = {"binance", "binanceus"}


class StreamExchange(MarketData, Protocol):
    """The part of a ccxt.pro exchange that streams need.

    ``on_raw`` is called with each decoded message, ``on_dropped`` when one could not be used.
    """

    on_raw: Callable[[object], None] | None
    on_dropped: Callable[[], None] | None

    async def watch_ohlcv(self, symbol: str, timeframe: str) -> Sequence[object]:
        """Return the candles that the next message changes."""
        ...

    async def watch_trades(self, symbol: str) -> Sequence[object]:
        """Return the trades that the next message tells."""
        ...

    async def watch_ticker(self, symbol: str) -> Mapping[str, object]:
        """Return the ticker that the next message tells."""
        ...

    async def close_ws_clients(self) -> None:
        """Close the streams' connections."""
        ...


def open_streams(
    exchange_id: str,
    clock: Clock,
    rest_url: str | None = None,
    ws_url: str | None = None,
    *,
    testnet: bool = False,
) -> StreamExchange:
    """Open a public client of an exchange's REST and streams, at our pace on the given clock.

    Parameters
    ----------
    exchange_id : str
        ccxt's name of the exchange.
    clock : Clock
        Times the pace of the calls.
    rest_url, ws_url : str, optional
        Addresses that replace the exchange's own.
    testnet : bool
        Use the exchange's own test network.

    Raises
    ------
    UsageError, Refused
        As `open_public` does.
    """
    client = open_public(exchange_id, rest_url, ws_url, testnet=testnet, clock=clock)
    if exchange_id in _BINANCE_FAMILY:
        # The small ticker, ccxt's choice, tells neither bid nor ask.
        client.options["watchTickers"] = client.options["watchTicker"] = {"name": "ticker"}
    return cast("StreamExchange", client)


async def let_go(exchange: StreamExchange) -> None:
    """Close all streams of an exchange, those that are still being opened too, and forget what they told."""
    dialling = cast("_Dialling", exchange)
    for client in list((dialling.clients or {}).values()):
        if client.connecting:
            _close_when_open(client)
    await exchange.close_ws_clients()
    for memory in ("ohlcvs", "trades", "tickers"):
        setattr(exchange, memory, {})
    # Pauses between tries are the feed's, on its clock.
    dialling.ws_dial_backoff = {}


def closed_row(exchange_id: str, message: object) -> tuple[str, str, list[object]] | None:
    """Return market id, interval and row of the candle that a message calls closed, where a venue says so.

    Parameters
    ----------
    exchange_id : str
        ccxt's name of the exchange; only Binance's form is known, for other venues the answer is None.
    message : object
        A decoded stream message.
    """
    if exchange_id not in _BINANCE_FAMILY or not isinstance(message, Mapping):
        return None
    told = message.get("data", message)
    kline = told.get("k") if isinstance(told, Mapping) and told.get("e") == "kline" else None
    if not isinstance(kline, Mapping) or kline.get("x") is not True:
        return None
    return str(kline.get("s")), str(kline.get("i")), [kline.get(name) for name in ("t", "o", "h", "l", "c", "v")]


class _Connection(Protocol):
    connecting: bool
    connected: asyncio.Future[object]

    async def aiohttp_close(self) -> None: ...


class _Dialling(Protocol):
    clients: dict[str, _Connection] | None
    ws_dial_backoff: dict[str, object]


def _close_when_open(client: _Connection) -> None:
    # ccxt goes on dialling for a client that is closed meanwhile.
    client.connected.add_done_callback(lambda _: asyncio.ensure_future(client.aiohttp_close()))
