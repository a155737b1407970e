"""Candles and signals in the core's integer units."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trading.engine.codes import NEVER, PPM
from trading.errors import Refused
from trading.market.candles import Candles
from trading.market.rules import Market
from trading.signals.records import Signals

ON_TICK = 1e-6
"""Ticks by which floating point may miss a price that is on the tick."""


class Tape(NamedTuple):
    """Candles and signals in the core's units; every array has shape (n,).

    Parameters
    ----------
    timestamp : int64
        Open times, milliseconds UTC.
    open, high, low, close : int64
        Ticks.
    volume : int64
        Lots that may be ours; 0 where nothing can fill.
    action, regime, volatility : int8
        Signal codes.
    confidence, trail, swing : int32
        Parts per million.
    swing_high, swing_low : int64
        Ticks, 0 while unknown.
    """

    timestamp: NDArray[np.int64]
    open: NDArray[np.int64]
    high: NDArray[np.int64]
    low: NDArray[np.int64]
    close: NDArray[np.int64]
    volume: NDArray[np.int64]
    action: NDArray[np.int8]
    confidence: NDArray[np.int32]
    trail: NDArray[np.int32]
    regime: NDArray[np.int8]
    volatility: NDArray[np.int8]
    swing_high: NDArray[np.int64]
    swing_low: NDArray[np.int64]
    swing: NDArray[np.int32]


def pack_tape(candles: Candles, signals: Signals, market: Market, volume_share: float, warmup: int) -> Tape:
    """Return candles and their signals as the core reads them.

    Parameters
    ----------
    candles : Candles
        Shape (n,).
    signals : Signals
        Shape (n,), of the same candles.
    market : Market
        Gives the units.
    volume_share : float
        Share of a candle's volume that may be ours; 0 without limit. A candle without volume fills nothing.
    warmup : int
        First candles, before any order. Where they have no volume at all, volume is not known and never limits; the
        later candles are not asked, because a decision must not hang on them.

    Notes
    -----
    Prices off the tick are rounded inward, so that no fill leaves its candle; a candle that lies between two ticks
    fills nothing.

    Raises
    ------
    Refused
        When a price is under one tick.
    """
    low, high = _whole_ticks(candles.low, market, np.ceil), _whole_ticks(candles.high, market, np.floor)
    between = low > high
    low = np.where(between, market.ticks(candles.close), low)
    high = np.where(between, low, high)
    if len(candles) and low.min() <= 0:
        raise Refused(
            f"{candles.symbol} has prices under one tick of {market.tick_size}; set a smaller market.tick_size"
        )
    return Tape(
        timestamp=candles.timestamp,
        open=np.clip(market.ticks(candles.open), low, high),
        high=high,
        low=low,
        close=np.clip(market.ticks(candles.close), low, high),
        volume=np.where(between, 0, _volume_budget(candles, market, volume_share, warmup)),
        action=signals.action,
        confidence=_ppm(signals.confidence),
        trail=_ppm(signals.trail),
        regime=signals.regime,
        volatility=signals.volatility,
        swing_high=_known_ticks(signals.swing_high, market),
        swing_low=_known_ticks(signals.swing_low, market),
        swing=_ppm(signals.swing_size),
    )


def _whole_ticks(
    prices: NDArray[np.float64], market: Market, inward: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> NDArray[np.int64]:
    counts = prices / float(market.tick_size)
    nearest = np.rint(counts)
    # a quotient a hair off a whole number is that number
    on_tick = np.abs(counts - nearest) <= ON_TICK
    return np.where(on_tick, nearest, inward(counts)).astype(np.int64)


def _volume_budget(candles: Candles, market: Market, share: float, warmup: int) -> NDArray[np.int64]:
    volume = candles.volume
    if not volume[:warmup].any():
        budget = np.full(len(candles), NEVER, np.int64)
    elif share == 0:
        budget = np.where(volume > 0, NEVER, 0).astype(np.int64)
    else:
        budget = market.lots(volume * share)
    if candles.filled is not None:
        budget[candles.filled] = 0
    return budget


def _ppm(shares: NDArray[np.floating]) -> NDArray[np.int32]:
    # what is not known becomes 0
    known: NDArray[np.floating] = np.nan_to_num(shares, nan=0.0, posinf=0.0, neginf=0.0)
    parts: NDArray[np.int32] = np.rint(known * PPM).astype(np.int32)
    return parts


def _known_ticks(prices: NDArray[np.float64], market: Market) -> NDArray[np.int64]:
    return market.ticks(np.nan_to_num(prices, nan=0.0))
