"""A small program made of the command-line face and a registry of its own; tests run it as a real process."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from threading import Event
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from rich.table import Table

from automation.interfaces.command_line import run_command_line
from trading import errors
from trading.commands import Command, Progress, Registry, Risk
from trading.errors import ExitCode
from trading.setting_sources import data_home
from trading.settings import RiskProfile


@dataclass(frozen=True)
class Sample:
    """A result of given parts."""

    data: dict[str, object]
    text: object = "done"
    exit_code: ExitCode = ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        return self.data

    def as_text(self) -> object:
        return self.text


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid")

    files: list[Path] = Field(default=[], description="candle files", json_schema_extra={"positional": True})
    symbol: str | None = Field(None, description="BASE/QUOTE [such as BTC/USDT]")
    capital: Decimal = Field(Decimal(10_000), gt=0, description="quote currency")
    risk: RiskProfile = Field(RiskProfile.MODERATE, description="risk tolerance")
    rule: Literal["penetration", "touch"] = Field("penetration", description="how limits fill")
    start: datetime | None = Field(None, description="first candle")
    sets: list[str] = Field(
        default=[], alias="set", description="pin a setting", json_schema_extra={"metavar": "NAME=VALUE"}
    )
    candles: int = Field(100, ge=1, description="how many")
    allow_gaps: bool = Field(False, description="trade over gaps")
    colour: bool = Field(True, description="in colour")
    home: Path | None = Field(None, description="data folder")

    @field_validator("symbol")
    @classmethod
    def _pair(cls, symbol: str | None) -> str | None:
        if symbol is not None and "/" not in symbol:
            raise ValueError("must be BASE/QUOTE")
        return symbol


class Needs(BaseModel):
    symbol: str = Field(description="BASE/QUOTE", json_schema_extra={"positional": True})


class Nothing(BaseModel):
    """No input."""


class Kind(BaseModel):
    kind: str = Field(description="which error", json_schema_extra={"positional": True})


def show(request: Options) -> Generator[Progress, None, Sample]:
    yield Progress("looking")
    given = request.model_dump(mode="json") | {"home": str(data_home(request.home))}
    return Sample(given, f"[{request.symbol}] of {len(request.files)} files")


def need(request: Needs) -> Generator[Progress, None, Sample]:
    yield Progress("looking")
    return Sample({"symbol": request.symbol})


def count(request: Nothing) -> Generator[Progress, None, Sample]:
    for number in range(2_000):
        yield Progress("counting sheep", number, 2_000, "sheep")
    return Sample({"sheep": 2_000}, "2000 sheep", ExitCode.DONE)


def halt(request: Nothing) -> Generator[Progress, None, Sample]:
    yield Progress("trading")
    return Sample({"halted": True}, "halted by drawdown", ExitCode.HALTED)


def strange(request: Nothing) -> Generator[Progress, None, Sample]:
    yield Progress("dividing")
    numbers = {
        "nan": float("nan"),
        "list": [float("inf"), 1.5, {"deep": float("-inf")}],
        "word": "Zürich",
        "none": None,
    }
    return Sample(numbers)


def fail(request: Kind) -> Generator[Progress, None, Sample]:
    yield Progress("failing")
    if request.kind == "bug":
        return Sample({"ratio": 1 / 0})
    if request.kind == "pipe":
        raise BrokenPipeError(32, "the exchange hung up")
    raise getattr(errors, request.kind)(f"{request.kind} happened\nin two lines; do this")


def _block() -> None:
    # Short waits, because a signal that arrives just before one long wait would not end it.
    sys.stderr.write("ready\n")
    sys.stderr.flush()
    while True:
        Event().wait(0.05)


def wait(request: Nothing) -> Generator[Progress, None, Sample]:
    yield Progress("waiting")
    try:
        _block()
    except KeyboardInterrupt:
        raise KeyboardInterrupt("kept 3 of 5 files") from None


def stop(request: Nothing) -> Generator[Progress, None, Sample]:
    yield Progress("waiting")
    try:
        _block()
    except KeyboardInterrupt:
        return Sample({"kept": 3}, "kept 3 of 5 files", ExitCode.INTERRUPTED)


def loop(request: Nothing) -> Generator[Progress, None, Sample]:
    yield Progress("waiting")
    yield Progress("downloading", 0, 5)
    asyncio.run(_for_ever())
    return Sample({})


async def _for_ever() -> None:
    sys.stderr.write("ready\n")
    sys.stderr.flush()
    await asyncio.Event().wait()


def flood(request: Nothing) -> Generator[Progress, None, Sample]:
    yield Progress("writing")
    return Sample({"lines": ["x" * 100] * 20_000}, "\n".join(["x" * 100] * 20_000))


def table(request: Nothing) -> Generator[Progress, None, Sample]:
    yield Progress("drawing")
    grid = Table("path", "size")
    grid.add_row("/a/long/path/" + "x" * 100, "1")
    return Sample({}, grid)


def samples() -> Registry:
    """Return the registry of the sample commands."""
    inputs = {"show": Options, "need": Needs, "fail": Kind, "data show": Options}
    functions = (show, need, count, halt, strange, fail, wait, stop, loop, flood, table)
    runs = {function.__name__: function for function in functions} | {"data show": show}
    registry = Registry(
        Command(
            name=name,
            summary=f"Sample command {name}.",
            run=f"{__spec__.name}:{function.__name__}",
            request=f"{__spec__.name}:{inputs.get(name, Nothing).__name__}",
            risk=Risk.READ,
            examples=(f"{name} --json",),
        )
        for name, function in runs.items()
    )
    registry.add(Command("lost", "Sample command lost.", "no.such:function", "no.such:Model", Risk.READ, ("lost",)))
    return registry


if __name__ == "__main__":
    sys.exit(run_command_line(samples(), sys.argv[1:]))
