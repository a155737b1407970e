"""What a review is asked for."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from automation.tasks.requests import TargetRequest


class ReviewRequest(TargetRequest):
    """Code to judge."""

    fail_under: float | None = Field(None, ge=0, le=10, description="exit with 1 when the score is lower")
    limit: int = Field(20, ge=0, description="findings to show; all of them are in the JSON")
    with_tests: bool = Field(False, description="run the tests in the sandbox to measure what they cover")
    tests: str = Field("pytest -q", description="how its tests run: pytest's arguments")
    python: Path | None = Field(None, description="interpreter of the tests; else the folder's .venv, else GridBot's")
    max_minutes: float = Field(10.0, gt=0, le=24 * 60, description="time for the tests, and for each tool at most")
    model: str = Field(
        "auto",
        description="role, model name, GGUF file, auto or none; its remarks are shown and never scored",
        json_schema_extra={"metavar": "MODEL"},
    )
