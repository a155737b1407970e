"""What the tasks are asked for."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from trading.market.requests import HomeRequest


class SimulateRequest(HomeRequest):
    """A session to trade on the built-in exchange, to kill and to recover."""

    symbol: str = Field("BTC/USDT", description="BASE/QUOTE of the simulated market")
    minutes: int = Field(1_440, ge=10, le=50_000, description="how long to trade, minutes of the market")
    kills: int = Field(1, ge=0, le=100, description="how often the session is killed, at seeded instants")
    seed: int = Field(7, ge=0, description="seed of the market and of the instants")
    set: list[str] = Field([], description="a setting, key=value; repeatable")
    report: Path | None = Field(None, description="folder of the HTML report [reports/SESSION]")
