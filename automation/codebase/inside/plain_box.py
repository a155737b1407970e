"""A sandbox without namespaces: a copy of the tree, limits, a check on connections, a hunt for what stays behind."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from . import guard, kernel  # noqa: TID252 - this folder is loaded under another name inside
from .tree_copy import RestoredTree  # noqa: TID252

_LINUX = sys.platform == "linux"
# Each worker runs its jobs as a user of its own, so that the limit on processes counts that worker's alone.
FIRST_JOB_USER = 1_900_000_000


class PlainBox:
    """Where jobs run when the kernel gives no namespaces.

    Parameters
    ----------
    plan : mapping
        ``tree``, ``folder`` (an empty one for the copy), and whether to ``drop`` root's rights.
    user : tuple of (int, int)
        User and group id for jobs when rights are dropped.
    """

    def __init__(self, plan: Mapping[str, Any], user: tuple[int, int]) -> None:
        self.user = user if plan["drop"] else None
        self._folder = Path(plan["folder"])
        source = Path(plan["tree"])
        self.tree = self._folder / source.name
        self.tree.mkdir()
        self._home, self._tmp = self._folder / "home", self._folder / "tmp"
        self._copy = RestoredTree(source, self.tree, self.user)
        self.variables = {"HOME": str(self._home), "TMPDIR": str(self._tmp)}
        self._folder.chmod(0o711)
        self._renew_folders()
        if _LINUX:
            kernel.adopt_orphans()

    def _renew_folders(self) -> None:
        for folder in (self._home, self._tmp):
            if folder.exists():
                for inner, _, _ in os.walk(folder):
                    Path(inner).chmod(0o700)
                shutil.rmtree(folder)
            folder.mkdir(mode=0o700)
            if self.user is not None:
                os.chown(folder, *self.user)

    def enter_job(self, limits: Mapping[str, float]) -> None:
        """Refuse connections to other machines from Python."""
        del limits
        guard.refuse_other_machines()

    def others(self) -> int:
        """Return how many processes and threads the caller's user has, which the kernel counts with the job's."""
        if self.user is not None or not _LINUX:
            return 0
        return sum(_threads_of(entry, os.getuid()) for entry in Path("/proc").iterdir() if entry.name.isdigit())

    def members(self, job: int) -> list[int]:
        """Return the ids of the job's processes."""
        if not _LINUX:
            return [job]
        children: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                parent = _parent(entry)
                if parent is not None:
                    children.setdefault(parent, []).append(int(entry.name))
        found = list(children.get(os.getpid(), ()))
        for pid in found:
            found += children.get(pid, ())
        return found

    def kill_all(self, job: int) -> None:
        """Kill the job with every process that came from it, whatever session it moved to."""
        if self.user is not None:
            _kill_user(*self.user)
        known: set[int] = set()
        while True:
            # a stopped process cannot fork on while the others are looked for
            fresh = set(self.members(job)) - known
            if not fresh:
                break
            known |= fresh
            for pid in fresh:
                _send(pid, signal.SIGSTOP)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getpgid(job) == job:
                os.killpg(job, signal.SIGKILL)
        for pid in known:
            _send(pid, signal.SIGKILL)

    def add_compiled(self, files: Mapping[PurePosixPath, bytes]) -> None:
        """Let every later job find compiled files in its tree."""
        self._copy.add(files)

    def after_job(self) -> None:
        """Bring the copy back to the original and empty the private folders."""
        self._copy.restore()
        self._renew_folders()

    def close(self) -> None:
        """Remove the copy."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _kill_user(user: int, group: int) -> None:
    """Kill everything that the job's user runs, in one call that no fork can outrun."""
    pid = os.fork()
    if pid == 0:
        try:
            os.setresgid(group, group, group)
            os.setresuid(user, user, user)
            # as root this call would end every process of the machine
            if user >= FIRST_JOB_USER and os.getresuid() == (user, user, user):
                os.kill(-1, signal.SIGKILL)
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


def _threads_of(entry: Path, user: int) -> int:
    try:
        return len(list((entry / "task").iterdir())) if entry.stat().st_uid == user else 0
    except OSError:
        return 0


def _parent(entry: Path) -> int | None:
    try:
        text = (entry / "stat").read_bytes()
    except OSError:
        return None
    state, parent = text[text.rindex(b")") + 2 :].split()[:2]
    return None if state == b"Z" else int(parent)


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return
