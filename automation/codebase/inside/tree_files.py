"""Replace files of the tree so that Python cannot serve an older version of them."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

# A compiled file counts as current when the source has the second and the size that it was compiled from.
_SHIFT_S = 86_413


def replace_files(root: Path, files: Mapping[str, bytes | None]) -> None:
    """Write files below a folder (None deletes), each with a time of its own and without its compiled forms."""
    for name, content in files.items():
        path = root / name
        before = path.lstat() if path.is_symlink() or path.exists() else None
        if before is not None:
            path.unlink()
        if path.suffix == ".py":
            for compiled in (*path.parent.glob(f"__pycache__/{path.stem}.*.pyc"), path.with_suffix(".pyc")):
                compiled.unlink(missing_ok=True)
        if content is not None:
            _write(path, content, before)


def compiled_files(records: Iterable[bytes]) -> dict[PurePosixPath, bytes]:
    """Return the compiled files that `collect.py` told of, without any that would lie elsewhere."""
    found = {}
    for record in records:
        if record.startswith(b"{"):
            content = json.loads(record)
            path = PurePosixPath(content["path"])
            if ".." not in path.parts and not path.is_absolute() and path.match("__pycache__/*.pyc"):
                found[path] = base64.b64decode(content["content"])
    return found


def _write(path: Path, content: bytes, before: os.stat_result | None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if before is not None:
        path.chmod(before.st_mode & 0o777)
        os.utime(path, (before.st_mtime - _SHIFT_S, before.st_mtime - _SHIFT_S))
