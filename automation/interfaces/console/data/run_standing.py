"""Whether a run is at work, by what lies on the disk."""

from __future__ import annotations

from pathlib import Path

from automation.codebase.owners import is_owned
from automation.codebase.workspaces import work_folder
from automation.pipeline.runs import Run

# A run has no private copy yet, or none any more, for a moment at both of its ends; a busy machine makes it long.
_UNOWNED_MS = 30_000


def is_at_work(home: Path, run: Run, clock_ms: int) -> bool:
    """Return whether a living process works on a run that has not ended; else it was interrupted.

    Parameters
    ----------
    home : Path
        The data home.
    run : Run
        One whose result says that it runs.
    clock_ms : int
        This machine's time, milliseconds UTC.
    """
    copy = work_folder(home, run.run_id)
    if is_owned(copy):
        return True
    if copy.exists():
        return False
    newest_ms = max(_changed_ms(run.folder / name) for name in ("stage", "run.json"))
    return clock_ms - newest_ms < _UNOWNED_MS


def _changed_ms(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns // 1_000_000
    except OSError:
        return 0
