"""The HTTP server as a person starts it: this machine only, a token that only its owner reads."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from automation.interfaces.mcp.commands import mcp
from automation.interfaces.mcp.http import address_of, listening_socket
from automation.interfaces.mcp.requests import McpRequest
from automation.interfaces.mcp.tokens import TOKEN_VARIABLE, server_token, token_file
from tests.automation.interfaces.mcp.served import write_project
from trading.commands import result_of
from trading.errors import ExitCode, GridBotError, Refused, UsageError

ROOT = Path(__file__).resolve().parents[4]


def test_the_token_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    token, file = server_token(tmp_path)
    assert file == token_file(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(token) >= 32
    assert server_token(tmp_path) == (token, file)
    assert server_token(tmp_path / "other")[0] != token
    file.chmod(0o644)
    with pytest.raises(Refused, match="others may read"):
        server_token(tmp_path)
    file.chmod(0o600)
    file.write_text("\n")
    with pytest.raises(Refused, match="holds no token"):
        server_token(tmp_path)


def test_a_token_of_the_environment_takes_its_place_when_it_is_long_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "short")
    with pytest.raises(UsageError, match="5 characters"):
        server_token(tmp_path)
    monkeypatch.setenv(TOKEN_VARIABLE, "long-enough-for-a-token")
    assert server_token(tmp_path) == ("long-enough-for-a-token", None)
    assert not token_file(tmp_path).exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "example.com", ""])
def test_lesson_20_it_listens_on_this_machine_only(host: str) -> None:
    with pytest.raises(UsageError, match="listens on this machine only"):
        listening_socket(host, 0)


def test_it_says_where_it_listens_and_that_a_port_is_taken() -> None:
    with closing(listening_socket("localhost", 0)) as listener:
        port = listener.getsockname()[1]
        assert address_of(listener) == f"http://127.0.0.1:{port}/mcp"
        with pytest.raises(UsageError, match="choose another --port"):
            listening_socket("127.0.0.1", port)


def test_a_repository_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GridBotError, match="is no folder"):
        result_of(mcp(McpRequest(path=tmp_path / "none")))


@pytest.mark.slow
def test_a_person_starts_it_a_client_uses_it_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    folder, home = write_project(tmp_path / "project"), tmp_path / "home"
    environment = {name: value for name, value in os.environ.items() if name != TOKEN_VARIABLE}
    process = subprocess.Popen(
        [sys.executable, "-m", "automation.cli", "mcp", "--http", "--port", "0", "--json"],
        cwd=folder,
        env={**environment, "GRIDBOT_HOME": str(home), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    where = json.loads(process.stdout.readline())
    token = token_file(home).read_text().strip()

    async def listed() -> list[str]:
        web = httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"})
        async with web, Client(streamable_http_client(where["url"], http_client=web)) as client:
            return [tool.name for tool in (await client.list_tools()).tools]

    names = asyncio.run(listed())
    refused = httpx2.post(where["url"], json={}).status_code
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate()
    assert where["event"] == "listening"
    assert where["token"] == str(token_file(home))
    assert {"status", "find_symbol", "ask"} <= set(names)
    assert refused == 401
    assert process.returncode == ExitCode.INTERRUPTED, errors
    assert token not in out + errors + json.dumps(where)
