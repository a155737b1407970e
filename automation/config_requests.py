"""What the configuration commands are asked for."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class AutomationConfigRequest(BaseModel):
    """The configuration of the maintenance wing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    config: Path | None = Field(None, description="configuration file; else automation_config.json of GridBot")


class SetConfigRequest(AutomationConfigRequest):
    """A value to set."""

    name: str = Field(description="dotted name of the setting", json_schema_extra={"positional": True})
    value: str = Field(description="its value; several with commas or as JSON", json_schema_extra={"positional": True})


class ExplainConfigRequest(AutomationConfigRequest):
    """A setting to explain, of either wing."""

    name: str = Field(description="dotted name of the setting", json_schema_extra={"positional": True})
