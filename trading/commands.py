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
        One line for a person.
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
    """

    name: str
    summary: str
    run: str
    request: str
    risk: Risk
    examples: tuple[str, ...]
    phrases: tuple[str, ...] = field(default=())

    def load_request(self) -> type[BaseModel]:
        """Import and return the input model."""
        return _load(self.request)  # type: ignore[return-value]

    def load_function(self) -> CommandFunction:
        """Import and return the function."""
        return _load(self.run)  # type: ignore[return-value]


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


TRADING_COMMANDS = (
    Command(
        name="backtest",
        summary="Trade a trailing grid over past candles and report the result.",
        run="trading.sessions.commands:backtest",
        request="trading.sessions.requests:BacktestRequest",
        risk=Risk.WRITE,
        examples=(
            "backtest --candles BTC-USDT-5m.parquet",
            "backtest --candles BTC-USDT-5m.parquet --risk conservative --report reports/btc",
            "backtest --candles BTC/USDT --timeframe 1h --set grid.spacing=0.01 --json",
        ),
        phrases=("backtest the grid on bitcoin candles", "how would this strategy have done last month"),
    ),
    Command(
        name="data import",
        summary="Read candle files of any known kind into the candle store.",
        run="trading.market.commands:import_files",
        request="trading.market.requests:ImportRequest",
        risk=Risk.WRITE,
        examples=("data import BTC-USDT-5m.parquet", "data import candles.csv --symbol ETH/USDT"),
        phrases=("import this candle file", "load candles into the store"),
    ),
    Command(
        name="data export",
        summary="Write stored candles to CSV files, keeping the newest N exports.",
        run="trading.market.commands:export",
        request="trading.market.requests:ExportRequest",
        risk=Risk.WRITE,
        examples=("data export BTC/USDT --timeframe 1h --out exports --keep 10",),
        phrases=("export the candles as csv",),
    ),
    Command(
        name="data check",
        summary="Check candles for gaps, duplicates, bad values, outliers and stuck prices.",
        run="trading.market.commands:check",
        request="trading.market.requests:CheckRequest",
        risk=Risk.READ,
        examples=("data check BTC-USDT-1h.parquet", "data check BTC-USDT-1h.parquet --json"),
        phrases=("check the quality of this data", "are there gaps in the candles"),
    ),
    Command(
        name="data list",
        summary="List the symbols and timeframes in the candle store.",
        run="trading.market.commands:list_store",
        request="trading.market.requests:ListRequest",
        risk=Risk.READ,
        examples=("data list", "data list --json"),
        phrases=("which candles do we have",),
    ),
    Command(
        name="data download",
        summary="Download candles from an exchange into the candle store, resuming where the last download stopped.",
        run="trading.market.download_command:download",
        request="trading.market.download_command:DownloadRequest",
        risk=Risk.WRITE,
        examples=("data download BTC/USDT ETH/USDT --timeframe 1m --timeframe 1h --start 2025-01-01",),
        phrases=("download bitcoin candles from binance",),
    ),
    Command(
        name="data synthetic",
        summary="Write a seeded synthetic market into the candle store.",
        run="trading.market.synthetic_command:synthetic",
        request="trading.market.synthetic_command:SyntheticRequest",
        risk=Risk.WRITE,
        examples=("data synthetic SIM/USDT --timeframe 1m --candles 525600 --seed 7",),
        phrases=("make a synthetic market",),
    ),
    Command(
        name="agents list",
        summary="List the signal agents that are installed, with one line on each.",
        run="trading.signals.commands:list_agents",
        request="trading.signals.requests:AgentsRequest",
        risk=Risk.READ,
        examples=("agents list",),
        phrases=("which agents are there",),
    ),
    Command(
        name="agents explain",
        summary="Say why the agents voted as they did at one candle.",
        run="trading.signals.commands:explain",
        request="trading.signals.requests:ExplainRequest",
        risk=Risk.READ,
        examples=("agents explain BTC-USDT-5m.parquet --at 2025-04-05T12:00",),
        phrases=("why did the agents sell here",),
    ),
    Command(
        name="config show",
        summary="Show every setting: its value, where it comes from and what it means.",
        run="trading.sessions.commands:show_config",
        request="trading.sessions.requests:ConfigRequest",
        risk=Risk.READ,
        examples=("config show", "config show --risk conservative", "config show --candles BTC-USDT-5m.parquet"),
        phrases=("show the configuration", "what is the grid spacing"),
    ),
)


def trading_registry() -> Registry:
    """Return a registry of the trading wing's commands."""
    return Registry(TRADING_COMMANDS)
