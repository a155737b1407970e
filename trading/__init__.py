"""The trading core: candles in, audited grid trades out; names load on first use, so importing it costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trading.lazy import on_first_use

if TYPE_CHECKING:
    from trading.errors import GridBotError
    from trading.market.candles import Candles
    from trading.market.rules import Market
    from trading.report.result import BacktestResult
    from trading.sessions.backtest import backtest
    from trading.setting_sources import load_settings
    from trading.settings import RiskProfile, Settings

__version__ = "0.1.0"

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

__getattr__ = on_first_use(
    __name__,
    {
        "BacktestResult": "report.result",
        "Candles": "market.candles",
        "GridBotError": "errors",
        "Market": "market.rules",
        "RiskProfile": "settings",
        "Settings": "settings",
        "backtest": "sessions.backtest",
        "load_settings": "setting_sources",
    },
)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
