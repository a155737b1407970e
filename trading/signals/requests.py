"""What the commands on agents take."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from trading.market.requests import HomeRequest
from trading.settings import RiskProfile


class AgentsRequest(BaseModel):
    """The agents that are installed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ExplainRequest(HomeRequest):
    """One candle, and the settings under which the agents vote."""

    candles: str = Field(description="candle file, or a symbol in the store", json_schema_extra={"positional": True})
    at: str | None = Field(None, description="time within the candle, ISO, UTC unless it has a zone; else the last one")
    symbol: str | None = Field(None, description="BASE/QUOTE; else taken from the file's name")
    timeframe: str | None = Field(None, description="candle length such as 5m; longer than the file's resamples")
    risk: RiskProfile | None = Field(None, description="risk tolerance; sets the least confidence and the base trail")
    set: list[str] = Field([], description="pin a setting, as in signals.adapt=false; repeatable")
