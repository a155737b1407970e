"""Readings of the machine under a session: memory, open files, disk, clocks."""

from __future__ import annotations

import os
import shutil
import sys
import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

_KILOBYTE = 1024


def rss_bytes() -> int:
    """Return this process's resident memory, bytes; its greatest so far where the system tells no more.

    Sources: ``/proc/self/statm``, else psutil where it is installed, else getrusage.
    """
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    if find_spec("psutil") is not None:
        return int(import_module("psutil").Process().memory_info().rss)
    if sys.platform == "win32":
        return 0
    peak = int(import_module("resource").getrusage(import_module("resource").RUSAGE_SELF).ru_maxrss)
    return peak if sys.platform == "darwin" else peak * _KILOBYTE


def open_files() -> int:
    """Return how many file descriptors this process has open; 0 where the system does not tell."""
    for folder in ("/proc/self/fd", "/dev/fd"):
        try:
            # one of them is the listing itself
            return max(len(os.listdir(folder)) - 1, 0)  # noqa: PTH208
        except OSError:
            continue
    if find_spec("psutil") is not None:
        return int(import_module("psutil").Process().num_handles())
    return 0


def open_files_limit() -> int:
    """Return how many file descriptors this process may have; 0 where there is no limit."""
    if find_spec("resource") is None:
        return 0
    resource = import_module("resource")
    soft = int(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    return 0 if soft == int(resource.RLIM_INFINITY) else soft


def disk_free_bytes(folder: Path) -> int:
    """Return the free space of the disk that a folder is on, bytes; the folder need not exist yet."""
    place = folder.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    return shutil.disk_usage(place).free


def monotonic_ms() -> float:
    """Return a time that nobody can set, milliseconds since some moment."""
    return time.monotonic_ns() / 1e6
