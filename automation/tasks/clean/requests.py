"""What cleaning is asked with."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from trading.market.requests import HomeRequest


class CleanRequest(HomeRequest):
    """What to remove."""

    yes: bool = Field(False, description="remove what is listed; without it nothing is removed")
    older_than: Annotated[int, Field(ge=0)] | None = Field(
        None, description="age of everything in days; else each kind's own, see `config automation`"
    )
