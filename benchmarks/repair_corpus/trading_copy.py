"""Faults planted in a copy of the trading wing: half of its own tests are shown to the repairer, half are held back."""

from __future__ import annotations

import ast
import hashlib
import os
import random
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from benchmarks.repair_corpus.planting import Fault, chosen_faults
from benchmarks.repair_corpus.problems import Problem, write_files

ROOT = Path(__file__).resolve().parents[2]
# Property tests draw the same examples each time, so that a verdict can be repeated.
_PYTEST_INI = """[pytest]
pythonpath = .
addopts = --strict-markers --import-mode=importlib --hypothesis-seed=0
timeout = 60
markers = slow: takes more than a few seconds
"""
_TEST_RUN_S = 180.0
Function = ast.FunctionDef | ast.AsyncFunctionDef
# Most faults are noticed; a module whose faults seldom are is not worth the time.
_MOST_TRIES = 12


@dataclass(frozen=True, slots=True)
class Area:
    """Modules that get faults, and quick tests that judge them."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]


AREAS = (
    Area(
        tuple(f"trading/market/{name}.py" for name in ("timeframes", "names", "quality", "filling", "resampling")),
        tuple(f"tests/trading/market/test_{name}.py" for name in ("names", "quality", "resampling", "candles")),
    ),
    Area(
        tuple(f"trading/orders/{name}.py" for name in ("fills", "ledger", "pairing", "states", "trades")),
        tuple(f"tests/trading/orders/test_{name}.py" for name in ("fills", "ledger", "order_states", "trades")),
    ),
    Area(
        tuple(f"trading/metrics/{name}.py" for name in ("attribution", "performance", "returns")),
        ("tests/trading/metrics/test_metrics.py",),
    ),
    Area(
        tuple(f"trading/engine/{name}.py" for name in ("money", "sizing", "slots", "grid")),
        tuple(f"tests/trading/engine/test_{name}.py" for name in ("accounting", "grid", "orders", "risk", "slots")),
    ),
    Area(("trading/signals/voting.py",), ("tests/trading/signals/test_consensus.py",)),
)


def trading_problems(count: int, seed: int) -> Iterator[Problem]:
    """Yield faults in the trading wing that a visible and a held-back test notice.

    Parameters
    ----------
    count : int
        How many, at most; the modules take turns.
    seed : int
        Same seed, same faults, as long as the code is the same.

    Yields
    ------
    Problem
        As soon as the tests have shown that it is one.

    Raises
    ------
    RuntimeError
        When the tests fail without a fault.
    """
    order = random.Random(seed)  # noqa: S311 - a repeatable choice, no secret
    sources = [(area, module) for area in AREAS for module in area.modules]
    order.shuffle(sources)
    waiting = [(area, module, chosen_faults(_read(module), order.randrange(2**32))) for area, module in sources]
    sound: set[Area] = set()
    found = 0
    while waiting and found < count:
        for entry in list(waiting):
            area, module, faults = entry
            if area not in sound:
                _require_sound(area)
                sound.add(area)
            tried = islice(faults, _MOST_TRIES)
            problem = next(filter(None, (_noticed(area, module, fault) for fault in tried)), None)
            if problem is None:
                waiting.remove(entry)
                continue
            yield problem
            found += 1
            if found == count:
                return


def split_tests(path: str, text: str) -> tuple[str, str]:
    """Return a test file with only its visible tests, and with only those to hold back.

    Parameters
    ----------
    path : str
        Of the file; with a test's name it decides by its hash to which half the test belongs.
    text : str
        The file; whatever is no test function stays in both halves.
    """
    tests = _tests_in(text)
    hidden = [test for test in tests if is_held_back(path, test.name)]
    shown = [test for test in tests if test not in hidden]
    return _without(text, hidden), _without(text, shown)


def is_held_back(path: str, test: str) -> bool:
    """Return whether a test belongs to the half that the repairer never sees."""
    return hashlib.sha256(f"{path}::{test}".encode()).digest()[0] % 2 == 1


def _tests_in(text: str) -> list[Function]:
    found = [node for node in ast.parse(text).body if isinstance(node, Function)]
    return [function for function in found if function.name.startswith("test_")]


def _without(text: str, functions: list[Function]) -> str:
    lines = text.splitlines(keepends=True)
    for function in reversed(functions):
        first = min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])
        del lines[first - 1 : function.end_lineno]
    return "".join(lines)


def _noticed(area: Area, module: str, fault: Fault) -> Problem | None:
    visible, held_back = _halves(area)
    files = {**_surroundings(area), module: fault.text}
    seen = _run(files, visible)
    # A fault that stops every test tells a repairer nothing about where it is; one that stops none is no fault.
    if seen is None or not seen.failed or not seen.passed:
        return None
    unseen = _run(files, held_back, "-x")
    if unseen is None or not unseen.failed:
        return None
    return Problem(
        name=f"{module.removesuffix('.py').replace('/', '.')}:{fault.line}:{fault.pattern.replace(' ', '_')}",
        suite="trading",
        pattern=fault.pattern,
        single_edit=fault.single_edit,
        fault=f"{module}:{fault.line}: {fault.description}",
        files={**files, **visible},
        tests=" ".join(["-q", *area.tests]),
        held_back=held_back,
        visible=tuple(visible),
    )


def _halves(area: Area) -> tuple[dict[str, str], dict[str, str]]:
    visible, held_back = {}, {}
    for path in area.tests:
        shown, hidden = split_tests(path, _read(path))
        visible[path] = shown
        held_back[f"{path.removesuffix('.py')}_held_back.py"] = hidden
    return visible, held_back


def _require_sound(area: Area) -> None:
    for tests in _halves(area):
        counts = _run(_surroundings(area), tests)
        if counts is None or counts.failed or not counts.passed:
            raise RuntimeError(f"{', '.join(area.tests)} do not pass without a fault ({counts}); repair them first")


def _surroundings(area: Area) -> dict[str, str]:
    paths = [path for path in (ROOT / "trading").rglob("*") if path.suffix in {".py", ".css", ".js", ".j2", ".txt"}]
    paths += [*(ROOT / "tests").glob("*.py"), *(ROOT / "tests" / "trading").rglob("*.py")]
    texts = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    for path, text in texts.items():
        # Tests share helpers that stand in other test files: those come along without their tests.
        if path.rpartition("/")[2].startswith("test_") and path not in area.tests:
            texts[path] = _without(text, _tests_in(text))
    return {**texts, "pytest.ini": _PYTEST_INI}


def _read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class TestCounts:
    """How many tests failed and passed."""

    failed: int
    passed: int


def run_tests(root: Path, paths: tuple[str, ...], timeout_s: float = _TEST_RUN_S) -> TestCounts | None:
    """Run pytest on some files of a repository.

    Parameters
    ----------
    root : Path
        The repository; it, and ``src`` in it, can be imported from.
    paths : tuple of str
        Test files, and options of pytest.
    timeout_s : float
        Of the whole run.

    Returns
    -------
    TestCounts or None
        None when the run did not end in time or could not write its report.
    """
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(root), str(root / "src")]),
        "NUMBA_DISABLE_JIT": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    with tempfile.TemporaryDirectory(prefix="gridbot-verdict-") as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *paths]
        try:
            subprocess.run(command, cwd=root, env=environment, capture_output=True, timeout=timeout_s, check=False)
            suites = list(ET.parse(report).iter("testsuite"))  # noqa: S314 - pytest's own report
        except (subprocess.TimeoutExpired, OSError, ET.ParseError):
            return None
    total, failed, skipped = (
        sum(int(suite.get(name, 0)) for suite in suites for name in names)
        for names in (("tests",), ("failures", "errors"), ("skipped",))
    )
    return TestCounts(failed, max(0, total - failed - skipped))


def _run(files: Mapping[str, str], tests: Mapping[str, str], *options: str) -> TestCounts | None:
    with tempfile.TemporaryDirectory(prefix="gridbot-planting-") as folder:
        write_files({**files, **tests}, Path(folder))
        return run_tests(Path(folder), (*options, *tests))
