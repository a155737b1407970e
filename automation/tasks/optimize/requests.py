"""What `optimize` is asked with."""

from __future__ import annotations

from pydantic import Field

from automation.tasks.requests import ChangeRequest


class OptimizeRequest(ChangeRequest):
    """What is too slow, how that shows, and what may be changed."""

    benchmark: str | None = Field(None, description="workload: a Python command, such as 'python bench.py --size 3'")
    test: str | None = Field(None, description="workload: tests by file or node id, separated by blanks")
    command: str | None = Field(None, description="workload: a command of GridBot, such as 'gridbot data check x.csv'")
    functions: int = Field(5, ge=1, le=30, description="most hot functions that are looked at")
    pairs: int = Field(40, ge=6, le=400, description="most paired runs for one decision")
    minimum: float = Field(0.01, ge=0.001, lt=1, description="least share of the workload's time that a change saves")
    tolerance: float = Field(
        0.0, ge=0, lt=1, description="relative tolerance of floating point results; 0 is bit by bit"
    )
    memory: float = Field(0.1, ge=0, description="most growth of the workload's peak memory, share")
    samples: int = Field(3, ge=0, le=20, description="rewrites that the model is asked for, for each hot function")
