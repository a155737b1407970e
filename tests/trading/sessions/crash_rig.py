"""A session on the built-in exchange that dies by SIGKILL at chosen instants and starts again from its books.

The exchange is a process of its own that outlives every kill, in lock-step, so that the market waits for the session.
The session runs in children forked from a parent that has imported and compiled everything, and in which neither a
thread nor an event loop is alive. Its instants are the steps of its journal (`Plan.on_commit`) and its awaits: each
time the event loop waits for the machine, before and after.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import random
import selectors
import signal
import subprocess
import sys
import threading
import time
import traceback
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from types import CoroutineType, FrameType
from typing import Protocol

from trading.brokers.exchange_server.config import TEST_KEY, TEST_SECRET, AccountConfig, ExchangeConfig
from trading.brokers.exchange_server.server import ExchangeServer
from trading.exchange.credentials import Credentials
from trading.market.sources import home_store, open_candles
from trading.sessions.catalog import SessionCatalog
from trading.sessions.events import SessionEvent
from trading.sessions.launch import Plan, plan_of
from trading.sessions.live_requests import PaperRequest
from trading.sessions.supervisor import run_session

SYMBOL = "BTC/USDT"
HISTORY = 120
BALANCES = ("USDT=25000", "BTC=0.5")
SETTINGS = (
    "grid.order_style=limit",
    "grid.entry_drop=0",
    "grid.spacing=0.004",
    "grid.activation=0.02",
    "grid.recentre_margin=0",
    "grid.recentre_confirm=2",
    "limits.max_drawdown=1",
    "limits.daily_loss=1",
    "limits.max_position=1",
    "limits.max_exposure=1",
    "signals.warmup_candles=50",
    "signals.agents=[\"momentum\"]",
)


def write_candles(path: Path, count: int, seed: int) -> Path:
    """Write a restless market: a price that swings by some percent within the hour, in thin candles."""
    rng = random.Random(seed)
    close, rows = 30_000.0, ["timestamp,open,high,low,close,volume"]
    for number in range(count):
        goal = 30_000.0 * (1 + 0.02 * math.sin(number / 7) + 0.01 * math.sin(number / 2.3))
        opened, close = close, close + 0.5 * (goal - close) + rng.gauss(0, 25)
        high, low = max(opened, close) + abs(rng.gauss(0, 15)), min(opened, close) - abs(rng.gauss(0, 15))
        values = (opened, high, low, close)
        rows.append(f"{1_700_000_040_000 + 60_000 * number}," + ",".join(f"{value:.2f}" for value in values) + ",0.4")
    path.write_text("\n".join(rows) + "\n")
    return path


@dataclass(frozen=True)
class Exchange:
    """A built-in exchange in a process of its own."""

    url: str
    ws_url: str

    def ask(self, path: str, body: Mapping[str, object] | None = None) -> dict[str, object]:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.url}{path}", data, timeout=60) as answer:  # noqa: S310 - loopback
            found: dict[str, object] = json.loads(answer.read())
        return found


@contextmanager
def exchange_process(folder: Path, candles: Path, faults: Mapping[str, float] | None = None) -> Iterator[Exchange]:
    """Run the exchange in lock-step until the block ends."""
    command = [sys.executable, "-m", "trading.brokers.exchange_server", "--lockstep", "true", "--home", str(folder)]
    command += ["--candles", str(candles), "--history", str(HISTORY)]
    for balance in BALANCES:
        command += ["--balance", balance]
    for name, chance in (faults or {}).items():
        command += ["--fault", f"{name}={chance}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            yield Exchange(told["url"], told["ws_url"])
        finally:
            process.terminate()


def plan_on(exchange_url: str, home: Path, minutes: float | None = None, ws_url: str | None = None) -> Plan:
    """Return a session at an exchange; it ends in order after so many minutes of the market."""
    request = PaperRequest(
        symbol=SYMBOL,
        exchange="binance",
        rest_url=exchange_url,
        ws_url=ws_url,
        home=home,
        session="crash",
        max_minutes=minutes,
        set=list(SETTINGS),
        history=HISTORY,
        poll_s=15,
    )
    return replace(plan_of(request), credentials=Credentials(TEST_KEY, TEST_SECRET))


def journal_of(plan: Plan) -> Path:
    """Return the file of a plan's journal."""
    return SessionCatalog(plan.home).files_of(plan.name).journal


def warm_up(home: Path, candles: Path) -> None:
    """Import and compile all that a session needs, by running one."""

    async def main() -> None:
        money = {name: Decimal(amount) for name, amount in (one.split("=") for one in BALANCES)}
        config = ExchangeConfig(lockstep=True, history=HISTORY, accounts=(AccountConfig(balances=money),))
        async with ExchangeServer(config, [open_candles(str(candles), home_store(home))]) as server:
            await run_session(plan_on(server.url, home, 20), lambda event: None)

    asyncio.run(main())
    assert threading.active_count() == 1


# instants


class Killer(Protocol):
    """Decides at each instant of a child whether it dies there."""

    def at(self, kinds: Callable[[], list[str]]) -> str | None:
        """Return why the child dies now; None lets it live. ``kinds`` tells what the instant is, for those who ask."""
        ...


