"""What a job sees of the disk: everything read-only, private folders hidden, the tree under a layer of its own."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from . import kernel, namespaces, tree_copy  # noqa: TID252 - this folder is loaded under another name inside

_TMP = Path("/tmp")  # noqa: S108 - a mount of its own lies there
_STAGE = _TMP / ".gridbot"
_LOWER, _LAYER, _JOB = _STAGE / "lower", _STAGE / "layer", _STAGE / "job"
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_STREAMS = {"fd": "fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}
_SAFE = kernel.MS_NOSUID | kernel.MS_NODEV
_MOST_FILES = 200_000


class View:
    """The file system of one worker, from which every job gets its own.

    Parameters
    ----------
    tree : Path
        The repository's absolute path, without symbolic links.
    steps : sequence of (str, str)
        ``("hide", path)`` covers a folder with an empty one, ``("show", path)`` brings one back below a covered
        one; outer paths first.
    links : sequence of (str, str)
        Symbolic links to make in covered folders, and what they point to.
    hide_in_tree : sequence of str
        Folders of the tree that jobs shall not see.
    job : tuple of (int, int) or None
        User and group id that jobs run as, when they differ from this process's.
    """

    def __init__(
        self,
        tree: Path,
        steps: Sequence[tuple[str, str]],
        links: Sequence[tuple[str, str]],
        hide_in_tree: Sequence[str],
        job: tuple[int, int] | None,
    ) -> None:
        self._tree, self._job = tree, job
        self._swaps: dict[tuple[int, int], int] = {}
        self._hide_in_tree = [Path(path).relative_to(tree) for path in hide_in_tree]
        shown = [Path(path) for kind, path in steps if kind == "show"]
        self._in_tmp = [path.relative_to(_TMP) for path in shown if _TMP in path.parents]
        devices = [path for path in (Path("/dev", name) for name in _DEVICES) if path.exists()]
        kernel.mount("", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
        # opened before anything is covered, so that it can be shown again from its descriptor
        sources = {path: os.open(path, os.O_PATH | os.O_CLOEXEC) for path in [*shown, *devices, tree]}
        kernel.make_read_only("/", below=True)
        kernel.mount("proc", "/proc", "proc", _SAFE)
        self._cover(steps, sources)
        _make_links(links)
        _add_devices({path: sources[path] for path in devices})
        for folder in (_LOWER, _LAYER, _JOB):
            folder.mkdir(parents=True)
        self._place_tree(_opened(sources[tree]))
        self._layers = str(_LOWER)
        for kind, path in steps:
            if kind == "hide" and path != str(_TMP):
                kernel.make_read_only(path, below=False)
        for descriptor in (*sources.values(), *self._swaps.values()):
            os.close(descriptor)

    def _cover(self, steps: Sequence[tuple[str, str]], sources: Mapping[Path, int]) -> None:
        for kind, path in steps:
            if kind == "hide":
                kernel.mount("tmpfs", path, "tmpfs", _SAFE, "mode=0755,size=1m")
                continue
            source, place = _opened(sources[Path(path)]), Path(path)
            _mount_point(place, source)
            if not self._bind_as_job(source, place):
                kernel.bind(str(source), path)

    def _bind_as_job(self, source: Path, target: Path) -> bool:
        """Show a folder as if the job's user owned what its owner does; False where the file system cannot."""
        if self._job is None:
            return False
        found = source.stat()
        owner = (found.st_uid, found.st_gid)
        if owner not in self._swaps:
            self._swaps[owner] = namespaces.owner_swap(owner, self._job)
        try:
            kernel.bind_with_owners(str(source), str(target), self._swaps[owner])
        except OSError:
            # overlayfs itself and network file systems are among those
            return False
        return True

    def _place_tree(self, source: Path) -> None:
        if self._bind_as_job(source, _LOWER):
            return
        if self._job is None:
            kernel.bind(str(source), str(_LOWER))
            return
        kernel.mount("tmpfs", str(_LOWER), "tmpfs", _SAFE, "mode=0755")
        tree_copy.copy_tree(source, _LOWER, self._job)

    def add_layer(self, files: Mapping[PurePosixPath, bytes]) -> None:
        """Add files to the tree that every later job sees."""
        kernel.mount("tmpfs", str(_LAYER), "tmpfs", _SAFE, "mode=0755")
        tree_copy.write_owned(_LAYER, files, self._job)
        for folder, _, _ in os.walk(_LAYER):
            below = Path(folder).relative_to(_LAYER)
            if (_LOWER / below).is_dir():
                # a folder looks as it does in its topmost layer
                shutil.copystat(_LOWER / below, folder)
        self._layers = f"{_LAYER}:{_LOWER}"

    def enter(self, size_bytes: int) -> None:
        """Give the calling process a private file system for one job.

        Parameters
        ----------
        size_bytes : int
            Most that all files written by the job may hold together.
        """
        kernel.unshare(kernel.CLONE_NEWNS | kernel.CLONE_NEWIPC)
        kernel.mount("tmpfs", str(_JOB), "tmpfs", _SAFE, f"mode=0755,size={size_bytes},nr_inodes={_MOST_FILES}")
        _make_folder(_JOB / "upper", stat.S_IMODE(_LOWER.stat().st_mode) | stat.S_IRWXU, self._job)
        _make_folder(_JOB / "work", 0o700)
        tmp = _JOB / "tmp"
        for folder in (tmp, _JOB / "shm", _JOB / "vartmp"):
            _make_folder(folder, 0o1777)
        _make_folder(tmp / "home", 0o700, self._job)
        for path in self._in_tmp:
            _mount_point(tmp / path, _TMP / path)
            kernel.bind(str(_TMP / path), str(tmp / path))
        tree = tmp / self._tree.relative_to(_TMP) if _TMP in self._tree.parents else self._tree
        options = f"lowerdir={self._layers},upperdir={_JOB}/upper,workdir={_JOB}/work"
        kernel.mount("overlay", str(tree), "overlay", _SAFE, options if self._job else options + ",userxattr")
        for path in self._hide_in_tree:
            kernel.mount("tmpfs", str(tree / path), "tmpfs", _SAFE | kernel.MS_RDONLY, "size=1m")
        kernel.bind(str(_JOB / "shm"), "/dev/shm")  # noqa: S108
        kernel.bind(str(_JOB / "vartmp"), "/var/tmp")  # noqa: S108
        kernel.bind(str(tmp), str(_TMP))


def _make_links(links: Sequence[tuple[str, str]]) -> None:
    for link, target in links:
        place = Path(link)
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.is_symlink() and not place.exists():
            place.symlink_to(target)


def _add_devices(devices: Mapping[Path, int]) -> None:
    for path, source in devices.items():
        path.touch()
        kernel.bind(str(_opened(source)), str(path))
    for name, target in _STREAMS.items():
        Path("/dev", name).symlink_to(f"/proc/self/{target}")
    for name in ("shm", "pts"):
        Path("/dev", name).mkdir()
    try:
        kernel.mount("devpts", "/dev/pts", "devpts", kernel.MS_NOSUID, "newinstance,ptmxmode=0666,mode=0620")
        Path("/dev/ptmx").symlink_to("pts/ptmx")
    except OSError:
        # only tests that open a terminal of their own miss it
        return


def _opened(descriptor: int) -> Path:
    return Path(f"/proc/self/fd/{descriptor}")


def _mount_point(path: Path, like: Path) -> None:
    if like.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def _make_folder(path: Path, mode: int, owner: tuple[int, int] | None = None) -> None:
    path.mkdir()
    path.chmod(mode)
    if owner is not None:
        os.chown(path, *owner)
