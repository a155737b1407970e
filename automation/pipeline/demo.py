"""The demonstration: a fault planted in a throw-away copy of the trading core, found, repaired and proven."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from rich.console import Group, RenderableType
from rich.text import Text

from automation.codebase.git import Git
from automation.codebase.landing import Land
from automation.pipeline.report import write_report
from automation.pipeline.requests import DemoRequest, FixRequest
from automation.pipeline.result import FixResult
from automation.pipeline.running import run_new
from automation.pipeline.runs import RunStore
from trading.commands import Progress
from trading.errors import ExitCode
from trading.setting_sources import data_home

_MODULE = "trading/engine/grid.py"
_TESTS = """
    import numpy as np

    from trading.engine.grid import lay_levels


    def levels(count, centre, spacing_ppm, below):
        prices = np.zeros(count, np.int64)
        lay_levels(prices, count, centre, spacing_ppm, below)
        return prices.tolist()


    def test_levels_are_a_spacing_apart_on_both_sides():
        assert levels(5, 1_000_000, 10_000, 2) == [980_298, 990_100, 1_000_000, 1_010_000, 1_020_100]


    def test_the_centre_is_a_level():
        assert levels(5, 1_000_000, 10_000, 2)[2] == 1_000_000


    def test_levels_may_all_lie_over_the_centre():
        assert levels(3, 1_000, 100_000, 0) == [1_000, 1_100, 1_210]


    def test_levels_may_all_lie_under_the_centre():
        assert levels(3, 1_210, 100_000, 2) == [1_000, 1_100, 1_210]


    def test_neighbours_are_a_tick_apart_at_least():
        assert levels(5, 3, 10_000, 2) == [1, 2, 3, 4, 5]


    def test_levels_rise():
        prices = levels(9, 5_020_001, 2_500, 4)
        assert prices == sorted(set(prices))
    """


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault to plant: what stands in the core, and what is made of it."""

    right: str
    wrong: str


FAULTS = (
    Fault("(PPM + spacing_ppm)", "(PPM - spacing_ppm)"),
    Fault("range(below - 1, -1, -1)", "range(below - 1, 0, -1)"),
    Fault("range(below + 1, count)", "range(below + 1, count - 1)"),
    Fault("levels[below] = centre", "levels[below] = count"),
    Fault("share_of(levels[i - 1], spacing_ppm)", "share_of(levels[i], spacing_ppm)"),
)


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What was planted, and what came of it."""

    planted: Fault
    run: FixResult

    @property
    def exit_code(self) -> ExitCode:
        """0 when the fault was repaired."""
        return self.run.exit_code

    def as_json(self) -> dict[str, object]:
        """Return the fault and the run as plain JSON."""
        planted = {"path": _MODULE, "right": self.planted.right, "wrong": self.planted.wrong}
        return {"planted": planted, "run": self.run.as_json()}

    def as_text(self) -> RenderableType:
        """Return a short account for people."""
        return Group(
            Text(f"planted in a copy of {_MODULE}", style="bold"),
            Text(f"-{self.planted.right}\n+{self.planted.wrong}\n"),
            self.run.as_text(),
        )


def demo(request: DemoRequest) -> Generator[Progress, None, DemoResult]:
    """Plant a fault in a throw-away copy of the trading core and repair it."""
    fault = FAULTS[request.seed % len(FAULTS)]
    store = RunStore(data_home())
    with tempfile.TemporaryDirectory(prefix="gridbot-demo-") as folder:
        copy = Path(folder) / "core"
        yield Progress("copying the trading core")
        _plant(copy, fault)
        fix = FixRequest(path=copy, max_minutes=5, model=request.model, land=Land.BRANCH, approve=True)
        run = yield from run_new(store, store.create(fix))
    if request.report is not None:
        request.report.mkdir(parents=True, exist_ok=True)
        write_report(run, request.report / "report.html")
    return DemoResult(fault, run)


def _plant(copy: Path, fault: Fault) -> None:
    package = Path(__file__).resolve().parents[2] / "trading"
    shutil.copytree(package, copy / "trading", ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "tests").mkdir()
    (copy / "tests" / "test_levels.py").write_text(dedent(_TESTS).lstrip(), encoding="utf-8")
    git = Git(copy)
    git.run("init", "--quiet")
    _commit(git, "A copy of the trading core")
    module = copy / _MODULE
    text = module.read_text(encoding="utf-8")
    module.write_text(text.replace(fault.right, fault.wrong, 1), encoding="utf-8")
    _commit(git, "Plant a fault")


def _commit(git: Git, message: str) -> None:
    git.run("add", "--all")
    git.run("commit", "--quiet", "--message", message)
