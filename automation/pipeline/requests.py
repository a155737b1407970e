"""What the pipeline's commands are asked with."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from automation.codebase.landing import Land

_MODEL_MEANS = "Role, model name, GGUF file, auto or none."
_ARGUMENT: JsonDict = {"positional": True}


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FixRequest(_Request):
    """What to repair, and how."""

    path: Path = Field(Path(), description="Repository or folder with a pytest suite.", json_schema_extra=_ARGUMENT)
    tests: str = Field("pytest -q", description="How its tests run: pytest's arguments.")
    log: Path | None = Field(None, description="Log file whose tracebacks are to be repaired.")
    session: str | None = Field(None, description="Session that failed, or a file that its recording was exported to.")
    max_minutes: float = Field(10.0, gt=0, le=24 * 60, description="Time for the whole run.")
    model: str = Field("auto", description=_MODEL_MEANS, json_schema_extra={"metavar": "MODEL"})
    land: Land | None = Field(None, description="Where the change goes; a branch, or a patch file for a plain folder.")
    approve: bool = Field(False, description="Approve beforehand; paths that always ask still ask.")
    python: Path | None = Field(None, description="Interpreter of the tests; else the folder's .venv, else GridBot's.")
    seed: int = Field(0, ge=0, description="Seed of the models' samples.")
    hostile: bool = Field(False, description="Run only where the kernel isolates the tests in full.")


class RunsRequest(_Request):
    """Which runs to list."""

    limit: int = Field(20, gt=0, description="Newest runs to list.")


class RunRequest(_Request):
    """One run."""

    run: str = Field(description="Id of the run, or its beginning.", json_schema_extra=_ARGUMENT)


class RejectRequest(RunRequest):
    """One run whose change is not wanted."""

    reason: str = Field("", max_length=500, description="Why, for whoever looks at the run later.")


class DemoRequest(_Request):
    """One demonstration."""

    model: str = Field("auto", description=_MODEL_MEANS, json_schema_extra={"metavar": "MODEL"})
    seed: int = Field(0, ge=0, description="Chooses the fault.")
    report: Path | None = Field(None, description="Write the HTML report into this folder too.")


class NightlyRequest(_Request):
    """One night's maintenance."""

    path: Path = Field(Path(), description="Repository to look after.", json_schema_extra=_ARGUMENT)
    tests: str = Field("pytest -q", description="How its tests run: pytest's arguments.")
    max_minutes: float | None = Field(None, gt=0, le=24 * 60, description="Time for everything; else from the config.")
    model: str = Field("auto", description=_MODEL_MEANS, json_schema_extra={"metavar": "MODEL"})
    benchmark: str | None = Field(None, description="Command whose time is compared before and after.")
    out: Path = Field(Path("reports"), description="Folder of the report.")
    python: Path | None = Field(None, description="Interpreter of the tests; else the folder's .venv, else GridBot's.")
    seed: int = Field(0, ge=0, description="Seed of the models' samples.")
