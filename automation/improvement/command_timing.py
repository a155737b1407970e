"""Whole commands timed against each other, by the clock on the wall and by CPU time."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from time import perf_counter

from automation.improvement.paired import Comparison, comparison_of, interleaved
from trading.commands import Progress, result_of
from trading.errors import Refused, UsageError

_SHOWN_OUTPUT = 300


@dataclass(frozen=True, slots=True)
class CommandComparison:
    """Two commands compared by wall time and by CPU time of the command and its children, in seconds."""

    argv_a: tuple[str, ...]
    argv_b: tuple[str, ...]
    wall: Comparison
    cpu: Comparison


@dataclass(frozen=True, slots=True)
class _Timing:
    wall_s: float
    cpu_s: float


def compare_commands(
    argv_a: Sequence[str],
    argv_b: Sequence[str],
    pairs: int,
    seed: int = 0,
    *,
    folder: Path | None = None,
    timeout_s: float = 600.0,
) -> CommandComparison:
    """Run two commands in turns and compare their times.

    Parameters
    ----------
    argv_a, argv_b : sequence of str
        Program and arguments; no shell reads them.
    pairs : int
        How often each is timed, at least 6; one run of each before that is not counted.
    seed : int
        Of the order and the bootstrap.
    folder : Path, optional
        Working directory; None takes this process's.
    timeout_s : float
        Of one run; its whole process group is killed then.

    Raises
    ------
    UsageError
        When there are too few pairs or a program does not exist.
    Refused
        When a command fails or takes too long, because the time of a failure says nothing.
    """
    return result_of(command_steps(argv_a, argv_b, pairs, seed, folder=folder, timeout_s=timeout_s))


def command_steps(
    argv_a: Sequence[str],
    argv_b: Sequence[str],
    pairs: int,
    seed: int = 0,
    *,
    folder: Path | None = None,
    timeout_s: float = 600.0,
) -> Generator[Progress, None, CommandComparison]:
    """Compare as `compare_commands` does, yielding progress."""
    run_a, run_b = (partial(_timed, tuple(argv), folder, timeout_s) for argv in (argv_a, argv_b))
    measured = yield from interleaved(run_a, run_b, pairs, seed)
    wall = comparison_of([a.wall_s for a, _ in measured], [b.wall_s for _, b in measured], seed)
    cpu = comparison_of([a.cpu_s for a, _ in measured], [b.cpu_s for _, b in measured], seed)
    return CommandComparison(tuple(argv_a), tuple(argv_b), wall, cpu)


def _timed(argv: Sequence[str], folder: Path | None, timeout_s: float) -> _Timing:
    with tempfile.TemporaryFile() as output:
        before, began = _children_cpu_s(), perf_counter()
        try:
            process = subprocess.Popen(  # noqa: S603 - the user's own command, split into words and without a shell
                argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder, start_new_session=True
            )
        except OSError as error:
            raise UsageError(f"{argv[0]} cannot be started ({error.strerror}); name a program that exists") from None
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise Refused(f"{' '.join(argv)} took over {timeout_s:g} s; compare shorter runs") from None
        finally:
            _end_group(process)
        timing = _Timing(perf_counter() - began, _children_cpu_s() - before)
        if code:
            output.seek(max(0, output.seek(0, os.SEEK_END) - _SHOWN_OUTPUT))
            said = " ".join(output.read().decode("utf-8", "replace").split())
            raise Refused(f"{' '.join(argv)} ended with exit code {code} ({said}); compare commands that succeed")
    return timing


def _end_group(process: subprocess.Popen[bytes]) -> None:
    # Also after a normal end: a child left behind would take CPU time from the next run.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _children_cpu_s() -> float:
    usage = getrusage(RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
