"""Watch one job from outside its process: drain what it writes, hold its limits, end it and all that it started."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from . import wire  # noqa: TID252 - this folder is loaded under another name inside
from .job import DONE, FAILED, OUT_OF_MEMORY  # noqa: TID252

_RECORD_BYTES = 64 << 20
_TAIL_BYTES = 64 << 10
_CHUNK = 1 << 16
_LOOK_S = 0.1
_PAUSE_S = 0.001
_PAGE = os.sysconf("SC_PAGE_SIZE")


class _Ended(NamedTuple):
    status: int
    processor_s: float


_NEVER_SEEN = _Ended(signal.SIGKILL, 0.0)


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


class CallerGone(Exception):
    """The process that asked for the job has ended, or wants the sandbox to."""


class Box(Protocol):
    """Where jobs run."""

    def kill_all(self, job: int) -> None:
        """Kill every process of the running job."""

    def members(self, job: int) -> list[int]:
        """Return the ids of the job's processes."""


class Supervisor:
    """Holds one worker's jobs to their limits.

    Parameters
    ----------
    control : int
        Pipe whose closing says that the caller is gone.
    box : Box
        Where the jobs run.
    """

    def __init__(self, control: int, box: Box) -> None:
        self._control, self._box = control, box
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
        try:
            broken, ended = self._until_end(pid, drains, started, limits)
        finally:
            self._box.kill_all(pid)
        ended = self._reap_all(pid) or ended or _NEVER_SEEN
        kept = [drain.read() for drain in drains]
        broken = broken or (None if all(kept) else "output")
        contents = [drain.close() for drain in drains]
        marks = {frame for frame in wire.split_frames(contents[0]) if not frame.startswith(b"{")}
        header = _ending(broken, ended, marks, limits["cpu_s"])
        return {**header, "seconds": time.monotonic() - started}, contents

    def _until_end(
        self, pid: int, drains: Sequence[_Drain], started: float, limits: Mapping[str, float]
    ) -> tuple[str | None, _Ended | None]:
        poll = select.poll()
        poll.register(self._control, 0)
        poll.register(self._wake, select.POLLIN)
        by_descriptor = {drain.descriptor: drain for drain in drains}
        for descriptor in by_descriptor:
            poll.register(descriptor, select.POLLIN)
        deadline, look = started + limits["wall_s"], started + _LOOK_S
        while (now := time.monotonic()) < deadline:
            if now >= look:
                look = now + _LOOK_S
                broken = self._overused(pid, limits)
                if broken is not None:
                    return broken, None
            for descriptor, event in poll.poll((min(deadline, look) - now) * 1000 + 1):
                if descriptor == self._control and event & select.POLLHUP:
                    raise CallerGone
                drain = by_descriptor.get(descriptor)
                if drain is not None and not drain.read():
                    return "output", None
                if drain is not None and not drain.open:
                    poll.unregister(descriptor)
            self._empty_wake()
            ended = _reap_ended(pid)
            if ended is not None:
                return None, ended
        return "timeout", None

    def _overused(self, pid: int, limits: Mapping[str, float]) -> str | None:
        """Look at all processes together, which the kernel's limits for each do not bound."""
        members = self._box.members(pid)
        if len(members) > limits["processes"]:
            return "crash"
        return "memory" if sum(map(_resident, members)) > limits["memory_bytes"] else None

    def _reap_all(self, pid: int) -> _Ended | None:
        """Wait for every process of the job, and kill again what came up in between."""
        found = None
        while True:
            try:
                ended, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return found
            if ended == pid:
                found = _Ended(status, usage.ru_utime + usage.ru_stime)
            elif ended == 0:
                self._box.kill_all(pid)
                time.sleep(_PAUSE_S)

    def _empty_wake(self) -> None:
        try:
            while os.read(self._wake, _CHUNK):
                continue
        except BlockingIOError:
            return


def _reap_ended(pid: int) -> _Ended | None:
    """Reap what ended and return the job's own end if it is among it."""
    found = None
    while True:
        try:
            ended, status, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if ended == 0:
            return found
        if ended == pid:
            found = _Ended(status, usage.ru_utime + usage.ru_stime)


def _ending(broken: str | None, ended: _Ended, marks: set[bytes], processor_s: float) -> dict[str, object]:
    code = os.WEXITSTATUS(ended.status) if os.WIFEXITED(ended.status) else None
    killer = os.WTERMSIG(ended.status) if os.WIFSIGNALED(ended.status) else None
    if broken is not None:
        end = broken
    elif OUT_OF_MEMORY in marks:
        end = "memory"
    elif killer == signal.SIGXCPU or (killer == signal.SIGKILL and ended.processor_s >= processor_s):
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
