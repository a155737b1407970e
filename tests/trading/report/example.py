"""Test data: a whole result of a small, legal account on a random market, without a simulator."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np

from tests.trading.orders.account import START_MS, Account, market
from trading.engine.codes import FillReason
from trading.market.candles import Candles
from trading.market.timeframes import timeframe_ms
from trading.metrics import AgentVotes, Run, compute_metrics
from trading.orders import Fills, pair_trades
from trading.report import BacktestResult, GridLevels

AGENTS = ("volatility", "momentum", "regime")


def random_candles(count: int, timeframe: str = "5m", symbol: str = "BTC/USDT", seed: int = 7) -> Candles:
    generator = np.random.default_rng(seed)
    step = timeframe_ms(timeframe)
    moves = generator.normal(0, 0.0012 * (step / 300_000) ** 0.5, count)
    close = np.round(50_000 * np.exp(np.cumsum(moves)), 2)
    opening = np.append(50_000.0, close[:-1])
    reach = np.abs(generator.normal(0, 0.0006, (2, count)))
    high, low = np.maximum(opening, close) * (1 + reach[0]), np.minimum(opening, close) * (1 - reach[1])
    timestamp = START_MS + np.arange(count) * step
    return Candles(symbol, timeframe, timestamp, opening, high, low, close, generator.gamma(2, 20, count))


def grid_fills(candles: Candles, symbol: str = "BTC/USDT", capital: int = 10_000) -> tuple[Fills, list[GridLevels]]:
    """Buy a level when the close crosses it downwards, sell it one level higher; recentre now and then."""
    account = Account(market(symbol=symbol), Decimal(capital))
    spacing, held, grids = 0.006, {}, []
    centre = float(candles.close[0])
    every = max(1, len(candles) // 9)
    for row, price in enumerate(candles.close.tolist()):
        if row % every == 0:
            centre = price
            grids.append(GridLevels(row, centre, tuple(centre * (1 + spacing * step) for step in range(-8, 9))))
        ticks, level = round(price * 100), round((price / centre - 1) / spacing)
        lots = int(capital * 0.04 / price / 0.0001)
        if level not in held and len(held) < 12 and account.affordable(ticks) >= lots > 0:
            account.trade(1, ticks, lots, level, candle=row, reason=FillReason.TRAIL, reference=ticks - 300)
            held[level] = ticks, lots
        for owned, (paid, quantity) in list(held.items()):
            if ticks > paid * (1 + spacing) or ticks < paid * (1 - 8 * spacing):
                reason = FillReason.TAKE_PROFIT if ticks > paid else FillReason.STOP
                account.trade(-1, ticks, quantity, owned, candle=row, reason=reason)
                del held[owned]
    fills = account.fills()
    return replace(fills, timestamp=candles.timestamp[fills.candle]), grids


def example_result(count: int = 4_000, timeframe: str = "5m", symbol: str = "BTC/USDT") -> BacktestResult:
    candles = random_candles(count, timeframe, symbol)
    fills, grids = grid_fills(candles, symbol)
    trades = pair_trades(fills)
    capital = Decimal(10_000)
    last_fill = np.searchsorted(fills.candle, np.arange(count), side="right")
    table = fills.table()
    cash = np.append(float(capital), table["cash"].to_numpy())[last_fill]
    position = np.append(0.0, table["position"].to_numpy())[last_fill]
    equity = cash + position * candles.close
    generator = np.random.default_rng(1)
    votes = AgentVotes(
        AGENTS, generator.integers(-1, 2, (3, count)).astype(np.int8), generator.random((3, count)), np.ones((3, 1))
    )  # fmt: skip
    metrics = compute_metrics(
        Run(candles.timestamp, candles.close, equity, position * candles.close / equity, fills, trades, candles.step_ms,
            capital, 17, votes)
    )  # fmt: skip
    return BacktestResult(
        candles=candles, market=fills.market, capital=capital, fills=fills, trades=trades, equity=equity, cash=cash,
        position=position, metrics=metrics,
        params={"symbol": symbol, "capital": capital, "grid.spacing": 0.006, "grid.buy_levels": 8},
        agents=[{"name": name, "signals": 400 + 7 * row, "hit_rate": 0.5 + row / 50, "mean_confidence": 0.61}
                for row, name in enumerate(AGENTS)],
        timing={"load_s": 0.1, "signals_s": 0.2, "core_s": 0.01, "total_s": 0.4},
        fill_rules={"touch": metrics.total_return + 0.01, "penetration": metrics.total_return},
        data_quality={"candles": count, "missing": 0, "gaps": [], "outliers": 2},
        warnings=("the sign of the return depends on the fill rule",), notes=("fees are 0.1% a side",),
        grids=tuple(grids), refusals={"max_position": 12, "min_notional": 5},
    )  # fmt: skip
