"""Run model-written code confined, in a fresh process or as any program; `ForkServer` does it many times a second."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from automation.codebase.fork_server import ForkServer
from automation.codebase.isolation import Isolation, isolation
from automation.codebase.limits import JobOutcome, Limits, ProgramOutcome
from automation.codebase.plans import Request

__all__ = ["ForkServer", "Isolation", "JobOutcome", "Limits", "ProgramOutcome", "isolation", "run_fresh", "run_program"]


def run_fresh(
    tree: Path,
    entry: Path,
    python: Path,
    job: Mapping[str, object],
    files: Mapping[str, bytes | None] = {},
    *,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    environment: Mapping[str, str] = {},
    python_path: Sequence[str] = (),
    hide: Sequence[Path] = (),
    hostile: bool = False,
) -> JobOutcome:
    """Run one job in a sandbox of its own, where nothing but the standard library was imported before.

    Parameters are those of `ForkServer` and `ForkServer.submit`.
    """
    with ForkServer(
        tree,
        entry,
        python,
        workers=1,
        fresh=True,
        limits=limits,
        environment=environment,
        python_path=python_path,
        hide=hide,
        hostile=hostile,
    ) as server:
        return server.submit(job, files).result()


def run_program(
    argv: Sequence[str],
    cwd: Path,
    *,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    environment: Mapping[str, str] = {},
    files: Mapping[str, bytes | None] = {},
    show: Sequence[Path] = (),
    hide: Sequence[Path] = (),
    hostile: bool = False,
) -> ProgramOutcome:
    """Run any program in the sandbox.

    Parameters
    ----------
    argv : sequence of str
        The program and its arguments; nothing goes through a shell.
    cwd : Path
        Its folder, which it sees as a copy of its own: what it writes there is gone afterwards.
    show : sequence of Path
        Folders that it must be able to read although they lie in a hidden one, such as another interpreter's.
    limits, environment, files, hide, hostile
        As in `ForkServer` and `ForkServer.submit`.
    """
    python = Path(sys.executable)
    with ForkServer(
        cwd,
        Path(__file__),
        python,
        workers=1,
        limits=limits,
        environment=environment,
        show=show,
        hide=hide,
        hostile=hostile,
    ) as server:
        outcome = server.submit_request(Request(argv=list(argv)), files).result()
    return ProgramOutcome(
        outcome.end, outcome.exit_code, outcome.signal, outcome.seconds, outcome.stdout, outcome.stderr
    )
