"""A session on the built-in exchange that dies by SIGKILL at chosen instants and starts again from its books.

The exchange is a process of its own that outlives every kill, in lock-step, so that the market waits for the session.
The session runs in children forked from a parent that has imported and compiled everything, and in which neither a
thread nor an event loop is alive. Its instants are the steps of its journal (`Plan.on_commit`) and its awaits: each
time the event loop waits for the machine, before and after.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import math
import os
import random
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

from tests.trading.sessions.crash_instants import (
    AtNewKind,
    AtNumber,
    Killer,
    Never,
    WatchedSelector,
    awaited_kinds,
    journal_kinds,
)
from trading.brokers.exchange_server.config import TEST_KEY, TEST_SECRET, AccountConfig, ExchangeConfig
from trading.brokers.exchange_server.server import ExchangeServer
from trading.errors import ConnectionLost
from trading.exchange.credentials import Credentials
from trading.market.sources import home_store, open_candles
from trading.orders.journal import JournalReader, holds_session
from trading.sessions.catalog import SessionCatalog
from trading.sessions.events import SessionEvent
from trading.sessions.launch import Plan, plan_of
from trading.sessions.live_requests import PaperRequest
from trading.sessions.supervisor import run_session
from trading.sessions.venue_audit import audit

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
    'signals.agents=["momentum"]',
)


FAULTS = ("drop_before", "drop_after", "error_502", "error_503", "error_504", "garbage")
FAILED, AWAY = 70, 75
"""Exit codes of children: an exception, and a venue that did not answer while the session started."""


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
        with urllib.request.urlopen(f"{self.url}{path}", data, timeout=60) as answer:
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


def live_once(plan: Plan, killer: Killer, *, full: bool = False) -> Life:
    """Run the session in a child until it ends or is killed; ``full`` tells instants apart by all their callers."""
    source, sink = os.pipe()
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        code = FAILED
        try:
            os.close(source)
            code = _Child(plan, killer, sink, full=full).run()
        except ConnectionLost as lost:
            code = AWAY
            os.write(sink, json.dumps({"away": str(lost)}).encode() + b"\n")
        except BaseException:  # noqa: BLE001 - nothing may leave a forked child but its exit code
            os.write(sink, json.dumps({"failed": traceback.format_exc()}).encode() + b"\n")
        finally:
            os._exit(code)
    os.close(sink)
    with os.fdopen(source) as told:
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
    def __init__(self, plan: Plan, killer: Killer, sink: int, *, full: bool) -> None:
        self._plan = replace(plan, on_commit=self._journalled)
        self._killer = killer
        self._full = full
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
        self._reached(lambda: journal_kinds(point, full=self._full))

    def _awaited(self, moment: str) -> None:
        with contextlib.suppress(RuntimeError):  # no task is there before the first and after the last
            asyncio.get_running_loop()
            self._reached(lambda: awaited_kinds(moment, full=self._full))

    def _reached(self, kinds: Callable[[], list[str]]) -> None:
        self._instants += 1
        kind = self._killer.at(kinds)
        if kind is not None:
            self._tell({"killed_at": kind, "instants": self._instants})
            os.kill(os.getpid(), signal.SIGKILL)

    def _tell(self, message: Mapping[str, object]) -> None:
        os.write(self._sink, json.dumps(message).encode() + b"\n")


class CrashRun:
    """One session that dies again and again, and what was found to be wrong.

    Parameters
    ----------
    exchange : Exchange
        Where it trades.
    home : Path
        Its data home.
    seed : int
        Of how long it stays dead, in the market's time.
    full : bool
        Tell instants apart by all their callers.
    faults : mapping, optional
        Faults of the exchange that are on, and their chances: then it may not answer, and a session not start.
    streams : bool
        Whether the session listens to the exchange's streams, too.
    """

    def __init__(
        self,
        exchange: Exchange,
        home: Path,
        seed: int,
        *,
        full: bool = False,
        faults: Mapping[str, float] | None = None,
        streams: bool = False,
    ) -> None:
        self.exchange = exchange
        self.faults = faults or {}
        self.home = home
        self.lives: list[Life] = []
        self.findings: list[str] = []
        self.audits = self.audits_failed = 0
        self._rng = random.Random(seed)
        self._full = full
        self._plan = plan_on(exchange.url, home, ws_url=exchange.ws_url if streams else None)

    @property
    def kills(self) -> int:
        """How often it died."""
        return sum(life.killed_at is not None for life in self.lives)

    @property
    def journal(self) -> Path:
        """The session's journal."""
        return journal_of(self._plan)

    def live(self, killer: Killer, minutes: float | None = None, *, cancel_orders: bool = False) -> Life:
        """Start the session, until it is killed or has traded so long; hold what it left against the exchange."""
        request = self._plan.request.model_copy(update={"max_minutes": minutes, "cancel_orders": cancel_orders})
        life = live_once(replace(self._plan, request=request), killer, full=self._full)
        self.lives.append(life)
        failures = [one for one in life.failures if not (self.faults and _is_of_faults(one))]
        self.findings += [f"life {len(self.lives)}: {failure}" for failure in failures]
        if life.killed_at is None and life.exit_code not in ((0, AWAY) if self.faults else (0,)):
            self.findings.append(f"life {len(self.lives)} ended with exit code {life.exit_code}")
        if holds_session(self.journal):
            self._audit(life)
        return life

    def stay_dead(self) -> None:
        """Let the market go on without the session: often not at all, at times for some minutes."""
        if self._rng.random() < 0.5:
            self.exchange.ask("/sim/advance", {"ms": self._rng.randrange(1, 240_000)})

    def rest(self) -> None:
        """Let the session end in order, with an exchange that answers."""
        self.exchange.ask("/sim/faults", dict.fromkeys(FAULTS, 0))
        self.live(Never(), 2)
        self.exchange.ask("/sim/faults", self.faults)

    def _audit(self, life: Life) -> None:
        found = audit(self.exchange.ask("/sim/audit"), self.journal, at_rest=life.exit_code == 0)
        self.audits += 1
        self.audits_failed += bool(found)
        self.findings += [f"life {len(self.lives)} ({life.killed_at or 'at rest'}): {one}" for one in found]


