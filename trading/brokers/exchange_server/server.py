"""``ExchangeServer``: the built-in exchange on 127.0.0.1, in this process.

It speaks Binance spot's REST v3, a few wallet endpoints, Binance's WebSocket streams, where fees are taken in quote
currency Coinbase's Advanced Trade API too, and control endpoints under ``/sim``. Signatures are checked by real time,
everything in the market is on market time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from aiohttp import web

from trading.brokers.exchange_server.account_history import AccountHistory
from trading.brokers.exchange_server.binance_gate import BinanceGate
from trading.brokers.exchange_server.binance_market_data import MARKET_DATA
from trading.brokers.exchange_server.binance_stream_endpoints import add_binance_streams
from trading.brokers.exchange_server.binance_trading import TRADING
from trading.brokers.exchange_server.binance_wallet import WALLET
from trading.brokers.exchange_server.coinbase_streams import add_coinbase
from trading.brokers.exchange_server.config import ExchangeConfig, FeeAsset
from trading.brokers.exchange_server.faults import Faults
from trading.brokers.exchange_server.limits import RateLimits
from trading.brokers.exchange_server.market_clock import MarketClock
from trading.brokers.exchange_server.sim_control import SimControl
from trading.brokers.exchange_server.streams import StreamHub, StreamSettings
from trading.brokers.exchange_server.venue import SimulatedExchange
from trading.errors import Refused
from trading.exchange.clock import Clock, SystemClock
from trading.market.candles import Candles

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
_PUMP_S = 0.02
_SHUTDOWN_S = 0.5


class ExchangeServer:
    """A built-in exchange that can be reached over loopback while the context is open.

    Parameters
    ----------
    config : ExchangeConfig
        The exchange.
    candles : sequence of Candles
        Replayed for their symbols.
    port : int
        0 takes a free one.
    clock : Clock, optional
        Real time; None is the machine's.
    """

    def __init__(
        self, config: ExchangeConfig, candles: Sequence[Candles] = (), port: int = 0, clock: Clock | None = None
    ) -> None:
        self.config = config
        self.clock = clock or SystemClock()
        self.exchange = SimulatedExchange(config, candles)
        self.market_clock = MarketClock(self.exchange.now_ms, config.speed, config.lockstep, self.clock)
        self.faults = Faults(config.faults, self.market_clock.now_ms)
        self.limits = RateLimits(config.limits, self.market_clock.now_ms)
        self.history = AccountHistory(self.exchange)
        self.hub = StreamHub(self.exchange, self.faults, StreamSettings(), self.clock)
        self.control = SimControl(self)
        self._port = port
        self._runner: web.AppRunner | None = None
        self._pump: asyncio.Task[None] | None = None
        if config.faults.stale > 0:
            self.history.start()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.add_routes(BinanceGate(self).routes((*MARKET_DATA, *TRADING, *WALLET)))
        app.add_routes(self.control.routes())
        self.listen_keys = add_binance_streams(app, self.hub, self.server_ms)
        if self.config.fee_asset is FeeAsset.QUOTE:
            # Coinbase takes every fee from the quote currency; an exchange that does not cannot speak for it.
            add_coinbase(app, self)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_SHUTDOWN_S)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, HOST, self._port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise Refused(
                f"port {self._port} of {HOST} cannot be opened ({error.strerror}); choose another, or 0 for a free one"
            ) from error
        # Time passes for the exchange from the moment that it can be reached.
        self.market_clock.restart()
        if not self.config.lockstep:
            self._pump = asyncio.get_running_loop().create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pump is not None:
            self._pump.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pump
        await self.hub.close()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def url(self) -> str:
        """Address of the REST endpoints."""
        return f"http://{HOST}:{self.port}"

    @property
    def ws_url(self) -> str:
        """Address of the streams."""
        return f"ws://{HOST}:{self.port}"

    @property
    def port(self) -> int:
        """The port that it listens on."""
        if self._runner is None or not self._runner.addresses:
            raise Refused("the built-in exchange is not open; use it within `async with`")
        return int(self._runner.addresses[0][1])

    def catch_up(self) -> int:
        """Let everything happen up to the present market time, and return it."""
        now_ms = self.market_clock.now_ms()
        self.exchange.advance_to(now_ms)
        return now_ms

    def server_ms(self) -> int:
        """Return the exchange's real time, off by the skew fault; what signatures are checked by."""
        return self.clock.now_ms() + self.faults.skew_ms()

    async def _run(self) -> None:
        while True:
            await self.clock.sleep(_PUMP_S)
            self.catch_up()
