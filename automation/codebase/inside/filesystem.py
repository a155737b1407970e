"""What a job sees of the disk: everything read-only, private folders hidden, the tree under a layer of its own."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence

from . import kernel, namespaces  # noqa: TID252 - this folder is loaded under another name inside

_TMP = "/tmp"  # noqa: S108 - a mount of its own lies there
_STAGE = _TMP + "/.gridbot"
_LOWER, _JOB = _STAGE + "/lower", _STAGE + "/job"
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_SAFE = kernel.MS_NOSUID | kernel.MS_NODEV


class View:
    """The file system of one worker, from which every job gets its own.

    Parameters
    ----------
    tree : str
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
        tree: str,
        steps: Sequence[tuple[str, str]],
        links: Sequence[tuple[str, str]],
        hide_in_tree: Sequence[str],
        job: tuple[int, int] | None,
    ) -> None:
        self._tree, self._hide_in_tree, self._job = tree, tuple(hide_in_tree), job
        self._in_tmp = [path for kind, path in steps if kind == "show" and _is_below(path, _TMP)]
        self._overlay_options = "" if job else ",userxattr"
        self._build(steps, links)

    def _build(self, steps: Sequence[tuple[str, str]], links: Sequence[tuple[str, str]]) -> None:
        kernel.mount("", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
        shown = [path for kind, path in steps if kind == "show"]
        devices = [path for path in (f"/dev/{name}" for name in _DEVICES) if os.path.exists(path)]  # noqa: PTH110
        sources = {path: os.open(path, os.O_PATH | os.O_CLOEXEC) for path in [*shown, *devices, self._tree]}
        kernel.make_read_only("/", below=True)
        kernel.mount("proc", "/proc", "proc", _SAFE)
        covers = [path for kind, path in steps if kind == "hide"]
        for kind, path in steps:
            if kind == "hide":
                kernel.mount("tmpfs", path, "tmpfs", _SAFE, "mode=0755,size=1m")
            else:
                _show(sources[path], path)
        for link, target in links:
            os.makedirs(os.path.dirname(link), exist_ok=True)  # noqa: PTH103, PTH120
            if not os.path.lexists(link):
                os.symlink(target, link)  # noqa: PTH211
        self._add_devices({path: sources[path] for path in devices})
        os.makedirs(_LOWER)  # noqa: PTH103
        os.makedirs(_JOB)  # noqa: PTH103
        self._place_tree(_descriptor_path(sources[self._tree]))
        for path in covers:
            if path != _TMP:
                kernel.make_read_only(path, below=False)
        for descriptor in sources.values():
            os.close(descriptor)

    @staticmethod
    def _add_devices(devices: Mapping[str, int]) -> None:
        for path, source in devices.items():
            _show(source, path)
        for name, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
            os.symlink(f"/proc/self/{target}", f"/dev/{name}")  # noqa: PTH211
        os.mkdir("/dev/shm")  # noqa: PTH102, S108
        os.mkdir("/dev/pts")  # noqa: PTH102
        try:
            kernel.mount("devpts", "/dev/pts", "devpts", kernel.MS_NOSUID, "newinstance,ptmxmode=0666,mode=0620")
            os.symlink("pts/ptmx", "/dev/ptmx")  # noqa: PTH211
        except OSError:
            # only tests that open a terminal of their own miss it
            return

    def _place_tree(self, source: str) -> None:
        if self._job is None:
            kernel.bind(source, _LOWER)
            return
        found = os.stat(self._tree_path_for_stat(source))
        owners = namespaces.owner_swap((found.st_uid, found.st_gid), self._job)
        try:
            kernel.bind_with_owners(source, _LOWER, owners)
        finally:
            os.close(owners)

    @staticmethod
    def _tree_path_for_stat(source: str) -> str:
        return source + "/."

    def enter(self, size_bytes: int) -> None:
        """Give the calling process a private file system for one job.

        Parameters
        ----------
        size_bytes : int
            Most that all files written by the job may hold together.
        """
        kernel.unshare(kernel.CLONE_NEWNS | kernel.CLONE_NEWIPC)
        kernel.mount("tmpfs", _JOB, "tmpfs", _SAFE, f"mode=0755,size={size_bytes},nr_inodes=200000")
        upper, work, tmp, shm, old = (f"{_JOB}/{name}" for name in ("upper", "work", "tmp", "shm", "vartmp"))
        found = os.stat(_LOWER)
        _make_folder(upper, stat.S_IMODE(found.st_mode) | stat.S_IRWXU, (found.st_uid, found.st_gid))
        _make_folder(work, 0o700)
        for folder in (tmp, shm, old):
            _make_folder(folder, 0o1777)
        _make_folder(tmp + "/home", 0o700, self._job)
        for path in self._in_tmp:
            _mount_point(tmp + path[len(_TMP) :], path)
            kernel.bind(path, tmp + path[len(_TMP) :])
        tree = self._tree
        if _is_below(tree, _TMP):
            tree = tmp + tree[len(_TMP) :]
            os.makedirs(tree, exist_ok=True)  # noqa: PTH103
        options = f"lowerdir={_LOWER},upperdir={upper},workdir={work}{self._overlay_options}"
        kernel.mount("overlay", tree, "overlay", _SAFE, options)
        for path in self._hide_in_tree:
            kernel.mount("tmpfs", tree + path[len(self._tree) :], "tmpfs", _SAFE | kernel.MS_RDONLY, "size=1m")
        kernel.bind(shm, "/dev/shm")  # noqa: S108
        kernel.bind(old, "/var/tmp")  # noqa: S108
        kernel.bind(tmp, _TMP)


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(folder + "/")


def _descriptor_path(descriptor: int) -> str:
    return f"/proc/self/fd/{descriptor}"


def _show(source: int, path: str) -> None:
    _mount_point(path, _descriptor_path(source))
    kernel.bind(_descriptor_path(source), path)


def _mount_point(path: str, like: str) -> None:
    if os.path.isdir(like):  # noqa: PTH112
        os.makedirs(path, exist_ok=True)  # noqa: PTH103
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644))


def _make_folder(path: str, mode: int, owner: tuple[int, int] | None = None) -> None:
    os.mkdir(path)  # noqa: PTH102
    os.chmod(path, mode)  # noqa: PTH101
    if owner is not None:
        os.chown(path, *owner)
