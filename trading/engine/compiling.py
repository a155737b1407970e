"""Compilation of the core: numba with a disk cache that notices a change in any of the core's files.

Numba's own cache looks only at the file of the function it caches, not at the functions called from it, so an edit
in ``money.py`` would leave a stale ``loop.py`` behind. Here the cache folder's name is a hash of the whole package and
of the codes it takes from the signals.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from time import time
from typing import TypeVar, cast

import numba
from numba import config
from platformdirs import user_cache_path

from trading.signals import records

Function = TypeVar("Function", bound=Callable[..., object])
KEEP_DAYS = 14
"""Days after which another version's compiled core is forgotten."""


def _cache_folder() -> Path:
    root = os.environ.get("NUMBA_CACHE_DIR")
    digest = hashlib.sha256(numba.__version__.encode())
    for source in (*sorted(Path(__file__).parent.glob("*.py")), Path(records.__file__)):
        digest.update(source.read_bytes())
    folder = Path(root) if root else user_cache_path("gridbot") / "compiled"
    return folder / f"core-{digest.hexdigest()[:16]}"


_CACHE_FOLDER = _cache_folder()
# Without numba's runtime the core cannot allocate, and its arguments are not reference-counted at every call.
_compile = numba.njit(nogil=True, error_model="numpy", _nrt=False)  # type: ignore[call-overload]
_compile_to_disk = numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=False)  # type: ignore[call-overload]


def compiled(function: Function) -> Function:
    """Compile a function that only the core calls; with ``NUMBA_DISABLE_JIT=1`` it stays plain Python."""
    return cast("Function", _compile(function))


def entry_point(function: Function) -> Function:
    """Compile a function that is called from Python, and keep it, with all that it calls, on disk."""
    before = config.CACHE_DIR  # type: ignore[attr-defined]
    config.CACHE_DIR = str(_CACHE_FOLDER)  # type: ignore[attr-defined]
    try:
        return cast("Function", _compile_to_disk(function))
    finally:
        config.CACHE_DIR = before  # type: ignore[attr-defined]


def must_compile(function: Callable[..., object]) -> bool:
    """Return whether an entry point's first call will have to compile, which takes seconds."""
    if config.DISABLE_JIT or getattr(function, "signatures", ()):  # type: ignore[attr-defined]
        return False
    return not any(_CACHE_FOLDER.glob(f"*/*.{function.__name__}-*.nbi"))


def forget_old_versions() -> None:
    """Delete compiled cores of other versions that were not written for `KEEP_DAYS`."""
    oldest = time() - KEEP_DAYS * 86_400
    for folder in _CACHE_FOLDER.parent.glob("core-*"):
        if folder != _CACHE_FOLDER and folder.stat().st_mtime < oldest:
            shutil.rmtree(folder, ignore_errors=True)
