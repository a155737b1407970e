"""What the incident command is asked for."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class IncidentsRequest(BaseModel):
    """Where to look for incidents."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path = Field(Path(), description="repository [.]", json_schema_extra={"positional": True})
    log: list[Path] = Field([], description="log file to read in place of running the tests; repeatable")
    follow: bool = Field(False, description="go on reading the log as it is written, until Ctrl-C")
    tests: str = Field("", description='pytest arguments in quotes, such as "tests/unit -q"')
    python: Path | None = Field(None, description="interpreter of the tests; else PATH/.venv's, else this one")
