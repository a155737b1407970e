"""What every screen of the console is given: where things lie, how commands run, and what time it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from automation.interfaces.execution import Ended, Executor, Order
from trading.commands import Registry


@dataclass(frozen=True, slots=True)
class ConsoleContext:
    """The console's surroundings; safe to use in any thread.

    Parameters
    ----------
    home : Path
        The data home: store, sessions, runs.
    root : Path
        The repository that maintenance is about; the paths of commands begin here.
    registry : Registry
        Every command.
    executor : Executor
        Runs commands, each in a process of its own.
    clock : callable
        Milliseconds UTC.
    pace : float
        Factor on how often screens read anew; 0 lets them read only when they are first shown or asked to.
    """

    home: Path
    root: Path
    registry: Registry
    executor: Executor
    clock: Callable[[], int]
    pace: float = 1.0

    def order(
        self,
        name: str,
        values: Mapping[str, object],
        *,
        width: int = 100,
        colour: bool = True,
        environment: Mapping[str, str] | None = None,
    ) -> Order:
        """Return the order of a command in this data home.

        Parameters
        ----------
        name : str
            Name in the registry.
        values : mapping of str to object
            Of the request, by field name, as JSON data.
        width : int
            Columns for the result as text.
        colour : bool
            Whether that text has ANSI colours.
        environment : mapping of str to str, optional
            Variables beside the console's own.
        """
        variables = {"GRIDBOT_HOME": str(self.home), **(environment or {})}
        return Order(name, dict(values), width, colour, self.root, variables)

    def answer(self, name: str, values: Mapping[str, object] | None = None, *, width: int = 100) -> Ended:
        """Run a command that only reads and return its end; it blocks, so call it in `Pane.read` alone.

        It appears in no list of commands; what a person asked for goes through `Pane.run_command` instead.

        Parameters
        ----------
        name : str
            Name in the registry.
        values : mapping of str to object, optional
            Of the request, by field name, as JSON data.
        width : int
            Columns for the result as text.
        """
        # to the end, so that the process is waited for
        *_, end = self.executor.start(self.order(name, values or {}, width=width)).events()
        if not isinstance(end, Ended):
            raise TypeError(f"{name} told {type(end).__name__} last, not its end")
        return end
