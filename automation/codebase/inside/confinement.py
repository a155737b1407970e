"""Take from a forked process what a job must not have: rights, descriptors, signals, variables, endless resources."""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import kernel, system_calls  # noqa: TID252 - this folder is loaded under another name inside

_OPEN_FILES = 1024
# far above what a shell hands out, so that a job does not meet it by counting upwards
RECORDS_DESCRIPTOR = 200


def set_limits(limits: Mapping[str, float], others: int) -> None:
    """Bound processor seconds, address space, file size, processes and open files, for good.

    Parameters
    ----------
    limits : mapping
        ``cpu_s``, ``memory_bytes``, ``file_bytes``, ``processes``.
    others : int
        Processes and threads outside of the job that the kernel counts together with its own.
    """
    processor = int(limits["cpu_s"])
    bounds = {
        resource.RLIMIT_CPU: (processor, processor + 1),
        resource.RLIMIT_AS: (int(limits["memory_bytes"]),) * 2,
        resource.RLIMIT_FSIZE: (int(limits["file_bytes"]),) * 2,
        resource.RLIMIT_NPROC: (int(limits["processes"]) + others,) * 2,
        resource.RLIMIT_NOFILE: (_OPEN_FILES,) * 2,
        resource.RLIMIT_CORE: (0, 0),
    }
    for kind, wanted in bounds.items():
        _, most = resource.getrlimit(kind)
        allowed = wanted if most == resource.RLIM_INFINITY else (min(wanted[0], most), min(wanted[1], most))
        resource.setrlimit(kind, allowed)


def drop_rights(job: tuple[int, int] | None) -> None:
    """Become the job's user, or give up all capabilities where there is no other user to become."""
    if job is not None:
        os.setgroups([])
        os.setresgid(job[1], job[1], job[1])
        os.setresuid(job[0], job[0], job[0])
    elif sys.platform == "linux":
        kernel.drop_capabilities()
    if sys.platform == "linux":
        kernel.forbid_new_privileges()
        system_calls.refuse_dangerous_calls()
        # a process that changed its user may not read its own /proc entries otherwise
        kernel.allow_inspection(allowed=True)
        kernel.die_with_parent()


def reset_signals() -> None:
    """Handle signals as a new program does; the interpreter's own three settings stay."""
    for number in signal.valid_signals():
        if number not in (signal.SIGKILL, signal.SIGSTOP, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT):
            try:
                signal.signal(number, signal.SIG_DFL)
            except (OSError, ValueError, RuntimeError):
                continue
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def keep_descriptors(output: int, errors: int, records: int) -> None:
    """Leave nothing open but an empty input, the two bounded outputs and the pipe for records."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (errors, 2)):
        os.dup2(source, target)
    os.dup2(records, RECORDS_DESCRIPTOR, inheritable=False)
    os.closerange(3, RECORDS_DESCRIPTOR)
    os.closerange(RECORDS_DESCRIPTOR + 1, _OPEN_FILES)


def set_environment(variables: Mapping[str, str], folder: Path, search: Sequence[str]) -> None:
    """Replace all variables, go to the tree, and put folders at the front of the import path."""
    os.environ.clear()
    os.environ.update(variables)
    os.umask(0o022)
    os.chdir(folder)
    sys.path[:0] = search
    sys.dont_write_bytecode = True
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
