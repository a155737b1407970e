"""Sessions as a user runs them: the program in processes of its own, and the built-in exchange in another."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest

from automation.cli import main
from tests.trading.sessions.crash_rig import write_candles
from trading.brokers.exchange_server.config import TEST_KEY, TEST_SECRET
from trading.errors import ExitCode

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = (sys.executable, "-m", "automation.cli")
KEYS = {"GRIDBOT_EXCHANGE__API_KEY": TEST_KEY, "GRIDBOT_EXCHANGE__SECRET": TEST_SECRET}
SYMBOL = "BTC/USDT"
# A grid that trades within minutes, and rests at the exchange.
LIVELY = ("grid.order_style=limit", "grid.entry_drop=0", "grid.spacing=0.004", "signals.warmup_candles=50")
EARLIER_CANDLES = 120
PATIENCE_S = 240.0

Event = dict[str, Any]


def set_words(*settings: str) -> list[str]:
    """Return settings as words of a command line."""
    return [word for setting in settings for word in ("--set", setting)]


def environment(keys: Mapping[str, str] = KEYS) -> dict[str, str]:
    """Return what processes are started with: keys of the test account, and no consent to live trading."""
    ours = ("GRIDBOT_", "COLUMNS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "PYTHONPATH": str(ROOT), **keys}


@dataclass
class Venue:
    """A built-in exchange in lock-step, in a process of its own."""

    url: str

    def ask(self, path: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}{path}", timeout=60) as answer:
            found: dict[str, Any] = json.loads(answer.read())
        return found

    def open_orders(self, session: str) -> list[str]:
        """Return client ids of a session's orders that rest."""
        orders = self.ask("/sim/audit")["orders"]
        ours = [one for one in orders if str(one["client_id"]).startswith(f"gb-{session}-")]
        return [str(one["client_id"]) for one in ours if one["status"] in ("NEW", "PARTIALLY_FILLED")]


@contextmanager
def venue(folder: Path) -> Iterator[Venue]:
    """Run an exchange on a restless market until the block ends."""
    candles = write_candles(folder / "BTCUSDT-1m.csv", 2_000, 3)
    command = [sys.executable, "-m", "trading.brokers.exchange_server", "--lockstep", "true"]
    command += ["--home", str(folder / "exchange"), "--candles", str(candles), "--history", str(EARLIER_CANDLES)]
    command += ["--balance", "USDT=25000", "--balance", "BTC=0.5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment({})) as process:
        try:
            assert process.stdout is not None
            yield Venue(json.loads(process.stdout.readline())["url"])
        finally:
            process.terminate()


class Running:
    """A command in a process of its own that prints one event a line.

    Parameters
    ----------
    *words : str
        Its command line, without ``--json``.
    keys : mapping
        What of our own stands in its environment.
    """

    def __init__(self, *words: str, keys: Mapping[str, str] = KEYS) -> None:
        self.events: list[Event] = []
        self.process = subprocess.Popen(
            [*PROGRAM, "--json", *words],
            cwd=ROOT,
            env=environment(keys),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        # a process that says nothing more must fail a test and not stop it
        self._watchdog = threading.Timer(PATIENCE_S, self._kill)
        self._watchdog.start()

    def until(self, kind: str, count: int = 1) -> Event:
        """Read on until so many more events of a kind have come."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.events.append(json.loads(line))
            count -= self.events[-1].get("event") == kind
            if count == 0:
                return self.events[-1]
        raise AssertionError(f"no {kind}: {self.events[-3:]} {self.end()}")

    def send(self, *signals: signal.Signals) -> None:
        """Send signals, one right after the other."""
        for number in signals:
            self.process.send_signal(number)

    def end(self) -> tuple[int, str]:
        """Wait for the end, read what is left, and return the exit code and what stood on stderr."""
        out, err = self.process.communicate()
        self._watchdog.cancel()
        self.events += [json.loads(line) for line in out.splitlines()]
        return self.process.returncode, err

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._watchdog.cancel()
        if self.process.poll() is None:
            self._kill()
        self.process.communicate()

    def _kill(self) -> None:
        # what it started holds its pipes, and would be waited for until it ends
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


def session_words(url: str, home: Path, name: str, *more: str) -> list[str]:
    """Return the options of a session at an exchange."""
    place = ["--exchange", "binance", "--rest-url", url, "--symbol", SYMBOL, "--history", str(EARLIER_CANDLES)]
    return ["--home", str(home), "--session", name, *place, *set_words(*LIVELY, "limits.daily_loss=1"), *more]


@dataclass
class Here:
    """The program called in this process, which spares its start where it makes no difference."""

    capsys: pytest.CaptureFixture[str]
    home: Path

    def __call__(self, *words: str, code: int = ExitCode.DONE) -> str:
        """Run a command, check its exit code, and return what it printed on stdout; on stderr, where it failed."""
        self.capsys.readouterr()
        found = main([*words, "--home", str(self.home)])
        told = self.capsys.readouterr()
        assert found == code, told.err
        return told.err if code in (ExitCode.FAILED, ExitCode.USAGE, ExitCode.REFUSED) else told.out

    def json(self, *words: str, code: int = ExitCode.DONE) -> dict[str, Any]:
        """Run a command and return the last JSON object that it prints."""
        self.capsys.readouterr()
        found = main([*words, "--json", "--home", str(self.home)])
        told = self.capsys.readouterr()
        assert found == code, told.err
        answer: dict[str, Any] = json.loads(told.out.splitlines()[-1])
        return answer
