"""Private clones in which repairs are tried: made without writing to their target, cleaned up after crashes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from automation.codebase import owners
from automation.codebase.folders import remove
from automation.codebase.git import Git
from automation.codebase.manifests import manifest_of
from automation.codebase.patches import Patch
from automation.codebase.snapshots import take_snapshot
from automation.errors import RepositoryUnusable, WorkspaceFailed

_RECORD = "workspace.json"
_KEPT = "kept"
_LOCK_TIMEOUT_S = 60.0
_PARTS = ("clone", "pristine", "snapshot.git", "trees", "scratch")


@dataclass(frozen=True, slots=True)
class Workspace:
    """A private clone of a target's working tree.

    Parameters
    ----------
    folder : Path
        The run's own folder, which holds all parts.
    root : Path
        The clone's top.
    tree : Path
        The target inside the clone: ``root``, or a folder in it.
    target : Path
        What was cloned; resolved.
    is_git : bool
        Whether the target belongs to a git repository.
    base : str
        Name of the commit that holds the snapshot: HEAD where the working tree was clean.
    head : str or None
        The target's HEAD when the snapshot was taken; None where it has no commit.
    dirty : bool
        Whether the snapshot differs from HEAD.
    prefix : str
        ``tree`` relative to ``root`` with a slash at the end; empty where they are the same.
    settings : tuple of (str, str)
        The repository's git settings for line ends, modes and names.
    """

    folder: Path
    root: Path
    tree: Path
    target: Path
    is_git: bool
    base: str
    head: str | None
    dirty: bool
    prefix: str
    settings: tuple[tuple[str, str], ...]

    @property
    def git_dir(self) -> Path:
        """The private repository that holds the snapshot's commit; no sandboxed code runs in it."""
        return self.folder / "snapshot.git"

    @property
    def pristine(self) -> Path:
        """The snapshot's files as they were taken; nothing runs or writes there."""
        return self.folder / "pristine"

    @property
    def git(self) -> Git:
        """How to call git on the private repository."""
        return Git(self.git_dir, {"GIT_DIR": str(self.git_dir)}, self.settings)

    def manifest(self) -> dict[str, str]:
        """Return each file of the snapshot, relative to ``root``, with its kind, mode and SHA-256."""
        return _read_record(self.folder).manifest


@dataclass(frozen=True, slots=True)
class _Record:
    # Names of files may hold bytes that are no text, which only plain JSON carries: pydantic replaces them.
    target: str
    is_git: bool
    prefix: str
    base: str
    head: str | None
    dirty: bool
    settings: Sequence[Sequence[str]]
    manifest: dict[str, str]

    def workspace(self, folder: Path) -> Workspace:
        root = folder / "clone"
        return Workspace(
            folder=folder,
            root=root,
            tree=root / self.prefix,
            target=Path(self.target),
            is_git=self.is_git,
            base=self.base,
            head=self.head,
            dirty=self.dirty,
            prefix=self.prefix,
            settings=tuple((name, value) for name, value in self.settings),
        )


def work_folder(home: Path, run_id: str) -> Path:
    """Return the folder of a run's workspace under GridBot's data home."""
    return home / "work" / run_id


def is_workspace(folder: Path) -> bool:
    """Say whether a folder holds a complete workspace, which an earlier process may have left."""
    return (folder / _RECORD).is_file()


def open_workspace(target: Path, folder: Path) -> Workspace:
    """Take a snapshot of a target's working tree and lay it out as a private clone.

    Parameters
    ----------
    target : Path
        A git repository, a folder inside one, or a plain folder; it is only read.
    folder : Path
        The run's own folder, outside the target; what an interrupted attempt left in it is replaced.

    Raises
    ------
    RepositoryUnusable
        When the target is no folder, is bare or holds no Python file.
    WorkspaceFailed
        When another process uses the folder, it lies among the target's own files, or git fails.
    """
    target, folder = target.resolve(), folder.absolute()
    if not target.is_dir():
        raise RepositoryUnusable(f"{target} is no folder; name a git repository or a folder with Python files")
    _check_outside(target, folder)
    with _locked(folder.parent):
        owners.claim(folder)
    try:
        for part in (*_PARTS, _RECORD):
            remove(folder / part)
        taken = take_snapshot(target, folder / "snapshot.git", folder / "pristine")
        record = _Record(target=os.fspath(target), **asdict(taken))
        workspace = record.workspace(folder)
        _lay_out(workspace, workspace.root)
        temporary = folder / f"{_RECORD}.new"
        temporary.write_text(json.dumps(asdict(record)), encoding="utf-8")
        temporary.replace(folder / _RECORD)
    except BaseException:
        for part in _PARTS:
            remove(folder / part)
        owners.release(folder)
        raise
    return workspace


def reopen_workspace(folder: Path) -> Workspace:
    """Take over a workspace that an earlier process left, with its clone laid out anew from the snapshot.

    Raises
    ------
    WorkspaceFailed
        When it was never complete, is in use, or no longer holds the snapshot that it was made with.
    """
    folder = folder.absolute()
    record = _read_record(folder)
    with _locked(folder.parent):
        owners.claim(folder)
    workspace = record.workspace(folder)
    if workspace.git.attempt("cat-file", "-e", f"{workspace.base}^{{tree}}").returncode:
        raise WorkspaceFailed(f"{folder} lost its snapshot {workspace.base[:12]}; start the run again")
    _check_pristine(workspace, record.manifest)
    _lay_out(workspace, workspace.root)
    return workspace


