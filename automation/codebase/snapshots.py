"""The working tree of a repository or folder, taken as it is into a private place without writing a byte to it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from automation.codebase.git import Git, joined, user_settings
from automation.codebase.manifests import copy_files
from automation.errors import RepositoryUnusable

_BASE_REF = "refs/gridbot/base"
_WRITTEN = "written"

# What no one wants in a snapshot even where no .gitignore says so; tracked files are taken all the same.
_LEFT_OUT = """
.git/
.hg/
.svn/
.gridbot/
.venv/
venv/
node_modules/
__pycache__/
*.py[co]
.tox/
.nox/
.eggs/
.mypy_cache/
.pytest_cache/
.ruff_cache/
.hypothesis/
.ipynb_checkpoints/
.coverage
.DS_Store
.idea/
"""
# Ignored by git and yet imported: version files written by a build, extension modules built in place.
_IMPORTED = (".py", ".so", ".pyd")
_CONVERSIONS = (
    "core.autocrlf",
    "core.eol",
    "core.excludesfile",
    "core.filemode",
    "core.ignorecase",
    "core.precomposeunicode",
    "core.symlinks",
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was taken.

    Parameters
    ----------
    is_git : bool
        Whether the target belongs to a git repository.
    prefix : str
        The target inside the repository with forward slashes, empty at its top.
    base : str
        Name of the commit that holds the working tree.
    head : str or None
        The target's own HEAD; None where it has no commit.
    dirty : bool
        Whether the working tree differs from HEAD, so that ``base`` is a commit of ours on top of it.
    settings : tuple of (str, str)
        The repository's settings for line ends, modes and names.
    manifest : mapping of str to str
        Each file to its kind, mode and SHA-256.
    """

    is_git: bool
    prefix: str
    base: str
    head: str | None
    dirty: bool
    settings: tuple[tuple[str, str], ...]
    manifest: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Source:
    top: Path
    prefix: str
    is_git: bool
    object_format: str = "sha1"
    objects: Path | None = None
    index: Path | None = None
    shallow: Path | None = None
    exclude: Path | None = None
    head: str | None = None
    settings: tuple[tuple[str, str], ...] = ()


def take_snapshot(target: Path, git_dir: Path, pristine: Path) -> Snapshot:
    """Copy the working tree that a folder belongs to, and commit it to a private repository.

    Parameters
    ----------
    target : Path
        The repository, a folder inside one, or a plain folder; resolved.
    git_dir : Path
        Where to make the private bare repository; it borrows the objects of the target's.
    pristine : Path
        Where to put the files, byte for byte, with those of submodules and those that git ignores but Python imports.

    Raises
    ------
    RepositoryUnusable
        When the target has no work tree or holds no Python file.
    WorkspaceFailed
        When git cannot read the repository or the disk has no room.
    """
    source = _find(target)
    private = _private_repository(source, git_dir)
    tracked, links = _tracked(private)
    changed = set(private.names("ls-files", "-z", "-m", "-d"))
    others = _untracked(private, source)
    files = [*tracked, *(name for name in others if not name.endswith("/"))]
    nested = [*links, *(name.rstrip("/") for name in others if name.endswith("/"))]
    if not any(name.endswith(".py") and name.startswith(source.prefix) for name in files):
        raise RepositoryUnusable(f"{target} holds no Python file; name the folder of a Python project")
    for link in nested:
        files += [f"{link}/{name}" for name in _files_of_nested(source.top / link)]
    files += _ignored_imports(private, source)
    manifest = copy_files(source.top, pristine, files)
    fresh = (changed | {name for name in others if not name.endswith("/")} | _unmerged(private)) - set(links)
    record_files(private, git_dir, changed & set(links))
    record_files(private.on(GIT_WORK_TREE=pristine), git_dir, fresh)
    base, dirty = _commit(private, write_tree(private, git_dir), source)
    return Snapshot(source.is_git, source.prefix, base, source.head, dirty, source.settings, manifest)


def record_files(git: Git, git_dir: Path, names: Collection[str]) -> None:
    """Record some files of a work tree in an index, converted as the repository's settings and attributes say.

    Parameters
    ----------
    git : Git
        With the private repository, its index and the work tree.
    git_dir : Path
        The private repository.
    names : collection of str
        Relative to the work tree; those that are not there are taken out of the index.
    """
    # git marks an object that it would write and finds in a borrowed store as fresh, by touching the file in the
    # target. So objects are written to a store that borrows nothing, and what conversions look at is copied there.
    writing = git.on(GIT_OBJECT_DIRECTORY=git_dir / _WRITTEN)
    listed = sorted(names)
    if not listed:
        return
    known = dict(_staged(git))
    old = {known[name] for name in listed if name in known}
    packed = git.attempt("pack-objects", "--quiet", "--stdout", stdin="".join(f"{name}\n" for name in old).encode())
    if old and packed.returncode == 0:
        writing.run("unpack-objects", "-q", stdin=packed.stdout)
    writing.run("update-index", "--add", "--remove", "--replace", "-z", "--stdin", stdin=joined(listed))


def write_tree(git: Git, git_dir: Path) -> str:
    """Return the name of an index's tree, written where `record_files` writes."""
    return git.on(GIT_OBJECT_DIRECTORY=git_dir / _WRITTEN).text("write-tree", "--missing-ok")


