"""What the improvement commands are asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from automation.improvement.paired import MIN_PAIRS


class ReportRequest(BaseModel):
    """A report on the repair runs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: str | None = Field(
        None, description="how far back: an age such as 30d, 12h or 4w, or an ISO date, UTC; else all runs"
    )
    out: Path = Field(Path("reports/improvement"), description="folder that gets report.json and report.html")
    home: Path | None = Field(None, description="data folder that holds the ledger")


class CompareRequest(BaseModel):
    """Two commands to time against each other."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    a: str = Field(description="the command as it is, in quotes", json_schema_extra={"positional": True})
    b: str = Field(description="the command that may be better, in quotes", json_schema_extra={"positional": True})
    pairs: Annotated[int, Field(ge=MIN_PAIRS)] = Field(20, description="how often each is timed")
    minimum: Annotated[float, Field(ge=0, lt=1)] = Field(0.01, description="least improvement to accept, share")
    seed: int = Field(0, description="of the order of the runs and the bootstrap")
    timeout: Annotated[float, Field(gt=0)] = Field(600.0, description="longest run, seconds")
