"""The Coinbase dialect on a loopback port, in the test's own event loop, and unmodified ccxt clients for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import ccxt.pro
from aiohttp import web

from trading.brokers.exchange_server.account_history import AccountHistory
from trading.brokers.exchange_server.coinbase_auth import CoinbaseKey
from trading.brokers.exchange_server.coinbase_gate import CoinbaseLimits
from trading.brokers.exchange_server.coinbase_streams import add_coinbase
from trading.brokers.exchange_server.config import TEST_KEY, TEST_SECRET, ExchangeConfig
from trading.brokers.exchange_server.faults import Faults
from trading.brokers.exchange_server.streams import StreamHub, StreamSettings
from trading.brokers.exchange_server.venue import SimulatedExchange
from trading.exchange.clock import Clock, SystemClock

SYMBOL = "BTC/USD"
PRODUCT = "BTC-USD"
KEY = CoinbaseKey.derived(TEST_KEY, TEST_SECRET)
TIMEOUT_S = 20.0
WIDE_LIMITS = CoinbaseLimits(10_000, 10_000)
DEFAULT_SETTINGS = StreamSettings()


def config(**changes: object) -> ExchangeConfig:
    """Return a quiet exchange: the price moves only when a test pushes it."""
    values: dict[str, object] = {
        "symbols": (SYMBOL,),
        "flow": "still",
        "fee_asset": "quote",
        "start_price": 30_000.0,
        "history": 400,
        "accounts": ({"balances": {"USD": Decimal(10_000), "BTC": Decimal(1)}},),
        "market": {"tick_size": "0.01", "lot_size": "0.0001", "min_notional": "1"},
    }
    return ExchangeConfig.model_validate(values | changes)


class CoinbaseVenue:
    """A running server and what tests reach into; market time stands still unless a test moves it."""

    def __init__(self, settings: StreamSettings, clock: Clock, **changes: object) -> None:
        self.exchange = SimulatedExchange(config(**changes))
        self.faults = Faults(self.exchange.config.faults, lambda: self.exchange.now_ms)
        self.history = AccountHistory(self.exchange)
        self.clock = clock
        self.hub = StreamHub(self.exchange, self.faults, settings, clock)
        self.port = 0
        self.clients: list[Any] = []
        self.history.start()

    def catch_up(self) -> int:
        return self.exchange.now_ms

    def server_ms(self) -> int:
        return SystemClock().now_ms() + self.faults.skew_ms()

    def client(self, *, key: CoinbaseKey = KEY, **options: object) -> Any:
        """Return unmodified ccxt.pro, all its URLs on this server."""
        made = ccxt.pro.coinbase(
            {
                "apiKey": key.name,
                "secret": key.private_pem,
                "enableRateLimit": False,
                "options": {"fetchBalance": "v3PrivateGetBrokerageAccounts", **options},
            }
        )
        made.urls["api"] = {"rest": f"http://127.0.0.1:{self.port}", "ws": f"ws://127.0.0.1:{self.port}"}
        self.clients.append(made)
        return made


@asynccontextmanager
async def running(
    *,
    limits: CoinbaseLimits = WIDE_LIMITS,
    settings: StreamSettings = DEFAULT_SETTINGS,
    clock: Clock | None = None,
    **changes: object,
) -> AsyncIterator[CoinbaseVenue]:
    """Run a server until the block ends, then close it and all clients."""
    venue = CoinbaseVenue(settings, clock or SystemClock(), **changes)
    app = web.Application()
    add_coinbase(app, venue, limits)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    venue.port = runner.addresses[0][1]
    try:
        yield venue
    finally:
        for client in venue.clients:
            await client.close()
        await venue.hub.close()
        await runner.cleanup()


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    """Run a scenario to its end, or fail when it hangs."""
    asyncio.run(asyncio.wait_for(scenario(), TIMEOUT_S))
