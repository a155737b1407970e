"""A command at work for a client ends when the client no longer wants it, whatever way it says so."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import pytest
from mcp import Client, types

from tests.automation.interfaces.mcp.served import Address, connected, write_project
from tests.automation.interfaces.mcp.test_stdio import parameters


class Listening:
    """Hears from the command `exchange` where it listens."""

    def __init__(self) -> None:
        self.port = 0
        self.heard = anyio.Event()

    async def __call__(self, message: types.LoggingMessageNotificationParams) -> None:
        assert message.logger == "gridbot.exchange"
        url = next(value for value in message.data.values() if str(value).startswith("http://"))
        self.port = urlsplit(url).port or 0
        self.heard.set()


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


async def call_and_give_up(client: Client, listening: Listening) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(client.call_tool, "exchange", {"minutes": 60})
        await listening.heard.wait()
        assert answers(listening.port)
        group.cancel_scope.cancel()


async def until_silent(port: int) -> None:
    while answers(port):
        await anyio.sleep(0.02)


def test_a_cancelled_request_stops_its_command(address: Address) -> None:
    async def cancelled() -> int:
        listening = Listening()
        async with connected(address, logging_callback=listening, log_level="info") as client:
            await call_and_give_up(client, listening)
            await until_silent(listening.port)
        return listening.port

    assert not answers(asyncio.run(cancelled()))


@pytest.mark.slow
def test_a_cancelled_request_of_an_older_client_stops_its_command(address: Address) -> None:
    async def cancelled() -> int:
        listening = Listening()
        async with connected(address, mode="legacy", logging_callback=listening) as client:
            await call_and_give_up(client, listening)
            await until_silent(listening.port)
        return listening.port

    assert not answers(asyncio.run(cancelled()))


@pytest.mark.slow
def test_a_client_that_goes_takes_its_commands_with_it(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "project")

    async def gone() -> int:
        listening = Listening()
        where = parameters(folder, tmp_path / "home")
        with pytest.RaisesGroup(KeyError, flatten_subgroups=True, allow_unwrapped=True):
            async with (
                Client(where, logging_callback=listening, log_level="info") as client,
                anyio.create_task_group() as group,
            ):
                group.start_soon(client.call_tool, "exchange", {"minutes": 60})
                await listening.heard.wait()
                raise KeyError("the client goes")
        await until_silent(listening.port)
        return listening.port

    assert not answers(asyncio.run(gone()))
