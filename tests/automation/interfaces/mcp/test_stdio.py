"""The server as a client starts it: a process of its own, the protocol on its stdin and stdout."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters, types

from tests.automation.interfaces.mcp.served import write_project

ROOT = Path(__file__).resolve().parents[4]
PROGRAM = ["-m", "automation.cli", "mcp"]


def parameters(folder: Path, home: Path) -> StdioServerParameters:
    environment = {"GRIDBOT_HOME": str(home), "PYTHONPATH": str(ROOT)}
    return StdioServerParameters(command=sys.executable, args=PROGRAM, cwd=folder, env=environment)


def test_nothing_but_the_protocol_is_on_stdout_and_the_server_ends_with_its_client(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "project")
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}},
    }
    process = subprocess.Popen(
        [sys.executable, *PROGRAM, "--json"],
        cwd=folder,
        env={**os.environ, "GRIDBOT_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(hello) + "\n")
    process.stdin.flush()
    answer = json.loads(process.stdout.readline())
    rest, errors = process.communicate()
    assert answer["result"]["serverInfo"]["name"] == "gridbot"
    assert answer["id"] == 1
    assert rest == ""
    assert process.returncode == 0, errors
    assert json.loads(errors) == {"transport": "stdio"}


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
