"""Where Binance's WebSockets are: market streams, listen keys and their streams, and the WebSocket API."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

from aiohttp import web

from trading.brokers.exchange_server.binance_stream_messages import JsonObject
from trading.brokers.exchange_server.binance_streams import (
    PRIVATE_EVENTS,
    MarketStreamSession,
    is_stream,
    user_message,
)
from trading.brokers.exchange_server.records import Event, ExchangeRefusal
from trading.brokers.exchange_server.signing import NotAuthorised, Sent, account_of_key, signed_account
from trading.brokers.exchange_server.streams import StreamConnection, StreamHub

_LISTEN_KEY_MS = 3_600_000


class ListenKeys:
    """The listen keys that have been given out, and when they end.

    Parameters
    ----------
    now_ms : callable
        Market time.
    seed : str
        What the keys are made of; an exchange started anew gives others.
    """

    def __init__(self, now_ms: Callable[[], int], seed: str) -> None:
        self._now_ms = now_ms
        self._seed = seed
        self._count = 0
        self._ends: dict[str, tuple[str, int]] = {}

    def create(self, account: str) -> str:
        """Return the account's valid key, prolonged, or a new one."""
        for key, (owner, _) in self._ends.items():
            if owner == account and self.account_of(key) is not None:
                self._ends[key] = (account, self._now_ms() + _LISTEN_KEY_MS)
                return key
        self._count += 1
        key = hashlib.sha256(f"{self._seed}:{account}:{self._count}".encode()).hexdigest()
        self._ends[key] = (account, self._now_ms() + _LISTEN_KEY_MS)
        return key

    def prolong(self, key: str, account: str) -> None:
        """Let a key live another hour.

        Raises
        ------
        ExchangeRefusal
            -1125 when the account has no such key.
        """
        self._require(key, account)
        self._ends[key] = (account, self._now_ms() + _LISTEN_KEY_MS)

    def close(self, key: str, account: str) -> None:
        """End a key.

        Raises
        ------
        ExchangeRefusal
            -1125 when the account has no such key.
        """
        self._require(key, account)
        del self._ends[key]

    def account_of(self, key: str) -> str | None:
        """Return whose key it is; None when it is unknown or has ended."""
        owner, end_ms = self._ends.get(key, ("", 0))
        return owner if end_ms > self._now_ms() else None

    def _require(self, key: str, account: str) -> None:
        if self.account_of(key) != account:
            raise ExchangeRefusal(-1125, "This listenKey does not exist.")


class WebSocketApiSession:
    """One connection to ``/ws-api/v3``: time, ping, and user streams by signature.

    Parameters
    ----------
    connection : StreamConnection
        Where messages go.
    hub : StreamHub
        Gives the exchange.
    server_ms : callable
        The clock that signatures are checked by.
    """

    def __init__(self, connection: StreamConnection, hub: StreamHub, server_ms: Callable[[], int]) -> None:
        self.connection = connection
        self._hub = hub
        self._server_ms = server_ms
        self._subscriptions: dict[int, str] = {}
        self._count = 0

    @property
    def kinds(self) -> frozenset[type[Event]]:
        """The events that its subscriptions need."""
        return PRIVATE_EVENTS if self._subscriptions else frozenset()

    def on_event(self, event: Event) -> None:
        """Send what the subscriptions make of an event."""
        for number, account in self._subscriptions.items():
            message = user_message(event, self._hub.exchange, account)
            if message is not None:
                self.connection.tell({"subscriptionId": number, "event": message})

    def on_text(self, text: str) -> None:
        """Carry out a request of the client."""
        request_id: object = None
        try:
            request = _request(text)
            request_id = request.get("id")
            result = self._result(request)
        except ExchangeRefusal as refusal:
            status = 401 if isinstance(refusal, NotAuthorised) else 400
            error = {"code": refusal.code, "msg": refusal.text}
            self.connection.answer({"id": request_id, "status": status, "error": error})
            return
        self._hub.refresh()
        self.connection.answer({"id": request_id, "status": 200, "result": result})

    def _result(self, request: dict[str, object]) -> JsonObject:
        method, params = request.get("method"), request.get("params") or {}
        if not isinstance(params, dict):
            raise ExchangeRefusal(-1102, "Mandatory parameter 'params' was not sent, was empty/null, or malformed.")
        if method == "ping":
            return {}
        if method == "time":
            return {"serverTime": self._server_ms()}
        if method == "userDataStream.subscribe.signature":
            return self._subscribe(params)
        if method == "userDataStream.unsubscribe":
            return self._unsubscribe(params)
        raise ExchangeRefusal(-1000, f"Unknown method: {method}.")

    def _subscribe(self, params: dict[str, object]) -> JsonObject:
        values = {name: str(value) for name, value in params.items()}
        query = "&".join(f"{name}={values[name]}" for name in sorted(values))
        account = signed_account(self._hub.exchange, Sent(query, "", values, values.get("apiKey")), self._server_ms())
        number = self._count
        self._count += 1
        self._subscriptions[number] = account.name
        return {"subscriptionId": number}

    def _unsubscribe(self, params: dict[str, object]) -> JsonObject:
        number = params.get("subscriptionId")
        if number is None:
            self._subscriptions.clear()
        elif not isinstance(number, int) or self._subscriptions.pop(number, None) is None:
            raise ExchangeRefusal(-1102, "Mandatory parameter 'subscriptionId' was not sent, or malformed.")
        return {}


