"""What a search is asked for."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator

from automation.codebase.search.documents import Kind
from trading.market.requests import HomeRequest


class SearchRequest(HomeRequest):
    """Code or documentation to find."""

    query: str = Field(
        min_length=1,
        max_length=1_000,
        description="a question, some words, or a name such as Grid.decide",
        json_schema_extra={"positional": True},
    )
    kind: Kind | None = Field(None, description="only this kind of thing")
    inside: str = Field("", description="only this file, or what lies in this folder of the repository")
    limit: int = Field(10, ge=1, le=200, description="most answers")
    lexical: bool = Field(False, description="by words and names only; no model reads meanings")
    patience: float = Field(
        20.0, ge=0, description="seconds for reading the meanings of what is new; the rest is read the next time"
    )
    path: Path = Field(Path(), description="folder of the repository", json_schema_extra={"kind": "folder"})

    @field_validator("query")
    @classmethod
    def _says_something(cls, query: str) -> str:
        if not any(character.isalnum() for character in query):
            raise ValueError("should hold a word")
        return query
