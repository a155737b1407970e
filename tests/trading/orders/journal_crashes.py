"""A process that forks writers of journals and kills each at another instant; run by the crash tests.

``python -m tests.trading.orders.journal_crashes points FOLDER STEPS`` kills a writer at every point of its hook;
``… forever FILE`` writes until it is killed and prints each committed step.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from tests.trading.orders.journal_samples import FACTS, step
from trading.orders.journal import Journal


class KillAt:
    """Kills this process at the n-th call."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self, point: str) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def write_and_tell(path: Path, steps: int, killer: KillAt) -> None:
    told = os.open(path.with_suffix(".told"), os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    journal = Journal.create(path, FACTS, on_commit=killer)
    for number in range(steps):
        step(journal, number)
        os.write(told, b"x")
    journal.close()


def kill_at_every_point(folder: Path, steps: int) -> None:
    """Write journals, each killed one call of the hook later than the one before, until one is not killed."""
    number = 0
    while True:
        number += 1
        child = os.fork()
        if child == 0:
            write_and_tell(folder / f"{number}.sqlite", steps, KillAt(number))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            sys.exit(os.WEXITSTATUS(status))
        assert os.WTERMSIG(status) == signal.SIGKILL


def write_forever(path: Path) -> None:
    journal = Journal.open(path)
    number = journal.order_count()
    while True:
        step(journal, number)
        number += 1
        print(number, flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "points":
        kill_at_every_point(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        write_forever(Path(sys.argv[2]))
