"""What a sentence is asked with."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from trading.market.requests import HomeRequest


class AskRequest(HomeRequest):
    """A sentence, and where it is said."""

    sentence: str = Field(
        "",
        max_length=2_000,
        description="what you want, in quotes; without it, what can be said is listed",
        json_schema_extra={"positional": True},
    )
    dry_run: bool = Field(False, description="show the commands, and run none")
    yes: bool = Field(
        False, description="no question before what trades or removes; real money and approvals still ask"
    )
    file: Path | None = Field(None, description='what "this file" means; else GRIDBOT_FILE, which editors set')
    line: int = Field(0, ge=0, description='line of the cursor in it, for "this function"')
    path: Path = Field(
        Path(), description="repository that files and symbols are looked for in", json_schema_extra={"kind": "folder"}
    )
    model: str = Field(
        "none",
        description="chat model that chooses where words leave it open: role, name, GGUF file, auto or none",
        json_schema_extra={"metavar": "MODEL"},
    )
