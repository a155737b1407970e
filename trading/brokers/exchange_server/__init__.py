"""The built-in exchange: a simulated spot exchange, and a server that speaks for it as Binance and as Coinbase do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trading.lazy import on_first_use

if TYPE_CHECKING:
    from trading.brokers.exchange_server.config import ExchangeConfig
    from trading.brokers.exchange_server.server import ExchangeServer
    from trading.brokers.exchange_server.venue import SimulatedExchange

__all__ = ["ExchangeConfig", "ExchangeServer", "SimulatedExchange"]

__getattr__ = on_first_use(
    __name__, {"ExchangeConfig": "config", "ExchangeServer": "server", "SimulatedExchange": "venue"}
)
