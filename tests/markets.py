"""Small seeded markets for tests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from trading.market.candles import PRICE_COLUMNS, Candles
from trading.market.timeframes import timeframe_ms

START_MS = 1_704_067_200_000  # 2024-01-01T00:00:00Z, a Monday


def random_market(
    seed: int, n: int, timeframe: str = "5m", gap_every: int | None = None, volatility: float = 0.002
) -> Candles:
    """Return a random walk of closed candles, the same for the same arguments.

    Parameters
    ----------
    seed : int
        Seed of the generator.
    n : int
        Number of candles.
    timeframe : str
        Candle length.
    gap_every : int, optional
        After every so many candles, 1 to 40 candle lengths of time are missing; None leaves no gap.
    volatility : float
        Standard deviation of a candle's log return; a candle's range is of the same size.

    Returns
    -------
    Candles
        ``TEST/USDT`` from 2024-01-01 on, starting near 100, prices unrounded, volumes log-normal around 10.
    """
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, volatility, n)))
    opening = np.concatenate(([100.0], close[:-1]))[:n]
    high = np.maximum(opening, close) * np.exp(np.abs(rng.normal(0.0, volatility / 2, n)))
    low = np.minimum(opening, close) * np.exp(-np.abs(rng.normal(0.0, volatility / 2, n)))
    steps = np.ones(n, dtype=np.int64)
    if gap_every is not None:
        gaps = np.arange(gap_every, n, gap_every)
        steps[gaps] += rng.integers(1, 41, len(gaps))
    timestamp = START_MS + (np.cumsum(steps) - 1) * timeframe_ms(timeframe)
    volume = 10.0 * np.exp(rng.normal(0.0, 0.6, n))
    return Candles("TEST/USDT", timeframe, timestamp, opening, high, low, close, volume)


def market_of(
    close: np.ndarray, timeframe: str = "5m", wick: float = 0.0005, volume: np.ndarray | float = 10.0
) -> Candles:
    """Return candles that follow given closes: each opens at the close before, with wicks of one size.

    Parameters
    ----------
    close : ndarray, shape (n,)
        Closing prices.
    timeframe : str
        Candle length.
    wick : float
        How far high and low reach beyond open and close, fraction of the price.
    volume : float or ndarray, shape (n,)
        Traded quantity.
    """
    close = np.asarray(close, dtype=np.float64)
    opening = np.concatenate((close[:1], close[:-1]))
    timestamp = START_MS + np.arange(len(close), dtype=np.int64) * timeframe_ms(timeframe)
    high = np.maximum(opening, close) * (1 + wick)
    low = np.minimum(opening, close) * (1 - wick)
    traded = np.broadcast_to(np.asarray(volume, dtype=np.float64), close.shape).copy()
    return Candles("TEST/USDT", timeframe, timestamp, opening, high, low, close, traded)


def on_tick(candles: Candles, decimals: int = 2) -> Candles:
    """Return the candles with prices rounded to so many decimals, as a market with that tick would quote them."""
    prices = {name: np.round(getattr(candles, name), decimals) for name in PRICE_COLUMNS}
    return replace(candles, **prices)


def named(candles: Candles, symbol: str) -> Candles:
    """Return the candles under another symbol."""
    return replace(candles, symbol=symbol)


def without(candles: Candles, missing: np.ndarray | range) -> Candles:
    """Return the candles without some rows: a series with gaps."""
    kept = np.delete(np.arange(len(candles)), np.asarray(missing))
    return Candles.from_columns(
        candles.symbol, candles.timeframe, {name: column[kept] for name, column in candles.columns().items()}
    )
