"""A circuit breaker: an exchange that does not answer is left alone for a while, then asked once."""

from __future__ import annotations

from enum import StrEnum

from trading.exchange.clock import Clock


class Circuit(StrEnum):
    """Whether calls pass: all, none, or one that tries."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class CircuitBreaker:
    """Opens after failures in a row, and lets one call try after a pause; its success closes it again.

    Parameters
    ----------
    clock : Clock
        Tells the time.
    failures : int
        In a row, that open it.
    first_pause_s, longest_pause_s : float
        How long it stays open, seconds: doubled each time that the trial fails too.
    """

    def __init__(
        self, clock: Clock, failures: int = 8, first_pause_s: float = 5.0, longest_pause_s: float = 30.0
    ) -> None:
        self._clock = clock
        self._limit = failures
        self._first_ms = int(first_pause_s * 1000)
        self._longest_ms = int(longest_pause_s * 1000)
        self._failures = 0
        self._pause_ms = 0
        self._open_until_ms = 0
        self._trial = False

    @property
    def state(self) -> Circuit:
        """What a call would meet now."""
        if not self._pause_ms:
            return Circuit.CLOSED
        is_waiting = self._trial or self._clock.now_ms() < self._open_until_ms
        return Circuit.OPEN if is_waiting else Circuit.HALF_OPEN

    def admit(self) -> bool:
        """Return whether a call may be made now; each admitted one must be followed by its outcome."""
        state = self.state
        self._trial = self._trial or state is Circuit.HALF_OPEN
        return state is not Circuit.OPEN

    def succeeded(self) -> None:
        """Count an answer, whatever it said."""
        self._failures, self._pause_ms, self._trial = 0, 0, False

    def failed(self) -> None:
        """Count a call without a usable answer."""
        self._failures += 1
        if self._trial or (not self._pause_ms and self._failures >= self._limit):
            self._pause_ms = min(self._longest_ms, self._pause_ms * 2 or self._first_ms)
            self._open_until_ms = self._clock.now_ms() + self._pause_ms
        self._trial = False

    def abandoned(self) -> None:
        """Let go of a call that told nothing of the exchange, such as one that was cancelled."""
        self._trial = False
