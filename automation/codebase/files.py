"""Which Python files belong to a repository: what git knows or does not ignore, without environments and caches."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from automation.errors import RepositoryUnusable

_SKIPPED = frozenset(
    {".git", ".hg", ".svn", ".tox", ".nox", ".venv", "venv", "__pycache__", "node_modules", "site-packages"}
    | {".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis", ".eggs", ".gridbot"}
)
_GIT_TIMEOUT_S = 30


def python_files(root: Path) -> tuple[str, ...]:
    """List a repository's Python files, relative with forward slashes, sorted.

    Raises
    ------
    RepositoryUnusable
        When the root is no folder.
    """
    if not root.is_dir():
        raise RepositoryUnusable(f"{root} is no folder; name the folder of a repository")
    listed = _known_to_git(root)
    found = _walked(root) if listed is None else listed
    return tuple(sorted(path for path in found if _is_own(root, path)))


def _known_to_git(root: Path) -> list[str] | None:
    git = shutil.which("git")
    if git is None:
        return None
    # A hostile repository's own configuration must not start programs: its monitor hook is switched off.
    command = [git, "-c", "core.fsmonitor=false", "-C", str(root), "ls-files", "-z", "-co", "--exclude-standard"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    answer = subprocess.run(  # noqa: S603 - a fixed program with a fixed argument list, no shell
        [*command, "--", "*.py"], capture_output=True, check=False, env=environment, timeout=_GIT_TIMEOUT_S
    )
    if answer.returncode != 0:
        return None
    return [os.fsdecode(path) for path in set(answer.stdout.split(b"\0")) if path]


def _walked(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        folders[:] = [name for name in folders if name not in _SKIPPED and not (here / name / "pyvenv.cfg").exists()]
        yield from ((here / name).relative_to(root).as_posix() for name in names if name.endswith(".py"))


def _is_own(root: Path, path: str) -> bool:
    parents = PurePosixPath(path).parents
    if _SKIPPED.intersection(PurePosixPath(path).parts):
        return False
    if any((root / parent / "pyvenv.cfg").exists() for parent in list(parents)[:-1]):
        return False
    file = root / path
    return file.is_file() and file.resolve().is_relative_to(root.resolve())
