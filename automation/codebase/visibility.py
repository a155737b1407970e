"""Which folders a sandboxed job sees: private ones are covered, what the interpreter needs is brought back."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_ALWAYS_HIDDEN = ("/tmp", "/var/tmp", "/run", "/home", "/root", "/dev")  # noqa: S108 - they are covered
_SYSTEM = frozenset(
    {"/", "/usr", "/bin", "/lib", "/lib64", "/etc", "/proc", "/sys", "/var", "/opt", "/nix", "/nix/store"}
)

_PASSABLE = stat.S_IXOTH | stat.S_IROTH


@dataclass(frozen=True, slots=True)
class Visibility:
    """A plan for the view of the disk, as `automation/codebase/inside/filesystem.py` carries it out.

    Parameters
    ----------
    steps : tuple of (str, str)
        ``("hide", path)`` and ``("show", path)``, outer paths first.
    links : tuple of (str, str)
        Symbolic links to make again in covered folders, and what they point to.
    hide_in_tree : tuple of str
        Folders of the tree to cover.
    """

    steps: tuple[tuple[str, str], ...]
    links: tuple[tuple[str, str], ...]
    hide_in_tree: tuple[str, ...]


def plan_visibility(tree: Path, show: Iterable[Path], hide: Iterable[Path]) -> Visibility:
    """Plan what a job sees.

    Parameters
    ----------
    tree : Path
        The repository, resolved.
    show : iterable of Path
        What must stay readable: the interpreter, its packages, the entry.
    hide : iterable of Path
        Private folders beside the home folders and the shared temporary ones.
    """
    links: dict[str, str] = {}
    shown = {_follow(str(path), links) for path in show if path.exists()} | {str(tree)}
    private = {str(path.resolve()) for path in hide if path.is_dir()}
    hidden = {os.path.realpath(path) for path in (*_ALWAYS_HIDDEN, *_homes()) if path and Path(path).is_dir()}
    closed = {folder for path in shown for folder in closed_parents(Path(path))}
    hidden = (hidden | private | closed) - _SYSTEM
    inner = {path for path in private if _is_below(path, str(tree))}
    steps = _steps(hidden - inner, shown, {path for path in shown if _is_closed(Path(path))})
    covered = [path for kind, path in steps if kind == "hide"]
    kept = [path for kind, path in steps if kind == "show"]
    missing = tuple((link, target) for link, target in sorted(links.items()) if _is_hidden(link, covered, kept))
    return Visibility(steps, missing, tuple(sorted(inner)))


def _homes() -> list[str]:
    named = os.environ.get("HOME", "")
    try:
        return [named, pwd.getpwuid(os.geteuid()).pw_dir]
    except KeyError:
        # a container may run as a user that has no entry
        return [named]


def _steps(hidden: set[str], shown: set[str], closed: set[str]) -> tuple[tuple[str, str], ...]:
    """Order the folders from the outside in and leave out those that change nothing."""
    covered: list[str] = []
    kept: list[str] = []
    steps = []
    for path in sorted(hidden | shown, key=lambda path: (path.count("/"), path)):
        below_cover = _is_hidden(path, covered, kept)
        if path in shown and (below_cover or path in closed):
            kept.append(path)
            steps.append(("show", path))
        elif path not in shown and not below_cover:
            covered.append(path)
            steps.append(("hide", path))
    return tuple(steps)


def _is_hidden(path: str, covered: Sequence[str], kept: Sequence[str]) -> bool:
    def depth(folders: Sequence[str]) -> int:
        return max((len(folder) for folder in folders if _is_below(path, folder)), default=0)

    return depth(covered) > depth(kept)


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(folder + "/")


def closed_parents(path: Path) -> list[str]:
    """Return the folders on the way to a path that another user could not pass, when root is who asks."""
    if os.geteuid() != 0:
        return []
    return [str(parent) for parent in path.parents if not parent.stat().st_mode & stat.S_IXOTH]


def _is_closed(path: Path) -> bool:
    return os.geteuid() == 0 and path.is_dir() and path.stat().st_mode & _PASSABLE != _PASSABLE


def _follow(path: str, links: dict[str, str]) -> str:
    """Return a path without symbolic links and note every link that was on the way."""
    rest = list(reversed(Path(path).parts[1:]))
    current = "/"
    while rest:
        part = rest.pop()
        if part == "..":
            current = os.path.dirname(current)  # noqa: PTH120 - the text, not the file
            continue
        step = os.path.join(current, part)  # noqa: PTH118
        if step not in links and not os.path.islink(step):  # noqa: PTH114
            current = step
            continue
        target = links.setdefault(step, os.readlink(step))  # noqa: PTH115
        words = Path(target).parts
        current = "/" if target.startswith("/") else current
        rest += reversed(words[1:] if target.startswith("/") else words)
        if len(links) > 200:
            raise OSError(f"{path} leads through too many symbolic links")
    return current
