"""Small exchanges for the tests, and a real client of one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import numpy as np

from trading.brokers.exchange_server.config import (
    TEST_KEY,
    TEST_SECRET,
    AccountConfig,
    ExchangeConfig,
    FlowKind,
)
from trading.brokers.exchange_server.records import OrderRequest, OrderType, Side, TimeInForce
from trading.brokers.exchange_server.server import ExchangeServer
from trading.brokers.exchange_server.venue import SimulatedExchange
from trading.exchange import open_exchange
from trading.market.candles import Candles

BTC = "BTC/USDT"
RICH = {"USDT": Decimal(1_000_000), "BTC": Decimal(100)}
MINUTE = 60_000


def account(name: str = "main", **balances: str) -> AccountConfig:
    """A customer whose key is `key-of-NAME`."""
    amounts = {asset: Decimal(amount) for asset, amount in balances.items()} or RICH
    return AccountConfig(name=name, api_key=f"key-of-{name}", secret=f"secret-of-{name}", balances=amounts)


def still(price: float = 100.0, **changes: Any) -> SimulatedExchange:
    """An exchange whose price moves only when it is pushed."""
    defaults: dict[str, Any] = {
        "flow": FlowKind.STILL,
        "start_price": price,
        "history": 10,
        "accounts": (account("main"), account("other")),
    }
    return SimulatedExchange(ExchangeConfig(**(defaults | changes)))


def limit(side: Side, quantity: str, price: str, client_id: str | None = None, **changes: Any) -> OrderRequest:
    kind = changes.pop("type", OrderType.LIMIT)
    return OrderRequest(BTC, side, kind, Decimal(quantity), Decimal(price), client_id=client_id, **changes)


def fill_or_kill(side: Side, quantity: str, price: str) -> OrderRequest:
    return limit(side, quantity, price, time_in_force=TimeInForce.FOK)


def market(side: Side, quantity: str) -> OrderRequest:
    return OrderRequest(BTC, side, OrderType.MARKET, Decimal(quantity))


def candles(rows: list[tuple[float, float, float, float, float]], timeframe_ms: int = MINUTE) -> Candles:
    """Candles of open, high, low, close, volume from 2025 on, one minute each."""
    columns = np.array(rows, dtype=np.float64).T
    opens = 1_735_689_600_000 + timeframe_ms * np.arange(len(rows), dtype=np.int64)
    return Candles(BTC, "1m", opens, *columns)


@asynccontextmanager
async def served(**changes: Any) -> AsyncIterator[tuple[ExchangeServer, Any]]:
    """A lock-step exchange on loopback, and an unmodified ccxt client of it that does not wait."""
    wealth = AccountConfig(api_key=TEST_KEY, secret=TEST_SECRET, balances=RICH)
    defaults: dict[str, Any] = {"lockstep": True, "flow": FlowKind.STILL, "start_price": 100.0, "accounts": (wealth,)}
    async with ExchangeServer(ExchangeConfig(**(defaults | changes))) as server:
        client = ccxt_client(server)
        try:
            yield server, client
        finally:
            await client.close()


def ccxt_client(server: ExchangeServer, key: str = TEST_KEY, secret: str = TEST_SECRET) -> Any:
    client: Any = open_exchange("binance", server.url, 5_000)
    client.apiKey, client.secret = key, secret
    client.enableRateLimit = False
    client.timeout_on_exit = 0
    return client
