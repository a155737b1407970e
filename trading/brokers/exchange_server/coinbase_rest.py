"""Coinbase's REST endpoints on the built-in exchange: tokens, rate limits, routes and error answers."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from trading.brokers.exchange_server.accounts import Account
from trading.brokers.exchange_server.coinbase_auth import CoinbaseKey, TokenRefused, named_key, verify_token
from trading.brokers.exchange_server.coinbase_dialect import CoinbaseDialect, CoinbaseRefusal
from trading.brokers.exchange_server.coinbase_gate import (
    REAL_LIMITS,
    CoinbaseHost,
    CoinbaseLimits,
    Handler,
    SecondCounts,
    error_body,
    guarded,
    too_many,
)
from trading.brokers.exchange_server.coinbase_messages import JsonObject
from trading.brokers.exchange_server.coinbase_requests import (
    AccountsQuery,
    CancelOrders,
    CandlesQuery,
    CreateOrder,
    FillsQuery,
    OrdersQuery,
    TradesQuery,
)

logger = logging.getLogger(__name__)

M = TypeVar("M", bound=BaseModel)
Answer = Callable[[web.Request], JsonObject]
PrivateAnswer = Callable[[web.Request, str], "JsonObject | Awaitable[JsonObject]"]


class Keyring:
    """The keys of all accounts.

    Parameters
    ----------
    accounts : iterable of Account
        Each gets the key pair that belongs to its API key and secret.
    server_ms : callable
        The clock that tokens are checked by.
    """

    def __init__(self, accounts: Iterable[Account], server_ms: Callable[[], int]) -> None:
        pairs = ((CoinbaseKey.derived(account.api_key, account.secret), account.name) for account in accounts)
        self._keys = {key.name: (key, name) for key, name in pairs}
        self._server_ms = server_ms

    def account_of(self, token: str, uri: str | None) -> str:
        """Return the account whose key signed a token.

        Parameters
        ----------
        token : str
            The token.
        uri : str or None
            ``METHOD host/path`` for REST, None for WebSocket.

        Raises
        ------
        TokenRefused
            When it is nobody's or not good.
        """
        key, account = self._keys.get(named_key(token), (None, ""))
        if key is None:
            raise TokenRefused("The token names a key that no account has; check its kid.")
        verify_token(token, key, self._server_ms() / 1000, uri)
        return account


class CoinbaseServer:
    """The endpoints, and what they all share.

    Parameters
    ----------
    host : CoinbaseHost
        The server; its exchange must take fees in quote currency.
    limits : CoinbaseLimits
        Requests a second.

    Raises
    ------
    UsageError
        When the exchange takes fees from what is received.
    """

    def __init__(self, host: CoinbaseHost, limits: CoinbaseLimits = REAL_LIMITS) -> None:
        self.dialect = CoinbaseDialect(host.exchange, host.faults, host.history)
        self.keyring = Keyring(host.exchange.accounts.values(), host.server_ms)
        self._host = host
        self._limits = limits
        self._counts = SecondCounts(host.catch_up)

    def add_to(self, app: web.Application) -> None:
        """Add all routes to a server."""
        self._add_public(app)
        self._add_private(app)

    def _add_public(self, app: web.Application) -> None:
        dialect = self.dialect
        shared: dict[str, Answer] = {
            "/products": lambda request: dialect.products(request.query.get("product_type")),
            "/product_book": lambda request: dialect.book(_required(request, "product_id"), _limit(request)),
            "/products/{product_id}": lambda request: dialect.product(_product(request)),
            "/products/{product_id}/candles": lambda request: dialect.candles(
                _product(request), _query(request, CandlesQuery)
            ),
            "/products/{product_id}/ticker": lambda request: dialect.trades(
                _product(request), _query(request, TradesQuery)
            ),
        }
        for path, answer in shared.items():
            app.router.add_get(f"/api/v3/brokerage/market{path}", self._public(answer))
            app.router.add_get(f"/api/v3/brokerage{path}", self._private(_for_all(answer)))
        others: dict[str, Answer] = {
            "/api/v3/brokerage/time": lambda _: self._time(),
            "/v2/time": lambda _: {"data": {"iso": self._iso(), "epoch": self._host.server_ms() // 1000}},
            "/v2/currencies": lambda _: {"data": []},
            "/v2/currencies/crypto": lambda _: {"data": []},
            "/v2/exchange-rates": lambda _: self._rates(),
        }
        for path, answer in others.items():
            app.router.add_get(path, self._public(answer))

    def _add_private(self, app: web.Application) -> None:
        dialect = self.dialect
        reads: dict[str, PrivateAnswer] = {
            "/api/v3/brokerage/best_bid_ask": lambda request, _: dialect.best_prices(
                request.query.getall("product_ids", [])
            ),
            "/api/v3/brokerage/accounts": lambda request, account: dialect.accounts(
                account, _query(request, AccountsQuery)
            ),
            "/v2/accounts": lambda _, account: dialect.wallets(account),
            "/api/v3/brokerage/transaction_summary": lambda _, account: dialect.transaction_summary(account),
            "/api/v3/brokerage/key_permissions": lambda _, account: dialect.key_permissions(account),
            "/api/v3/brokerage/orders/historical/batch": lambda request, account: dialect.orders(
                account, _query(request, OrdersQuery)
            ),
            "/api/v3/brokerage/orders/historical/fills": lambda request, account: dialect.fills(
                account, _query(request, FillsQuery)
            ),
            "/api/v3/brokerage/orders/historical/{order_id}": lambda request, account: dialect.order(
                account, request.match_info["order_id"]
            ),
        }
        for path, answer in reads.items():
            app.router.add_get(path, self._private(answer))

        async def place(request: web.Request, account: str) -> JsonObject:
            return dialect.place(account, await _body(request, CreateOrder))

        async def cancel(request: web.Request, account: str) -> JsonObject:
            return dialect.cancel(account, await _body(request, CancelOrders))

        app.router.add_post("/api/v3/brokerage/orders", self._private(place))
        app.router.add_post("/api/v3/brokerage/orders/batch_cancel", self._private(cancel))

    def _public(self, answer: Answer) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            free, headers = self._counts.take(f"address {request.remote}", self._limits.public_per_s)
            return _answered(lambda: answer(request), headers) if free else too_many(headers)

        return guarded(self._host, handle)

    def _private(self, answer: PrivateAnswer) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            token = request.headers.get("Authorization", "").removeprefix("Bearer ")
            try:
                account = self.keyring.account_of(token, f"{request.method} {request.host}{request.path}")
            except TokenRefused as refusal:
                logger.info("token_refused path=%s why=%s", request.path, refusal)
                return web.Response(status=401, text="Unauthorized\n")
            free, headers = self._counts.take(f"account {account}", self._limits.private_per_s)
            if not free:
                return too_many(headers)
            try:
                answered = answer(request, account)
                body = answered if isinstance(answered, dict) else await answered
            except (CoinbaseRefusal, ValidationError) as refusal:
                return _refused(refusal, headers)
            return web.json_response(body, headers=headers)

        return guarded(self._host, handle)

    def _time(self) -> JsonObject:
        now_ms = self._host.server_ms()
        return {"iso": self._iso(), "epochSeconds": str(now_ms // 1000), "epochMillis": str(now_ms)}

    def _iso(self) -> str:
        return f"{datetime.fromtimestamp(self._host.server_ms() // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"

    def _rates(self) -> JsonObject:
        rates = {"USD": "1"}
        for symbol in self.dialect.exchange.symbols:
            rules = self.dialect.exchange.market(symbol)
            rates.setdefault(rules.quote, "1")
            rates[rules.base] = f"{1 / self.dialect.exchange.last_price(symbol):.18f}"
        return {"data": {"currency": "USD", "rates": rates}}


def _for_all(answer: Answer) -> PrivateAnswer:
    return lambda request, _: answer(request)


def _answered(answer: Callable[[], JsonObject], headers: dict[str, str]) -> web.Response:
    try:
        return web.json_response(answer(), headers=headers)
    except (CoinbaseRefusal, ValidationError) as refusal:
        return _refused(refusal, headers)


def _refused(refusal: CoinbaseRefusal | ValidationError, headers: dict[str, str]) -> web.Response:
    if isinstance(refusal, CoinbaseRefusal):
        return web.json_response(refusal.body, status=refusal.status, headers=headers)
    problem = refusal.errors()[0]
    text = f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
    return web.json_response(error_body("INVALID_ARGUMENT", text), status=400, headers=headers)


def _product(request: web.Request) -> str:
    return request.match_info["product_id"]


def _required(request: web.Request, name: str) -> str:
    value = request.query.get(name)
    if not value:
        raise CoinbaseRefusal(400, "INVALID_ARGUMENT", f"{name} is required")
    return value


def _limit(request: web.Request) -> int:
    text = request.query.get("limit", "100")
    return min(int(text), 1000) if text.isascii() and text.isdigit() and int(text) else 100


def _query(request: web.Request, model: type[M]) -> M:
    values: dict[str, object] = {}
    for name in set(request.query):
        given = request.query.getall(name)
        field = model.model_fields.get(name)
        values[name] = given if field is not None and field.default_factory is list else given[-1]
    return model.model_validate(values)


async def _body(request: web.Request, model: type[M]) -> M:
    try:
        content = json.loads(await request.text())
    except (ValueError, RecursionError) as fault:
        raise CoinbaseRefusal(400, "INVALID_ARGUMENT", "the body is not JSON") from fault
    return model.model_validate(content)