def close_workspace(workspace: Workspace) -> None:
    """Remove a workspace, or all but its clone where that was landed as the result."""
    if (workspace.folder / _KEPT).exists():
        for part in ("pristine", "trees", "scratch"):
            remove(workspace.folder / part)
        owners.release(workspace.folder)
        return
    for part in (*_PARTS, _RECORD):
        remove(workspace.folder / part)
    owners.release(workspace.folder)
    if workspace.folder.is_dir() and not any(workspace.folder.iterdir()):
        workspace.folder.rmdir()


def keep_clone(workspace: Workspace) -> None:
    """Mark the clone as a result, so that neither closing nor sweeping removes it."""
    (workspace.folder / _KEPT).touch()


def sweep(home: Path, keep: Collection[str]) -> tuple[Path, ...]:
    """Remove the workspaces that crashed runs left.

    Parameters
    ----------
    home : Path
        GridBot's data home.
    keep : collection of str
        Ids of the runs that can be resumed.

    Returns
    -------
    tuple of Path
        The folders that were removed; those of living processes and landed clones stay.
    """
    work = work_folder(home, "x").parent
    if not work.is_dir():
        return ()
    with _locked(work):
        left = left_behind(home, keep)
        for folder in left:
            remove(folder)
    return left


def left_behind(home: Path, keep: Collection[str]) -> tuple[Path, ...]:
    """Return the workspaces that `sweep` would remove."""
    work = work_folder(home, "x").parent
    found = sorted(work.iterdir()) if work.is_dir() else []
    folders = [path for path in found if path.is_dir() and not path.is_symlink()]
    return tuple(
        folder
        for folder in folders
        if folder.name not in keep and not is_landed(folder) and not owners.is_owned(folder)
    )


def is_landed(folder: Path) -> bool:
    """Return whether a folder is a clone that was left as a result."""
    return (folder / _KEPT).exists()


def fresh_tree(workspace: Workspace, name: str, patch: Patch | None = None) -> Path:
    """Lay the snapshot out once more, in a new folder, for a run that nothing before may have disturbed.

    Parameters
    ----------
    workspace : Workspace
        Where from.
    name : str
        Of the new folder below the run's ``trees``; an older one of that name is replaced.
    patch : Patch, optional
        To apply to it, with paths relative to `Workspace.tree`.

    Returns
    -------
    Path
        The target inside the new tree.

    Raises
    ------
    WorkspaceFailed
        When the snapshot's own files were changed.
    StaleSource
        When the patch was made for other files.
    """
    _check_pristine(workspace, workspace.manifest())
    root = workspace.folder / "trees" / name
    _lay_out(workspace, root)
    tree = root / workspace.prefix
    if patch is not None:
        patch.apply(tree)
    return tree


def content_key(workspace: Workspace) -> str:
    """Return a hash of everything in the snapshot and of which folder in it counts."""
    content = json.dumps([workspace.prefix, sorted(workspace.manifest().items())])
    return hashlib.sha256(content.encode()).hexdigest()


def _check_outside(target: Path, folder: Path) -> None:
    if not folder.resolve().is_relative_to(target):
        return
    inside = folder.resolve().relative_to(target)
    git = Git(target)
    in_repository = git.attempt("rev-parse", "--is-inside-work-tree").returncode == 0
    if ".gridbot" not in inside.parts and not (in_repository and git.ignores(inside.as_posix())):
        raise WorkspaceFailed(f"{folder} lies inside {target}; set GRIDBOT_HOME to a folder outside it")


def _lay_out(workspace: Workspace, root: Path) -> None:
    remove(root)
    shutil.copytree(workspace.pristine, root, symlinks=True)
    (root / workspace.prefix).mkdir(parents=True, exist_ok=True)
    # A repository of its own, so that tests that call git find no other one further up.
    git = Git(root, settings=workspace.settings)
    object_format = workspace.git.text("rev-parse", "--show-object-format")
    git.run("init", "--quiet", "--template=", f"--object-format={object_format}", ".")
    information = root / ".git" / "objects" / "info"
    information.mkdir(parents=True, exist_ok=True)
    (information / "alternates").write_bytes(os.fsencode(workspace.git_dir / "objects") + b"\n")
    if (workspace.git_dir / "shallow").is_file():
        shutil.copyfile(workspace.git_dir / "shallow", root / ".git" / "shallow")
    git.run("update-ref", "HEAD", workspace.base)
    git.run("read-tree", workspace.base)


def _check_pristine(workspace: Workspace, manifest: Mapping[str, str]) -> None:
    found = manifest_of(workspace.pristine)
    if found != manifest:
        wrong = sorted(name for name in {*found, *manifest} if found.get(name) != manifest.get(name))
        raise WorkspaceFailed(f"{workspace.pristine / wrong[0]} is not what was taken; start the run again")


def _read_record(folder: Path) -> _Record:
    try:
        return _Record(**json.loads((folder / _RECORD).read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise WorkspaceFailed(f"{folder} holds no complete workspace; start the run again") from error


@contextmanager
def _locked(work: Path) -> Iterator[None]:
    work.mkdir(parents=True, exist_ok=True)
    lock = FileLock(work / ".lock", timeout=_LOCK_TIMEOUT_S)
    try:
        with lock:
            yield
    except Timeout as error:
        raise WorkspaceFailed(f"{lock.lock_file} is held by another process; try again later") from error
