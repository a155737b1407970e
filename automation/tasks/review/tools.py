"""Tools that check code, run as modules of GridBot's own interpreter, with a time limit and no shell."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path

from automation.codebase.masking import masked
from automation.tasks.review.findings import CheckSkipped

# None of the caller's secrets: only what a program needs to start.
_KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "TEMP", "TMP")


@dataclass(frozen=True, slots=True)
class ToolOutput:
    """What a tool said: its exit code and its standard output."""

    code: int
    text: str


class Tools:
    """The tools at work, which end together.

    Parameters
    ----------
    timeout_s : float
        Of each.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._stopped = False

    def run(
        self,
        module: str,
        arguments: Sequence[str],
        folder: Path,
        good: Sequence[int] = (0,),
        *,
        also: Sequence[str] = (),
        timeout_s: float = inf,
    ) -> ToolOutput:
        """Run a tool and return what it printed.

        The folder is not on its import path, so that no file there is taken for a module of the tool's.

        Parameters
        ----------
        module : str
            What ``python -m`` starts.
        arguments : sequence of str
            Its arguments.
        folder : Path
            Where it runs.
        good : sequence of int
            Exit codes with which it has done its work.
        also : sequence of str
            Variables of the environment that it is given besides the few that every program needs.
        timeout_s : float
            For a tool that is given less time than the others.

        Raises
        ------
        CheckSkipped
            When it is not installed, fails, or does not end in time.
        """
        if importlib.util.find_spec(module) is None:
            raise CheckSkipped(f"{module} is not installed; `pip install {module}` beside GridBot")
        patience_s = min(self._timeout_s, timeout_s)
        process = self._start([sys.executable, "-P", "-m", module, *arguments], folder, also)
        try:
            with process:
                try:
                    text, errors = process.communicate(timeout=patience_s)
                finally:
                    _kill(process)
        except subprocess.TimeoutExpired:
            raise CheckSkipped(f"{module} did not end within {patience_s:.0f} s") from None
        finally:
            with self._lock:
                self._running.discard(process)
        if process.returncode not in good:
            raise CheckSkipped(f"{module} ended with {process.returncode}: {_last_words(errors or text)}")
        return ToolOutput(process.returncode, text)

    def stop(self) -> None:
        """End those at work, and let no other begin."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                _kill(process)

    def require_running(self) -> None:
        """Let a check that works in Python itself end soon after the others were ended.

        Raises
        ------
        CheckSkipped
            When they were.
        """
        if self._stopped:
            raise CheckSkipped("interrupted")

    def _start(self, command: Sequence[str], folder: Path, also: Sequence[str]) -> subprocess.Popen[str]:
        environment = {name: os.environ[name] for name in (*_KEPT_VARIABLES, *also) if name in os.environ}
        with self._lock:
            if self._stopped:
                raise CheckSkipped("interrupted")
            process = subprocess.Popen(  # noqa: S603 - this interpreter with a module of ours, no shell
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
            self._running.add(process)
        return process


def _kill(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _last_words(text: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return masked(lines[-1])[:200] if lines else "it said nothing"
