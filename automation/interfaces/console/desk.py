"""From a wish to a running command: its values are checked, a person is asked where that is due, its process begins."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from automation.interfaces.console.background import in_background
from automation.interfaces.console.dialogs import Permit, TypedPermit
from automation.interfaces.console.jobs import Job
from automation.interfaces.console.requests import ScreenName
from automation.interfaces.execution import Execution
from automation.requests import build_request, command_text, command_words
from trading.commands import Command, Face, Permission, Risk, permission
from trading.errors import Refused

if TYPE_CHECKING:
    from automation.interfaces.console.app import ConsoleApp

Then = Callable[[Job], None]

# they ask for secrets, which only a terminal takes without showing them
_IN_TERMINAL = frozenset({"keys set", "keys test", "keys remove"})
_ELSEWHERE = {
    "console": "this is the console",
    "mcp": "an MCP client starts the server itself; see `gridbot mcp --help`",
}
_MARGIN = 4


@dataclass(frozen=True, slots=True)
class Wish:
    """A command with values that its request takes.

    Parameters
    ----------
    command : Command
        The registry's entry.
    values : mapping of str to object
        By field name, as JSON data.
    line : str
        The same as it could be typed into a shell.
    """

    command: Command
    values: Mapping[str, object]
    line: str


@contextmanager
def _unseen() -> Iterator[None]:
    # a secret that is typed before it is asked for must not be seen either
    import termios

    here = sys.stdin.fileno()
    before = termios.tcgetattr(here)
    silent = before.copy()
    silent[3] &= ~termios.ECHO
    termios.tcsetattr(here, termios.TCSADRAIN, silent)
    try:
        yield
    finally:
        termios.tcsetattr(here, termios.TCSADRAIN, before)


class JobDesk:
    """The commands that a person started, and the way of a new one to its process.

    Parameters
    ----------
    app : ConsoleApp
        Where questions are asked, and who is told.
    """

    def __init__(self, app: ConsoleApp) -> None:
        self._app = app
        self._context = app.context
        self.jobs: list[Job] = []
        self._handed_back: set[int] = set()

    @property
    def working(self) -> list[Job]:
        """Those that have not ended."""
        return [job for job in self.jobs if job.ended is None]

    def run(self, name: str, values: Mapping[str, object], then: Then | None = None, *, face: Face, show: bool) -> None:
        """Run a command, after asking where the registry says so.

        Parameters
        ----------
        name : str
            Name in the registry.
        values : mapping of str to object
            Of its request, by field name, as JSON data.
        then : callable, optional
            Called in the event loop when it has ended.
        face : Face
            Where the wish comes from.
        show : bool
            Go to the screen Commands when it begins.
        """
        self._later(partial(self.wish, name, values), partial(self.ask, then=then, face=face, show=show))

    def wish(self, name: str, values: Mapping[str, object]) -> Wish:
        """Return a wish whose values its request takes; imports the request, so call it in a thread.

        Raises
        ------
        UsageError
            One sentence on what is wrong with the values.
        Refused
            When the command belongs elsewhere.
        """
        command = self._context.registry[name]
        if name in _ELSEWHERE:
            raise Refused(f"{name} does not run in the console: {_ELSEWHERE[name]}")
        if name == "live":
            # whoever types its name into the question says that real money is meant
            values = {**values, "live": True}
        build_request(command.load_request(), values, name)
        return Wish(command, values, command_text(command, values))

    def ask(self, wish: Wish, then: Then | None = None, *, face: Face, show: bool) -> None:
        """Ask for what needs a person's word, and start the rest at once."""
        if permission(wish.command, face) is Permission.RUN:
            self._start(wish, then, show=show)
            return
        kind = TypedPermit if wish.command.risk is Risk.MONEY else Permit

        def answered(yes: bool | None) -> None:
            if yes:
                self._start(wish, then, show=show)

        self._app.push_screen(kind(wish.command, wish.line), answered)

    def _start(self, wish: Wish, then: Then | None, *, show: bool) -> None:
        if wish.command.name in _IN_TERMINAL:
            self._run_in_terminal(wish)
            return
        # the typed word given here is the confirmation that `live` would ask for at a terminal
        environment = {"GRIDBOT_LIVE": "yes"} if wish.command.name == "live" else {}
        order = self._context.order(
            wish.command.name, wish.values, width=max(self._app.size.width - _MARGIN, 40), environment=environment
        )
        self._later(partial(self._context.executor.start, order), partial(self._begin, wish, then, show))

    def _begin(self, wish: Wish, then: Then | None, show: bool, execution: Execution) -> None:
        job = Job(len(self.jobs) + 1, wish.command, wish.line, execution, self._context.clock())
        self.jobs.append(job)
        self._app.job_changed(job)
        if show:
            self._app.action_pane(ScreenName.COMMANDS.value)

        def changed(changed_job: Job) -> None:
            self._app.call_later(self._changed, changed_job, then)

        # a session is followed for days: no worker of a pool that readers need, nor one that must end first
        follow = partial(job.follow, changed, self._context.clock)
        threading.Thread(target=follow, name=f"command {job.number}", daemon=True).start()

    def _changed(self, job: Job, then: Then | None) -> None:
        # seen here at any rate: not every command that changes is shown somewhere
        has_ended = job.view().ended is not None
        self._app.job_changed(job)
        if has_ended and then is not None and job.number not in self._handed_back:
            self._handed_back.add(job.number)
            then(job)

    def _run_in_terminal(self, wish: Wish) -> None:
        words = [sys.executable, "-m", "automation.cli", *command_words(wish.command, wish.values)]
        environment = {**os.environ, "GRIDBOT_HOME": str(self._context.home)}
        with self._app.suspend(), _unseen():
            subprocess.run(words, cwd=self._context.root, env=environment, check=False)  # noqa: S603
            sys.stderr.write("Enter returns to the console.")
            sys.stderr.flush()
            sys.stdin.readline()
        self._app.refresh()

    def _later(self, work: Callable[[], object], then: Callable[..., None]) -> None:
        in_background(self._app, work, then, self._app.complain)
