"""Commands that run in a process of their own: their progress as events, their end as data and text, cancellation."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import automation
from trading.commands import News, Progress

_TAIL_BYTES = 4_000


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended.

    Parameters
    ----------
    exit_code : int
        As the shell would be told.
    text : str
        The result for a person, with ANSI colours when they were wanted; the sentence of an error.
    result : mapping or None
        The result as JSON data; None after an error.
    error : mapping or None
        ``type``, ``code``, ``message`` and ``exit_code`` of an error.
    """

    exit_code: int
    text: str
    result: Mapping[str, object] | None = None
    error: Mapping[str, object] | None = None


Event = Progress | News | Ended


@dataclass(frozen=True, slots=True)
class Order:
    """What is to run.

    Parameters
    ----------
    command : str
        Name in the registry.
    values : mapping of str to object
        Of the request, by field name, as JSON data.
    width : int
        Columns for the text of the result.
    colour : bool
        Whether that text has ANSI colours.
    folder : Path
        Where paths begin.
    environment : mapping of str to str
        Variables beside this process's own.
    """

    command: str
    values: Mapping[str, object] = field(default_factory=dict)
    width: int = 100
    colour: bool = True
    folder: Path = Path()
    environment: Mapping[str, str] = field(default_factory=dict)


class Execution:
    """One command at work in a process of its own, which outlives this one when it is not cancelled.

    Parameters
    ----------
    order : Order
        What is to run.
    process : Process, optional
        One that was started beforehand; None starts one.
    """

    def __init__(self, order: Order, process: Process | None = None) -> None:
        self.order = order
        self._process = process or Process(order.folder)
        self._cancelled = 0
        self._process.give(order)

    def events(self) -> Iterator[Event]:
        """Yield what the command tells; the last event is an `Ended`. Blocks, so call it in a thread."""
        for line in self._process.lines():
            event = _event(line)
            yield event
            if isinstance(event, Ended):
                self._process.wait()
                return
        code, last = self._process.wait()
        sentence = f"the command's process ended with {code} and no answer" + (f": {last}" if last else "")
        error = {"type": "ProcessDied", "code": None, "message": sentence, "exit_code": code}
        yield Ended(code, sentence, error=error)

    def cancel(self) -> None:
        """Ask the command to stop and keep what it has, as Ctrl-C does; the second time it is killed."""
        self._cancelled += 1
        self._process.signal(signal.SIGINT if self._cancelled == 1 else signal.SIGKILL)

    @property
    def cancelled(self) -> bool:
        """Whether it was asked to stop."""
        return self._cancelled > 0


class Executor:
    """Starts commands, and keeps one process ready so that the next one begins at once.

    Parameters
    ----------
    folder : Path
        Where the commands' paths begin.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._lock = threading.Lock()
        self._spare: Process | None = None

    def warm(self) -> None:
        """Start the process that waits for the next command."""
        with self._lock:
            if self._spare is None:
                self._spare = Process(self.folder)

    def start(self, order: Order) -> Execution:
        """Start a command."""
        with self._lock:
            spare, self._spare = self._spare, None
        if spare is not None and (not spare.waits or order.folder.resolve() != self.folder):
            spare.dismiss()
            spare = None
        execution = Execution(order, spare)
        self.warm()
        return execution

    def close(self) -> None:
        """Send the waiting process home; commands at work go on."""
        with self._lock:
            if self._spare is not None:
                self._spare.dismiss()
            self._spare = None


class Process:
    """A process that waits for one order.

    Parameters
    ----------
    folder : Path
        Its working directory.
    """

    def __init__(self, folder: Path) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed where its process ends
        home = str(Path(automation.__file__).resolve().parents[1])
        search = os.pathsep.join(part for part in (home, os.environ.get("PYTHONPATH", "")) if part)
        self._child = subprocess.Popen(
            [sys.executable, "-m", "automation.interfaces.child"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": search},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            # Ctrl-C at the terminal is for the face, which then decides what to stop
            start_new_session=True,
            text=True,
            encoding="utf-8",
        )

    @property
    def waits(self) -> bool:
        """Whether it can still be given an order."""
        return self._child.poll() is None

    def give(self, order: Order) -> None:
        """Give the order; a process that is gone already shows in `lines` and `wait`."""
        told = {
            "command": order.command,
            "values": dict(order.values),
            "width": order.width,
            "colour": order.colour,
            "environment": dict(order.environment),
        }
        stdin = self._child.stdin
        if stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                stdin.write(json.dumps(told) + "\n")
                stdin.close()

    def lines(self) -> Iterator[str]:
        """Yield the lines it writes."""
        if self._child.stdout is not None:
            yield from self._child.stdout

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it and what it started; nothing when it has ended."""
        with contextlib.suppress(ProcessLookupError):
            if number is signal.SIGKILL:
                os.killpg(self._child.pid, number)
            else:
                self._child.send_signal(number)

    def wait(self) -> tuple[int, str]:
        """Wait for its end; return its exit code and the last line it wrote on stderr."""
        code = self._child.wait()
        if self._child.stdout is not None:
            self._child.stdout.close()
        with self._errors:
            size = self._errors.seek(0, os.SEEK_END)
            self._errors.seek(max(0, size - _TAIL_BYTES))
            lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return code, lines[-1].strip() if lines else ""

    def dismiss(self) -> None:
        """Send it home without an order."""
        if self._child.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._child.stdin.close()
        self.wait()


def _event(line: str) -> Event:
    data = json.loads(line)
    if data["event"] == "progress":
        return Progress(data["label"], data["done"], data["total"], data["unit"])
    if data["event"] == "news":
        return News(data["data"], data["text"])
    return Ended(data["exit_code"], data["text"], data.get("result"), data.get("error"))
