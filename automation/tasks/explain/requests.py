"""What an explanation is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from trading.market.requests import HomeRequest

STDIN = "-"
NONE = "none"


class ExplainRequest(HomeRequest):
    """An error, and the repository that it belongs to."""

    error: str = Field(
        "",
        max_length=1_000_000,
        description="a traceback, a log line, an exit message or an exit code; - reads stdin; nothing is --last",
        json_schema_extra={"positional": True},
    )
    log: Path | None = Field(None, description="log file; its newest error is explained")
    test: str | None = Field(None, description='pytest arguments to run in the sandbox, such as "tests/unit -q"')
    last: bool = Field(
        False, description="the newest thing that went wrong: a repair run, a session, a log, or a test that failed"
    )
    path: Path = Field(Path(), description="folder of the repository", json_schema_extra={"kind": "folder"})
    python: Path | None = Field(None, description="interpreter of the tests; else PATH/.venv's, else GridBot's")
    model: str = Field(
        NONE,
        description="role, model name, GGUF file, auto or none; its words are added and marked as its own",
        json_schema_extra={"metavar": "MODEL"},
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [bool(self.error.strip()), self.log is not None, self.test is not None, self.last]
        if sum(given) > 1:
            raise ValueError("name one error: a text, --log, --test or --last")
        return self
