"""What a run trades on: checked candles with short gaps bridged, their market, and the way back to the input's rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trading.errors import DataError
from trading.market.candles import Candles
from trading.market.filling import fill_short_gaps
from trading.market.quality import inspect, require_usable
from trading.market.quality_report import QualityReport
from trading.market.rule_tables import market_for
from trading.market.rules import Market
from trading.orders import Fills
from trading.settings import Settings


@dataclass(frozen=True, slots=True)
class Prepared:
    """Candles that may be traded, what is known of their quality, and their market."""

    candles: Candles
    quality: QualityReport
    warnings: tuple[str, ...]
    market: Market


def prepare(candles: Candles, settings: Settings, allow_gaps: bool) -> Prepared:
    """Check candles, bridge their short gaps and find their market's rules from the warm-up rows.

    Raises
    ------
    DataError
        When they are unusable or too few.
    """
    warmup = settings.signals.warmup_candles
    if len(candles) <= warmup:
        raise DataError(
            f"{candles.symbol} {candles.timeframe} has {len(candles)} candles and the warm-up takes {warmup}; "
            "use more candles or a smaller signals.warmup_candles"
        )
    quality = inspect(candles)
    warnings = tuple(require_usable(quality, allow_gaps))
    bridged = fill_short_gaps(candles)
    market = market_for(candles.symbol, bridged[:warmup], settings.market)
    market.check_fits(settings.capital, float(candles.high.max()))
    return Prepared(bridged, quality, warnings, market)


def real_rows(candles: Candles) -> NDArray[np.int64]:
    """Return the rows that were not made up to bridge a gap."""
    return np.arange(len(candles)) if candles.filled is None else np.flatnonzero(~candles.filled)


def input_rows(fills: Fills, real: NDArray[np.int64]) -> Fills:
    """Return fills whose ``candle`` counts the caller's rows, which are the ``real`` rows of those traded on."""
    return replace(fills, candle=np.searchsorted(real, fills.candle))
