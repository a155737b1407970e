"""Binance's WebSocket streams: one session a connection, its subscriptions, and what each event makes of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeAlias

from trading.brokers.exchange_server import binance_stream_messages as messages
from trading.brokers.exchange_server.binance_stream_messages import JsonObject
from trading.brokers.exchange_server.records import (
    BalancesChanged,
    BookChanged,
    Event,
    ExchangeRefusal,
    KlineChanged,
    MoneyMoved,
    OrderUpdated,
    TradeMade,
)
from trading.brokers.exchange_server.streams import StreamConnection, StreamHub
from trading.brokers.exchange_server.venue import SimulatedExchange

StreamMessage: TypeAlias = "JsonObject | list[JsonObject]"
"""One message; the streams of all markets send lists."""

Candidate: TypeAlias = tuple[str, Callable[[], StreamMessage]]
"""A stream's name, and what makes its message."""

PRIVATE_EVENTS: frozenset[type[Event]] = frozenset({OrderUpdated, BalancesChanged, MoneyMoved})
"""What user streams tell."""

_MOST_STREAMS = 1024
_TICKER_EVERY_MS = 1000
_SYMBOL_STREAM = re.compile(
    r"[a-z0-9]{2,40}@(trade|aggTrade|bookTicker|miniTicker|ticker|kline_(1s|[135]m|15m|30m|[12468]h|12h|[13]d|1w|1M)"
    r"|depth(5|10|20)?(@100ms|@1000ms)?)"
)
_ALL_STREAMS = frozenset({"!miniTicker@arr", "!ticker@arr"})
_PACED = ("@ticker", "@miniTicker", "@arr")
_METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")


class _InvalidRequest(Exception):
    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class MarketStreamSession:
    """One connection to ``/ws`` or ``/stream``.

    Parameters
    ----------
    connection : StreamConnection
        Where messages go.
    hub : StreamHub
        Gives the exchange.
    streams : sequence of str
        Subscribed from the start, by the URL.
    combined : bool
        Whether messages are wrapped with their stream's name.
    account : str or None
        Whose user stream the URL's listen key names.
    """

    def __init__(
        self,
        connection: StreamConnection,
        hub: StreamHub,
        streams: tuple[str, ...],
        *,
        combined: bool,
        account: str | None,
    ) -> None:
        self.connection = connection
        self._hub = hub
        self._exchange = hub.exchange
        self._combined = combined
        self._account = account
        self._streams: dict[str, None] = {}
        self._told_ms: dict[tuple[str, str], int] = {}
        for name in streams:
            self._subscribe(name)

    @property
    def kinds(self) -> frozenset[type[Event]]:
        """The events that its subscriptions need."""
        found = set(PRIVATE_EVENTS) if self._account is not None else set()
        for name in self._streams:
            found |= _kinds_of(name)
        return frozenset(found)

    def on_text(self, text: str) -> None:
        """Carry out a request of the client."""
        request_id: object = None
        try:
            request = _parsed(text)
            request_id = request.get("id")
            result = self._result(request)
        except _InvalidRequest as refusal:
            error = {"code": refusal.code, "msg": str(refusal)}
            self.connection.answer({"error": error, "id": request_id})
            return
        self._hub.refresh()
        self.connection.answer({"result": result, "id": request_id})

    def on_event(self, event: Event) -> None:
        """Send what the subscriptions make of an event."""
        if not isinstance(event, TradeMade | KlineChanged | BookChanged):
            message = user_message(event, self._exchange, self._account)
            if message is not None:
                self.connection.tell(message)
            return
        symbol = event.trade.symbol if isinstance(event, TradeMade) else event.symbol
        for name, make in market_candidates(event, self._exchange):
            if name in self._streams and self._is_due(name, symbol, event.time_ms):
                made = make()
                self.connection.tell({"stream": name, "data": made} if self._combined else made)

    def _is_due(self, name: str, symbol: str, time_ms: int) -> bool:
        if not name.endswith(_PACED):
            return True
        told_ms = self._told_ms.get((name, symbol))
        if told_ms is not None and time_ms - told_ms < _TICKER_EVERY_MS:
            return False
        self._told_ms[name, symbol] = time_ms
        return True

    def _result(self, request: dict[str, object]) -> object:
        method = request.get("method")
        if method == "LIST_SUBSCRIPTIONS":
            return list(self._streams)
        if method in {"SUBSCRIBE", "UNSUBSCRIBE"}:
            change = self._subscribe if method == "SUBSCRIBE" else self._unsubscribe
            names = request.get("params")
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise _InvalidRequest(2, "Invalid request: params must be an array of strings")
            for name in names:
                change(name)
            return None
        return self._property(method, request.get("params"))

    def _property(self, method: object, params: object) -> object:
        if method not in _METHODS:
            known = ", ".join(f"`{name}`" for name in _METHODS)
            raise _InvalidRequest(2, f"Invalid request: unknown variant {method}, expected one of {known}")
        if not isinstance(params, list) or not params or params[0] != "combined":
            raise _InvalidRequest(0, "Unknown property")
        if method == "GET_PROPERTY":
            return self._combined
        if len(params) != 2 or not isinstance(params[1], bool):
            raise _InvalidRequest(1, "Invalid value type: expected Boolean")
        self._combined = params[1]
        return None

    def _subscribe(self, name: str) -> None:
        if not is_stream(name):
            raise _InvalidRequest(2, "Invalid request: invalid stream")
        if len(self._streams) >= _MOST_STREAMS:
            raise _InvalidRequest(2, f"Invalid request: more than {_MOST_STREAMS} streams")
        market_id, _, channel = name.partition("@")
        if channel.startswith("kline_"):
            self._watch_klines(market_id, channel.removeprefix("kline_"))
        self._streams[name] = None

    def _watch_klines(self, market_id: str, timeframe: str) -> None:
        symbol = self._exchange.find(market_id.upper())
        if symbol is None:
            # A stream of a market that does not exist is accepted there too, and never says anything.
            return
        try:
            self._exchange.watch_klines(symbol, timeframe)
        except ExchangeRefusal as refusal:
            raise _InvalidRequest(2, "Invalid request: invalid stream") from refusal

    def _unsubscribe(self, name: str) -> None:
        self._streams.pop(name, None)


