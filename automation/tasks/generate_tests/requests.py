"""What generating tests is asked for."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from automation.tasks.requests import ChangeRequest


class TestRequest(ChangeRequest):
    """Code that tests are written for."""

    # pytest would collect the class where a test imports it
    __test__: ClassVar[bool] = False

    most_files: int = Field(20, gt=0, description="files to write tests for at most, the least tested first")
    most_mutants: int = Field(400, gt=0, description="mutants of each file at most; more are sampled")
