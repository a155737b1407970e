"""The command that opens the console."""

from __future__ import annotations

import sys
from collections.abc import Generator
from dataclasses import dataclass

from automation.interfaces.console.requests import ConsoleRequest
from trading.commands import Step
from trading.errors import ExitCode, Refused, UsageError
from trading.setting_sources import data_home


@dataclass(frozen=True, slots=True)
class ConsoleClosed:
    """The console was opened and closed again.

    Parameters
    ----------
    commands : int
        Commands that were started in it.
    """

    commands: int

    @property
    def exit_code(self) -> ExitCode:
        """Always done."""
        return ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        """Return how many commands were started."""
        return {"commands": self.commands}

    def as_text(self) -> str:
        """Return one line."""
        return f"the console was closed; {self.commands} {'command was' if self.commands == 1 else 'commands were'} run"


def console(request: ConsoleRequest) -> Generator[Step, None, ConsoleClosed]:
    """Open the console in this terminal."""
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise Refused("the console needs a terminal; from a script or a pipe use the commands, see `gridbot --help`")
    if not request.path.is_dir():
        raise UsageError(f"{request.path} is no folder; name a repository with --path")
    # what draws is loaded for this command alone
    from rich.console import Console
    from textual.constants import COLOR_SYSTEM

    from automation.interfaces.console.app import build_console
    from automation.interfaces.console.theme import depth_of

    app = build_console(
        data_home(request.home),
        request.path,
        screen=request.screen,
        theme=request.theme,
        depth=depth_of(Console().color_system if COLOR_SYSTEM == "auto" else COLOR_SYSTEM),
    )
    yield from ()
    app.run()
    return ConsoleClosed(len(app.desk.jobs))