def is_stream(name: str) -> bool:
    """Return whether a name is one of a stream that this exchange has."""
    return name in _ALL_STREAMS or _SYMBOL_STREAM.fullmatch(name) is not None


def user_message(event: Event, exchange: SimulatedExchange, account: str | None) -> JsonObject | None:
    """Return what a user stream says of a private event; None when it is another account's.

    Parameters
    ----------
    event : Event
        Any private event.
    exchange : SimulatedExchange
        Names the markets.
    account : str or None
        Whose stream.
    """
    if isinstance(event, OrderUpdated) and event.order.account == account:
        return messages.execution_report(event, exchange.market(event.order.symbol).id)
    if isinstance(event, BalancesChanged) and event.account == account:
        return messages.account_position(event)
    if isinstance(event, MoneyMoved) and event.transfer.account == account:
        return messages.balance_update(event)
    return None


def market_candidates(
    event: TradeMade | KlineChanged | BookChanged, exchange: SimulatedExchange
) -> Iterator[Candidate]:
    """Yield the names of all streams that an event belongs to, each with what makes its message.

    Parameters
    ----------
    event : TradeMade, KlineChanged or BookChanged
        What happened.
    exchange : SimulatedExchange
        Asked for tickers and books, when a message is made.
    """
    if isinstance(event, TradeMade):
        market_id = exchange.market(event.trade.symbol).id
        name = market_id.lower()
        yield f"{name}@trade", partial(messages.trade_message, event, market_id)
        yield f"{name}@aggTrade", partial(messages.aggregate_trade_message, event, market_id)
        yield from _mini_ticker_candidates(event, exchange)
    elif isinstance(event, KlineChanged):
        market_id = exchange.market(event.symbol).id
        make = partial(messages.kline_message, event, market_id)
        yield f"{market_id.lower()}@kline_{event.timeframe}", make
    else:
        yield from _book_candidates(event, exchange)


def _mini_ticker_candidates(event: TradeMade, exchange: SimulatedExchange) -> Iterator[Candidate]:
    symbol, time_ms = event.trade.symbol, event.time_ms
    market_id = exchange.market(symbol).id

    def make() -> JsonObject:
        return messages.mini_ticker_message(exchange.day_ticker(symbol), market_id, time_ms)

    yield f"{market_id.lower()}@miniTicker", make
    yield "!miniTicker@arr", lambda: [make()]


def _book_candidates(event: BookChanged, exchange: SimulatedExchange) -> Iterator[Candidate]:
    market_id = exchange.market(event.symbol).id
    name = market_id.lower()
    yield f"{name}@bookTicker", partial(messages.book_ticker_message, event, market_id)
    for pace in ("", "@100ms", "@1000ms"):
        yield f"{name}@depth{pace}", partial(messages.depth_update_message, event, market_id)
        for levels in (5, 10, 20):
            yield f"{name}@depth{levels}{pace}", partial(_partial_depth, exchange, event.symbol, levels)

    def make_ticker() -> JsonObject:
        return messages.ticker_message(exchange.day_ticker(event.symbol), event, market_id)

    # Only here, not at the trade: in the midst of a match there is no top of the book to tell.
    yield f"{name}@ticker", make_ticker
    yield "!ticker@arr", lambda: [make_ticker()]


def _partial_depth(exchange: SimulatedExchange, symbol: str, levels: int) -> JsonObject:
    return messages.partial_depth_message(exchange.depth(symbol, levels))


def _kinds_of(name: str) -> set[type[Event]]:
    if "@kline_" in name:
        return {KlineChanged}
    return {TradeMade} if name.endswith(("@trade", "@aggTrade", "@miniTicker", "!miniTicker@arr")) else {BookChanged}


def _parsed(text: str) -> dict[str, object]:
    try:
        request = json.loads(text)
    except (ValueError, RecursionError) as fault:
        raise _InvalidRequest(3, "Invalid JSON: expected value at line 1 column 1") from fault
    if not isinstance(request, dict):
        raise _InvalidRequest(2, "Invalid request: expected an object")
    if not isinstance(request.get("id"), int | str | None) or isinstance(request.get("id"), bool):
        raise _InvalidRequest(2, "Invalid request: request ID must be an unsigned integer")
    return request
