"""Whether changed code decides as a session did before it failed: it ranks changes, it never rejects one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from automation.errors import RepositoryUnusable
from automation.incidents.session_records import FailedSession
from automation.incidents.session_replay import SessionReplay, Told
from automation.incidents.suites import SuiteSettings

_LEAST_S = 1.0


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a change decides beside what a session's recording holds.

    Parameters
    ----------
    as_recorded : bool
        Whether it gets through the whole recording, and up to the input that failed decides what was recorded, or at
        least for as long as the code before the change does.
    same_last : bool
        Whether at the input that failed it does at least what the code before the change had done by then: orders and
        fills, with their prices and lots.
    """

    as_recorded: bool
    same_last: bool = True


def agreements(
    session: FailedSession,
    tree: Path,
    settings: SuiteSettings,
    changes: Sequence[Mapping[str, bytes]],
    budget_s: float,
    notify: Callable[[int, int], None] = lambda done, total: None,
) -> list[Agreement | None]:
    """Tell a session's whole recording to its code with each of some changes, in plain Python.

    Parameters
    ----------
    session : FailedSession
        What it left.
    tree : Path
        A checkout's private copy before the changes; it is not written.
    settings : SuiteSettings
        How its code is run.
    changes : sequence of mapping of str to bytes
        Contents of the changed files.
    budget_s : float
        Time for all of it, seconds.
    notify : callable
        Takes how many were told, and how many there are.

    Returns
    -------
    list of (Agreement or None)
        One for each change; None where time was up before, or the recording could not be told.
    """
    end = monotonic() + budget_s
    found: list[Agreement | None] = [None] * len(changes)
    with closing(SessionReplay(session, tree, settings)) as replay:
        before = _told(replay, end, {})
        for number, files in enumerate(changes if before is not None else ()):
            notify(number, len(changes))
            after = _told(replay, end, files)
            if before is not None and after is not None:
                found[number] = _agreement(before, after)
    return found


def _told(replay: SessionReplay, end: float, files: Mapping[str, bytes]) -> Told | None:
    left = end - monotonic()
    if left < _LEAST_S:
        return None
    try:
        return replay.told(left, files=files)
    except RepositoryUnusable:
        return None


def _agreement(before: Told, after: Told) -> Agreement:
    # Where the recording is of another version, the code at hand has strayed from it already.
    strays = after.differs_at is not None and (before.differs_at is None or after.differs_at < before.differs_at)
    missing = list(before.decided)
    for row in after.decided:
        if row in missing:
            missing.remove(row)
    return Agreement(after.failure is None and not strays, same_last=not missing)
