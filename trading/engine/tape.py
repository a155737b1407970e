"""Candles and signals in the core's integer units."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trading.engine.codes import NEVER, PPM
from trading.errors import Refused
from trading.market.candles import Candles
from trading.market.rules import Market
from trading.signals.records import Signals


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


def pack_tape(candles: Candles, signals: Signals, market: Market, volume_share: float) -> Tape:
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
        Share of a candle's volume that may be ours; 0 without limit. A candle without volume fills nothing, unless
        the whole series has none: then volume is not known and does not limit.

    Raises
    ------
    Refused
        When a price is under one tick.
    """
    ticks = {name: market.ticks(getattr(candles, name)) for name in ("open", "high", "low", "close")}
    if len(candles) and ticks["low"].min() <= 0:
        raise Refused(
            f"{candles.symbol} has prices under one tick of {market.tick_size}; set a smaller market.tick_size"
        )
    return Tape(
        timestamp=candles.timestamp,
        **ticks,
        volume=_volume_budget(candles, market, volume_share),
        action=signals.action,
        confidence=_ppm(signals.confidence),
        trail=_ppm(signals.trail),
        regime=signals.regime,
        volatility=signals.volatility,
        swing_high=_known_ticks(signals.swing_high, market),
        swing_low=_known_ticks(signals.swing_low, market),
        swing=_ppm(signals.swing_size),
    )


def _volume_budget(candles: Candles, market: Market, share: float) -> NDArray[np.int64]:
    volume = candles.volume
    if not volume.any():
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
