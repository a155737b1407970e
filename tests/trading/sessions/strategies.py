"""Strategies whose signals a test chooses, so that it knows what the core was told."""

from __future__ import annotations

import numpy as np

from trading.engine.parameters import derive_parameters
from trading.market.candles import Candles
from trading.sessions.strategy import Strategy
from trading.settings import Settings
from trading.signals.records import Action, Regime, Signals, VolatilityClass


def steady(action: Action) -> Strategy:
    """Return a strategy that says the same at every candle, in a calm market without swings."""

    def signals(candles: Candles, settings: Settings) -> Signals:
        n = len(candles)
        return Signals(
            action=np.full(n, action, np.int8),
            confidence=np.full(n, 0.9, np.float32),
            trail=np.full(n, 0.01, np.float32),
            regime=np.full(n, Regime.RANGING, np.int8),
            volatility=np.full(n, VolatilityClass.NORMAL, np.int8),
            swing_high=np.full(n, np.nan),
            swing_low=np.full(n, np.nan),
            swing_size=np.full(n, np.nan, np.float32),
            disagreement=np.zeros(n, np.float32),
            origin_ms=int(candles.timestamp[0]),
            agents=(),
        )

    return Strategy(f"steady {action.name.lower()}", signals, derive_parameters)
