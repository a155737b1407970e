"""Candles: reading files of any known kind, the store, quality checks, resampling, synthetic markets and rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trading.lazy import on_first_use

if TYPE_CHECKING:
    from trading.market.candles import Candles
    from trading.market.export import export_csv
    from trading.market.filling import fill_short_gaps
    from trading.market.quality import inspect, require_usable
    from trading.market.quality_report import Gap, QualityLimits, QualityReport
    from trading.market.readers import read_candles, read_rows
    from trading.market.resampling import concatenate, resample
    from trading.market.rows import RawRows
    from trading.market.rule_tables import market_for
    from trading.market.rules import Market
    from trading.market.sources import home_store, open_candles
    from trading.market.store import CandleStore
    from trading.market.timeframes import timeframe_ms, timeframe_of

__all__ = [
    "CandleStore",
    "Candles",
    "Gap",
    "Market",
    "QualityLimits",
    "QualityReport",
    "RawRows",
    "concatenate",
    "export_csv",
    "fill_short_gaps",
    "home_store",
    "inspect",
    "market_for",
    "open_candles",
    "read_candles",
    "read_rows",
    "require_usable",
    "resample",
    "timeframe_ms",
    "timeframe_of",
]

__getattr__ = on_first_use(
    __name__,
    {
        "CandleStore": "store",
        "Candles": "candles",
        "Gap": "quality_report",
        "Market": "rules",
        "QualityLimits": "quality_report",
        "QualityReport": "quality_report",
        "RawRows": "rows",
        "concatenate": "resampling",
        "export_csv": "export",
        "fill_short_gaps": "filling",
        "home_store": "sources",
        "inspect": "quality",
        "market_for": "rule_tables",
        "open_candles": "sources",
        "read_candles": "readers",
        "read_rows": "readers",
        "require_usable": "quality",
        "resample": "resampling",
        "timeframe_ms": "timeframes",
        "timeframe_of": "timeframes",
    },
)
