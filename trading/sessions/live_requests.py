"""What the commands of paper and live sessions are asked for."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from trading.market.requests import HomeRequest
from trading.sessions.requests import SettingsRequest


class SessionRequest(SettingsRequest):
    """A session to start, or to recover when one of its name is there."""

    exchange: str | None = Field(None, description="ccxt's name of the exchange; paper without it: the built-in one")
    rest_url: str | None = Field(None, description="server that speaks the exchange's protocol, http://host:port")
    ws_url: str | None = Field(None, description="its WebSocket server, ws://host:port; without it REST only")
    testnet: bool = Field(False, description="the exchange's own test network")
    session: str | None = Field(None, description="name; the same name again recovers it [mode-symbol]")
    max_minutes: float | None = Field(None, gt=0, description="end in order after so many minutes of its clock")
    history: int = Field(1_000, ge=0, le=100_000, description="candles that signals warm up on")
    poll_s: float | None = Field(None, gt=0, description="seconds between REST rounds")
    resume: bool = Field(False, description="let a halted session go on")
    cancel_orders: bool = Field(False, description="cancel open orders at the end")

    @field_validator("rest_url")
    @classmethod
    def _is_rest_url(cls, url: str | None) -> str | None:
        return _checked_url(url, ("http", "https"))

    @field_validator("ws_url")
    @classmethod
    def _is_ws_url(cls, url: str | None) -> str | None:
        return _checked_url(url, ("ws", "wss"))


class PaperRequest(SessionRequest):
    """A paper session."""

    candles: str | None = Field(None, description="trade a replay of this candle file or stored symbol")
    start: str | None = Field(None, description="replay from this ISO time on")
    end: str | None = Field(None, description="replay up to this ISO time")
    speed: float = Field(60.0, gt=0, le=1_000, description="speed of the built-in exchange, market time to real time")
    seed: int = Field(0, ge=0, description="seed of the built-in exchange's market")
    live: bool = Field(False, description="refused: a paper session never trades real money")

    @model_validator(mode="after")
    def _is_paper(self) -> PaperRequest:
        if self.live:
            raise ValueError("a paper session never trades real money; use `gridbot live`")
        return self


class LiveRequest(SessionRequest):
    """A live session."""

    live: bool = Field(False, description="say that real money is meant")
    yes: bool = Field(False, description="with --live: no question, for servers on this machine only")


class SessionName(HomeRequest):
    """One session."""

    session: str = Field(description="the session's name", json_schema_extra={"positional": True})


class StopRequest(SessionName):
    """A stop."""

    cancel_orders: bool = Field(False, description="cancel its open orders")
    flatten: bool = Field(False, description="sell what it holds, too")
    timeout_s: float = Field(120.0, gt=0, description="patience with its end, seconds")


class ReportRequest(SessionName):
    """A report of one session."""

    report: Path | None = Field(None, description="folder of the HTML report [reports/SESSION]")


class ReplayRequest(SessionName):
    """A replay of one session."""

    export: Path | None = Field(None, description="write the recording to this file, to keep or to hand on")


class StatusRequest(HomeRequest):
    """All sessions."""


def _checked_url(url: str | None, schemes: tuple[str, ...]) -> str | None:
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise ValueError(f"must be {schemes[0]}://host:port or {schemes[1]}://host")
    return url
