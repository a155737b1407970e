"""What the commands on VS Code are asked with."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SyncRequest(_Request):
    """A folder whose ``.vscode/`` is to be written."""

    path: Path = Field(Path(), description="folder of the workspace", json_schema_extra={"positional": True})
    check: bool = Field(False, description="write nothing; exit with 1 when something is out of step")


class InstallRequest(_Request):
    """Shortcuts to merge into VS Code's own."""

    editor: Literal["code", "insiders", "codium", "cursor"] = Field("code", description="which editor's")
    file: Path | None = Field(None, description="its keybindings.json, where it is not at the usual place")
    remove: bool = Field(False, description="take GridBot's shortcuts out again")
    force: bool = Field(False, description="also take keys that you have bound yourself")
