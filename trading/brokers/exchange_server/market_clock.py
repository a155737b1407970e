"""Market time: real time times a speed, or a count that moves only when it is told to."""

from __future__ import annotations

from trading.exchange.clock import Clock


class MarketClock:
    """The exchange's virtual clock.

    Parameters
    ----------
    start_ms : int
        Market time at the start.
    speed : float
        Market seconds in a real second.
    lockstep : bool
        Whether it stands still by itself.
    clock : Clock
        Real time.
    """

    def __init__(self, start_ms: int, speed: float, lockstep: bool, clock: Clock) -> None:
        self.speed = speed
        self.lockstep = lockstep
        self._clock = clock
        self._start_ms = start_ms
        self._real_start_ms = clock.now_ms()
        self._latest_ms = start_ms

    def restart(self) -> None:
        """Go on from the time that it shows; what passed before does not count."""
        self._start_ms, self._real_start_ms = self._latest_ms, self._clock.now_ms()

    def now_ms(self) -> int:
        """Return market time in milliseconds UTC; it never goes back, whatever the real clock does."""
        if not self.lockstep:
            passed = (self._clock.now_ms() - self._real_start_ms) * self.speed
            self._latest_ms = max(self._latest_ms, self._start_ms + int(passed))
        return self._latest_ms

    def advance(self, milliseconds: int) -> int:
        """Move a clock that stands still, and return its time."""
        self._latest_ms += milliseconds
        return self._latest_ms