def _find(target: Path) -> _Source:
    git = Git(target)
    asked = git.attempt("rev-parse", "--is-inside-work-tree")
    if asked.returncode:
        if b"not a git repository" in asked.stderr:
            return _Source(target, "", is_git=False)
        git.run("rev-parse", "--is-inside-work-tree")
    if asked.stdout.strip() != b"true":
        raise RepositoryUnusable(f"{target} is a repository without files (bare, or git's own folder); name a checkout")
    paths = ("objects", "index", "shallow", "info/exclude")
    git_paths = [part for path in paths for part in ("--git-path", path)]
    options = ("--path-format=absolute", "--show-toplevel", "--show-object-format")
    top, object_format, *where = git.text("rev-parse", *options, *git_paths).split("\n")
    prefix = os.fsdecode(git.run("rev-parse", "--show-prefix")).removesuffix("\n")
    outer = Git(Path(top))
    if prefix and outer.ignores(prefix) and not outer.names("ls-files", "-z", "--", prefix):
        return _Source(target, "", is_git=False)
    objects, index, shallow, exclude = (Path(path) for path in where)
    head = git.attempt("rev-parse", "--quiet", "--verify", "HEAD^{commit}").stdout.decode().strip() or None
    settings = user_settings(target, _CONVERSIONS)
    return _Source(Path(top), prefix, True, object_format, objects, index, shallow, exclude, head, settings)


def _private_repository(source: _Source, git_dir: Path) -> Git:
    git_dir.mkdir(parents=True)
    outside = Git(git_dir, settings=source.settings)
    outside.run("init", "--quiet", "--bare", "--template=", f"--object-format={source.object_format}", ".")
    (git_dir / "info").mkdir(exist_ok=True)
    excluded = _LEFT_OUT.encode()
    if source.exclude is not None and source.exclude.is_file():
        excluded = source.exclude.read_bytes() + b"\n" + excluded
    (git_dir / "info" / "exclude").write_bytes(excluded)
    (git_dir / _WRITTEN).mkdir()
    (git_dir / "objects" / "info").mkdir(exist_ok=True)
    borrowed = [git_dir / _WRITTEN, *([source.objects] if source.objects is not None else [])]
    (git_dir / "objects" / "info" / "alternates").write_bytes(b"".join(os.fsencode(path) + b"\n" for path in borrowed))
    if source.shallow is not None and source.shallow.is_file():
        shutil.copyfile(source.shallow, git_dir / "shallow")
    private = Git(source.top, {"GIT_DIR": str(git_dir), "GIT_WORK_TREE": str(source.top)}, source.settings)
    if source.index is not None and source.index.is_file():
        # The index brings what git knows about each file's times, so that unchanged files need not be read; its own
        # time has to come along, since git trusts no entry that is younger.
        shutil.copy2(source.index, git_dir / "index")
        if private.attempt("ls-files", "--stage", "-z").returncode == 0:
            return private
        (git_dir / "index").unlink()  # a split index, whose other half stays behind
    if source.head is not None:
        private.run("read-tree", source.head)
    return private


def _tracked(private: Git) -> tuple[list[str], list[str]]:
    files: dict[str, None] = {}
    links: dict[str, None] = {}
    for entry in private.names("ls-files", "--stage", "-z"):
        facts, _, name = entry.partition("\t")
        (links if facts.startswith("160000") else files)[name] = None
    return list(files), list(links)


def _unmerged(private: Git) -> set[str]:
    return {entry.partition("\t")[2] for entry in private.names("ls-files", "--unmerged", "-z")}


def _untracked(private: Git, source: _Source) -> list[str]:
    below = ("--", source.prefix) if source.prefix else ()
    names = private.names("ls-files", "-z", "--others", "--exclude-standard", *below)
    environments = tuple(name.removesuffix("pyvenv.cfg") for name in names if name.endswith("/pyvenv.cfg"))
    return [name for name in names if not (environments and name.startswith(environments))]


def _ignored_imports(private: Git, source: _Source) -> list[str]:
    below = ("--", source.prefix) if source.prefix else ()
    options = ("--others", "--ignored", "--exclude-standard", "--directory")
    return [name for name in private.names("ls-files", "-z", *options, *below) if name.endswith(_IMPORTED)]


def _files_of_nested(folder: Path) -> list[str]:
    if not (folder / ".git").exists():
        return []
    git = Git(folder)
    names = git.names("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    found = []
    for name in dict.fromkeys(names):
        if (folder / name).is_dir() and not (folder / name).is_symlink():
            found += [f"{name.rstrip('/')}/{below}" for below in _files_of_nested(folder / name)]
        else:
            found.append(name)
    return found


def _staged(git: Git) -> Iterator[tuple[str, str]]:
    for entry in git.names("ls-files", "--stage", "-z"):
        facts, _, name = entry.partition("\t")
        mode, blob, _ = facts.split(" ")
        if not mode.startswith("160000"):
            yield name, blob


def _commit(private: Git, tree: str, source: _Source) -> tuple[str, bool]:
    head = source.head
    if head is not None and private.text("rev-parse", f"{head}^{{tree}}") == tree:
        base, dirty = head, False
    else:
        parents = ("-p", head) if head is not None else ()
        message = f"Uncommitted work in {source.top.name} as GridBot found it"
        base, dirty = private.text("commit-tree", tree, *parents, "-m", message), True
    private.run("update-ref", _BASE_REF, base)
    return base, dirty
