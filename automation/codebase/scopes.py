"""What a task is about: a file, a symbol, a line, the current diff or the whole repository."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from automation.codebase.files import python_files
from automation.codebase.git import Git
from automation.codebase.index import SymbolIndex
from automation.codebase.symbols import Symbol
from automation.errors import RepositoryUnusable, TargetUnknown
from trading.setting_sources import data_home

_PLACE = re.compile(r"(?P<path>.+?\.pyi?)(?:::?(?P<rest>[\w.:]+))?$")
_HUNK = re.compile(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@")
_MOST_CHOICES = 5


@dataclass(frozen=True, slots=True)
class Scope:
    """The part of a repository that a task is about.

    Parameters
    ----------
    root : Path
        The repository, absolute.
    label : str
        What it is, for a person: ``trading/engine/grid.py``, ``the current diff``.
    files : tuple of str
        Python files, relative to the root, with forward slashes, sorted.
    symbols : tuple of Symbol
        Definitions that it is narrowed to; empty when whole files are meant.
    lines : mapping of str to frozenset of int
        Lines that it is narrowed to, from 1, by file; a file without an entry is meant whole.
    """

    root: Path
    label: str
    files: tuple[str, ...]
    symbols: tuple[Symbol, ...] = ()
    lines: Mapping[str, frozenset[int]] = field(default_factory=dict)

    def holds(self, path: str, line: int, end_line: int | None = None) -> bool:
        """Say whether any line from ``line`` to ``end_line`` of a file belongs to the scope."""
        if path not in self.files:
            return False
        last = line if end_line is None else end_line
        if self.symbols:
            return any(each.path == path and each.line <= last and line <= each.end_line for each in self.symbols)
        wanted = self.lines.get(path)
        return wanted is None or any(number in wanted for number in range(line, last + 1))


def repository_index(root: Path, home: Path | None = None) -> SymbolIndex:
    """Open the symbol index of a repository, kept in the data home and brought up to date."""
    name = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]
    return SymbolIndex(root, data_home(home) / "indexes" / f"{name}.db")


def resolve_scope(root: Path, target: str = "", *, diff: bool = False, home: Path | None = None) -> Scope:
    """Find out what a target means in a repository.

    Parameters
    ----------
    root : Path
        The repository's folder.
    target : str
        Empty or ``.`` is the repository; a folder; a file; ``file.py:12`` a line's function;
        ``file.py::Grid.decide`` or ``Grid.decide`` a symbol.
    diff : bool
        Narrow it to what differs from the last commit, new files too.
    home : Path, optional
        The data home, for the symbol index.

    Raises
    ------
    RepositoryUnusable
        When the root is no folder, or has no git for ``diff``.
    TargetUnknown
        When nothing, or more than one thing, is meant.
    """
    root = root.resolve()
    everything = python_files(root)
    scope = _named(root, target.strip(), everything, home)
    return _narrowed(scope) if diff else scope


def _named(root: Path, target: str, everything: tuple[str, ...], home: Path | None) -> Scope:
    place = _relative(root, target) if target else "."
    if place == ".":
        return Scope(root, root.name, everything)
    if place in everything:
        return Scope(root, place, (place,))
    below = tuple(path for path in everything if path.startswith(f"{place}/"))
    if below:
        return Scope(root, place, below)
    found = _PLACE.match(target)
    if found is not None and found["rest"]:
        return _inside(root, _relative(root, found["path"]), found["rest"], everything, home)
    if (root / place).exists():
        raise TargetUnknown(f"{target} holds no Python file that belongs to {root}; name another file or folder")
    return _symbol(root, target, None, home)


def _inside(root: Path, path: str, rest: str, everything: tuple[str, ...], home: Path | None) -> Scope:
    if path not in everything:
        raise TargetUnknown(f"there is no Python file {path} in {root}; name one by its path from there")
    if not rest.isdigit():
        return _symbol(root, rest.replace("::", "."), path, home)
    with repository_index(root, home) as index:
        function = index.function_at(path, int(rest))
    if function is None:
        return Scope(root, f"{path}:{rest}", (path,), (), {path: frozenset({int(rest)})})
    return Scope(root, f"{path}::{function.name}", (path,), (function,))


def _symbol(root: Path, name: str, path: str | None, home: Path | None) -> Scope:
    with repository_index(root, home) as index:
        found = index.definitions(name, path)
    if not found:
        where = path or root
        raise TargetUnknown(f"there is no file, folder or symbol {name!r} in {where}; `gridbot search` finds names")
    exact = [symbol for symbol in found if symbol.name == name] or list(found)
    if len(exact) > 1:
        choices = ", ".join(f"{symbol.path}::{symbol.name}" for symbol in exact[:_MOST_CHOICES])
        raise TargetUnknown(f"{name!r} is defined {len(exact)} times; name one of them: {choices}")
    symbol = exact[0]
    return Scope(root, f"{symbol.path}::{symbol.name}", (symbol.path,), (symbol,))


def _narrowed(scope: Scope) -> Scope:
    git = Git(scope.root)
    inside = git.attempt("rev-parse", "--is-inside-work-tree")
    if inside.returncode:
        raise RepositoryUnusable(f"{scope.root} is no git repository, so that it has no diff; name files instead")
    has_commit = git.attempt("rev-parse", "--verify", "-q", "HEAD").returncode == 0
    changed = _changed_lines(git) if has_commit else {}
    new = set(git.names("ls-files", "-z", "--others", "--exclude-standard", *([] if has_commit else ["--cached"])))
    files = tuple(path for path in scope.files if path in changed or path in new)
    lines = {path: changed[path] for path in files if path in changed and path not in new}
    label = "the current diff" if scope.label == scope.root.name else f"the current diff of {scope.label}"
    return Scope(scope.root, label, files, scope.symbols, lines)


def _changed_lines(git: Git) -> dict[str, frozenset[int]]:
    shown = git.text("diff", "HEAD", "--unified=0", "--no-color", "--no-ext-diff", "--relative")
    changed: dict[str, set[int]] = {}
    path = ""
    for line in shown.splitlines():
        if line.startswith("+++ "):
            path = line.removeprefix("+++ b/") if line != "+++ /dev/null" else ""
        hunk = _HUNK.match(line)
        if hunk is not None and path:
            start, count = int(hunk[1]), int(hunk[2] or 1)
            # where lines were only taken away, the one before them is what changed
            changed.setdefault(path, set()).update(range(start, start + max(count, 1)))
    return {path: frozenset(lines) for path, lines in changed.items()}


def _relative(root: Path, target: str) -> str:
    place = Path(target).expanduser()
    full = (place if place.is_absolute() else root / place).resolve()
    return full.relative_to(root).as_posix() if full.is_relative_to(root) else target
