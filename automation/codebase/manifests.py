"""Files copied as they are, and known again by kind, mode and content."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from automation.errors import WorkspaceFailed

_SPARE_BYTES = 64 * 1024 * 1024


def copy_files(top: Path, pristine: Path, names: Iterable[str]) -> dict[str, str]:
    """Copy files byte for byte, with their modes but writable, and return the copy's manifest.

    Parameters
    ----------
    top : Path
        Where they are.
    pristine : Path
        A folder to make for them.
    names : iterable of str
        Relative to ``top``; those that are not there, or lie behind a symbolic link, are passed over.

    Raises
    ------
    WorkspaceFailed
        When the disk has no room, or a file cannot be read.
    """
    present = list(_present(top, names))
    needed = 2 * sum(size for _, _, size in present) + _SPARE_BYTES
    pristine.mkdir(parents=True)
    if needed > (free := shutil.disk_usage(pristine).free):
        raise WorkspaceFailed(f"a snapshot of {top} needs {needed:,} bytes, {pristine} has {free:,}; free some")
    manifest = {}
    for name, mode, _ in present:
        target = pristine / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copy2(top / name, target, follow_symlinks=False)
        except OSError as error:
            raise WorkspaceFailed(f"cannot copy {top / name}: {error.strerror}; make it readable") from error
        if not stat.S_ISLNK(mode):
            target.chmod(stat.S_IMODE(mode) | stat.S_IWUSR)
        manifest[name] = fingerprint(target)
    return manifest


def _present(top: Path, names: Iterable[str]) -> Iterator[tuple[str, int, int]]:
    linked = {top: False}

    def is_behind_link(folder: Path) -> bool:
        if folder not in linked:
            linked[folder] = folder.is_symlink() or is_behind_link(folder.parent)
        return linked[folder]

    for name in dict.fromkeys(names):
        path = top / name
        try:
            facts = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            continue  # deleted, or left out by a sparse checkout
        if (stat.S_ISREG(facts.st_mode) or stat.S_ISLNK(facts.st_mode)) and not is_behind_link(path.parent):
            yield name, facts.st_mode, facts.st_size


def manifest_of(folder: Path) -> dict[str, str]:
    """Return every file below a folder with its kind, mode and SHA-256; git's own folder at the top is left out."""
    found = {}
    for parent, folders, names in os.walk(folder):
        if Path(parent) == folder:
            folders[:] = [name for name in folders if name != ".git"]
        linked = [name for name in folders if (Path(parent) / name).is_symlink()]
        for name in (*names, *linked):
            path = Path(parent) / name
            found[path.relative_to(folder).as_posix()] = fingerprint(path)
    return found


def fingerprint(path: Path) -> str:
    """Return kind, mode and content of one file as a short text; ``missing`` where there is none."""
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            return f"link {path.readlink()}"
        if not stat.S_ISREG(mode):
            return "other"
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return "missing"
    return f"{'program' if mode & stat.S_IXUSR else 'file'} {digest}"
