"""Which files and folders of a data home are old enough to go, kind by kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from automation.codebase import owners
from automation.codebase.workspaces import is_landed, left_behind, work_folder
from automation.config_sections import CleaningConfig
from automation.pipeline.runs import RunStore
from trading.sessions.catalog import SessionCatalog

_DAY_S = 86_400
_JOURNAL_PARTS = ("", "-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something that may go.

    Parameters
    ----------
    kind : str
        ``worktree``, ``clone``, ``run``, ``log``, ``cache``, ``backup`` or ``temporary``.
    path : Path
        File or folder.
    bytes : int
        All of it.
    age_days : float
        Since it was last written.
    """

    kind: str
    path: Path
    bytes: int
    age_days: float


def leftovers(home: Path, policy: CleaningConfig, older_than: int | None, now_s: float) -> Iterator[Leftover]:
    """Yield what may go from a data home.

    Parameters
    ----------
    home : Path
        The data home; nothing outside is looked at.
    policy : CleaningConfig
        Ages by kind, days.
    older_than : int, optional
        One age for every kind, days.
    now_s : float
        The present, seconds UTC.

    Yields
    ------
    Leftover
        Nothing that a running session, a living process or a run that can be resumed needs.
    """

    def old(kind: str, paths: Iterable[Path], days: int) -> Iterator[Leftover]:
        for path in paths:
            found = _measured(kind, path, now_s)
            if found.age_days >= (days if older_than is None else older_than):
                yield found

    store = RunStore(home)
    resumable = store.resumable()
    # what a crashed run left is of no use to anybody, whatever its age
    yield from (_measured("worktree", path, now_s) for path in left_behind(home, resumable))
    yield from old("clone", _clones(home), policy.runs_days)
    yield from old("run", [run.folder for run in store if run.run_id not in resumable], policy.runs_days)
    yield from old("log", _logs(home), policy.logs_days)
    yield from old("cache", _caches(home), policy.caches_days)
    yield from old("backup", _backups(home, policy.backups_keep), policy.backups_days)
    yield from old("temporary", home.glob("**/*.part"), 1)


def _measured(kind: str, path: Path, now_s: float) -> Leftover:
    files = [path] if path.is_file() or path.is_symlink() else [each for each in path.rglob("*") if each.is_file()]
    states = [each.lstat() for each in files] or [path.lstat()]
    newest = max(state.st_mtime for state in states)
    size = sum(state.st_size for state in states) if files else 0
    return Leftover(kind, path, size, max(0.0, now_s - newest) / _DAY_S)


def _clones(home: Path) -> list[Path]:
    work = work_folder(home, "x").parent
    folders = sorted(work.iterdir()) if work.is_dir() else []
    return [path for path in folders if path.is_dir() and is_landed(path) and not owners.is_owned(path)]


def _logs(home: Path) -> Iterator[Path]:
    for entry in SessionCatalog(home).list():
        folder = entry.files.log
        if not folder.is_dir():
            continue
        # of a running session only what it has put aside
        yield from (
            file for file in sorted(folder.iterdir()) if not (entry.running and file.suffix in {".log", ".jsonl"})
        )


def _caches(home: Path) -> Iterator[Path]:
    for name in ("baselines", "indexes"):
        yield from sorted((home / name).glob("*"))


def _backups(home: Path, keep: int) -> Iterator[Path]:
    age: Callable[[Path], float] = lambda path: path.stat().st_mtime  # noqa: E731 - one key of a sort
    for entry in SessionCatalog(home).list():
        journal = entry.files.journal
        own = {journal.name + part for part in _JOURNAL_PARTS}
        aside = [path for path in journal.parent.glob(f"{journal.name}*") if path.name not in own and path.is_file()]
        yield from sorted(aside, key=age, reverse=True)[keep:]
