"""What the session commands are asked for."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from trading.market.requests import HomeRequest
from trading.settings import Amount, RiskProfile


class SettingsRequest(HomeRequest):
    """What every command takes that reads the settings."""

    symbol: str | None = Field(None, description="BASE/QUOTE; else from the file's name")
    timeframe: str | None = Field(None, description="candle length such as 5m; coarser than the file's resamples")
    capital: Amount | None = Field(None, description="starting money, quote currency [10000]")
    risk: RiskProfile | None = Field(None, description="risk tolerance [moderate]")
    set: list[str] = Field([], description="pin a setting, as in grid.spacing=0.01; repeatable")


class BacktestRequest(SettingsRequest):
    """A backtest."""

    candles: list[str] = Field(
        min_length=1, description="candle file, or a symbol in the store; repeat it to trade several with one capital"
    )
    start: str | None = Field(None, description="first candle, ISO time (UTC unless it names a zone)")
    end: str | None = Field(None, description="end, ISO time; candles that open before it")
    allow_gaps: bool = Field(False, description="trade although candles are missing")
    fills: Path | None = Field(None, description="write every fill to this parquet file")
    equity: Path | None = Field(None, description="write equity, cash and position by candle to this parquet file")
    report: Path | None = Field(None, description="write an HTML report into this folder")


class ConfigRequest(SettingsRequest):
    """The settings in force."""

    candles: str | None = Field(None, description="derive values for this candle file or stored symbol")
