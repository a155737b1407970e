"""What the tasks are asked for: the parts that several of them share, and the day to simulate."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from automation.codebase.landing import Land
from trading.market.requests import HomeRequest


class TargetRequest(HomeRequest):
    """A part of a repository."""

    target: str = Field(
        "",
        description="file, folder, symbol (Grid.decide), or place (file.py:12); else the whole repository",
        json_schema_extra={"positional": True, "kind": "target"},
    )
    diff: bool = Field(False, description="only what differs from the last commit")
    path: Path = Field(Path(), description="folder of the repository", json_schema_extra={"kind": "folder"})


class ChangeRequest(TargetRequest):
    """A part of a repository that is to be changed, and the way of the change into it."""

    tests: str = Field("pytest -q", description="how its tests run: pytest's arguments")
    model: str = Field(
        "auto", description="role, model name, GGUF file, auto or none", json_schema_extra={"metavar": "MODEL"}
    )
    max_minutes: float = Field(10.0, gt=0, le=24 * 60, description="time for everything")
    land: Land | None = Field(None, description="where the change goes; a branch, or a patch file for a plain folder")
    approve: bool = Field(False, description="approve beforehand; paths that always ask still ask")
    python: Path | None = Field(None, description="interpreter of the tests; else the folder's .venv, else GridBot's")
    seed: int = Field(0, ge=0, description="seed of everything random")


class SimulateRequest(HomeRequest):
    """A session to trade on the built-in exchange, to kill and to recover."""

    symbol: str = Field("BTC/USDT", description="BASE/QUOTE of the simulated market")
    minutes: int = Field(1_440, ge=10, le=50_000, description="how long to trade, minutes of the market")
    kills: int = Field(1, ge=0, le=100, description="how often the session is killed, at seeded instants")
    seed: int = Field(7, ge=0, description="seed of the market and of the instants")
    set: list[str] = Field([], description="a setting, key=value; repeatable")
    report: Path | None = Field(None, description="folder of the HTML report [reports/SESSION]")
