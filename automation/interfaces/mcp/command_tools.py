"""The registry's commands as tools, all derived: name, description, schema, permission, answer."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult, InputRequiredResult

from automation.interfaces.execution import Ended, Executor, Order
from automation.interfaces.mcp.confirmation import confirmed
from automation.interfaces.mcp.running import run_order
from automation.interfaces.mcp.schemas import (
    COMMAND_OUTPUT,
    annotations_of,
    given_values,
    input_schema,
    tool_description,
    tool_name,
)
from automation.interfaces.mcp.tools import Answer, make_tool, refused, told
from automation.requests import build_request, command_text
from trading.commands import Command, Face, Permission, Registry, permission
from trading.errors import UsageError

# What a model can make use of in one answer, and a client can carry.
MOST_CHARACTERS = 200_000
_WIDTH = 120


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs commands for clients, after the person at the client was asked where that is due.

    Parameters
    ----------
    executor : Executor
        Starts them.
    folder : Path
        Where their paths begin.
    money : bool
        Whether commands that touch real money were enabled.
    environment : mapping of str to str
        Variables beside this process's own.
    """

    executor: Executor
    folder: Path
    money: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)

    def permission(self, command: Command) -> Permission:
        """Return what a program may do with a command here."""
        return permission(command, Face.MCP, money=self.money)

    async def run(self, command: Command, values: Mapping[str, object], context: Context) -> Answer:
        """Run a command with values that are checked already, and return what it says.

        Raises
        ------
        UsageError
            When a program may not run it.
        """
        stopped = await self.stopped([(command, values)], context)
        if stopped is not None:
            return stopped
        return answer_of(command_text(command, values), await self.start(command, values, context))

    async def stopped(
        self, steps: Sequence[tuple[Command, Mapping[str, object]]], context: Context
    ) -> CallToolResult | InputRequiredResult | None:
        """Ask the person at the client where that is due; None means that every step may run.

        Raises
        ------
        UsageError
            When a program may not run one of them.
        """
        lines = [command_text(command, values) for command, values in steps]
        careful: list[Command] = []
        for (command, _), line in zip(steps, lines, strict=True):
            allowed = self.permission(command)
            if allowed is Permission.REFUSED:
                raise UsageError(f"a program may not run this; a person can: `{line}`")
            if allowed is Permission.ASK:
                careful.append(command)
        return await _asked(lines, careful, context) if careful else None

    async def start(self, command: Command, values: Mapping[str, object], context: Context) -> Ended:
        """Run a command that may run, to its end."""
        order = Order(
            command.name, values, width=_WIDTH, colour=False, folder=self.folder, environment=self.environment
        )
        return await run_order(self.executor, order, context)


def command_tools(registry: Registry, runner: Runner, special: Collection[str] = ()) -> Iterator[Tool]:
    """Yield a tool for every command that a program may run, or may run once a person agreed.

    Parameters
    ----------
    registry : Registry
        The commands.
    runner : Runner
        Runs them.
    special : collection of str
        Names of commands that have a tool of another kind.
    """
    for command in registry:
        if runner.permission(command) is not Permission.REFUSED and command.name not in special:
            yield _tool(command, runner)


def checked_values(command: Command, arguments: Mapping[str, object]) -> dict[str, object]:
    """Return a client's arguments as values of a command's request.

    Raises
    ------
    UsageError
        When one is unknown, withheld from programs, or not what the request allows.
    """
    model = command.load_request()
    properties = input_schema(model)["properties"]
    known = set(properties) if isinstance(properties, dict) else set()
    unknown = sorted(arguments.keys() - known)
    if unknown:
        those = f"has {', '.join(sorted(known))}" if known else "takes none"
        raise UsageError(f"{tool_name(command)} has no argument {unknown[0]!r}; it {those}")
    values = given_values(model, arguments)
    build_request(model, values, command.name)
    return values


def answer_of(line: str, ended: Ended) -> CallToolResult:
    """Return a command's end as an answer; only what is no result at all is an error of the tool."""
    result, text = ended.result, ended.text
    length = len(json.dumps(result, default=str))
    if length > MOST_CHARACTERS:
        result = {"too_long": length, "whole": f"{line} --json"}
    if len(text) > MOST_CHARACTERS:
        text = f"{text[:MOST_CHARACTERS]}\n… cut after {MOST_CHARACTERS:,} characters; the whole: {line}"
    data = {"command": line, "exit_code": ended.exit_code, "result": result, "error": ended.error}
    return told(text, data, is_error=ended.error is not None)


async def _asked(
    lines: Sequence[str], careful: Sequence[Command], context: Context
) -> CallToolResult | InputRequiredResult | None:
    shown = ", then ".join(f"`{line}`" for line in lines)
    reasons = " ".join(f"{one.summary} {_danger(one)}" for one in careful)
    answer = await confirmed(f"Run {shown}? {reasons}", context)
    if isinstance(answer, InputRequiredResult):
        return answer
    if answer == "nobody to ask":
        return refused(f"a person must agree to this, and this client cannot ask one; run it yourself: {shown}")
    return refused(f"the person at the client said no to {shown}; nothing was run") if answer == "no" else None


def _danger(command: Command) -> str:
    return "It cannot be undone." if command.destructive else f"It has the risk “{command.risk.value}”."


def _tool(command: Command, runner: Runner) -> Tool:
    async def run(arguments: Mapping[str, object], context: Context) -> Answer:
        return await runner.run(command, checked_values(command, arguments), context)

    return make_tool(
        tool_name(command),
        tool_description(command),
        input_schema(command.load_request()),
        COMMAND_OUTPUT,
        annotations_of(command),
        run,
    )
