"""What this kernel allows for the isolation of jobs, found by trying it."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from automation.codebase.limits import Limits
from automation.codebase.plans import Request, Setup, can_drop, make_plan
from automation.codebase.worker import Worker, WorkerDied
from automation.errors import SandboxUnavailable

# `limits` takes the sandbox without namespaces also where the kernel would give them
MODE_VARIABLE = "GRIDBOT_SANDBOX"


@dataclass(frozen=True, slots=True)
class Isolation:
    """How jobs are kept apart from the rest of the machine.

    Parameters
    ----------
    namespaces : bool
        Whether jobs have processes, mounts and network of their own.
    network : str
        ``namespace`` (nothing but its own loopback) or ``guard`` (a check in Python that a program can go around).
    user_dropped : bool
        Whether jobs run as another user than the caller, with GridBot's own interpreter.
    overlay : bool
        Whether the tree is seen through a copy-on-write layer, not copied and restored.
    """

    namespaces: bool
    network: str
    user_dropped: bool
    overlay: bool

    def describe(self) -> str:
        """Return one line for people."""
        user = "a user of their own" if self.user_dropped else "your user without extra rights"
        if self.namespaces:
            return f"own processes, network and file system (namespaces), {user}, resource limits"
        return f"resource limits, a network check inside Python, a copy of the tree, {user}; no namespaces"


def isolation() -> Isolation:
    """Return what is possible here; tried once, and cached."""
    return _probe(os.environ.get(MODE_VARIABLE, ""))


@cache
def _probe(mode: str) -> Isolation:
    namespaces = mode != "limits" and _namespaces_work()
    dropped = can_drop(Path(sys.executable), (), namespaces)
    return Isolation(namespaces, "namespace" if namespaces else "guard", dropped, namespaces)


def _namespaces_work() -> bool:
    """Delete and write a file of a small tree in a sandbox, and see that the tree did not change."""
    if sys.platform != "linux":
        return False
    with tempfile.TemporaryDirectory(prefix="gridbot-probe-") as folder:
        tree = Path(folder).resolve() / "tree"
        tree.mkdir()
        (tree / "before").touch()
        setup = Setup(tree, Path(sys.executable))
        try:
            worker = Worker(Path(sys.executable), make_plan(setup, namespaces=True))
        except (SandboxUnavailable, WorkerDied):
            return False
        try:
            outcome = worker.run(Request(argv=["/bin/sh", "-c", "rm before && : > after"]), {}, Limits(wall_s=10))
        except WorkerDied:
            return False
        finally:
            worker.close()
        return outcome.exit_code == 0 and [entry.name for entry in tree.iterdir()] == ["before"]
