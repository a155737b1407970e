"""Compilation of the signal stream: numba with a disk cache that notices a change in any file of the signals.

Numba's own cache looks only at the file of the function it caches; here the cache folder's name is a hash of the whole
package, because the step takes functions and constants from many of its files.
"""

from __future__ import annotations

import hashlib
import math
import os
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from time import time
from typing import TypeVar, cast

import numba
from llvmlite.ir import IRBuilder
from numba import config, types
from numba.extending import intrinsic, overload
from platformdirs import user_cache_path

Function = TypeVar("Function", bound=Callable[..., object])
KEEP_DAYS = 14
"""Days after which another version's compiled stream is forgotten."""


def _cache_folder() -> Path:
    root = os.environ.get("NUMBA_CACHE_DIR")
    digest = hashlib.sha256(numba.__version__.encode())
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(source.read_bytes())
    folder = Path(root) if root else user_cache_path("gridbot") / "compiled"
    return folder / f"signals-{digest.hexdigest()[:16]}"


_CACHE_FOLDER = _cache_folder()
# Only the entry point is called from Python, so only it needs to understand Python's objects.
_compile_inner = numba.njit(  # type: ignore[call-overload]
    nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True
)
_compile_to_disk = numba.njit(cache=True, nogil=True, error_model="numpy")


def compiled(function: Function) -> Function:
    """Compile a function that only other compiled functions call; with ``NUMBA_DISABLE_JIT=1`` it stays Python."""
    return cast("Function", _compile_inner(function))


def entry_point(function: Function) -> Function:
    """Compile a function that is called from Python, and keep it, with all that it calls, on disk."""
    before = config.CACHE_DIR  # type: ignore[attr-defined]
    config.CACHE_DIR = str(_CACHE_FOLDER)  # type: ignore[attr-defined]
    try:
        return cast("Function", _compile_to_disk(function))
    finally:
        config.CACHE_DIR = before  # type: ignore[attr-defined]


def fused(factor: float, other: float, addend: float) -> float:
    """Return ``factor * other + addend``, rounded once, as TA-Lib's exponential averages do.

    Parameters
    ----------
    factor, other, addend : float
        Any numbers; where one is not finite, rounding twice is the same.
    """
    if not (math.isfinite(factor) and math.isfinite(other) and math.isfinite(addend)):
        return factor * other + addend
    return float(Fraction(factor) * Fraction(other) + Fraction(addend))


@intrinsic
def _fused(_context: object, factor: types.Type, other: types.Type, addend: types.Type) -> tuple[object, object]:
    def generate(_target: object, builder: IRBuilder, _signature: object, arguments: tuple[object, ...]) -> object:
        return builder.fma(*arguments)

    return types.float64(factor, other, addend), generate


@overload(fused, strict=False)
def _compiled_fused(factor: types.Type, other: types.Type, addend: types.Type) -> Callable[..., float]:
    def call(factor: float, other: float, addend: float) -> float:
        return _fused(factor, other, addend)  # type: ignore[call-arg,arg-type]

    return call


def must_compile(function: Callable[..., object]) -> bool:
    """Return whether an entry point's first call will have to compile, which takes seconds."""
    if config.DISABLE_JIT or getattr(function, "signatures", ()):  # type: ignore[attr-defined]
        return False
    return not any(_CACHE_FOLDER.glob(f"*/*.{function.__name__}-*.nbi"))


def forget_old_versions() -> None:
    """Delete compiled streams of other versions that were not written for `KEEP_DAYS`."""
    oldest = time() - KEEP_DAYS * 86_400
    for folder in _CACHE_FOLDER.parent.glob("signals-*"):
        if folder != _CACHE_FOLDER and folder.stat().st_mtime < oldest:
            shutil.rmtree(folder, ignore_errors=True)
