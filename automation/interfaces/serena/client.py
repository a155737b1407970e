"""A Serena server in a process of its own, asked over the Model Context Protocol; every call has a timeout."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import TimeoutError as TookTooLong
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp import Client, MCPError, StdioServerParameters, stdio_client

from automation.errors import EditRefused, WorkspaceFailed
from automation.interfaces.serena.program import SerenaProgram

START_S = 90.0
CALL_S = 60.0
_TOOL_ERROR = "Error executing tool "
# What a program needs to run at all; nothing of ours, and no secret, reaches it.
_KEPT_VARIABLES = ("LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


class SerenaClient:
    """One running Serena.

    Parameters
    ----------
    program : SerenaProgram
        How it is started.
    project : Path
        Folder that it works in; it may write there.
    home : Path
        Its own folder for settings and logs.
    call_s : float
        Patience with one call, seconds.

    Raises
    ------
    WorkspaceFailed
        When it does not start.
    """

    def __init__(self, program: SerenaProgram, project: Path, home: Path, call_s: float = CALL_S) -> None:
        self._call_s = call_s
        self._stack = ExitStack()
        home.mkdir(parents=True, exist_ok=True)
        errors = self._stack.enter_context((home / "stderr.log").open("w", encoding="utf-8"))
        self._portal: BlockingPortal = self._stack.enter_context(start_blocking_portal())
        transport = stdio_client(_parameters(program, project, home), errlog=errors)
        client = Client(transport, mode="legacy", read_timeout_seconds=START_S)
        try:
            self._client = self._stack.enter_context(self._portal.wrap_async_context_manager(client))
        except BaseException as error:
            self._stack.close()
            if not isinstance(error, Exception):
                raise
            raise WorkspaceFailed(f"Serena did not start; {home / 'stderr.log'} says why") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._stack.close()

    def call(self, tool: str, arguments: Mapping[str, object]) -> str:
        """Call a tool and return what it says.

        Raises
        ------
        EditRefused
            When the tool says no.
        WorkspaceFailed
            When it does not answer in time, or the server is gone.
        """
        try:
            answer = self._portal.start_task_soon(self._client.call_tool, tool, dict(arguments), self._call_s).result(
                self._call_s + 5
            )
        except (MCPError, TookTooLong, RuntimeError) as error:
            raise WorkspaceFailed(f"Serena's {tool} gave no answer within {self._call_s:g} s: {error}") from error
        text = "\n".join(part.text for part in answer.content if part.type == "text")
        if answer.is_error or text.startswith(_TOOL_ERROR):
            reason = text.removeprefix(f"{_TOOL_ERROR}{tool}: ").splitlines()
            raise EditRefused(f"Serena's {tool} refused: {reason[0][:300] if reason else 'it does not say why'}")
        return text


def _parameters(program: SerenaProgram, project: Path, home: Path) -> StdioServerParameters:
    options = [
        "start-mcp-server",
        "--project",
        str(project),
        "--context",
        "agent",
        "--agent-interface",
        "tools",
        "--enable-web-dashboard",
        "false",
        "--open-web-dashboard",
        "false",
        "--log-level",
        "ERROR",
    ]
    environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    environment |= {
        "PATH": program.search,
        "HOME": str(home),
        "SERENA_HOME": str(home),
        "SERENA_USAGE_REPORTING": "false",
    }
    first, *rest = program.command
    return StdioServerParameters(command=first, args=[*rest, *options], env=environment, cwd=project)
