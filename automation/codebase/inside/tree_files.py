"""Replace files of the tree so that Python cannot serve an older version of them."""

from __future__ import annotations

import os
from collections.abc import Mapping

# A compiled file counts as current when the source has the second and the size it was compiled from.
_SHIFT_S = 86_413


def replace_files(root: str, files: Mapping[str, bytes | None]) -> None:
    """Write files below a folder (None deletes), each with a time of its own and without its compiled form."""
    for name, content in files.items():
        path = os.path.join(root, *name.split("/"))  # noqa: PTH118
        before = _modified(path)
        if before is not None:
            os.unlink(path)  # noqa: PTH108
        _forget_compiled(path)
        if content is not None:
            _write(path, content, before)


def _modified(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except FileNotFoundError:
        return None


def _write(path: str, content: bytes, before: os.stat_result | None) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
    mode = before.st_mode & 0o777 if before is not None else 0o644
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    if before is not None:
        os.utime(path, (before.st_mtime + _SHIFT_S, before.st_mtime + _SHIFT_S))


def _forget_compiled(path: str) -> None:
    folder, name = os.path.split(path)
    stem, suffix = os.path.splitext(name)  # noqa: PTH122
    if suffix != ".py":
        return
    for place, start in ((os.path.join(folder, "__pycache__"), stem + "."), (folder, stem + ".pyc")):  # noqa: PTH118
        try:
            names = os.listdir(place)  # noqa: PTH208
        except OSError:
            continue
        for found in names:
            if found.startswith(start) and found.endswith(".pyc"):
                os.unlink(os.path.join(place, found))  # noqa: PTH108, PTH118
