"""The work that is to take less time: a Python program, a command of GridBot, or tests."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from automation.codebase.fork_server import ForkServer
from automation.codebase.limits import JobOutcome, Limits
from automation.codebase.workspaces import Workspace
from automation.incidents.suites import PROBE, PROBE_NEEDS, SuiteSettings, suite_job
from automation.repair.differential import ENTRY as DIFFERENTIAL
from automation.tasks.optimize.requests import OptimizeRequest
from trading.errors import Refused, UsageError

INSIDE = Path(__file__).resolve().parent / "inside"
VARIATIONS = DIFFERENTIAL.with_name("variations.py")
_PROGRAM = "automation.cli"


@dataclass(frozen=True, slots=True)
class Workload:
    """What is run and timed.

    Parameters
    ----------
    kind : str
        ``script``, ``module`` or ``tests``.
    label : str
        What the user wrote.
    name : str
        Path of the script in the repository, or name of the module; empty for tests.
    arguments : tuple of str
        Of the program; node ids or files for tests.
    """

    kind: str
    label: str
    name: str = ""
    arguments: tuple[str, ...] = ()

    def job(self, settings: SuiteSettings) -> dict[str, object]:
        """Return it as the sandbox's inside reads it."""
        if self.kind == "tests":
            suite = suite_job(settings, tests=self.arguments)
            return {"kind": "tests", "probe": str(PROBE), "suite": suite}
        return {"kind": self.kind, "name": self.name, "arguments": list(self.arguments)}


def workload_of(request: OptimizeRequest, root: Path) -> Workload:
    """Return the workload that a request names; the whole suite when it names none.

    Raises
    ------
    UsageError
        When it names several, or what it names is no Python program or is not in the repository.
    """
    named = [text for text in (request.benchmark, request.test, request.command) if text]
    if len(named) > 1:
        raise UsageError("--benchmark, --test and --command are three workloads; name one")
    if request.test:
        return Workload("tests", request.test, arguments=tuple(_words(request.test)))
    if request.command:
        words = _words(request.command)
        arguments = words[1:] if words[:1] == ["gridbot"] else words
        return Workload("module", request.command, _PROGRAM, tuple(arguments))
    if request.benchmark:
        return _program(request.benchmark, root)
    return Workload("tests", request.tests)


def test_workload(tests: tuple[str, ...]) -> Workload:
    """Return some tests as a workload."""
    return Workload("tests", " ".join(tests), arguments=tests)


test_workload.__test__ = False  # type: ignore[attr-defined]


def workload_server(
    workspace: Workspace,
    settings: SuiteSettings,
    entry: str,
    preload: Sequence[str] = (),
    limits: Limits | None = None,
) -> ForkServer:
    """Return a server that runs one of the files of ``inside`` over the private copy, one job at a time.

    Parameters
    ----------
    workspace : Workspace
        The private copy.
    settings : SuiteSettings
        How its Python runs.
    entry : str
        Name of the file.
    preload : sequence of str
        Libraries that are imported before each run, so that their import is no part of its time.
    limits : Limits, optional
        Of a run; None takes those of the settings.
    """
    return ForkServer(
        workspace.tree,
        INSIDE / entry,
        settings.python,
        preload=tuple(preload),
        workers=1,
        limits=limits or settings.limits,
        environment=settings.environment,
        python_path=settings.python_path,
        show=(*PROBE_NEEDS, PROBE.parent, VARIATIONS.parent),
        hostile=settings.hostile,
    )


def told(outcome: JobOutcome, doing: str) -> dict[str, object]:
    """Return the one record of a job.

    Raises
    ------
    Refused
        When there is none, or it tells of a problem.
    """
    record = outcome.records[-1] if outcome.records else {}
    problem = record.get("problem")
    if outcome.end == "done" and record and problem is None:
        return record
    said = " ".join(outcome.stderr.split())[-200:]
    why = str(problem or f"it ended with {outcome.end}{': ' + said if said else ''}")
    raise Refused(f"the workload cannot be {doing}: {why}")


def _program(text: str, root: Path) -> Workload:
    words = _words(text)
    if words and Path(words[0]).name.startswith("python"):
        words = words[1:]
    if len(words) > 1 and words[0] == "-m":
        return Workload("module", text, words[1], tuple(words[2:]))
    if not words or not words[0].endswith(".py"):
        raise UsageError(f"--benchmark {text!r} is no Python program; give 'python FILE.py …' or 'python -m MODULE …'")
    path = (root / words[0]).resolve()
    if not path.is_file() or not path.is_relative_to(root.resolve()):
        raise UsageError(f"{words[0]} is no file of {root}; name a program inside the repository")
    return Workload("script", text, path.relative_to(root.resolve()).as_posix(), tuple(words[1:]))


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{text!r} cannot be read as a command line ({error}); close its quotes") from error
