"""One night's maintenance: health, tests, repairs, benchmark, report; one at a time and never on a dirty tree."""

from __future__ import annotations

import shlex
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from time import monotonic

from filelock import FileLock, Timeout

from automation.codebase.git import Git
from automation.codebase.landing import Land
from automation.codebase.limits import Limits
from automation.codebase.sandbox import run_program
from automation.codebase.workspaces import sweep
from automation.config import load_automation_config
from automation.errors import RepositoryUnusable
from automation.improvement.paired import comparison_of, interleaved
from automation.pipeline.health import first_failure, health_checks
from automation.pipeline.nightly_report import NightlyResult, write_nightly
from automation.pipeline.requests import FixRequest, NightlyRequest
from automation.pipeline.result import FixResult
from automation.pipeline.running import run_new
from automation.pipeline.runs import RunStore
from trading.commands import Progress
from trading.errors import Refused
from trading.setting_sources import data_home

_PAIRS = 8
_REPAIR_SHARE = 0.7
_TIMED_S = 600.0


def nightly(request: NightlyRequest) -> Generator[Progress, None, NightlyResult]:
    """Look after a repository for one night."""
    home, config = data_home(), load_automation_config()
    minutes = request.max_minutes or config.nightly.minutes
    end = monotonic() + minutes * 60
    with _alone(home):
        _refuse_dirty(request.path)
        yield Progress("checking health")
        checks = health_checks(request.path, home, config)
        failed = first_failure(checks)
        started_ms = time.time_ns() // 1_000_000
        night = NightlyResult(started_ms, str(request.path.resolve()), minutes, tuple(map(asdict, checks)))
        if failed is not None:
            night = replace(night, problem=f"{failed.name}: {failed.detail}")
        else:
            run = yield from _repair(request, home, minutes * _REPAIR_SHARE)
            night = replace(night, run=run)
            if config.nightly.benchmarks and request.benchmark and run.landed and run.landed.get("branch"):
                night = replace(night, benchmark=(yield from _benchmark(request, str(run.landed["branch"]), end)))
        return write_nightly(replace(night, seconds=minutes * 60 - (end - monotonic())), request.out)


def _repair(request: NightlyRequest, home: Path, minutes: float) -> Generator[Progress, None, FixResult]:
    store = RunStore(home)
    sweep(home, store.resumable())
    fix = FixRequest(
        path=request.path,
        tests=request.tests,
        max_minutes=minutes,
        model=request.model,
        land=Land.BRANCH,
        python=request.python,
        seed=request.seed,
    )
    return (yield from run_new(store, store.create(fix)))


def _benchmark(request: NightlyRequest, branch: str, end: float) -> Generator[Progress, None, dict[str, object]]:
    words = shlex.split(request.benchmark or "")
    with ExitStack() as stack:
        before, after = (stack.enter_context(_checkout(request.path, name)) for name in ("HEAD", branch))
        runs = interleaved(_timed(words, before, end), _timed(words, after, end), _PAIRS, request.seed)
        try:
            pairs = yield from runs
        except Refused as error:
            return {"command": request.benchmark, "problem": str(error)}
    comparison = comparison_of([a for a, _ in pairs], [b for _, b in pairs], request.seed)
    return {"command": request.benchmark, **asdict(comparison), "faster": comparison.accepts()}


def _timed(words: list[str], folder: Path, end: float) -> Callable[[], float]:
    def run() -> float:
        left = end - monotonic()
        if left <= 0:
            raise Refused("the night's time ran out before the benchmark was done")
        ended = run_program(words, folder, limits=Limits(wall_s=min(left, _TIMED_S)))
        if ended.end != "exit" or ended.exit_code != 0:
            raise Refused(f"the benchmark failed ({ended.end}): {ended.stderr[-200:].strip()}")
        return ended.seconds

    return run


@contextmanager
def _checkout(target: Path, name: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gridbot-night-") as folder:
        place = Path(folder) / "tree"
        Git(target).run("clone", "--quiet", "--no-hardlinks", "--shared", str(target.resolve()), str(place))
        Git(place).run("checkout", "--quiet", f"origin/{name}" if name != "HEAD" else "HEAD")
        yield place


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    home.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(home / "nightly.lock", timeout=0):
            yield
    except Timeout:
        raise Refused("another nightly run is at work; wait for it, or stop that process") from None


def _refuse_dirty(target: Path) -> None:
    if not target.is_dir():
        raise RepositoryUnusable(f"{target} is no folder; name a repository")
    status = Git(target).attempt("status", "--porcelain")
    if status.returncode:
        raise RepositoryUnusable(f"{target} is no git repository; a night's work needs one to leave branches in")
    changed = status.stdout.decode("utf-8", "replace").splitlines()
    if changed:
        raise Refused(f"{target} has uncommitted changes ({changed[0].strip()}); commit or stash them first")
