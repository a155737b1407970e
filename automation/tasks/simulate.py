"""``gridbot simulate``: a day of trading on the built-in exchange, with kills on the way and a proof at the end."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from automation.tasks.requests import SimulateRequest
from trading.brokers.exchange_server.config import TEST_KEY, TEST_SECRET
from trading.commands import News, Progress, Step
from trading.errors import ExitCode, Refused
from trading.market.names import parse_symbol
from trading.market.times import iso
from trading.sessions.catalog import SessionCatalog
from trading.sessions.events import SessionEvent
from trading.sessions.replay import replay_session
from trading.sessions.session_report import session_report
from trading.sessions.venue_audit import audit
from trading.setting_sources import data_home

_MINUTE_MS = 60_000
_ACCOUNT = ("USDT=25000", "BTC=0.5")
_TOLD = frozenset({"fill", "alert", "halted", "crashed", "funded", "summary"})
_PATIENCE_S = 30.0
# A day is short for a grid that waits for a fall before it begins, and for levels that are percents apart; limit orders
# rest at the exchange, so that a recovery finds some.
_LIVELY = ("grid.order_style=limit", "grid.entry_drop=0", "grid.spacing=0.004", "limits.daily_loss=1")


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill and the recovery after it.

    Parameters
    ----------
    time_ms : int
        When, the market's time.
    open_orders : int
        What the session found open when it came back.
    recovery_s : float
        From its new start until it traded on, real seconds.
    findings : tuple of str
        What exchange and journal disagreed on while the session was dead.
    """

    time_ms: int
    open_orders: int
    recovery_s: float
    findings: tuple[str, ...]


@dataclass(slots=True)
class _Run:
    """What was seen of a session so far."""

    began_ms: int = 0
    now_ms: int = 0
    events: Counter[str] = field(default_factory=Counter)
    kills: list[Kill] = field(default_factory=list)
    exit_code: int = 0
    reason: str = ""

    @property
    def minutes(self) -> float:
        """Minutes of the market since the session's first start."""
        return (self.now_ms - self.began_ms) / _MINUTE_MS if self.began_ms else 0.0


@dataclass(frozen=True, slots=True)
class SimulateResult:
    """What a simulated day came to.

    Parameters
    ----------
    session : str
        Its name.
    minutes : float
        Minutes of the market.
    seconds : float
        Real ones.
    orders, fills : int
        Orders in the journal, and fills.
    equity, profit : str
        At the end, quote currency.
    kills : tuple of Kill
        Each with its recovery.
    findings : tuple of str
        What exchange and journal disagree on at the end; empty when they agree to the unit.
    inputs : int
        Inputs of the recording.
    same : bool
        Whether telling it again led to the same decisions, bit for bit.
    ended : str
        Why the session ended.
    session_exit : int
        The session's own exit code.
    report : Path
        The HTML report.
    """

    session: str
    minutes: float
    seconds: float
    orders: int
    fills: int
    equity: str
    profit: str
    kills: tuple[Kill, ...]
    findings: tuple[str, ...]
    inputs: int
    same: bool
    ended: str
    session_exit: int
    report: Path

    @property
    def is_proven(self) -> bool:
        """Whether nothing was lost, doubled or decided otherwise."""
        lost = self.findings or any(kill.findings for kill in self.kills)
        return not lost and self.same and self.session_exit == ExitCode.DONE

    @property
    def exit_code(self) -> ExitCode:
        """DONE when all is proven, else FAILED."""
        return ExitCode.DONE if self.is_proven else ExitCode.FAILED

    def as_json(self) -> dict[str, object]:
        """Return all of it."""
        own = {name: getattr(self, name) for name in self.__slots__ if name not in ("kills", "report", "findings")}
        kills = [
            {
                "time": iso(kill.time_ms),
                "open_orders": kill.open_orders,
                "recovery_s": round(kill.recovery_s, 3),
                "findings": list(kill.findings),
            }
            for kill in self.kills
        ]
        return {
            "event": "simulated",
            **own,
            "proven": self.is_proven,
            "kills": kills,
            "findings": list(self.findings),
            "report": str(self.report),
        }

    def as_text(self) -> RenderableType:
        """Return what was traded, each kill, and what was proven."""
        speed = self.minutes * 60 / self.seconds
        lines = [
            Text(
                f"{self.minutes:,.0f} minutes of the market in {self.seconds:.0f} s ({speed:,.0f} times as fast): "
                f"{self.orders:,} orders, {self.fills:,} fills, equity {self.equity} ({self.profit})"
            )
        ]
        for kill in self.kills:
            found = "; ".join(kill.findings) or "no order lost, none doubled"
            lines.append(
                Text(
                    f"killed at {iso(kill.time_ms)}, recovered in {kill.recovery_s:.1f} s with "
                    f"{kill.open_orders} open orders: {found}",
                    style="red" if kill.findings else "",
                )
            )
        agree = "exchange and journal agree: every order, every trade, both balances to the unit"
        lines += [Text(found, style="red") for found in self.findings] or [Text(agree, style="green")]
        told = f"{self.inputs:,} recorded inputs told again: every decision "
        lines.append(Text(told + ("the same, bit for bit" if self.same else "is NOT the same")))
        if self.session_exit != ExitCode.DONE:
            lines.append(Text(f"the session ended with exit code {self.session_exit}: {self.ended}", style="yellow"))
        return Group(*lines, Text.assemble(("report ", "dim"), (str(self.report), "cyan")))


