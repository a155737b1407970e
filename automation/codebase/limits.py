"""What a sandboxed job may use, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may use before it is ended.

    Parameters
    ----------
    wall_s : float
        Seconds from its start to its end.
    cpu_s : int
        Processor seconds of each of its processes.
    memory_bytes : int
        Address space of each process, and resident memory of all of them together.
    file_bytes : int
        Size of each file; all files that it writes may hold twice as much together.
    processes : int
        Processes and threads at a time.
    output_bytes : int
        Standard output, and as much again of standard error.
    """

    wall_s: float = 60
    cpu_s: int = 60
    memory_bytes: int = 4 << 30
    file_bytes: int = 256 << 20
    processes: int = 128
    output_bytes: int = 1 << 20

    def as_request(self) -> dict[str, float]:
        """Return the limits as the sandbox's inside reads them."""
        return {
            "wall_s": self.wall_s,
            "cpu_s": self.cpu_s,
            "memory_bytes": self.memory_bytes,
            "file_bytes": self.file_bytes,
            "disk_bytes": 2 * self.file_bytes,
            "processes": self.processes,
            "output_bytes": self.output_bytes,
        }


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """How a job went.

    Parameters
    ----------
    records : tuple of dict
        What the entry emitted, in order, also what came before a crash.
    end : str
        ``done``, ``timeout``, ``memory``, ``output`` (too much of it), ``crash`` (a signal or an exception) or ``exit``
        (the process ended by itself before ``run`` returned).
    exit_code, signal : int or None
        The job process's; one of them is None.
    seconds : float
        Wall time.
    stdout, stderr : str
        Their last 64 KiB.
    """

    records: tuple[dict[str, object], ...]
    end: str
    exit_code: int | None
    signal: int | None
    seconds: float
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class ProgramOutcome:
    """How a program went; ``end`` is ``exit`` when it ended by itself, else as in `JobOutcome`."""

    end: str
    exit_code: int | None
    signal: int | None
    seconds: float
    stdout: str
    stderr: str
