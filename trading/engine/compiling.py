"""The ``compiled`` decorator: numba with a disk cache that notices a change in any file of the core.

Numba's own cache looks only at the file of the function it caches, not at the functions called from it, so an edit
in ``fees.py`` would leave a stale ``loop.py`` behind. Here the cache folder's name is a hash of
the whole package and of the codes it takes from the signals.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import numba
from numba import config
from platformdirs import user_cache_path

from trading.signals import records

Function = TypeVar("Function", bound=Callable[..., object])


def _cache_folder() -> Path:
    root = os.environ.get("NUMBA_CACHE_DIR")
    digest = hashlib.sha256(numba.__version__.encode())
    for source in (*sorted(Path(__file__).parent.glob("*.py")), Path(records.__file__)):
        digest.update(source.read_bytes())
    folder = Path(root) if root else user_cache_path("gridbot") / "compiled"
    return folder / f"core-{digest.hexdigest()[:16]}"


_CACHE_FOLDER = _cache_folder()
# Without numba's runtime the core cannot allocate, and its arguments are not reference-counted at every call.
_compile = numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=False)  # type: ignore[call-overload]


def compiled(function: Function) -> Function:
    """Compile a function of the core; with ``NUMBA_DISABLE_JIT=1`` it stays plain Python."""
    before = config.CACHE_DIR  # type: ignore[attr-defined]
    config.CACHE_DIR = str(_CACHE_FOLDER)  # type: ignore[attr-defined]
    try:
        return cast("Function", _compile(function))
    finally:
        config.CACHE_DIR = before  # type: ignore[attr-defined]
