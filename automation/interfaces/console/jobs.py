"""Commands that a person started in the console: what each tells while it runs, and how it ended. No screen here."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from automation.interfaces.execution import Ended, Event, Execution
from trading.commands import Command, News, Progress

_MOST_BARS = 6
_MOST_NEWS = 2_000


@dataclass(frozen=True, slots=True)
class JobView:
    """How a job stands at one moment.

    Parameters
    ----------
    progress : tuple of Progress
        The newest step of each label, oldest label first.
    news : tuple of str
        The newest lines that the command told.
    told : int
        Lines told in all, those that were forgotten included.
    ended : Ended or None
        Its end.
    """

    progress: tuple[Progress, ...]
    news: tuple[str, ...]
    told: int
    ended: Ended | None


class Job:
    """One command that a person started.

    Parameters
    ----------
    number : int
        Counts from 1.
    command : Command
        The registry's entry.
    line : str
        The same as it could be typed into a shell.
    execution : Execution
        Its process.
    started_ms : int
        Milliseconds UTC.
    """

    def __init__(self, number: int, command: Command, line: str, execution: Execution, started_ms: int) -> None:
        self.number = number
        self.command = command
        self.line = line
        self.started_ms = started_ms
        self.ended_ms: int | None = None
        self._execution = execution
        self._lock = threading.Lock()
        self._progress: dict[str, Progress] = {}
        self._news: deque[str] = deque(maxlen=_MOST_NEWS)
        self._told = 0
        self._ended: Ended | None = None
        self._unseen = False

    def follow(self, changed: Callable[[Job], None], clock: Callable[[], int]) -> None:
        """Hear the command to its end; blocks, so call it in a thread.

        Parameters
        ----------
        changed : callable
            Called in that thread when there is something new and the last call's news was seen by `view`.
        clock : callable
            Milliseconds UTC.
        """
        for event in self._execution.events():
            with self._lock:
                self._take(event, clock)
                tell, self._unseen = not self._unseen, True
            if tell:
                changed(self)

    def view(self) -> JobView:
        """Return how it stands."""
        with self._lock:
            self._unseen = False
            return JobView(tuple(self._progress.values()), tuple(self._news), self._told, self._ended)

    @property
    def ended(self) -> Ended | None:
        """Its end; None while it runs."""
        with self._lock:
            return self._ended

    @property
    def cancelled(self) -> bool:
        """Whether a person asked it to stop."""
        return self._execution.cancelled

    @property
    def trades(self) -> bool:
        """Whether it goes on when the console closes: a trading session ends by `stop`."""
        return self.command.name in ("paper", "live")

    def cancel(self) -> None:
        """Ask it to stop and keep what it has; the second time it is killed."""
        if self.ended is None:
            self._execution.cancel()

    def _take(self, event: Event, clock: Callable[[], int]) -> None:
        if isinstance(event, Ended):
            self._ended = event
            self.ended_ms = clock()
        elif isinstance(event, News):
            if event.text:
                self._news.append(event.text)
                self._told += 1
        else:
            # the label that moved last stands last; without a total, nothing but the newest says anything
            kept = {label: step for label, step in self._progress.items() if step.total and label != event.label}
            self._progress = kept
            self._progress[event.label] = event
            while len(self._progress) > _MOST_BARS:
                self._progress.pop(next(iter(self._progress)))
