"""Let pytest collect a tree once and tell which compiled files that left, so that later jobs need not compile again."""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_LEFT_OUT = frozenset({".git", ".hg", ".venv", "venv", "node_modules"})


def run(job: dict[str, Any], emit: Callable[[dict[str, object]], None]) -> None:
    """Collect the tests that pytest's arguments select and emit each new compiled file as ``path`` and ``content``.

    Parameters
    ----------
    job : dict
        ``arguments`` for pytest.
    emit : callable
        Takes one record a file; the content is base64.
    """
    import pytest

    before = set(_compiled_files())
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        # the list of all tests may be longer than what a job may print
        os.dup2(nothing, stream)
    sys.dont_write_bytecode = False
    try:
        pytest.main(["--collect-only", "-qq", "-p", "no:cacheprovider", *job["arguments"]])
    finally:
        for path, _, _ in sorted(set(_compiled_files()) - before):
            emit({"path": path, "content": base64.b64encode(Path(path).read_bytes()).decode("ascii")})


def _compiled_files() -> Iterator[tuple[str, int, int]]:
    for folder, names, files in os.walk("."):
        names[:] = [name for name in names if name not in _LEFT_OUT]
        if folder.endswith("__pycache__"):
            for name in files:
                path = Path(folder, name)
                if path.suffix == ".pyc" and not path.is_symlink():
                    found = path.stat()
                    yield str(path), found.st_mtime_ns, found.st_ino
