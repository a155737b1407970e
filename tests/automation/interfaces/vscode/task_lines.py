"""The tasks of ``.vscode/tasks.json``, and their command lines with VS Code's variables filled in."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from automation.interfaces.vscode.jsonc import read_jsonc

FILE = "trading/market/timeframes.py"
INPUTS = {
    "gridbot-request": "how are my sessions",
    "gridbot-query": "where are grid levels placed",
    "gridbot-error": "KeyError: 'close'",
    "gridbot-config-set-value": "4",
    "gridbot-config-set-name": "repair.samples",
}
_ROOT = Path(__file__).resolve().parents[4]
_PATIENCE_S = 240.0
_SOURCE = '''"""Lengths of candles."""

UNITS = {"m": 60_000, "h": 3_600_000}


def timeframe_ms(text: str) -> int:
    """Return the length of a candle."""
    return int(text[:-1]) * UNITS[text[-1]]
'''
_TEST = """from trading.market.timeframes import timeframe_ms


def test_minutes():
    assert timeframe_ms("5m") == 300_000
"""
_VARIABLE = re.compile(r"\$\{(input:)?([\w-]+)\}")


def tasks_of(path: Path) -> list[dict[str, object]]:
    """Return the tasks of a tasks.json."""
    data = read_jsonc(path.read_text(encoding="utf-8"), str(path))
    assert isinstance(data, dict)
    tasks: list[dict[str, object]] = data["tasks"]
    return tasks


def filled(task: dict[str, object], workspace: Path) -> list[str]:
    """Return a task's words as VS Code would pass them while a file of the workspace is open."""
    variables = {"file": str(workspace / FILE), "relativeFile": FILE, "workspaceFolder": str(workspace)}

    def value(match: re.Match[str]) -> str:
        return INPUTS.get(match[2], "1") if match[1] else variables[match[2]]

    words = task["args"]
    assert isinstance(words, list)
    return [_VARIABLE.sub(value, str(word)) for word in words]


def small_workspace(folder: Path) -> Path:
    """Make a git repository of one file, with a test that passes."""
    source = folder / FILE
    source.parent.mkdir(parents=True)
    source.write_text(_SOURCE)
    (folder / "test_timeframes.py").write_text(_TEST)
    for words in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "begin"],
    ):
        subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)
    return folder


@dataclass(frozen=True)
class Ran:
    """How a task ended, and what it said."""

    code: int
    said: str


def run_task(words: list[str], workspace: Path, home: Path, *, stops_itself: bool) -> Ran:
    """Run a task as VS Code does, in a terminal; one that runs for ever is stopped once it has said something."""
    leader, follower = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "automation.cli", *words],
        cwd=workspace,
        env={
            **os.environ,
            "PYTHONPATH": str(_ROOT),
            "GRIDBOT_HOME": str(home),
            "TERM": "xterm-256color",
            "COLUMNS": "100",
        },
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
    )
    os.close(follower)
    said = b""
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        ready, _, _ = select.select([leader], [], [], 0.2)
        if ready:
            try:
                part = os.read(leader, 65_536)
            except OSError:
                # the other end was closed: the program has ended
                break
            said += part
            if not stops_itself or said.rstrip().endswith((b"]:", b"?", b":")):
                child.send_signal(signal.SIGINT)
    try:
        code = child.wait(timeout=max(1.0, end - time.monotonic()))
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        os.close(leader)
    return Ran(code, said.decode(errors="replace"))