def _is_of_faults(failure: str) -> bool:
    # answers are missing, or the session starts again because none came
    return failure.startswith("alert") or (
        failure.startswith("crashed") and any(f"'code': '{code}'" in failure for code in ("E001", "E003"))
    )


def kill_at_each_kind(run: CrashRun, minutes: float, most: int = 1_000) -> set[str]:
    """Kill a session once at each kind of instant that it comes to, until it lives so long without a new one."""
    done: set[str] = set()
    while len(done) < most:
        life = run.live(AtNewKind(done), minutes)
        if life.killed_at is None:
            break
        done.add(life.killed_at)
        run.stay_dead()
    return done


def kill_at_random(run: CrashRun, kills: int, seed: int, rest_every: int = 50) -> Iterator[int]:
    """Kill a session at so many seeded instants, and let it end in order now and then; yield the count of kills."""
    rng = random.Random(seed)
    killed = 0
    while killed < kills:
        # as often within the first hundred instants as within the next thousands
        life = run.live(AtNumber(int(10 ** rng.uniform(0, 3.8))))
        killed += life.killed_at is not None
        run.stay_dead()
        if killed % rest_every == 0 and life.killed_at is not None:
            run.rest()
        yield killed


@contextmanager
def crash_run(
    folder: Path, seed: int, *, full: bool = False, faults: float = 0.0, streams: bool = False
) -> Iterator[CrashRun]:
    """Start an exchange and warm up, so that children of this process may live and die.

    Parameters
    ----------
    folder : Path
        Takes all files.
    seed : int
        Of the market, and of how long the session stays dead.
    full : bool
        Tell instants apart by all their callers.
    faults : float
        Chance of each fault of the exchange in `FAULTS`.
    streams : bool
        Whether the session listens to the exchange's streams, too.
    """
    candles = write_candles(folder / "BTCUSDT-1m.csv", 20_000, seed)
    weather = dict.fromkeys(FAULTS, faults) if faults else {}
    with exchange_process(folder / "exchange", candles, weather) as exchange:
        warm_up(folder / "warm", candles)
        gc.freeze()
        logging.disable(logging.CRITICAL)
        yield CrashRun(exchange, folder / "home", seed, full=full, faults=weather, streams=streams)


def report(run: CrashRun) -> dict[str, object]:
    """Return what a run came to, as JSON has it."""
    now = run.exchange.ask("/sim/status")
    with JournalReader.read(run.journal) as journal:
        fills, orders, candles = journal.fill_count(), journal.order_count(), len(journal.equity())
    return {
        "kills": run.kills,
        "restarts": len(run.lives) - 1,
        "audits": run.audits,
        "audits_passed": run.audits - run.audits_failed,
        "orders": orders,
        "accepted": now["orders"],
        "fills": fills,
        "candles": candles,
    }
