"""A copy of a tree, and its way back to what it was after a job."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Dict, Optional, Tuple  # noqa: UP035 - read at run time by Python 3.9

Owner = Optional[Tuple[int, int]]  # noqa: UP006, UP045 - the same
# The time of the last change of a file's entry cannot be set back by the file's owner, unlike that of its content.
_Mark = Tuple[int, ...]  # noqa: UP006


def copy_tree(source: Path, target: Path, owner: Owner = None) -> None:
    """Copy what a folder holds into an existing folder: files with their times, folders and symbolic links.

    Parameters
    ----------
    source, target : Path
        Folders.
    owner : tuple of (int, int) or None
        User and group id of the copies; None leaves them to the calling process.
    """
    for entry in os.scandir(source):
        _copy_entry(Path(entry.path), target / entry.name, owner)
    _finish(source, target, owner)


def _copy_entry(source: Path, target: Path, owner: Owner) -> None:
    mode = source.lstat().st_mode
    if stat.S_ISDIR(mode):
        target.mkdir()
        copy_tree(source, target, owner)
    elif stat.S_ISREG(mode):
        shutil.copyfile(source, target)
        _finish(source, target, owner)
    elif stat.S_ISLNK(mode):
        target.symlink_to(os.readlink(source))  # noqa: PTH115 - the text of the link, unresolved
        if owner is not None:
            os.lchown(target, *owner)


def _finish(source: Path, target: Path, owner: Owner) -> None:
    if owner is not None:
        os.chown(target, *owner)
    shutil.copystat(source, target)


def write_owned(target: Path, files: Mapping[PurePosixPath, bytes], owner: Owner) -> None:
    """Write files below a folder, with the folders that they need, as a user's own."""
    for path, content in files.items():
        place = target
        for part in path.parts:
            parent, place = place, place / part
            if parent != target and not parent.exists():
                parent.mkdir()
                if owner is not None:
                    os.chown(parent, *owner)
        place.write_bytes(content)
        if owner is not None:
            os.chown(place, *owner)


class RestoredTree:
    """A copy of a tree that is brought back to the original after every job.

    Parameters
    ----------
    source : Path
        The original, which must not change.
    target : Path
        An empty folder for the copy.
    owner : tuple of (int, int) or None
        User and group id of the copy.
    """

    def __init__(self, source: Path, target: Path, owner: Owner = None) -> None:
        self._source, self._target, self._owner = source, target, owner
        copy_tree(source, target, owner)
        self._marks: Dict[str, _Mark] = {}  # noqa: UP006
        self._note(target, "")

    def add(self, files: Mapping[PurePosixPath, bytes]) -> None:
        """Put files into the copy that stay there after a job unless it changes them."""
        write_owned(self._target, files, self._owner)
        self._marks.clear()
        self._note(self._target, "")

    def restore(self) -> None:
        """Undo every change; no process may still be writing."""
        self._restore_folder("")

    def _note(self, folder: Path, prefix: str) -> None:
        for entry in os.scandir(folder):
            found = entry.stat(follow_symlinks=False)
            self._marks[prefix + entry.name] = _mark(found)
            if stat.S_ISDIR(found.st_mode):
                self._note(Path(entry.path), prefix + entry.name + "/")

    def _restore_folder(self, prefix: str) -> None:
        folder = self._target / prefix
        folder.chmod(stat.S_IMODE(folder.stat().st_mode) | stat.S_IRWXU)
        present = {entry.name: entry for entry in os.scandir(folder)}
        original = self._source / prefix
        # a folder of added files has no original
        wanted = {entry.name for entry in os.scandir(original)} if original.is_dir() else set()
        for name, entry in present.items():
            path = prefix + name
            if self._marks.get(path) != _mark(entry.stat(follow_symlinks=False)):
                _remove(Path(entry.path))
                wanted.add(name)
            else:
                wanted.discard(name)
                if entry.is_dir(follow_symlinks=False):
                    self._restore_folder(path + "/")
        for name in wanted:
            self._renew(prefix + name)
        if original.is_dir():
            _finish(original, folder, self._owner)

    def _renew(self, path: str) -> None:
        source, target = self._source / path, self._target / path
        if not source.is_symlink() and not source.exists():
            return
        _copy_entry(source, target, self._owner)
        if not target.is_symlink() and not target.exists():
            return
        found = target.lstat()
        self._marks[path] = _mark(found)
        if stat.S_ISDIR(found.st_mode):
            self._note(target, path + "/")


def _mark(found: os.stat_result) -> _Mark:
    if stat.S_ISDIR(found.st_mode):
        # its times change with what it holds, which is looked at by itself
        return (stat.S_IFMT(found.st_mode), found.st_ino)
    return (found.st_mode, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _remove(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        path.unlink()
        return
    for folder, _, _ in os.walk(path):
        Path(folder).chmod(0o700)
    shutil.rmtree(path)