class AtNumber:
    """Dies at the n-th instant."""

    def __init__(self, number: int) -> None:
        self.left = number

    def at(self, kinds: Callable[[], list[str]]) -> str | None:
        self.left -= 1
        return kinds()[0] if self.left == 0 else None


class AtNewKind:
    """Dies at the first instant of a kind at which none has died before."""

    def __init__(self, done: set[str]) -> None:
        self.done = done

    def at(self, kinds: Callable[[], list[str]]) -> str | None:
        return next((kind for kind in kinds() if kind not in self.done), None)


class Never:
    """Lets the child live."""

    def at(self, kinds: Callable[[], list[str]]) -> str | None:
        del kinds
        return None


class WatchedSelector(selectors.DefaultSelector):
    """Tells of each wait of the event loop, before and after."""

    def __init__(self, reached: Callable[[str], None]) -> None:
        super().__init__()
        self._reached = reached

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._reached("waits")
        found = super().select(timeout)
        self._reached("woken")
        return found


def awaited_kinds(moment: str) -> list[str]:
    """Return what each task of the running loop waits for, innermost last."""
    return sorted({f"{moment}: {chain}" for task in asyncio.all_tasks() if (chain := _chain(task.get_coro()))})


def _chain(coroutine: object) -> str:
    names = []
    while isinstance(coroutine, CoroutineType):
        code = coroutine.cr_code
        if "/trading/" in code.co_filename or "/aiohttp/" in code.co_filename:
            names.append(code.co_qualname)
        coroutine = coroutine.cr_await
    return " > ".join(names)


def journal_kind(point: str) -> str:
    """Return which step of the journal the caller's caller is at, and for what."""
    names = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if "/trading/" in frame.f_code.co_filename:
            names.append(frame.f_code.co_qualname)
        frame = frame.f_back
    return f"{point}: " + " > ".join(reversed(names))


# children


@dataclass(frozen=True)
class Life:
    """How one child lived and died: the kind of its last instant, or its exit code.

    ``recovered_s`` is from its fork until its books and the venue were compared; None when it died before.
    """

    killed_at: str | None
    exit_code: int | None
    instants: int
    seconds: float
    recovered_s: float | None
    events: Mapping[str, int]
    failures: tuple[str, ...] = ()


def live_once(plan: Plan, killer: Killer) -> Life:
    """Run the session in a child until it ends or is killed."""
    source, sink = os.pipe()
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        code = 70
        try:
            os.close(source)
            code = _Child(plan, killer, sink).run()
        except BaseException:  # noqa: BLE001 - nothing may leave a forked child but its exit code
            os.write(sink, json.dumps({"failed": traceback.format_exc()}).encode() + b"\n")
        finally:
            os._exit(code)
    os.close(sink)
    with open(source) as told:
        lines = [json.loads(line) for line in told]
    _, status = os.waitpid(child, 0)
    return _life(lines, status, time.monotonic() - began)


def _life(lines: list[dict[str, object]], status: int, seconds: float) -> Life:
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    last = next((line for line in lines if "killed_at" in line or "instants" in line), {})
    events: dict[str, int] = {}
    recovered, failures = None, []
    for line in lines:
        if "event" in line:
            kind = str(line["event"])
            events[kind] = events.get(kind, 0) + 1
            if kind == "reconciled" and recovered is None:
                recovered = float(str(line["after_s"]))
            if kind in ("crashed", "halted", "alert"):
                failures.append(f"{kind}: {line['data']}")
        if "failed" in line:
            failures.append(str(line["failed"]))
    return Life(
        str(last.get("killed_at")) if killed else None,
        None if killed else os.waitstatus_to_exitcode(status),
        int(str(last.get("instants", 0))),
        seconds,
        recovered,
        events,
        tuple(failures),
    )


class _Child:
    def __init__(self, plan: Plan, killer: Killer, sink: int) -> None:
        self._plan = replace(plan, on_commit=self._journalled)
        self._killer = killer
        self._sink = sink
        self._instants = 0
        self._began = time.monotonic()

    def run(self) -> int:
        selector = WatchedSelector(self._awaited)
        with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
            end = runner.run(run_session(self._plan, self._hear))
            self._tell({"instants": self._instants, "reason": end.reason})
        return int(end.exit_code)

    def _hear(self, event: SessionEvent) -> None:
        after_s = time.monotonic() - self._began
        self._tell({"event": event.kind, "after_s": after_s, "data": str(dict(event.data))})

    def _journalled(self, point: str) -> None:
        self._reached(lambda: [journal_kind(point)])

    def _awaited(self, moment: str) -> None:
        with contextlib.suppress(RuntimeError):  # no task is there before the first and after the last
            asyncio.get_running_loop()
            self._reached(lambda: awaited_kinds(moment))

    def _reached(self, kinds: Callable[[], list[str]]) -> None:
        self._instants += 1
        kind = self._killer.at(kinds)
        if kind is not None:
            self._tell({"killed_at": kind, "instants": self._instants})
            os.kill(os.getpid(), signal.SIGKILL)

    def _tell(self, message: Mapping[str, object]) -> None:
        os.write(self._sink, json.dumps(message).encode() + b"\n")
