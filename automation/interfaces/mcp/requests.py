"""What the MCP server is started with."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from trading.market.requests import HomeRequest


class McpRequest(HomeRequest):
    """A server for programs that speak the Model Context Protocol."""

    http: bool = Field(
        False, description="serve streamable HTTP on this machine with a token, instead of stdin and stdout"
    )
    host: str = Field("127.0.0.1", description="address for --http; this machine's own only")
    port: int = Field(8931, ge=0, le=65_535, description="port for --http; 0 takes a free one")
    path: Path = Field(
        Path(), description="repository that the tools work on; paths begin there", json_schema_extra={"kind": "folder"}
    )
    enable_money: bool = Field(
        False, description="offer commands that touch real money too; a person still confirms each"
    )
    symbols: Literal["gridbot", "serena"] = Field("gridbot", description="who finds and edits symbols")
    fetch_serena: bool = Field(False, description="let uvx or pipx fetch Serena when it is not installed")
