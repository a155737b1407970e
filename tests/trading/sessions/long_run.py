"""A supervised session on a built-in exchange in a process of its own, watched: speed, memory, open files, events."""

from __future__ import annotations

import asyncio
import gc
import json
import math
import os
import random
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter, process_time

from trading.brokers.exchange_server.config import TEST_KEY, TEST_SECRET
from trading.exchange.credentials import Credentials
from trading.orders.journal_reader import JournalReader
from trading.sessions.catalog import SessionCatalog
from trading.sessions.control import StopRequest
from trading.sessions.events import SessionEvent
from trading.sessions.launch import Plan, plan_of
from trading.sessions.live_requests import PaperRequest
from trading.sessions.live_session import SessionEnd
from trading.sessions.supervisor import Supervision, run_session
from trading.sessions.venue_audit import audit
from trading.sessions.vitals import open_files, rss_bytes

SYMBOL = "BTC/USDT"
HISTORY = 300
BALANCES = ("USDT=25000", "BTC=0.5")
SETTINGS = (
    "grid.entry_drop=0",
    "grid.spacing=0.005",
    "grid.recentre_margin=0",
    # a halted session would be measured standing still
    "limits.max_drawdown=1",
    "limits.daily_loss=1",
    "signals.warmup_candles=100",
)
_START_MS = 1_700_000_040_000
_DAY_MINUTES = 1_440


def write_market(path: Path, candles: int, seed: int = 1) -> Path:
    """Write a market that swings by some percent within hours and is nowhere at its end that it was not before."""
    rng = random.Random(seed)
    close, rows = 30_000.0, ["timestamp,open,high,low,close,volume"]
    for number in range(candles):
        swing = 0.02 * math.sin(number / 30) + 0.01 * math.sin(number / 7) + 0.02 * math.sin(number / _DAY_MINUTES)
        opened, close = close, close + 0.5 * (30_000.0 * (1 + swing) - close) + rng.gauss(0, 20)
        high, low = max(opened, close) + abs(rng.gauss(0, 15)), min(opened, close) - abs(rng.gauss(0, 15))
        prices = ",".join(f"{value:.2f}" for value in (opened, high, low, close))
        rows.append(f"{_START_MS + 60_000 * number},{prices},{0.2 + rng.random():.3f}")
    path.write_text("\n".join(rows) + "\n")
    return path


@dataclass(frozen=True)
class ExchangeProcess:
    """A built-in exchange in a process of its own.

    Parameters
    ----------
    url, ws_url : str
        Where it is.
    pid : int
        Its process.
    """

    url: str
    ws_url: str
    pid: int

    def ask(self, path: str, body: Mapping[str, object] | None = None) -> dict[str, object]:
        """Ask a control endpoint."""
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.url}{path}", data, timeout=120) as answer:
            found: dict[str, object] = json.loads(answer.read())
        return found


