"""The checks of a review, and how they run side by side."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Protocol

from automation.tasks.review.findings import CheckSkipped, Findings
from automation.tasks.review.ground import Ground
from automation.tasks.review.tools import Tools
from trading.commands import Progress

_SIDE_BY_SIDE = 3
_TICK_S = 0.5


class Check(Protocol):
    """One measured part of a review."""

    @property
    def name(self) -> str:
        """One or two words."""
        ...

    @property
    def weight(self) -> float:
        """Its share in the score, in relation to the other checks'."""
        ...

    def look(self, ground: Ground, tools: Tools) -> Findings:
        """Judge the scope; raises CheckSkipped with the reason when it cannot."""
        ...


def run_checks(
    checks: Sequence[Check], ground: Ground, tools: Tools
) -> Generator[Progress, None, tuple[Findings, ...]]:
    """Run checks side by side, each in a thread.

    Parameters
    ----------
    checks : sequence of Check
        The slow ones first.
    ground : Ground
        What they look at.
    tools : Tools
        Ended when the work is given up.

    Yields
    ------
    Progress
        After each check, and twice a second between them.

    Returns
    -------
    tuple of Findings
        One for each check, in their order.
    """
    pool = ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="review")
    try:
        running: dict[Future[Findings], Check] = {pool.submit(_timed, check, ground, tools): check for check in checks}
        pending = set(running)
        while pending:
            names = ", ".join(check.name for work, check in running.items() if work in pending and work.running())
            yield Progress(f"checking: {names}", len(running) - len(pending), len(running), "checks")
            _, pending = wait(pending, timeout=_TICK_S, return_when=FIRST_COMPLETED)
        return tuple(work.result() for work in running)
    finally:
        tools.stop()
        pool.shutdown(wait=True, cancel_futures=True)


def _timed(check: Check, ground: Ground, tools: Tools) -> Findings:
    began = time.perf_counter()
    try:
        found = check.look(ground, tools)
    except CheckSkipped as reason:
        found = Findings(check.name, check.weight, skipped=str(reason))
    return replace(found, seconds=time.perf_counter() - began)
