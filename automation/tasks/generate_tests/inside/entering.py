"""The way into the tree: its folder, its import path, and nothing printed."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Any, Dict  # noqa: UP035 - read at run time by Python 3.9


def enter(job: Dict[str, Any]) -> str:  # noqa: UP006
    """Go to the tree, make its modules importable, and return its absolute path.

    Parameters
    ----------
    job : dict
        ``root``, and ``python_path`` relative to it.
    """
    root = os.path.abspath(str(job["root"]))  # noqa: PTH100 - links stay as they are
    os.chdir(root)
    sys.dont_write_bytecode = True
    paths = [os.path.normpath(os.path.join(root, path)) for path in job["python_path"]]  # noqa: PTH118
    sys.path[:] = [*paths, *(path for path in sys.path if path not in paths)]
    return root


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Keep what the target prints to itself."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
