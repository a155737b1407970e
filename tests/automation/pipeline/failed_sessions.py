"""Sessions that really fail: a fault planted in a copy of the trading core, and a paper session run with that copy."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.automation.pipeline.targets import ROOT, git_run
from trading.market.synthetic import synthetic_candles

SYMBOL, TIMEFRAME = "SIM/USDT", "5m"
SETTINGS = ("grid.entry_drop=0", "grid.spacing=0.005", "signals.warmup_candles=50")
SETTINGS_TREE = {"grid": {"entry_drop": 0.0, "spacing": 0.005}, "signals": {"warmup_candles": 50}}


@dataclass(frozen=True)
class Fault:
    """What stands in the core, and what is made of it."""

    name: str
    path: str
    right: str
    wrong: str


def copy_of_core(folder: Path, tests: Sequence[str] = ()) -> Path:
    """Copy the trading wing, with some of its tests, into a repository of its own with one commit."""
    leave = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "trading", folder / "trading", ignore=leave)
    for name in ("pyproject.toml", *tests):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    git_run(folder, "init", "-q", "-b", "main")
    git_run(folder, "add", "-A")
    git_run(folder, "commit", "-qm", "a copy of the core")
    return folder


def plant_fault(copy: Path, fault: Fault) -> None:
    """Plant a fault in a copy and commit it."""
    module = copy / fault.path
    text = module.read_text(encoding="utf-8")
    assert fault.right in text, fault
    module.write_text(text.replace(fault.right, fault.wrong, 1), encoding="utf-8")
    git_run(copy, "commit", "-qam", "another commit")


def candle_file(path: Path, count: int = 900, seed: int = 3) -> Path:
    """Write a market's candles as a CSV file."""
    candles = synthetic_candles(SYMBOL, TIMEFRAME, candles=count, seed=seed)
    names = ("timestamp", "open", "high", "low", "close", "volume")
    with path.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream)
        rows.writerow(names)
        rows.writerows(zip(*(getattr(candles, name).tolist() for name in names), strict=True))
    return path


def run_paper(
    copy: Path, home: Path, candles: Path, *, session: str = "broken", history: int = 0, compiled: bool = False
) -> subprocess.CompletedProcess[str]:
    """Replay candles in a paper session with a copy's code, in a process of its own."""
    asked = {
        "candles": str(candles),
        "symbol": SYMBOL,
        "timeframe": TIMEFRAME,
        "session": session,
        "history": history,
        "home": str(home),
        "set": list(SETTINGS),
    }
    program = f"""
from trading.sessions.live_commands import paper
from trading.sessions.live_requests import PaperRequest

steps = paper(PaperRequest.model_validate({asked!r}))
while True:
    try:
        next(steps)
    except StopIteration as end:
        raise SystemExit(int(end.value.exit_code))
"""
    variables = {**os.environ, "PYTHONPATH": str(copy), "GRIDBOT_HOME": str(home)}
    if not compiled:
        variables["NUMBA_DISABLE_JIT"] = "1"
    return subprocess.run(
        [sys.executable, "-c", program], env=variables, cwd=copy, capture_output=True, text=True, timeout=240
    )


FAULTS = (
    Fault("count-of-working-orders", "trading/engine/slots.py", "core.working -= 1", "core.working -= 2"),
    Fault(
        "index-past-the-slots",
        "trading/engine/slots.py",
        "    for i in range(book.params.pairs):\n        low = max(low, book.core.below[i])",
        "    for i in range(book.params.pairs + 128):\n        low = max(low, book.core.below[i])",
    ),
    Fault("sold-twice", "trading/engine/accounting.py", "core.position_lots -= lots", "core.position_lots -= 2 * lots"),
    Fault(
        "money-not-released",
        "trading/engine/accounting.py",
        "        core.reserved -= released",
        "        core.reserved += released",
    ),
    Fault(
        "name-of-a-field",
        "trading/engine/slots.py",
        "slot.order_id = core.next_order_id\n",
        "slot.order_id = core.next_order\n",
    ),
)
