"""The one way for a verified patch to leave its private clone: a branch, a worktree, changed files, a patch file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from automation.codebase.git import Git
from automation.codebase.manifests import fingerprint
from automation.codebase.patches import Patch, resolve_inside
from automation.codebase.snapshots import record_files, write_tree
from automation.codebase.workspaces import Workspace, fresh_tree, keep_clone
from automation.errors import StaleSource, WorkspaceFailed

_LANDING_REF = "refs/gridbot/landing"
# What a change of would make the verification of a patch void; logs and data files may go on changing.
_CODE = (".py", ".pyi", ".toml", ".cfg", ".ini")
_MAX_SUFFIX = 1000


class Land(StrEnum):
    """Where a patch goes."""

    BRANCH = "branch"
    WORKTREE = "worktree"
    APPLY = "apply"
    PATCH = "patch"


@dataclass(frozen=True, slots=True)
class Landed:
    """Where a patch went.

    Parameters
    ----------
    how : Land
        The way taken.
    branch : str or None
        Name of the branch, for BRANCH in the target and for WORKTREE in the clone.
    commit : str or None
        Name of the commit that holds the fix.
    path : Path or None
        The clone's folder (WORKTREE), the target (APPLY) or the patch file (PATCH).
    """

    how: Land
    branch: str | None
    commit: str | None
    path: Path | None


def land(workspace: Workspace, patch: Patch, how: Land, *, branch: str, message: str, patch_folder: Path) -> Landed:
    """Bring a patch to where its user wants it; done twice, it finds what it did the first time.

    Parameters
    ----------
    workspace : Workspace
        In which the patch was verified.
    patch : Patch
        With paths relative to `Workspace.tree`.
    how : Land
        BRANCH adds a branch to the target (and a commit of its uncommitted work before the fix, if there is any);
        WORKTREE leaves the clone with the commit checked out; APPLY changes the target's files; PATCH writes a file.
    branch : str
        Wanted name; with ``-2``, ``-3`` and so on after it where another change has that name.
    message : str
        Of the commit.
    patch_folder : Path
        Where PATCH writes ``<branch>.patch``.

    Raises
    ------
    StaleSource
        When the patch does not fit the snapshot, or the target changed since it was taken (APPLY).
    WorkspaceFailed
        When the patch changes nothing, the target has no git for a branch, or git refuses.
    """
    if not patch.changes:
        raise WorkspaceFailed(f"the patch for {workspace.target} changes nothing, so there is nothing to land")
    if how is Land.APPLY:
        return _apply(workspace, patch)
    if how is Land.PATCH:
        return _write_patch(patch, branch, patch_folder)
    if how is Land.BRANCH and not workspace.is_git:
        raise WorkspaceFailed(f"{workspace.target} is no git repository; land by apply or as a patch file")
    if workspace.git.attempt("check-ref-format", "--branch", branch).returncode:
        raise WorkspaceFailed(f"{branch!r} cannot be the name of a branch; choose another")
    tree = _patched_tree(workspace, patch)
    return (
        _to_branch(workspace, tree, branch, message)
        if how is Land.BRANCH
        else _to_clone(workspace, patch, tree, branch, message)
    )


def _to_branch(workspace: Workspace, tree: str, branch: str, message: str) -> Landed:
    target = Git(workspace.target, settings=workspace.settings)
    for name in _names(branch):
        commit = _commit_of(target, name)
        if commit is None:
            break
        if _is_this_fix(target, commit, tree, workspace.base):
            return Landed(Land.BRANCH, name, commit, None)
    commit = _commit(workspace, tree, message)
    quietly = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules")
    target.run("fetch", *quietly, str(workspace.git_dir), f"{_LANDING_REF}:refs/heads/{name}")
    if _commit_of(target, name) != commit:
        raise WorkspaceFailed(f"branch {name} of {workspace.target} is not at {commit[:12]} after landing; look at it")
    return Landed(Land.BRANCH, name, commit, None)


def _to_clone(workspace: Workspace, patch: Patch, tree: str, branch: str, message: str) -> Landed:
    clone = Git(workspace.root, settings=workspace.settings)
    found = _commit_of(clone, branch) if (workspace.root / ".git").is_dir() else None
    landed = Landed(Land.WORKTREE, branch, found, workspace.tree)
    intact = found is not None and _is_this_fix(clone, found, tree, workspace.base)
    if intact and all((workspace.tree / c.path).read_bytes() == c.after for c in patch.changes if c.after is not None):
        return landed
    commit = _commit(workspace, tree, message)
    made = fresh_tree(workspace, "landing", patch)
    top = workspace.folder / "trees" / "landing"
    git = Git(top, settings=workspace.settings)
    git.run("symbolic-ref", "HEAD", f"refs/heads/{branch}")
    git.run("update-ref", f"refs/heads/{branch}", commit)
    git.run("read-tree", commit)
    keep_clone(workspace)
    shutil.rmtree(workspace.root, ignore_errors=True)
    if workspace.root.exists():
        raise WorkspaceFailed(f"{workspace.root} cannot be replaced; the fix is in {made}")
    top.replace(workspace.root)
    return Landed(Land.WORKTREE, branch, commit, workspace.tree)


def _apply(workspace: Workspace, patch: Patch) -> Landed:
    for name, was in workspace.manifest().items():
        own = name.removeprefix(workspace.prefix)
        if not name.startswith(workspace.prefix) or not name.endswith(_CODE) or own in patch.paths:
            continue
        if _content(fingerprint(workspace.target / own)) != _content(was):
            raise StaleSource(f"{workspace.target / own} changed since the run began; run the repair again")
    waiting = tuple(
        change for change in patch.changes if _bytes_of(resolve_inside(workspace.target, change.path)) != change.after
    )
    Patch(waiting).apply(workspace.target)
    return Landed(Land.APPLY, None, None, workspace.target)


def _write_patch(patch: Patch, branch: str, folder: Path) -> Landed:
    folder.mkdir(parents=True, exist_ok=True)
    content = patch.diff().encode()
    for name in _names(branch.replace("/", "-")):
        path = folder / f"{name}.patch"
        if not path.exists():
            temporary = folder / f".{path.name}.{os.getpid()}"
            temporary.write_bytes(content)
            temporary.replace(path)
            break
        if path.read_bytes() == content:
            break
    return Landed(Land.PATCH, None, None, path)


def _patched_tree(workspace: Workspace, patch: Patch) -> str:
    scratch = workspace.folder / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    # Only the patch's files lie in this work tree; git takes attributes from the index where their file is missing.
    git = workspace.git.on(GIT_WORK_TREE=scratch, GIT_INDEX_FILE=workspace.folder / "scratch" / "index")
    scratch.mkdir()
    git.run("read-tree", workspace.base)
    known = {entry.partition("\t")[2]: entry[:6] for entry in git.names("ls-files", "--stage", "-z")}
    listed = []
    for change in patch.changes:
        original = resolve_inside(workspace.pristine, f"{workspace.prefix}{change.path}")
        if _bytes_of(original) != change.before:
            raise StaleSource(f"{change.path} is not what the patch was made for; run the repair again")
        name = original.relative_to(workspace.pristine.resolve()).as_posix()
        if change.before is not None and name not in known:
            raise WorkspaceFailed(f"{name} is not in the repository's own commits (ignored or a submodule); apply it")
        listed.append(name)
        if change.after is not None:
            target = scratch / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(change.after)
            target.chmod(0o755 if known.get(name) == "100755" else 0o644)
    record_files(git, workspace.git_dir, listed)
    tree = write_tree(git, workspace.git_dir)
    shutil.rmtree(scratch)
    changed = workspace.git.names("diff-tree", "-r", "-z", "--name-only", "--no-renames", workspace.base, tree)
    if sorted(changed) != sorted(set(listed)):
        lost = sorted(set(listed) - set(changed))
        raise WorkspaceFailed(f"git sees no change in {', '.join(lost)} once its line ends are normalised; apply it")
    return tree


def _commit(workspace: Workspace, tree: str, message: str) -> str:
    commit = workspace.git.text("commit-tree", tree, "-p", workspace.base, "-m", message)
    workspace.git.run("update-ref", _LANDING_REF, commit)
    return commit


def _commit_of(git: Git, branch: str) -> str | None:
    found = git.attempt("rev-parse", "--quiet", "--verify", f"refs/heads/{branch}^{{commit}}")
    return found.stdout.decode().strip() if found.returncode == 0 else None


def _is_this_fix(git: Git, commit: str, tree: str, base: str) -> bool:
    return git.text("log", "-1", "--format=%T %P", commit) == f"{tree} {base}"


def _names(name: str) -> Iterator[str]:
    yield name
    for number in range(2, _MAX_SUFFIX):
        yield f"{name}-{number}"
    raise WorkspaceFailed(f"{_MAX_SUFFIX} changes named {name} exist already; remove some")


def _bytes_of(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _content(found: str) -> str:
    # The snapshot makes files writable and takes modes as git does, so only what is in them counts.
    return found.partition(" ")[2] or found
