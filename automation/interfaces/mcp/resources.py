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

    def commands(self) -> object:
        """Tell every command."""
        return command_rows(self.registry, self.runner)

    def runs(self) -> object:
        """Tell the newest runs."""
        return run_rows(self.home)

    def run(self, run: str) -> object:
        """Tell how one run stands."""
        return run_state(self.home, run)

    def run_diff(self, run: str) -> object:
        """Tell what one run changed."""
        return run_patch(self.home, run)

    def reports(self) -> object:
        """Tell which reports there are."""
        return report_rows(self.folder)

    def report(self, path: str) -> object:
        """Tell one report."""
        return report_text(self.folder, path)

    def sessions(self) -> object:
        """Tell which sessions there are."""
        return session_states(self.home)

    def session(self, session: str) -> object:
        """Tell what one session did."""
        return session_state(self.home, session)

    def log(self, session: str, lines: int = 200) -> object:
        """Tell the end of a session's log."""
        return session_log(self.home, session, lines)

    def stored(self) -> object:
        """Tell which candles are stored."""
        return stored_candles(self.home)

    def candles(self, symbol: str, timeframe: str, limit: int = 200) -> object:
        """Tell the last candles of a symbol."""
        return candle_rows(self.home, symbol, timeframe, limit)


# Address, title, what it is, kind of content, and the method of `Shelf` that answers.
RESOURCES = (
    ("gridbot://commands", "Commands", "every command: risk, examples, name of its tool", _JSON, "commands"),
    ("gridbot://runs", "Runs", "the newest runs: status, incident, proposer, seconds", _JSON, "runs"),
    ("gridbot://runs/{run}", "A run", "diagnosis, diff, tests before and after, where it landed", _JSON, "run"),
    ("gridbot://runs/{run}/diff", "The diff of a run", "unified, as git reads it", "text/x-diff", "run_diff"),
    ("gridbot://reports", "Reports", "the files in the repository's folder reports/", _JSON, "reports"),
    ("gridbot://reports/{+path}", "A report", "one of them, its first 200,000 characters", _TEXT, "report"),
    ("gridbot://sessions", "Sessions", "paper and live sessions, and which run", _JSON, "sessions"),
    ("gridbot://sessions/{session}", "A session", "orders, fills, position, balances, profit", _JSON, "session"),
    ("gridbot://sessions/{session}/log{?lines}", "A log", "its last lines, 200 or up to 2,000", _TEXT, "log"),
    ("gridbot://candles", "Stored candles", "symbols, timeframes and spans in the store", _JSON, "stored"),
    (
        "gridbot://candles/{symbol}/{timeframe}{?limit}",
        "Candles",
        "the last of a symbol (BTC-USDT) as CSV, 200 or up to 2,000",
        "text/csv",
        "candles",
    ),
)


def add_resources(server: MCPServer, shelf: Shelf) -> None:
    """Offer what can be read, as resources and templates."""
    for uri, title, meaning, kind, name in RESOURCES:
        answer = _answering(getattr(shelf, name))
        server.resource(uri, name=name, title=title, description=meaning, mime_type=kind)(answer)


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
