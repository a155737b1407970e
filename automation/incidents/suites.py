"""Runs of a target's suite: how its tests are called, the job for the sandbox, and the report that comes back."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from automation.codebase.fork_server import ForkServer
from automation.codebase.interpreters import printed_by
from automation.codebase.limits import JobOutcome, Limits
from automation.errors import RepositoryUnusable
from automation.incidents.records import TestReport
from automation.incidents.run_records import report_of_records

PROBE = Path(__file__).resolve().parent / "inside" / "probe.py"
PROBE_NEEDS = (Path(__file__).resolve().parents[1] / "codebase",)
_LAUNCHERS = (("uv", "run"), ("poetry", "run"), ("pdm", "run"), ("hatch", "run"), ("pipenv", "run"))
_ENVIRONMENTS = (".venv/bin/python", "venv/bin/python")
_OLDEST_PYTEST = 7
_SLOW = re.compile(r"""^\s*(?:markers\s*=\s*)?\[?\s*["']?slow\b["']?\s*:""", re.MULTILINE)
_QUESTION = (
    "import sys; sys.path.pop(0)\n"
    "import json, importlib.metadata as m\n"
    "points = m.entry_points()\n"
    "points = points.select(group='pytest11') if hasattr(points, 'select') else points.get('pytest11', [])\n"
    "print(json.dumps([m.version('pytest'), {each.name: each.module for each in points}]))"
)


@dataclass(frozen=True, slots=True)
class SuiteSettings:
    """How a target's tests are run.

    Parameters
    ----------
    python : Path
        Interpreter that has pytest and what the target needs.
    arguments : tuple of str
        For pytest.
    test_timeout_s : float
        Of each test; 0 for none.
    limits : Limits
        Of each run.
    environment : mapping of str to str
        Variables beside the few that every sandboxed run gets.
    python_path : tuple of str
        Folders of the tree at the front of ``sys.path``, so that it is tested and not an installed copy.
    plugins : mapping of str to str
        pytest's entry-point plugins that the interpreter has, names to modules.
    hostile : bool
        Whether to refuse to run without kernel isolation.
    """

    python: Path
    arguments: tuple[str, ...]
    test_timeout_s: float
    limits: Limits
    environment: Mapping[str, str]
    python_path: tuple[str, ...]
    plugins: Mapping[str, str] = field(default_factory=dict)
    hostile: bool = False


def suite_settings(
    tree: Path,
    target: Path,
    tests: str = "",
    python: Path | None = None,
    *,
    test_timeout_s: float = 10.0,
    limits: Limits = Limits(wall_s=600, cpu_s=600),  # noqa: B008 - frozen
    environment: Mapping[str, str] = {},
    hostile: bool = False,
) -> SuiteSettings:
    """Settle how the tests of a tree are run.

    Parameters
    ----------
    tree : Path
        The private copy that is tested.
    target : Path
        The user's own folder; its virtual environment is used when it has one.
    tests : str
        What the user types to test: pytest's arguments, with or without ``pytest`` or ``python -m pytest`` before them.
    python : Path, optional
        Interpreter; None takes the target's ``.venv``, else this one.
    test_timeout_s, limits, environment, hostile
        As in `SuiteSettings`.

    Raises
    ------
    RepositoryUnusable
        When the interpreter has no pytest, or ``tests`` cannot be read.
    """
    chosen = python or _python_of(target)
    return SuiteSettings(
        chosen,
        _arguments(tests, target),
        test_timeout_s,
        limits,
        dict(environment),
        _python_path(tree),
        _pytest_plugins(chosen),
        hostile,
    )


def _python_of(target: Path) -> Path:
    found = (target / place for place in _ENVIRONMENTS)
    return next((python for python in found if python.is_file()), Path(sys.executable))


def _python_path(tree: Path) -> tuple[str, ...]:
    source = tree / "src"
    if source.is_dir() and not (source / "__init__.py").exists():
        return ("src", ".")
    return (".",)


def _arguments(tests: str, target: Path) -> tuple[str, ...]:
    try:
        words = shlex.split(tests)
    except ValueError as error:
        raise RepositoryUnusable(
            f"--tests {tests!r} cannot be read as a command line ({error}); close its quotes"
        ) from error
    if tuple(words[:2]) in _LAUNCHERS:
        words = words[2:]
    if len(words) > 2 and Path(words[0]).name.startswith("python") and words[1] == "-m":
        words = words[2:]
    elif tuple(words[1:]) == ("-m", "pytest"):
        words = []
    if words and words[0] in ("pytest", "py.test"):
        words = words[1:]
    moved = tuple(_moved(word, target.resolve()) for word in words)
    chosen = any(word.startswith("-m") or (target / word.partition("::")[0]).exists() for word in moved)
    return moved if chosen or not _marks_slow_tests(target) else (*moved, "-m", "not slow")


def _marks_slow_tests(target: Path) -> bool:
    # A suite that has a name for its long tests means them to be run on request only.
    texts = (target / name for name in ("pyproject.toml", "pytest.ini", "tox.ini", "setup.cfg"))
    return any(_SLOW.search(file.read_text(encoding="utf-8", errors="replace")) for file in texts if file.is_file())


def _moved(word: str, target: Path) -> str:
    # Tests run in the top folder of a copy, wherever the sandbox puts that.
    path = Path(word)
    return str(path.relative_to(target)) if path.is_absolute() and path.is_relative_to(target) else word


@cache
def _pytest_plugins(python: Path) -> Mapping[str, str]:
    try:
        version, plugins = json.loads(printed_by(python, _QUESTION))
    except (OSError, subprocess.SubprocessError) as error:
        words = getattr(error, "stderr", "") or str(error)
        why = "has no pytest" if "PackageNotFoundError" in words else f"does not run ({words.strip()[-200:]})"
        raise RepositoryUnusable(f"{python} {why}; install pytest there or name another with --python") from error
    if int(version.split(".", 1)[0]) < _OLDEST_PYTEST:
        raise RepositoryUnusable(f"{python} has pytest {version}; install pytest {_OLDEST_PYTEST} or newer there")
    return dict(plugins)


def suite_job(
    settings: SuiteSettings,
    *,
    tests: Sequence[str] | None = None,
    stop_after: int = 0,
    trace: Mapping[str, object] | None = None,
    deselect: Sequence[str] = (),
) -> dict[str, object]:
    """Return the job for `PROBE`; it runs where the sandbox puts it, so that one job fits every candidate.

    Parameters
    ----------
    settings : SuiteSettings
        How the tests are run.
    tests : sequence of str, optional
        Node ids or files; None takes what the arguments select.
    stop_after : int
        Failures after which the run stops; 0 for none.
    trace : mapping, optional
        ``lines`` and ``values`` (bool), ``only`` (list of paths, or None for every own file that is no test).
    deselect : sequence of str
        Node ids to leave out.
    """
    return {
        "root": ".",
        "arguments": list(settings.arguments),
        "tests": None if tests is None else list(tests),
        "stop_after": stop_after,
        "test_timeout_s": settings.test_timeout_s,
        "trace": None if trace is None else dict(trace),
        "python_path": list(settings.python_path),
        "deselect": list(deselect),
        "plugins": dict(settings.plugins),
    }


def report_of(outcome: JobOutcome) -> TestReport:
    """Return what a job of `PROBE` came to."""
    return report_of_records(
        outcome.records, end=outcome.end, seconds=outcome.seconds, stderr=outcome.stderr, signal=outcome.signal
    )


def suite_server(
    tree: Path,
    settings: SuiteSettings,
    *,
    preload: Sequence[str] = (),
    workers: int = 2,
    many: bool = False,
) -> ForkServer:
    """Return a fork server for a tree's tests.

    Parameters
    ----------
    tree : Path
        The private copy that is tested.
    settings : SuiteSettings
        How the tests are run.
    preload : sequence of str
        Modules to import once; a baseline's `TestReport.third_party`.
    workers : int
        Jobs at a time.
    many : bool
        Whether so many runs are to come that collecting the tests once before them pays.
    """
    return ForkServer(
        tree,
        PROBE,
        settings.python,
        preload=("pytest", *preload),
        workers=workers,
        limits=settings.limits,
        environment=settings.environment,
        python_path=settings.python_path,
        show=PROBE_NEEDS,
        collect=settings.arguments if many else None,
        hostile=settings.hostile,
    )


def run_suite(
    tree: Path,
    settings: SuiteSettings,
    *,
    tests: Sequence[str] | None = None,
    files: Mapping[str, bytes | None] = {},
    trace: Mapping[str, object] | None = None,
    stop_after: int = 0,
    deselect: Sequence[str] = (),
) -> TestReport:
    """Run a tree's tests once in a fresh sandboxed process.

    Parameters
    ----------
    tree : Path
        The private copy that is tested; it is not written.
    settings : SuiteSettings
        How the tests are run.
    files : mapping of str to bytes or None
        Files as this run alone sees them; None deletes.
    tests, trace, stop_after, deselect
        As in `suite_job`.

    Returns
    -------
    TestReport
        Never empty in silence: with no test result its ``problem`` says why.
    """
    job = suite_job(settings, tests=tests, stop_after=stop_after, trace=trace, deselect=deselect)
    with suite_server(tree, settings, workers=1) as server:
        return report_of(server.submit(job, files).result())
