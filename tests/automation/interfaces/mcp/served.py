"""A server over HTTP in this process, and the SDK's own client for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from mcp import Client, types
from mcp.client.streamable_http import streamable_http_client

from automation.codebase.index import SymbolIndex
from automation.codebase.symbol_own import OwnSymbols
from automation.interfaces.mcp.http import address_of, http_server, listening_socket
from automation.interfaces.mcp.server import Served, opened_server
from automation.registry import gridbot_registry

TOKEN = "a-token-for-tests-only-0123456789"
CALC = '''"""Sums."""


def total(values: list[int]) -> int:
    """Add values up."""
    result = 0
    for value in values:
        result += value
    return result


class Account:
    """Money."""

    def balance(self) -> int:
        """Return what is there."""
        return total([1, 2])
'''
TESTS = """from calc import Account, total


def test_total() -> None:
    assert total([1, 2, 3]) == 6
    assert Account().balance() == 3
"""


@dataclass(frozen=True)
class Address:
    url: str
    home: Path
    folder: Path


def write_project(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "calc.py").write_text(CALC)
    (folder / "test_calc.py").write_text(TESTS)
    return folder


async def answer_yes(context: object, params: types.ElicitRequestParams) -> types.ElicitResult:
    """Agree to run whatever is asked for."""
    return types.ElicitResult(action="accept", content={"run": True})


@contextmanager
def served(folder: Path, home: Path, **settings: Any) -> Iterator[Address]:
    """Serve until the block ends."""

    def open_symbols() -> OwnSymbols:
        return OwnSymbols(SymbolIndex(folder, home / "index.db"))

    home.mkdir(parents=True, exist_ok=True)
    whole = Served(gridbot_registry(), folder, home, open_symbols, **settings)
    with closing(listening_socket("127.0.0.1", 0)) as listener, opened_server(whole) as server:
        web = http_server(server, listener, TOKEN)
        thread = threading.Thread(target=lambda: asyncio.run(web.serve(sockets=[listener])))
        thread.start()
        try:
            yield Address(address_of(listener), home, folder)
        finally:
            web.should_exit = True
            thread.join()


@asynccontextmanager
async def connected(
    address: Address, *, headers: Mapping[str, str] | None = None, **settings: Any
) -> AsyncIterator[Client]:
    """Connect with the token, or with other headers."""
    shown = {"Authorization": f"Bearer {TOKEN}"} if headers is None else dict(headers)
    web = httpx2.AsyncClient(headers=shown, timeout=60)
    async with web, Client(streamable_http_client(address.url, http_client=web), **settings) as client:
        yield client
