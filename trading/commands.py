"""The command registry: one plain-data entry for each thing that a user can ask for.

Every face (the CLI, the console, MCP, VS Code, plain English) is derived from it. An entry holds dotted paths, so
listing the registry imports nothing; the input model and the function load on dispatch.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, TypeVar

from trading.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import RenderableType


T = TypeVar("T")


class Risk(StrEnum):
    """What a command may touch."""

    READ = "read"
    WRITE = "write"
    TRADE = "trade"
    MONEY = "money"


class Face(StrEnum):
    """Where a command is asked for."""

    COMMAND_LINE = "command line"
    CONSOLE = "console"
    ENGLISH = "plain English"
    MCP = "MCP"


class Permission(StrEnum):
    """Whether a face may run a command."""

    RUN = "run"
    ASK = "ask a person first"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of long work.

    Parameters
    ----------
    label : str
        What is being done, for a person.
    done, total : float
        Work done and in all, in ``unit``; a total of 0 means that it is not known.
    """

    label: str
    done: float = 0
    total: float = 0
    unit: str = ""


@dataclass(frozen=True, slots=True)
class News:
    """Something that happened while a command runs, told at once and not only in its result.

    Parameters
    ----------
    data : mapping
        One JSON object with the key ``event``.
    text : str
        One line for a person; empty for what only programs want to hear.
    """

    data: Mapping[str, object]
    text: str


Step = Progress | News


class Result(Protocol):
    """What a command hands back: one object, rendered as JSON or as text by the face that asked."""

    def as_json(self) -> dict[str, object]:
        """Return the result as plain JSON data."""
        ...

    def as_text(self) -> RenderableType:
        """Return the result as something rich can print."""
        ...

    @property
    def exit_code(self) -> ExitCode:
        """What the shell is told."""
        ...


CommandFunction = Callable[["BaseModel"], Generator[Step, None, Result]]


def result_of(work: Generator[Step, None, T]) -> T:
    """Run work to its end without showing its progress, and return what it returns."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: T = end.value
            return result


@dataclass(frozen=True, slots=True)
class Command:
    """One registered command.

    Parameters
    ----------
    name : str
        One or two words: ``"backtest"``, ``"data check"``.
    summary : str
        One sentence of help.
    run : str
        ``package.module:function``; a generator that yields `Progress` and `News`, and returns a `Result`. A person's
        Ctrl-C reaches it as KeyboardInterrupt; it may let that pass, raise it anew with words on what was kept, or
        return a result whose exit code is INTERRUPTED.
    request : str
        ``package.module:Model``; the pydantic model of its input. ``json_schema_extra={"positional": True}`` makes a
        field an argument, a ``metavar`` there names what its value looks like.
    risk : Risk
        What it may touch.
    examples : tuple of str
        Command lines that run, without the program's name.
    phrases : tuple of str
        The same in plain English.
    destructive : bool
        It removes or overwrites what cannot be had again, so that every face but the command line asks first.
    by_person : bool
        Only a person may ask for it, never a program: approvals, keys, real money.
    """

    name: str
    summary: str
    run: str
    request: str
    risk: Risk
    examples: tuple[str, ...]
    phrases: tuple[str, ...] = field(default=())
    destructive: bool = False
    by_person: bool = False

    def load_request(self) -> type[BaseModel]:
        """Import and return the input model."""
        return _load(self.request)  # type: ignore[return-value]

    def load_function(self) -> CommandFunction:
        """Import and return the function."""
        return _load(self.run)  # type: ignore[return-value]


def permission(command: Command, face: Face, *, money: bool = False) -> Permission:
    """Return what a face may do with a command; the one place where risk is weighed.

    On the command line a person typed the command's own name, and what is dangerous asks there itself. Everywhere
    else what trades, spends or destroys is shown first. A program (MCP) never approves, and never reaches money unless
    its person enabled that.

    Parameters
    ----------
    command : Command
        What is asked for.
    face : Face
        Where.
    money : bool
        Whether commands of the risk MONEY were enabled for programs.
    """
    if face is Face.COMMAND_LINE:
        return Permission.RUN
    if face is Face.MCP and (command.by_person or (command.risk is Risk.MONEY and not money)):
        return Permission.REFUSED
    careful = command.destructive or command.by_person or command.risk in (Risk.TRADE, Risk.MONEY)
    return Permission.ASK if careful else Permission.RUN


class Registry:
    """Commands by name, in the order in which they were added."""

    def __init__(self, commands: Iterable[Command] = ()) -> None:
        self._commands: dict[str, Command] = {}
        for command in commands:
            self.add(command)

    def add(self, command: Command) -> None:
        """Add a command; a second one of the same name is refused."""
        if command.name in self._commands:
            raise UsageError(f"command {command.name!r} is registered twice")
        self._commands[command.name] = command

    def __getitem__(self, name: str) -> Command:
        try:
            return self._commands[name]
        except KeyError:
            raise UsageError(f"there is no command {name!r}; `gridbot --help` lists them") from None

    def __iter__(self) -> Iterator[Command]:
        return iter(self._commands.values())

    def __len__(self) -> int:
        return len(self._commands)


def _load(path: str) -> object:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
