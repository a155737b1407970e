"""The server: tools, resources and prompts put together, and what has to be closed after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mcp.server import MCPServer

from automation.codebase.symbol_backend import SymbolBackend
from automation.interfaces.execution import Executor
from automation.interfaces.mcp.ask_tool import ASK, Interpreter, ask_tool
from automation.interfaces.mcp.command_tools import Runner, command_tools
from automation.interfaces.mcp.prompts import add_prompts
from automation.interfaces.mcp.resources import Shelf, add_resources
from automation.interfaces.mcp.symbol_tools import SymbolDesk, symbol_tools
from trading import __version__
from trading.commands import Registry

_INSTRUCTIONS = (
    "GridBot trades grids with trailing orders and maintains its own code. Every tool is one of its commands, or a "
    "symbol tool on the repository. Commands that trade or destroy ask the person at the client first; approvals, keys "
    "and real money are a person's affair on the command line. Changes of code always go one road: a private copy, a "
    "guard, the whole test suite, a branch. gridbot://commands lists everything with examples."
)


@dataclass(frozen=True, slots=True)
class Served:
    """What a server works on.

    Parameters
    ----------
    registry : Registry
        Its commands.
    folder, home : Path
        The repository, where paths begin, and the data home; both absolute.
    open_symbols : callable
        Opens the backend of the symbol tools.
    money : bool
        Whether commands that touch real money are offered.
    environment : mapping of str to str
        Variables for the commands beside this process's own.
    """

    registry: Registry
    folder: Path
    home: Path
    open_symbols: Callable[[], SymbolBackend]
    money: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def opened_server(served: Served) -> Iterator[MCPServer]:
    """Build a server, and close what it holds when it is no longer needed."""
    executor = Executor(served.folder)
    desk = SymbolDesk(served.folder, served.home, served.open_symbols)
    environment = {**served.environment, "GRIDBOT_HOME": str(served.home)}
    runner = Runner(executor, served.folder, served.money, environment)
    interpreter = Interpreter(served.registry, runner, served.folder, served.home)
    tools = [
        *command_tools(served.registry, runner, {ASK}),
        *symbol_tools(desk, served.registry, runner),
        ask_tool(interpreter),
    ]
    server = MCPServer(
        "gridbot",
        title="GridBot",
        version=__version__,
        instructions=_INSTRUCTIONS,
        tools=tools,
        log_level="WARNING",
    )
    add_resources(server, Shelf(served.registry, runner, served.folder, served.home))
    add_prompts(server)
    try:
        yield server
    finally:
        interpreter.close()
        desk.close()
        executor.close()
