"""What the health check is asked with."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from trading.market.requests import HomeRequest


class HealthRequest(HomeRequest):
    """What to look at."""

    path: Path = Field(Path(), description="repository that is looked after", json_schema_extra={"kind": "folder"})
    exchange: str = Field("binance", pattern=r"^[a-z0-9_]+$", description="exchange to ask for its time, ccxt's name")
    rest_url: str | None = Field(None, description="server that speaks the exchange's protocol, http://host:port")
    offline: bool = Field(False, description="ask nothing of the network")
    timeout: float = Field(4.0, gt=0, le=60, description="patience with the exchange, seconds")
