"""The trading core: candles in, audited grid trades out; names load on first use, so importing it costs nothing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trading.errors import GridBotError
    from trading.market.candles import Candles
    from trading.market.rules import Market
    from trading.report.result import BacktestResult
    from trading.sessions.backtest import backtest
    from trading.settings import RiskProfile, Settings, load_settings

__version__ = "0.1.0"

_HOMES = {
    "BacktestResult": "trading.report.result",
    "Candles": "trading.market.candles",
    "GridBotError": "trading.errors",
    "Market": "trading.market.rules",
    "RiskProfile": "trading.settings",
    "Settings": "trading.settings",
    "backtest": "trading.sessions.backtest",
    "load_settings": "trading.settings",
}

__all__ = [
    "BacktestResult",
    "Candles",
    "GridBotError",
    "Market",
    "RiskProfile",
    "Settings",
    "backtest",
    "load_settings",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'trading' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
