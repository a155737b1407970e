"""What is to be documented, and in which style."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from automation.tasks.requests import ChangeRequest


class Style(StrEnum):
    """How docstrings are laid out."""

    AUTO = "auto"
    NUMPY = "numpy"
    GOOGLE = "google"


class DocumentRequest(ChangeRequest):
    """Docstrings to write and to mend."""

    style: Style = Field(Style.AUTO, description="layout; auto takes the repository's own")
    readme: bool = Field(False, description="refresh the table of modules in README.md too")
