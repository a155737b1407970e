"""Coinbase's WebSocket: channels with numbered messages, a snapshot first, and the user's own orders by token."""

from __future__ import annotations

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trading.brokers.exchange_server import coinbase_messages as messages
from trading.brokers.exchange_server.coinbase_auth import TokenRefused
from trading.brokers.exchange_server.coinbase_dialect import CoinbaseRefusal
from trading.brokers.exchange_server.coinbase_gate import REAL_LIMITS, CoinbaseHost, CoinbaseLimits
from trading.brokers.exchange_server.coinbase_messages import JsonObject
from trading.brokers.exchange_server.coinbase_rest import CoinbaseServer
from trading.brokers.exchange_server.records import BookChanged, Event, KlineChanged, OrderUpdated, TradeMade
from trading.brokers.exchange_server.streams import StreamConnection, StreamHub

_WHOLE_BOOK = 5_000
_SNAPSHOT_TRADES = 50
_SNAPSHOT_ORDERS = 50
_BATCH_EVERY_MS = 5_000
_HEARTBEAT_S = 1.0
_CANDLES = "5m"
_SNAPSHOT_CANDLES = 100
# What a channel is called in its messages, where that is another name.
_MESSAGE_CHANNELS = {"level2": "l2_data"}
_KINDS: dict[str, frozenset[type[Event]]] = {
    "heartbeats": frozenset(),
    "candles": frozenset({KlineChanged}),
    "ticker": frozenset({TradeMade, BookChanged}),
    "ticker_batch": frozenset({TradeMade}),
    "level2": frozenset({BookChanged}),
    "market_trades": frozenset({TradeMade}),
    "user": frozenset({OrderUpdated}),
}


