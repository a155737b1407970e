"""Bridging short gaps for one run: flat at the close before, without volume, flagged, never stored."""

from __future__ import annotations

import numpy as np

from trading.market.candles import Candles
from trading.market.quality import require_mostly_real
from trading.market.quality_report import QualityLimits

_DEFAULTS = QualityLimits()


def fill_short_gaps(
    candles: Candles, longest: int = _DEFAULTS.gap_candles, filled_share: float = _DEFAULTS.filled_share
) -> Candles:
    """Return the candles with their short gaps bridged; longer gaps stay gaps.

    A made-up candle stands flat at the close before it, with zero volume, and is flagged in ``filled``: no order fills
    on it and the store refuses it.

    Parameters
    ----------
    candles : Candles
        Real candles, or already filled ones.
    longest : int
        Longest gap that is bridged, in candles.
    filled_share : float
        Greatest share of the result that may be made up.

    Raises
    ------
    DataError
        When more than ``filled_share`` of the result would be made up.
    """
    step = candles.step_ms
    missing = np.diff(candles.timestamp) // step - 1
    made_up_after = np.append(np.where(missing <= longest, missing.clip(0), 0), 0)[: len(candles)]
    before = 0 if candles.filled is None else int(candles.filled.sum())
    count = int(made_up_after.sum())
    if count == 0:
        return candles
    name = f"{candles.symbol} {candles.timeframe}"
    require_mostly_real(name, before + count, len(candles) + count, filled_share)
    row = np.repeat(np.arange(len(candles)), made_up_after + 1)
    first = np.cumsum(made_up_after + 1) - made_up_after - 1
    place_after = np.arange(len(row)) - first[row]
    made_up = place_after > 0
    close = candles.close[row]
    return Candles(
        candles.symbol,
        candles.timeframe,
        timestamp=candles.timestamp[row] + place_after * step,
        open=np.where(made_up, close, candles.open[row]),
        high=np.where(made_up, close, candles.high[row]),
        low=np.where(made_up, close, candles.low[row]),
        close=close,
        volume=np.where(made_up, 0.0, candles.volume[row]),
        filled=made_up if candles.filled is None else made_up | candles.filled[row],
    )
