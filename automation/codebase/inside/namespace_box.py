"""A sandbox of namespaces: its processes, mounts and network are its own, and end with its first process."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from . import kernel, namespaces  # noqa: TID252 - this folder is loaded under another name inside
from .filesystem import View  # noqa: TID252


class NamespaceBox:
    """Where jobs run when the kernel gives namespaces; this process becomes their first.

    Parameters
    ----------
    plan : mapping
        ``tree``, ``steps``, ``links``, ``hide_in_tree`` as `View` takes them, whether to ``drop`` root's rights.
    user : tuple of (int, int)
        User and group id for jobs when rights are dropped.
    """

    def __init__(self, plan: Mapping[str, Any], user: tuple[int, int]) -> None:
        if os.getpid() != 1:
            # ending a job kills every process that this one can see
            raise RuntimeError("the sandbox is not the first process of a namespace")
        self.user = user if plan["drop"] else None
        self.tree = Path(plan["tree"])
        self.variables = {"HOME": "/tmp/home", "TMPDIR": "/tmp"}  # noqa: S108 - a mount of the job's own
        namespaces.bring_loopback_up()
        self._view = View(self.tree, plan["steps"], plan["links"], plan["hide_in_tree"], self.user)
        kernel.allow_inspection(allowed=False)

    def enter_job(self, limits: Mapping[str, float]) -> None:
        """Give the calling process its own view of the disk."""
        self._view.enter(int(limits["disk_bytes"]))

    def others(self) -> int:
        """Return 0: the kernel counts the processes of a job's user, or of its user namespace, apart."""
        return 0

    def members(self, job: int) -> list[int]:
        """Return the ids of the job's processes: all of the namespace but its first."""
        del job
        return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and entry.name != "1"]

    def kill_all(self, job: int) -> None:
        """Kill every process of the namespace but its first, which is this one."""
        del job
        if os.getpid() != 1:
            raise RuntimeError("the sandbox is not the first process of a namespace")
        try:
            os.kill(-1, signal.SIGKILL)
        except ProcessLookupError:
            return

    def add_compiled(self, files: Mapping[PurePosixPath, bytes]) -> None:
        """Let every later job find compiled files in its tree."""
        self._view.add_layer(files)

    def after_job(self) -> None:
        """Do nothing: what the job wrote went away with its mounts."""

    def close(self) -> None:
        """Do nothing: everything goes away with this process."""


def split_process() -> None:
    """Go on in a child; this process waits for it, kills it when told to end, and ends as it does.

    The wait is over when the last process of the child's namespace is gone.
    """
    pid = os.fork()
    if pid == 0:
        kernel.die_with_parent()
        return
    signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGKILL))
    os.closerange(0, 64)
    _, status = os.waitpid(pid, 0)
    os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
