"""Watch one job from outside its process: drain what it writes, hold its limits, end it and all that it started."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from . import wire  # noqa: TID252 - this folder is loaded under another name inside
from .job import DONE, FAILED, OUT_OF_MEMORY  # noqa: TID252

_RECORD_BYTES = 64 << 20
_TAIL_BYTES = 64 << 10
_CHUNK = 1 << 16
_LOOK_S = 0.1
_PAGE = os.sysconf("SC_PAGE_SIZE")


class _Drain:
    """A pipe that is read until its end or until it has carried too much; its head or its tail is kept."""

    def __init__(self, descriptor: int, most: int, keep: int) -> None:
        self.descriptor, self._most, self._keep = descriptor, most, keep
        self._parts = bytearray()
        self.total = 0
        self.open = True
        os.set_blocking(descriptor, False)

    def read(self) -> bool:
        """Read what is there and return whether the limit still holds."""
        while self.open and self.total <= self._most:
            try:
                part = os.read(self.descriptor, _CHUNK)
            except BlockingIOError:
                break
            self.open = bool(part)
            self.total += len(part)
            self._parts += part
            if len(self._parts) > 2 * self._keep:
                del self._parts[: -self._keep]
        return self.total <= self._most

    def close(self) -> bytes:
        os.close(self.descriptor)
        return bytes(self._parts[-self._keep :])


class Supervisor:
    """Holds one worker's jobs to their limits.

    Parameters
    ----------
    control : int
        Pipe whose closing says that the caller is gone.
    kill_all : callable
        Ends every process of the running job but the one that it is given, which is the job's own.
    members : callable
        Returns the ids of the job's processes.
    """

    def __init__(
        self, control: int, kill_all: Callable[[int], None], members: Callable[[int], Sequence[int]]
    ) -> None:
        self._control, self._kill_all, self._members = control, kill_all, members
        self._wake, wake = os.pipe()
        for descriptor in (self._wake, wake):
            os.set_blocking(descriptor, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)

    def watch(
        self, pid: int, pipes: Sequence[int], limits: Mapping[str, float]
    ) -> tuple[dict[str, object], list[bytes]]:
        """Wait for a job's end, end what it left behind, and return how it went.

        Parameters
        ----------
        pid : int
            The job's process.
        pipes : sequence of int
            Reading ends for records, standard output and standard error.
        limits : mapping
            ``wall_s``, ``cpu_s``, ``memory_bytes``, ``output_bytes``.

        Returns
        -------
        tuple
            A header with ``end``, ``exit_code``, ``signal``, ``seconds``; and records, output and errors as bytes.
        """
        started = time.monotonic()
        output = int(limits["output_bytes"])
        drains = [_Drain(pipes[0], _RECORD_BYTES, _RECORD_BYTES)]
        drains += [_Drain(pipe, output, min(output, _TAIL_BYTES)) for pipe in pipes[1:]]
        broken, status = self._until_end(pid, drains, started + limits["wall_s"], int(limits["memory_bytes"]))
        self._kill_all(pid)
        usage = None
        if status is None:
            status = _reap(pid)
        while _reap_any() is not None:
            continue
        for drain in drains:
            if not drain.read():
                broken = broken or "output"
        seconds = time.monotonic() - started
        del usage
        contents = [drain.close() for drain in drains]
        frames = wire.split_frames(contents[0])
        marks = {frame for frame in frames if not frame.startswith(b"{")}
        header = _ending(broken, status, marks)
        return {**header, "seconds": seconds}, contents

    def _until_end(
        self, pid: int, drains: Sequence[_Drain], deadline: float, memory: int
    ) -> tuple[str | None, int | None]:
        poll = select.poll()
        poll.register(self._control, 0)
        poll.register(self._wake, select.POLLIN)
        by_descriptor = {drain.descriptor: drain for drain in drains}
        for descriptor in by_descriptor:
            poll.register(descriptor, select.POLLIN)
        look = time.monotonic() + _LOOK_S
        while True:
            now = time.monotonic()
            if now >= deadline:
                return "timeout", None
            if now >= look:
                look = now + _LOOK_S
                if sum(map(_resident, self._members(pid))) > memory:
                    return "memory", None
            for descriptor, event in poll.poll(max(0.0, min(deadline, look) - now) * 1000 + 1):
                if descriptor == self._control and event & select.POLLHUP:
                    self._kill_all(pid)
                    os._exit(0)
                drain = by_descriptor.get(descriptor)
                if drain is not None:
                    if not drain.read():
                        return "output", None
                    if not drain.open:
                        poll.unregister(descriptor)
                elif descriptor == self._wake:
                    self._empty_wake()
                    status = _job_status(pid)
                    if status is not None:
                        return None, status

    def _empty_wake(self) -> None:
        try:
            while os.read(self._wake, _CHUNK):
                continue
        except BlockingIOError:
            return


def _job_status(pid: int) -> int | None:
    """Reap what ended and return the job's own status if it is among it."""
    found = None
    while True:
        ended = _reap_any(os.WNOHANG)
        if ended is None or ended[0] == 0:
            return found
        if ended[0] == pid:
            found = ended[1]


def _reap_any(options: int = 0) -> tuple[int, int] | None:
    try:
        return os.waitpid(-1, options)
    except ChildProcessError:
        return None


def _reap(pid: int) -> int:
    return os.waitpid(pid, 0)[1]


def _ending(broken: str | None, status: int, marks: set[bytes]) -> dict[str, object]:
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
    killer = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
    if broken is not None:
        end = broken
    elif OUT_OF_MEMORY in marks:
        end = "memory"
    elif killer == signal.SIGXCPU:
        end = "timeout"
    elif killer is not None or FAILED in marks:
        end = "crash"
    else:
        end = "done" if DONE in marks else "exit"
    return {"end": end, "exit_code": code, "signal": killer}


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0
