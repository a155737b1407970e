"""What the overview is asked with."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from trading.market.requests import HomeRequest


class ReportRequest(HomeRequest):
    """An overview to write."""

    out: Path = Field(Path("reports/overview"), description="folder of the report")
    since: str = Field("7d", description="repair runs from then on: an age (12h, 30d) or an ISO date")
    path: Path = Field(Path(), description="repository that is looked after", json_schema_extra={"kind": "folder"})
