"""The server as a client starts it: a process of its own, the protocol on its stdin and stdout."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from mcp import Client, StdioServerParameters, types

from tests.automation.interfaces.mcp.served import write_project

ROOT = Path(__file__).resolve().parents[4]
PROGRAM = ["-m", "automation.cli", "mcp"]
HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}}


def parameters(folder: Path, home: Path) -> StdioServerParameters:
    environment = {"GRIDBOT_HOME": str(home), "PYTHONPATH": str(ROOT)}
    return StdioServerParameters(command=sys.executable, args=PROGRAM, cwd=folder, env=environment)


def started(root: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *PROGRAM, *words],
        cwd=write_project(root / "project"),
        env={**os.environ, "GRIDBOT_HOME": str(root / "home"), "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def tell(process: subprocess.Popen[str], message: dict[str, Any]) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    process.stdin.flush()


def heard(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def test_nothing_but_the_protocol_is_on_stdout_and_the_server_ends_with_its_client(tmp_path: Path) -> None:
    process = started(tmp_path, "--json")
    tell(process, {"id": 1, "method": "initialize", "params": HELLO})
    answer = heard(process)
    rest, errors = process.communicate()
    assert answer["result"]["serverInfo"]["name"] == "gridbot"
    assert answer["id"] == 1
    assert rest == ""
    assert process.returncode == 0, errors
    assert json.loads(errors) == {"transport": "stdio"}


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_the_server_and_what_it_runs(tmp_path: Path, number: signal.Signals, code: int) -> None:
    process = started(tmp_path)
    tell(process, {"id": 1, "method": "initialize", "params": HELLO})
    heard(process)
    tell(process, {"method": "notifications/initialized"})
    tell(process, {"id": 2, "method": "tools/call", "params": {"name": "exchange", "arguments": {"minutes": 60}}})
    told = heard(process)
    while told.get("method") != "notifications/message":
        told = heard(process)
    url = next(str(value) for value in told["params"]["data"].values() if str(value).startswith("http://"))
    process.send_signal(number)
    process.communicate()
    assert process.returncode == code
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), timeout=5)


@pytest.mark.slow
def test_a_client_over_stdio_runs_commands_and_symbol_tools(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "project")

    async def used() -> tuple[types.CallToolResult, types.CallToolResult, str]:
        async with Client(parameters(folder, tmp_path / "home")) as client:
            listed = await client.call_tool("data_list", {})
            found = await client.call_tool("find_symbol", {"name_path": "Account/balance", "include_body": True})
            return listed, found, (await client.read_resource("gridbot://runs")).contents[0].text

    listed, found, runs = asyncio.run(used())
    assert listed.structured_content["result"] == {"series": []}
    symbol = found.structured_content["symbols"][0]
    assert (symbol["path"], symbol["name_path"]) == ("calc.py", "Account/balance")
    assert symbol["body"].strip().endswith("return total([1, 2])")
    assert json.loads(runs) == {"runs": []}
