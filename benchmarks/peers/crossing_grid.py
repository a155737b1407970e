"""The same crossing grid in other frameworks; each function needs its framework installed."""

from __future__ import annotations

import math
from time import perf_counter

import numpy as np

from trading.market.candles import Candles

LEVELS = 1.005 ** np.arange(-20.0, 21.0)
REPEATS = 3


def vectorbt_speed(candles: Candles) -> float:
    """Return candles/s of vectorbt's ``Portfolio.from_order_func`` with a 41-level crossing grid."""
    import vectorbt as vbt
    from numba import njit

    levels = np.median(candles.close) * LEVELS

    @njit
    def before(c, levels):  # noqa: ANN001, ANN202
        return (np.full(1, -1),)

    @njit
    def order(c, level, levels):  # noqa: ANN001, ANN202
        now = np.searchsorted(levels, c.close[c.i, c.col])
        was, level[0] = level[0], now
        if was < 0 or now == was:
            return vbt.portfolio.enums.NoOrder
        return vbt.portfolio.nb.order_nb(size=0.001 * (was - now), price=c.close[c.i, c.col], fees=0.001)

    def once(close: np.ndarray) -> float:
        began = perf_counter()
        vbt.Portfolio.from_order_func(
            close, order, levels, pre_sim_func_nb=before, pre_sim_args=(levels,), init_cash=1e6
        )
        return perf_counter() - began

    once(candles.close[:1_000])
    return len(candles) / min(once(candles.close) for _ in range(REPEATS))


def backtesting_speed(candles: Candles) -> float:
    """Return candles/s of backtesting.py with a 41-level crossing grid."""
    import pandas as pd
    from backtesting import Backtest, Strategy

    levels = np.median(candles.close) * LEVELS

    class Grid(Strategy):  # type: ignore[misc]
        def init(self) -> None:
            self.level = -1

        def next(self) -> None:
            now = int(np.searchsorted(levels, self.data.Close[-1]))
            was, self.level = self.level, now
            if was >= 0 and now < was:
                self.buy(size=0.01)
            elif was >= 0 and now > was:
                self.sell(size=0.01)

    frame = pd.DataFrame(
        {name.title(): getattr(candles, name) for name in ("open", "high", "low", "close", "volume")},
        index=pd.to_datetime(candles.timestamp, unit="ms"),
    )
    best = math.inf
    for _ in range(REPEATS):
        test = Backtest(frame, Grid, cash=1e7, commission=0.001, finalize_trades=True)
        began = perf_counter()
        test.run()
        best = min(best, perf_counter() - began)
    return len(candles) / best