def add_binance_streams(app: web.Application, hub: StreamHub, server_ms: Callable[[], int]) -> ListenKeys:
    """Add Binance's WebSocket endpoints, and those of its listen keys, to a server.

    Parameters
    ----------
    app : web.Application
        Gets ``/ws``, ``/stream``, ``/ws-api/v3`` and ``/api/v3/userDataStream``.
    hub : StreamHub
        Gives the exchange, and keeps the connections.
    server_ms : callable
        The clock that signatures are checked by.

    Returns
    -------
    ListenKeys
        Those that the server gives out.
    """
    keys = ListenKeys(hub.now_ms, f"{hub.exchange.config.seed}:{server_ms()}")

    async def market_streams(request: web.Request) -> web.StreamResponse:
        names = _names_in(request)
        combined = request.path.startswith("/stream")
        accounts = [account for name in names if (account := keys.account_of(name)) is not None]
        # Other names are no streams: clients number their connections that way.
        streams = tuple(name for name in names if is_stream(name))
        connection = StreamConnection(request, hub)
        session = MarketStreamSession(
            connection, hub, streams, combined=combined, account=accounts[0] if accounts else None
        )
        return await hub.serve(session, session.on_text)

    async def websocket_api(request: web.Request) -> web.StreamResponse:
        session = WebSocketApiSession(StreamConnection(request, hub), hub, server_ms)
        return await hub.serve(session, session.on_text)

    async def listen_key(request: web.Request) -> web.Response:
        try:
            account = account_of_key(hub.exchange, request.headers.get("X-MBX-APIKEY"))
            if request.method == "POST":
                return web.json_response({"listenKey": keys.create(account.name)})
            fields = {**request.query, **await request.post()}
            change = keys.prolong if request.method == "PUT" else keys.close
            change(str(fields.get("listenKey")), account.name)
        except ExchangeRefusal as refusal:
            status = 401 if isinstance(refusal, NotAuthorised) else 400
            return web.json_response({"code": refusal.code, "msg": refusal.text}, status=status)
        return web.json_response({})

    for path in ("/ws", "/ws/{names:.*}", "/stream", "/stream/{names:.*}"):
        app.router.add_get(path, market_streams)
    app.router.add_get("/ws-api/v3", websocket_api)
    for method in ("POST", "PUT", "DELETE"):
        app.router.add_route(method, "/api/v3/userDataStream", listen_key)
    return keys


def _names_in(request: web.Request) -> tuple[str, ...]:
    text = request.match_info.get("names", "") or request.query.get("streams", "")
    return tuple(name for name in text.split("/") if name)


def _request(text: str) -> dict[str, object]:
    try:
        request = json.loads(text)
    except (ValueError, RecursionError) as fault:
        raise ExchangeRefusal(-1000, "Invalid JSON.") from fault
    if not isinstance(request, dict):
        raise ExchangeRefusal(-1000, "Invalid request: expected an object.")
    return request