def simulate(request: SimulateRequest) -> Generator[Step, None, SimulateResult]:
    """Trade on a built-in exchange of its own, kill the session, recover it, and compare all books at the end.

    Raises
    ------
    UsageError
        When the symbol is none.
    Refused
        When exchange or session cannot be started.
    """
    request = request.model_copy(update={"symbol": parse_symbol(request.symbol)})
    began, home = time.monotonic(), data_home(request.home)
    catalog = SessionCatalog(home)
    name = _free_name(catalog)
    rng = random.Random(request.seed)  # noqa: S311 - picks instants, guards nothing
    instants = sorted(rng.uniform(0.2, 0.8) for _ in range(request.kills))
    run = _Run()
    with _exchange(request, home) as url:
        for instant in [*instants, None]:
            yield from _trade(request, run, url, name, home, instant)
        told = _ask(url)
        journal = catalog.files_of(name).journal
        findings = tuple(audit(told, journal, at_rest=True))
    with catalog.read(name) as books:
        replayed = yield from replay_session(books)
        reported = yield from session_report(books, request.report or Path("reports") / name)
        return SimulateResult(
            session=name,
            minutes=run.minutes,
            seconds=time.monotonic() - began,
            orders=books.order_count(),
            fills=books.fill_count(),
            equity=f"{reported.result.final_equity:,.2f}",
            profit=f"{reported.result.final_equity - float(books.facts.capital):+,.2f} {reported.result.currency}",
            kills=tuple(run.kills),
            findings=findings,
            inputs=replayed.inputs,
            same=replayed.is_same,
            ended=run.reason,
            session_exit=run.exit_code,
            report=reported.path,
        )


def _free_name(catalog: SessionCatalog) -> str:
    taken = set(catalog.names())
    return next(name for number in range(1, len(taken) + 2) if (name := f"simulated-{number}") not in taken)


@contextmanager
def _exchange(request: SimulateRequest, home: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "trading.brokers.exchange_server", "--lockstep", "true", "--home", str(home)]
    command += ["--symbol", request.symbol, "--seed", str(request.seed)]
    command += [word for balance in _ACCOUNT for word in ("--balance", balance)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own program
        try:
            line = process.stdout.readline() if process.stdout is not None else ""
            if not line:
                raise Refused("the built-in exchange did not start; `gridbot exchange` says why")
            yield str(json.loads(line)["url"])
        finally:
            process.terminate()


def _ask(url: str) -> dict[str, object]:
    with urllib.request.urlopen(f"{url}/sim/audit", timeout=_PATIENCE_S) as answer:  # noqa: S310 - loopback
        told: dict[str, object] = json.loads(answer.read())
    return told


def _trade(
    request: SimulateRequest, run: _Run, url: str, name: str, home: Path, instant: float | None
) -> Generator[Step, None, None]:
    """Let the session run: to its end, or to an instant (a share of the minutes) at which it is killed."""
    minutes = None if instant is None else instant * request.minutes
    started = time.monotonic()
    with subprocess.Popen(  # noqa: S603 - our own program
        _command(request, run, url, name, home),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "GRIDBOT_EXCHANGE__API_KEY": TEST_KEY, "GRIDBOT_EXCHANGE__SECRET": TEST_SECRET},
    ) as process:
        try:
            for line in process.stdout or ():
                event = json.loads(line)
                _hear(event, run, started)
                yield from _steps(event, run, request)
                if minutes is not None and run.minutes >= minutes:
                    process.kill()
                    break
        finally:
            process.kill()
    if minutes is None:
        run.exit_code = process.returncode if run.reason else ExitCode.FAILED
        return
    if run.reason:
        raise Refused(f"the session ended before it could be killed: {run.reason}")
    told = audit(_ask(url), SessionCatalog(home).files_of(name).journal, at_rest=False)
    run.kills.append(Kill(run.now_ms, 0, 0.0, tuple(told)))
    killed = SessionEvent("killed", name, run.now_ms)
    yield News(killed.as_json(), killed.as_text())


def _command(request: SimulateRequest, run: _Run, url: str, name: str, home: Path) -> list[str]:
    left = request.minutes - run.minutes
    command = [sys.executable, "-m", "automation.cli", "--json", "--home", str(home), "paper"]
    command += ["--exchange", "binance", "--symbol", request.symbol, "--rest-url", url, "--session", name]
    command += ["--max-minutes", str(max(1.0, left))]
    return [*command, *(word for setting in (*_LIVELY, *request.set) for word in ("--set", setting))]


def _hear(event: dict[str, object], run: _Run, started: float) -> None:
    if "error" in event and "event" not in event:
        problem = event["error"]
        raise Refused(str(problem["message"] if isinstance(problem, dict) else problem))
    kind = str(event.get("event"))
    run.events[kind] += 1
    run.now_ms = max(run.now_ms, int(str(event.get("time_ms", 0))))
    if kind == "started":
        run.began_ms = run.began_ms or run.now_ms
        if run.kills:
            last = run.kills[-1]
            found = int(str(event.get("open_orders", 0)))
            run.kills[-1] = Kill(last.time_ms, found, time.monotonic() - started, last.findings)
    if kind == "stopped":
        run.reason = str(event.get("reason"))


def _steps(event: dict[str, object], run: _Run, request: SimulateRequest) -> Iterator[Step]:
    if event.get("event") in _TOLD:
        yield News(event, _sentence(event))
    yield Progress(f"trading, {run.events['fill']} fills", run.minutes, request.minutes, "minutes")


def _sentence(event: dict[str, object]) -> str:
    kind, session, time_ms = (str(event.get(name, 0)) for name in ("event", "session", "time_ms"))
    return SessionEvent(kind, session, int(time_ms), event).as_text()