class _Subscription(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    type: str
    channel: str
    product_ids: list[str] = Field(default_factory=list)
    jwt: str | None = None


class _RefusedRequest(Exception):
    pass


class CoinbaseStreamSession:
    """One connection.

    Parameters
    ----------
    connection : StreamConnection
        Where messages go.
    hub : StreamHub
        Gives the exchange.
    server : CoinbaseServer
        Knows keys and orders.
    """

    def __init__(self, connection: StreamConnection, hub: StreamHub, server: CoinbaseServer) -> None:
        self.connection = connection
        self._hub = hub
        self._server = server
        self._exchange = hub.exchange
        self._channels: dict[str, set[str]] = {}
        self._account: str | None = None
        self._sequence = 0
        self._beats = 0
        self._traded: set[str] = set()
        self._batched_ms: dict[str, int] = {}

    @property
    def kinds(self) -> frozenset[type[Event]]:
        """The events that its channels need."""
        return frozenset[type[Event]]().union(*(_KINDS[channel] for channel in self._channels))

    def on_text(self, text: str) -> None:
        """Carry out a request of the client."""
        try:
            request = _Subscription.model_validate_json(text)
            self._carry_out(request)
        except (_RefusedRequest, CoinbaseRefusal) as refusal:
            self.connection.answer({"type": "error", "message": str(refusal)})
        except ValidationError:
            self.connection.answer({"type": "error", "message": "failure to subscribe: malformed request"})

    def on_event(self, event: Event) -> None:
        """Send what the channels make of an event."""
        if isinstance(event, OrderUpdated):
            self._on_order(event)
        elif isinstance(event, TradeMade):
            self._on_trade(event)
        elif isinstance(event, BookChanged):
            self._on_book(event)
        elif isinstance(event, KlineChanged):
            self._on_kline(event)

    def beat(self) -> None:
        """Send a heartbeat to who has asked for them."""
        if "heartbeats" in self._channels:
            self._beats += 1
            moment = messages.time_text(self._exchange.now_ms).replace("T", " ").replace("Z", " +0000 UTC")
            self._tell("heartbeats", [{"current_time": moment, "heartbeat_counter": self._beats}])

    def _carry_out(self, request: _Subscription) -> None:
        if request.type not in {"subscribe", "unsubscribe"}:
            raise _RefusedRequest(f"unknown request type {request.type}")
        if request.channel not in _KINDS:
            raise _RefusedRequest(f"channel {request.channel} does not exist")
        if request.jwt is not None or request.channel == "user":
            self._authenticate(request.jwt)
        if request.type == "unsubscribe":
            self._unsubscribe(request)
            return
        products = self._products(request)
        for product_id in products:
            self._begin(request.channel, product_id)
        if request.channel == "user":
            self._send_open_orders(products)
        self._channels.setdefault(request.channel, set()).update(products)
        self._hub.refresh()
        self._tell_subscriptions()

    def _authenticate(self, token: str | None) -> None:
        try:
            account = self._server.keyring.account_of(token or "", None)
        except TokenRefused as refusal:
            raise _RefusedRequest("authentication failure") from refusal
        if self._account not in {None, account}:
            raise _RefusedRequest("this connection belongs to another key")
        self._account = account

    def _products(self, request: _Subscription) -> tuple[str, ...]:
        if request.product_ids or request.channel == "heartbeats":
            return tuple(self._exchange.market(self._symbol(name)).product_id for name in request.product_ids)
        return tuple(self._exchange.market(symbol).product_id for symbol in self._exchange.symbols)

    def _symbol(self, product_id: str) -> str:
        return self._server.dialect.symbol_of(product_id)

    def _unsubscribe(self, request: _Subscription) -> None:
        left = self._channels.get(request.channel, set())
        left -= set(request.product_ids) if request.product_ids else set(left)
        if not left:
            self._channels.pop(request.channel, None)
        self._hub.refresh()
        self._tell_subscriptions()

    def _begin(self, channel: str, product_id: str) -> None:
        """Send a product's snapshot; the events after it are what changes it."""
        symbol, now_ms = self._symbol(product_id), self._exchange.now_ms
        if channel == "level2":
            depth = self._exchange.depth(symbol, _WHOLE_BOOK)
            self._tell(channel, [messages.level2_snapshot(depth, product_id, now_ms)])
        elif channel == "market_trades":
            trades = reversed(self._exchange.recent_trades(symbol, _SNAPSHOT_TRADES))
            told = [messages.market_trade(trade, product_id) for trade in trades]
            if told:
                self._tell(channel, [{"type": "snapshot", "trades": told}])
        elif channel in {"ticker", "ticker_batch"}:
            ticker = self._ticker(symbol, None)
            self._tell(channel, [{"type": "snapshot", "tickers": [ticker]}])
        elif channel == "candles":
            self._exchange.watch_klines(symbol, _CANDLES)
            klines = self._exchange.klines(symbol, _CANDLES, limit=_SNAPSHOT_CANDLES)
            told = [{**messages.candle(kline), "product_id": product_id} for kline in reversed(klines)]
            self._tell(channel, [{"type": "snapshot", "candles": told}])

    def _send_open_orders(self, products: tuple[str, ...]) -> None:
        account = self._account or ""
        orders = [
            self._server.dialect.stream_told(order)
            for order in self._exchange.open_orders(account)
            if self._exchange.market(order.symbol).product_id in products
        ]
        # A snapshot ends with a batch that is not full, so that clients know that it is whole.
        for first in range(0, len(orders) + 1, _SNAPSHOT_ORDERS):
            self._tell("user", [{"type": "snapshot", "orders": orders[first : first + _SNAPSHOT_ORDERS]}])

    def _on_order(self, event: OrderUpdated) -> None:
        order = event.order
        if order.account == self._account and self._wants("user", order.symbol):
            told = self._server.dialect.stream_told(order)
            self._tell("user", [{"type": "update", "orders": [told]}], event.time_ms)

    def _on_trade(self, event: TradeMade) -> None:
        trade = event.trade
        if self._wants("market_trades", trade.symbol):
            told = messages.market_trade(trade, self._exchange.market(trade.symbol).product_id)
            self._tell("market_trades", [{"type": "update", "trades": [told]}], event.time_ms)
        if self._wants("ticker", trade.symbol):
            # The top of the book is known when the match is over: the book's change tells it.
            self._traded.add(trade.symbol)
        told_ms = self._batched_ms.get(trade.symbol)
        due = told_ms is None or event.time_ms - told_ms >= _BATCH_EVERY_MS
        if due and self._wants("ticker_batch", trade.symbol):
            self._batched_ms[trade.symbol] = event.time_ms
            ticker = self._ticker(trade.symbol, None)
            self._tell("ticker_batch", [{"type": "update", "tickers": [ticker]}], event.time_ms)

    def _on_book(self, event: BookChanged) -> None:
        if self._wants("level2", event.symbol):
            product_id = self._exchange.market(event.symbol).product_id
            self._tell("level2", [messages.level2_update(event, product_id)], event.time_ms)
        if event.symbol in self._traded:
            self._traded.discard(event.symbol)
            ticker = self._ticker(event.symbol, event)
            self._tell("ticker", [{"type": "update", "tickers": [ticker]}], event.time_ms)

    def _on_kline(self, event: KlineChanged) -> None:
        if event.timeframe == _CANDLES and self._wants("candles", event.symbol):
            product_id = self._exchange.market(event.symbol).product_id
            told = {**messages.candle(event.kline), "product_id": product_id}
            self._tell("candles", [{"type": "update", "candles": [told]}], event.time_ms)

    def _ticker(self, symbol: str, event: BookChanged | None) -> JsonObject:
        return messages.stream_ticker(self._exchange.market(symbol), self._exchange.day_ticker(symbol), event)

    def _wants(self, channel: str, symbol: str) -> bool:
        products = self._channels.get(channel)
        return products is not None and self._exchange.market(symbol).product_id in products

    def _tell_subscriptions(self) -> None:
        channels = {name: sorted(products) for name, products in self._channels.items()}
        self._tell("subscriptions", [{"subscriptions": channels}])

    def _tell(self, channel: str, events: list[JsonObject], time_ms: int | None = None) -> None:
        message = {
            "channel": _MESSAGE_CHANNELS.get(channel, channel),
            "client_id": "",
            "timestamp": messages.time_text(self._exchange.now_ms if time_ms is None else time_ms),
            "sequence_num": self._sequence,
            "events": events,
        }
        self._sequence += 1
        self.connection.tell(message)


def add_coinbase(app: web.Application, host: CoinbaseHost, limits: CoinbaseLimits = REAL_LIMITS) -> CoinbaseServer:
    """Add the Coinbase dialect to a server: REST, and WebSocket for market and user channels alike.

    Parameters
    ----------
    app : web.Application
        Gets ``/api/v3/brokerage/...``, the few of ``/v2`` that ccxt asks, and ``/`` and ``/coinbase-ws``.
    host : CoinbaseHost
        The server; its exchange must take fees in quote currency.
    limits : CoinbaseLimits
        Requests a second.

    Returns
    -------
    CoinbaseServer
        Its answers and its keys.

    Raises
    ------
    UsageError
        When the exchange takes fees from what is received.
    """
    server = CoinbaseServer(host, limits)
    server.add_to(app)

    async def connect(request: web.Request) -> web.StreamResponse:
        session = CoinbaseStreamSession(StreamConnection(request, host.hub), host.hub, server)
        session.connection.every(_HEARTBEAT_S, session.beat)
        return await host.hub.serve(session, session.on_text)

    for path in ("/", "/coinbase-ws"):
        app.router.add_get(path, connect)
    return server