@contextmanager
def exchange_process(
    home: Path,
    candles: Path,
    *,
    speed: float | None = None,
    faults: Mapping[str, float] | None = None,
    history: int = HISTORY,
) -> Iterator[ExchangeProcess]:
    """Run the exchange until the block ends; without a speed in lock-step, so that it waits for its session."""
    command = [sys.executable, "-m", "trading.brokers.exchange_server", "--home", str(home)]
    command += ["--candles", str(candles), "--history", str(history)]
    command += ["--lockstep", "true"] if speed is None else ["--speed", str(speed)]
    for balance in BALANCES:
        command += ["--balance", balance]
    for name, value in (faults or {}).items():
        command += ["--fault", f"{name}={value}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            yield ExchangeProcess(told["url"], told["ws_url"], process.pid)
        finally:
            process.terminate()


def plan_on(url: str, home: Path, minutes: float, *, ws_url: str | None = None, history: int = HISTORY) -> Plan:
    """Return a session at an exchange, which ends in order and without open orders."""
    request = PaperRequest(
        symbol=SYMBOL,
        exchange="binance",
        rest_url=url,
        ws_url=ws_url,
        home=home,
        session="long",
        max_minutes=minutes,
        set=list(SETTINGS),
        history=history,
        cancel_orders=True,
    )
    return replace(plan_of(request), credentials=Credentials(TEST_KEY, TEST_SECRET))


@dataclass(frozen=True)
class Sample:
    """How things stood at a candle.

    Parameters
    ----------
    candle : int
        Candles decided on since the session's first start.
    seconds : float
        Since the run began.
    cpu_s : float
        Processor time of the session's process, seconds; other programs of the machine take nothing from it.
    rss, exchange_rss : int
        Resident memory of the session's process and of the exchange's, bytes.
    files : int
        Open file descriptors of the session's process.
    """

    candle: int
    seconds: float
    cpu_s: float
    rss: int
    exchange_rss: int
    files: int


@dataclass
class Watcher:
    """Hears a session's events, takes samples, and ends a run that takes too long.

    Parameters
    ----------
    exchange : ExchangeProcess
        Whose memory is sampled too.
    every : int
        Candles between samples.
    longest_s : float
        Real seconds after which the session is asked to end in order.
    progress : callable, optional
        Is handed each sample.
    on_candle : callable, optional
        Is handed the number of candles at each event; when it returns True, the session is asked to end in order.
    """

    exchange: ExchangeProcess
    every: int = 60
    longest_s: float = math.inf
    progress: Callable[[Sample], None] | None = None
    on_candle: Callable[[int], bool] | None = None
    samples: list[Sample] = field(default_factory=list)
    events: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    _supervision: Supervision | None = None
    _began_s: float = field(default_factory=perf_counter)

    def started(self, supervision: Supervision) -> None:
        """Remember who can be asked to stop."""
        self._supervision = supervision

    def __call__(self, event: SessionEvent) -> None:
        """Count an event, and look around."""
        self.events[event.kind] += 1
        if event.kind in ("alert", "halted", "crashed") and len(self.problems) < 100:
            self.problems.append(f"{event.kind}: {event.data.get('reason')}")
        supervision = self._supervision
        if supervision is None or supervision.session is None:
            return
        candle = int(supervision.session.decider.state.core.candle)
        is_over = self.on_candle is not None and self.on_candle(candle)
        if not self.samples or candle >= self.samples[-1].candle + self.every:
            self._sample(candle)
        if supervision.stop is None and (is_over or perf_counter() - self._began_s > self.longest_s):
            supervision.request_stop(StopRequest(True, False, "who watches it"))

    def _sample(self, candle: int) -> None:
        gc.collect()
        sample = Sample(
            candle,
            perf_counter() - self._began_s,
            process_time(),
            rss_bytes(),
            _rss_of(self.exchange.pid),
            open_files(),
        )
        self.samples.append(sample)
        if self.progress is not None:
            self.progress(sample)

    def after(self, candles: int) -> Sample:
        """Return the first sample taken so many candles after the first one; the last when there is none."""
        first = self.samples[0].candle
        return next((one for one in self.samples if one.candle >= first + candles), self.samples[-1])


@dataclass(frozen=True)
class LongRun:
    """What came of a run.

    Parameters
    ----------
    end : SessionEnd
        How the session ended.
    watcher : Watcher
        What it heard and measured.
    status : mapping
        What the exchange tells of itself.
    drift : list of str
        What journal and exchange do not agree on.
    orders, fills : int
        In the journal.
    errors : list of str
        Errors that nobody handled, as asyncio tells of them.
    """

    end: SessionEnd
    watcher: Watcher
    status: Mapping[str, object]
    drift: list[str]
    orders: int
    fills: int
    errors: list[str]


def run_long(plan: Plan, watcher: Watcher, before_audit: Callable[[], None] = lambda: None) -> LongRun:
    """Run a session to its end and compare its journal with the exchange."""
    errors: list[str] = []

    async def main() -> SessionEnd:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(
            lambda _, context: errors.append(f"{context['message']} {context.get('exception')!r}")
        )
        return await run_session(plan, watcher, watcher.started)

    end = asyncio.run(main())
    before_audit()
    journal_file = SessionCatalog(plan.home).files_of(plan.name).journal
    drift = audit(watcher.exchange.ask("/sim/audit"), journal_file, at_rest=True)
    with JournalReader.read(journal_file) as journal:
        orders, fills = journal.order_count(), journal.fill_count()
    return LongRun(end, watcher, watcher.exchange.ask("/sim/status"), drift, orders, fills, errors)


def _rss_of(pid: int) -> int:
    statm = Path(f"/proc/{pid}/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if statm.exists() else 0
