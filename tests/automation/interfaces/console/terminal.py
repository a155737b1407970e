"""The console as a person has it: the program in a pseudo-terminal, with keys typed and the screen read."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from tests.automation.interfaces.session_programs import PROGRAM, ROOT, environment

_ESCAPES = re.compile(rb"\x1b(\[[0-9;?<>=]*[ -/]*[@-~]|[PX^_][^\x1b]*\x1b\\|\][^\x07\x1b]*(\x07|\x1b\\)|[ -/]*[0-~])")
_PATIENCE_S = 120.0
_ECHO = 3


class Terminal:
    """A console that was opened in a terminal of its own.

    Parameters
    ----------
    home : Path
        Its data home.
    *words : str
        Options of the command.
    variables : mapping of str to str
        What of our own stands in its environment.
    size : (int, int)
        Columns and lines.
    """

    def __init__(
        self, home: Path, *words: str, variables: Mapping[str, str], size: tuple[int, int] = (100, 30)
    ) -> None:
        self._ours, self.theirs = pty.openpty()
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.seen = b""
        self._from = 0
        self.process = subprocess.Popen(
            [*PROGRAM, "--home", str(home), "console", "--path", str(home), *words],
            cwd=ROOT,
            env={**environment(variables), "TERM": "xterm-256color"},
            stdin=self.theirs,
            stdout=self.theirs,
            stderr=self.theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - nothing else has begun yet
        )

    def types(self, text: str) -> None:
        """Type, all at once as from a clipboard; `until` looks at what comes after it."""
        self._from = len(self.seen)
        os.write(self._ours, text.encode())

    def until(self, *words: str) -> None:
        """Read until all words were drawn since the last time that something was typed."""
        end = time.monotonic() + _PATIENCE_S
        while not all(word in self.drawn() for word in words):
            if time.monotonic() > end:
                raise AssertionError(f"the terminal never said {words}:\n{self.drawn()[-3_000:]}")
            self._read()

    def drawn(self) -> str:
        """Return what was drawn since the last time that something was typed."""
        return _ESCAPES.sub(b"", self.seen[self._from :]).decode(errors="replace")

    def everything(self) -> str:
        """Return all that was ever drawn."""
        return _ESCAPES.sub(b"", self.seen).decode(errors="replace")

    @property
    def echoes(self) -> bool:
        """Whether the terminal shows what is typed, as a shell wants it."""
        return bool(termios.tcgetattr(self.theirs)[_ECHO] & termios.ECHO)

    def ends(self) -> int:
        """Read until the console has closed, and return its exit code."""
        end = time.monotonic() + _PATIENCE_S
        while self.process.poll() is None:
            if time.monotonic() > end:
                raise AssertionError(f"the console did not close:\n{self.drawn()[-3_000:]}")
            self._read()
        return self.process.returncode

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            # with what it started: it leads a session of its own
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self._ours)
        os.close(self.theirs)

    def _read(self) -> None:
        if select.select([self._ours], [], [], 0.2)[0]:
            self.seen += os.read(self._ours, 65_536)
