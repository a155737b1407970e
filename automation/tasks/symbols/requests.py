"""What the symbol tools are asked with."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from automation.codebase.landing import Land

_FILE = "Python file, relative to the repository"
_NAME_PATH = "name path inside the file, such as Grid/decide"


class SymbolRequest(BaseModel):
    """What every symbol tool's input is derived from."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OverviewRequest(SymbolRequest):
    """A file whose definitions are wanted."""

    relative_path: str = Field(description=_FILE)
    depth: int = Field(0, ge=0, le=5, description="levels of members that are told too")


class FindRequest(SymbolRequest):
    """Symbols that are wanted."""

    name_path: str = Field(
        min_length=1,
        description="decide: any of that name; Grid/decide: any whose path ends so; /Grid/decide: exactly that one",
    )
    relative_path: str = Field("", description="only in this file or below this folder; empty is the whole repository")
    depth: int = Field(0, ge=0, le=5, description="levels of members that are told too")
    include_body: bool = Field(False, description="tell the source text")
    substring_matching: bool = Field(False, description="the last part need only occur in a symbol's name")
    max_matches: int = Field(50, ge=1, le=500, description="most symbols that are told")


class ReferencesRequest(SymbolRequest):
    """A symbol whose uses are wanted."""

    name_path: str = Field(min_length=1, description=_NAME_PATH)
    relative_path: str = Field(description=f"{_FILE}: where it is defined")


class PatternRequest(SymbolRequest):
    """Text that is wanted."""

    pattern: str = Field(min_length=1, description="regular expression, matched within one line")
    glob: str = Field("*.py", description="which Python files, by their path from the repository: trading/*")
    context_lines: int = Field(0, ge=0, le=10, description="lines told before and after each hit")
    max_matches: int = Field(100, ge=1, le=500, description="most hits")


class EditRequest(SymbolRequest):
    """A symbol that is to be edited, and the way of the change into the repository."""

    name_path: str = Field(min_length=1, description=_NAME_PATH)
    relative_path: str = Field(description=f"{_FILE}: where it is defined")
    dry_run: bool = Field(False, description="only return the diff; nothing is tested or landed")
    reason: str = Field("", max_length=500, description="why, in one sentence; kept in the run's report")
    tests: str = Field("pytest -q", description="how the repository's tests run: pytest's arguments")
    land: Land | None = Field(None, description="where the change goes; a branch, or a patch file for a plain folder")
    max_minutes: float = Field(10.0, gt=0, le=24 * 60, description="time for everything")


class ReplaceRequest(EditRequest):
    """A definition that is to be replaced."""

    body: str = Field(
        min_length=1,
        description="the whole new definition with its header, at any indentation; decorators stay when it names none",
    )


class InsertRequest(EditRequest):
    """Code that is to be put beside a definition."""

    body: str = Field(min_length=1, description="the code, at any indentation")


class RenameRequest(EditRequest):
    """A definition that is to be renamed, with everything that refers to it."""

    new_name: str = Field(min_length=1, description="the new last part of the name")
