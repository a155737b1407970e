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
        name="paper",
        summary="Trade without money: at live or replayed prices, or at a simulated venue; the same name recovers.",
        run="trading.sessions.live_commands:paper",
        request="trading.sessions.live_requests:PaperRequest",
        risk=Risk.TRADE,
        examples=(
            "paper --symbol BTC/USDT --max-minutes 60",
            "paper --candles BTC-USDT-5m.parquet --session replay-btc",
            "paper --symbol BTC/USDT --rest-url http://127.0.0.1:8765 --ws-url ws://127.0.0.1:8765 --json",
        ),
        phrases=("start paper trading bitcoin", "trade without real money", "practise on the built-in exchange"),
    ),
    Command(
        name="live",
        summary="Trade real money on an exchange, after a typed confirmation; the same name recovers.",
        run="trading.sessions.live_commands:live",
        request="trading.sessions.live_requests:LiveRequest",
        risk=Risk.MONEY,
        examples=("live --live --exchange binance --symbol BTC/USDT --capital 1000 --risk conservative",),
        phrases=("trade bitcoin with real money", "go live on binance"),
    ),
    Command(
        name="status",
        summary="Say how every running session is: price, equity, position, orders, feed, halt.",
        run="trading.sessions.session_commands:status",
        request="trading.sessions.live_requests:StatusRequest",
        risk=Risk.READ,
        examples=("status", "status --json"),
        phrases=("how are my sessions", "is the bot running", "what is my position"),
    ),
    Command(
        name="stop",
        summary="Stop a running session: in order, or as an emergency with --cancel-orders and --flatten.",
        run="trading.sessions.session_commands:stop",
        request="trading.sessions.live_requests:StopRequest",
        risk=Risk.MONEY,
        examples=("stop paper-btc-usdt", "stop paper-btc-usdt --cancel-orders --flatten"),
        phrases=("stop the session", "sell everything and stop", "emergency stop"),
    ),
    Command(
        name="sessions",
        summary="List the sessions of the data home.",
        run="trading.sessions.session_commands:list_sessions",
        request="trading.sessions.live_requests:StatusRequest",
        risk=Risk.READ,
        examples=("sessions", "sessions --json"),
        phrases=("list my sessions", "which sessions are there"),
    ),
    Command(
        name="sessions show",
        summary="Show one session: orders, fills, position, balances, profit, what happened.",
        run="trading.sessions.session_commands:show",
        request="trading.sessions.live_requests:SessionName",
        risk=Risk.READ,
        examples=("sessions show paper-btc-usdt", "sessions show paper-btc-usdt --json"),
        phrases=("show me the paper session", "what did the session trade"),
    ),
    Command(
        name="sessions report",
        summary="Write an HTML report of one session: equity, fills, drawdown, days.",
        run="trading.sessions.session_commands:report",
        request="trading.sessions.live_requests:ReportRequest",
        risk=Risk.WRITE,
        examples=("sessions report paper-btc-usdt",),
        phrases=("make a report of the session",),
    ),
    Command(
        name="sessions replay",
        summary="Run a session's recording again, offline, and compare every decision bit for bit.",
        run="trading.sessions.session_commands:replay",
        request="trading.sessions.live_requests:ReplayRequest",
        risk=Risk.READ,
        examples=("sessions replay paper-btc-usdt", "sessions replay paper-btc-usdt --export incident.recording"),
        phrases=("replay the session", "would it decide the same again"),
    ),
    Command(
        name="sessions stop",
        summary="Stop a running session; the same as `stop`.",
        run="trading.sessions.session_commands:stop",
        request="trading.sessions.live_requests:StopRequest",
        risk=Risk.MONEY,
        examples=("sessions stop paper-btc-usdt",),
        phrases=("end the session",),
    ),
    Command(
        name="exchange",
        summary="Run the built-in exchange on this machine: Binance's protocol, simulated money, faults on demand.",
        run="trading.brokers.exchange_command:exchange",
        request="trading.brokers.exchange_command:ExchangeRequest",
        risk=Risk.WRITE,
        examples=(
            "exchange --symbol BTC/USDT --speed 60 --balance USDT=10000",
            "exchange --symbol BTC/USDT --fault drop_after=0.05 --minutes 5",
        ),
        phrases=("start the exchange server", "run the simulated exchange"),
    ),
    Command(
        name="keys set",
        summary="Keep the API keys of an exchange: in the system's keyring, or encrypted in a file.",
        run="trading.sessions.keys_commands:set_keys",
        request="trading.sessions.keys_commands:KeysRequest",
        risk=Risk.MONEY,
        examples=("keys set binance",),
        phrases=("store my binance keys",),
    ),
    Command(
        name="keys list",
        summary="List for which exchanges keys are kept, and where; secrets are never shown.",
        run="trading.sessions.keys_commands:list_keys",
        request="trading.sessions.keys_commands:KeysListRequest",
        risk=Risk.READ,
        examples=("keys list",),
        phrases=("which keys do I have",),
    ),
    Command(
        name="keys test",
        summary="Ask the exchange what the kept keys may do; keys that may withdraw are refused.",
        run="trading.sessions.keys_commands:test_keys",
        request="trading.sessions.keys_commands:KeysTestRequest",
        risk=Risk.MONEY,
        examples=("keys test binance",),
        phrases=("do my keys work",),
    ),
    Command(
        name="keys remove",
        summary="Forget the kept keys of an exchange.",
        run="trading.sessions.keys_commands:remove_keys",
        request="trading.sessions.keys_commands:KeysRequest",
        risk=Risk.MONEY,
        examples=("keys remove binance",),
        phrases=("forget my binance keys",),
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
