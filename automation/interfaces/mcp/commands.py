"""The command that serves the Model Context Protocol."""

from __future__ import annotations

import socket
import sys
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from automation.errors import RepositoryUnusable
from automation.interfaces.mcp.requests import McpRequest
from automation.registry import gridbot_registry
from trading.commands import News, Progress
from trading.errors import ExitCode
from trading.setting_sources import data_home

if TYPE_CHECKING:
    from mcp.server import MCPServer

    from automation.codebase.symbol_backend import SymbolBackend


@dataclass(frozen=True, slots=True)
class ServingEnded:
    """The end of a server.

    Parameters
    ----------
    transport : str
        ``"stdio"`` or ``"http"``.
    """

    transport: str

    @property
    def exit_code(self) -> ExitCode:
        """Always done."""
        return ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        """Return plain JSON data."""
        return {"transport": self.transport}

    def as_text(self) -> str:
        """Return one line for a person."""
        return "the client has gone" if self.transport == "stdio" else "the server has ended"


def mcp(request: McpRequest) -> Generator[Progress | News, None, ServingEnded]:
    """Serve commands, symbol tools, resources and prompts until the client goes or a person stops it."""
    from automation.interfaces.mcp.server import Served, opened_server
    from automation.interfaces.mcp.stdio import serve_stdio

    folder, home = request.path.resolve(), data_home(request.home)
    if not folder.is_dir():
        raise RepositoryUnusable(f"{request.path} is no folder; name the folder of a repository with --path")

    def open_symbols() -> SymbolBackend:
        return _symbols(request, folder, home)

    served = Served(gridbot_registry(), folder, home, open_symbols, request.enable_money)
    with opened_server(served) as server:
        if request.http:
            yield from _over_http(server, request, home)
        else:
            if sys.stdin.isatty():
                yield Progress("waiting for a client on stdin (--http serves over HTTP)")
            serve_stdio(server)
    return ServingEnded("http" if request.http else "stdio")


def _over_http(server: MCPServer, request: McpRequest, home: Path) -> Iterator[News]:
    import anyio

    from automation.interfaces.mcp.http import address_of, listening_socket, serve_http
    from automation.interfaces.mcp.tokens import TOKEN_VARIABLE, server_token

    token, file = server_token(home)
    with closing(listening_socket(request.host, request.port)) as listener:
        yield _listening(listener, address_of(listener), TOKEN_VARIABLE if file is None else str(file))
        anyio.run(serve_http, server, listener, token)


def _listening(listener: socket.socket, url: str, token: str) -> News:
    where = {"event": "listening", "url": url, "port": listener.getsockname()[1], "token": token}
    return News(where, f"listening on {url}; clients show the token of {token}; Ctrl-C ends it")


def _symbols(request: McpRequest, folder: Path, home: Path) -> SymbolBackend:
    if request.symbols == "serena":
        from automation.interfaces.serena.symbols import open_serena

        return open_serena(folder, home, fetch=request.fetch_serena)
    from automation.codebase.scopes import repository_index
    from automation.codebase.symbol_own import OwnSymbols

    return OwnSymbols(repository_index(folder, home))
