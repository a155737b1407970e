"""The time limit of one test, kept inside its own process so that the place where it hangs is seen."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

REFIRE_S = 0.25
REFIRES_LIMIT = 12
# once a test has hung, others probably hang for the same reason: they get a little more than any that ended needed
AFTER_HANG_S = 1.0
AFTER_HANG_TIMES = 4.0


class TestTimeout(BaseException):
    """A test ran longer than it may; no ``except Exception`` of the target catches it."""

    __test__ = False


class TimeLimit:
    """Interrupts a test that runs too long, and again when it swallows that.

    Parameters
    ----------
    seconds : float
        Of setup, call and teardown together; 0 for no limit.
    reached : callable
        Takes the frame where the test is when its time is up.
    stuck : callable
        Called when the test has swallowed every interruption; must end the process.
    """

    def __init__(self, seconds: float, reached: Callable[[FrameType | None], None], stuck: Callable[[], None]) -> None:
        self._seconds = seconds
        self._reached = reached
        self._stuck = stuck
        self._left_s = seconds
        self._active = False
        self._fires = 0
        self._slowest_s = 0.0

    @property
    def words(self) -> str:
        """What is said of a test that ran into it."""
        return f"the test ran longer than {self._seconds:g} s"

    @property
    def passed(self) -> bool:
        """Whether this test's time is up, also when it swallowed that and went on."""
        return self._fires > 0

    def begin(self) -> None:
        """Give the next test all of its time, or less when one before it has hung."""
        if self._fires:
            self._seconds = min(self._seconds, max(AFTER_HANG_S, AFTER_HANG_TIMES * self._slowest_s))
        else:
            self._slowest_s = max(self._slowest_s, self._seconds - self._left_s)
        self._left_s, self._fires = self._seconds, 0

    @contextmanager
    def phase(self) -> Iterator[None]:
        """Count the time of one phase of a test; only the main thread can be interrupted."""
        if not self._seconds or threading.current_thread() is not threading.main_thread():
            yield
            return
        # the test before may have taken the signal for itself
        signal.signal(signal.SIGALRM, self._on_alarm)
        began = time.monotonic()
        self._active = True
        signal.setitimer(signal.ITIMER_REAL, max(self._left_s, REFIRE_S), REFIRE_S)
        try:
            yield
        finally:
            self._active = False
            signal.setitimer(signal.ITIMER_REAL, 0)
            self._left_s -= time.monotonic() - began

    def _on_alarm(self, number: int, frame: FrameType | None) -> None:
        if not self._active:
            return
        self._fires += 1
        if self._fires == 1:
            self._reached(frame)
        if self._fires > REFIRES_LIMIT:
            self._stuck()
        raise TestTimeout(self.words)
