"""Both sandboxes for the tests, and what to see of processes from outside."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import pytest

from automation.codebase.isolation import MODE_VARIABLE, isolation
from automation.codebase.limits import JobOutcome, Limits
from automation.codebase.sandbox import ForkServer

ENTRY = Path(__file__).with_name("sandbox_entry.py")
PYTHON = Path(sys.executable)
SMALL = Limits(wall_s=30, cpu_s=20, memory_bytes=1 << 30, file_bytes=8 << 20, processes=40, output_bytes=1 << 20)


@contextmanager
def sandbox_mode(mode: str) -> Iterator[None]:
    """Take one of the two sandboxes, or skip where the kernel does not have it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(MODE_VARIABLE, mode)
        if mode != "limits" and not isolation().namespaces:
            pytest.skip("this kernel gives no namespaces")
        yield


class Confined:
    """A server over a small tree, and a short way to run code in it."""

    def __init__(self, server: ForkServer, tree: Path, mode: str) -> None:
        self.server, self.tree, self.mode = server, tree, mode

    def run(self, code: str, files: dict[str, bytes | None] | None = None, **limits: float) -> JobOutcome:
        used = {name: getattr(SMALL, name) for name in SMALL.__dataclass_fields__} | limits
        return self.server.submit({"code": dedent(code)}, files or {}, Limits(**used)).result(timeout=120)


@contextmanager
def confined(folder: Path, mode: str) -> Iterator[Confined]:
    """Open a server of one worker over a new tree with a module and a data file."""
    tree = folder / "tree"
    (tree / "package").mkdir(parents=True)
    (tree / "package" / "__init__.py").write_text("VALUE = 1\n")
    (tree / "data.txt").write_text("original\n")
    (tree / "link.txt").symlink_to("data.txt")
    with sandbox_mode(mode), ForkServer(tree, ENTRY, PYTHON, workers=1, limits=SMALL, python_path=["."]) as server:
        yield Confined(server, tree, mode)


def processes_with(word: str) -> list[int]:
    """Return the ids of all processes of this machine that have a word in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if word.encode() in line:
                found.append(int(entry.name))
    return found


def eventually(condition: Callable[[], bool], within_s: float = 60) -> bool:
    """Wait for a condition and return whether it came true."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if condition():
            return True
        os.sched_yield()
    return condition()
