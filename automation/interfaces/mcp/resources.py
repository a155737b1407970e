"""What clients can read: commands, runs, reports, sessions, candles and logs, every answer bounded."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError

from automation.interfaces.mcp.command_tools import Runner
from automation.interfaces.mcp.reading import (
    candle_rows,
    command_rows,
    report_rows,
    report_text,
    run_patch,
    run_rows,
    run_state,
    session_log,
    session_state,
    session_states,
    stored_candles,
)
from automation.interfaces.mcp.running import safe
from trading.commands import Registry
from trading.errors import ExitCode, GridBotError

P = ParamSpec("P")
_JSON, _TEXT = "application/json", "text/plain"


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the resources come from.

    Parameters
    ----------
    registry : Registry
        The commands.
    runner : Runner
        Says what a program may run.
    folder, home : Path
        The repository and the data home.
    """

    registry: Registry
    runner: Runner
    folder: Path
    home: Path


def add_resources(server: MCPServer, shelf: Shelf) -> None:
    """Offer what can be read, as resources and templates."""
    registry, home, folder = shelf.registry, shelf.home, shelf.folder

    def offer(uri: str, title: str, answer: Callable[..., object], kind: str = _JSON) -> None:
        server.resource(uri, name=answer.__name__, title=title, description=answer.__doc__, mime_type=kind)(
            _answering(answer)
        )

    def commands() -> object:
        """Every command, with its risk, examples and the name of its tool."""
        return command_rows(registry, shelf.runner)

    def runs() -> object:
        """The newest runs of the pipeline: status, incident, proposer, seconds."""
        return run_rows(home)

    def run(run: str) -> object:
        """One run: diagnosis, diff, tests before and after, where it landed."""
        return run_state(home, run)

    def run_diff(run: str) -> object:
        """The unified diff of one run."""
        return run_patch(home, run)

    def reports() -> object:
        """The reports of the repository's folder `reports`."""
        return report_rows(folder)

    def report(path: str) -> object:
        """One report as text, its first 200,000 characters."""
        return report_text(folder, path)

    def sessions() -> object:
        """Every paper and live session, and whether it runs."""
        return session_states(home)

    def session(session: str) -> object:
        """One session: orders, fills, position, balances, profit."""
        return session_state(home, session)

    def log(session: str, lines: int = 200) -> object:
        """The end of a session's log, at most 2,000 lines."""
        return session_log(home, session, lines)

    def candle_list() -> object:
        """Which candles are stored."""
        return stored_candles(home)

    def candles(symbol: str, timeframe: str, limit: int = 200) -> object:
        """The last candles of a stored symbol (BTC-USDT) as CSV, at most 2,000."""
        return candle_rows(home, symbol, timeframe, limit)

    offer("gridbot://commands", "Commands", commands)
    offer("gridbot://runs", "Runs", runs)
    offer("gridbot://runs/{run}", "A run", run)
    offer("gridbot://runs/{run}/diff", "The diff of a run", run_diff, "text/x-diff")
    offer("gridbot://reports", "Reports", reports)
    offer("gridbot://reports/{+path}", "A report", report, _TEXT)
    offer("gridbot://sessions", "Sessions", sessions)
    offer("gridbot://sessions/{session}", "A session", session)
    offer("gridbot://sessions/{session}/log{?lines}", "The log of a session", log, _TEXT)
    offer("gridbot://candles", "Stored candles", candle_list)
    offer("gridbot://candles/{symbol}/{timeframe}{?limit}", "Candles", candles, "text/csv")


def _answering(answer: Callable[P, object]) -> Callable[P, str]:
    @functools.wraps(answer)
    def told(*args: P.args, **kwargs: P.kwargs) -> str:
        try:
            found = safe(answer(*args, **kwargs))
        except GridBotError as error:
            kind = ResourceNotFoundError if error.exit_code is ExitCode.USAGE else ResourceError
            raise kind(str(error)) from error
        return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False, indent=1)

    return told
