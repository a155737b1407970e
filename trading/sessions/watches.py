"""Watches over a session's health: each is asked from time to time and answers with alerts, once per trouble."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from trading.errors import Action
from trading.exchange.clock import Clock
from trading.sessions.alerts import Alert, Severity
from trading.sessions.vitals import disk_free_bytes, monotonic_ms, open_files, open_files_limit, rss_bytes

_MB = 1_000_000
_HOUR_MS = 3_600_000
_REPEAT_MS = 6 * _HOUR_MS
# A slope over fewer readings than this is noise.
_FEWEST_READINGS = 10
_READINGS = 120


class Watch(Protocol):
    """Looks at one thing."""

    @property
    def forbids_orders(self) -> str | None:
        """Why no new order may go out, as of the last check; None when they may."""
        ...

    def check(self, now_ms: int) -> list[Alert]:
        """Look once.

        Parameters
        ----------
        now_ms : int
            The session's clock.

        Returns
        -------
        list of Alert
            What is new since the last look: a trouble when it begins, again every 6 hours, and its end.
        """
        ...


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a latch tells while something is wrong."""

    kind: str
    severity: Severity
    code: str | None = None
    action: Action | None = None


class Latch:
    """Turns a condition that holds at many looks into one alert at its beginning and one at its end.

    Parameters
    ----------
    trouble : Trouble
        What it is about.
    """

    def __init__(self, trouble: Trouble) -> None:
        self._trouble = trouble
        self._told_ms: int | None = None
        self._told = ""

    @property
    def is_on(self) -> bool:
        """Whether the trouble lasts."""
        return self._told_ms is not None

    def judge(self, now_ms: int, state: str, advice: str, *, bad: bool, fine: bool) -> list[Alert]:
        """Return the alert that is due.

        Parameters
        ----------
        now_ms : int
            The session's clock.
        state, advice : str
            How it stands, and what to do about it.
        bad, fine : bool
            Beyond the limit; well within it again. Between the two, what was stays.
        """
        trouble = self._trouble
        if bad and (self._told_ms is None or now_ms - self._told_ms >= _REPEAT_MS):
            self._told_ms, self._told = now_ms, state
            sentence = f"{state}; {advice}"
            return [Alert(now_ms, trouble.kind, trouble.severity, sentence, trouble.code, trouble.action)]
        if fine and not bad and self._told_ms is not None:
            self._told_ms = None
            return [Alert(now_ms, trouble.kind, Severity.INFO, f"over: {self._told}")]
        return []


class MemoryWatch:
    """Resident memory: its slope after a warm-up, and an absolute limit.

    Parameters
    ----------
    read : callable
        Resident memory, bytes.
    slope_mb_h : float
        Growth that is a leak, MB an hour.
    limit_mb : float
        Most that a session may take, MB.
    warm_up_ms, window_ms : int
        What the first minutes take does not count; the slope is that of the window's readings (least squares).
    """

    forbids_orders: str | None = None

    def __init__(
        self,
        read: Callable[[], int] = rss_bytes,
        *,
        slope_mb_h: float = 50.0,
        limit_mb: float = 2_000.0,
        warm_up_ms: int = 600_000,
        window_ms: int = _HOUR_MS,
    ) -> None:
        self._read = read
        self._slope_limit, self._limit = slope_mb_h, limit_mb
        self._warm_up_ms, self._window_ms = warm_up_ms, window_ms
        self._began_ms: int | None = None
        self._readings: deque[tuple[int, float]] = deque(maxlen=_READINGS)
        self._growing = Latch(Trouble("memory_slope", Severity.WARNING))
        self._large = Latch(Trouble("memory", Severity.CRITICAL))

    def check(self, now_ms: int) -> list[Alert]:
        """Take a reading and judge it."""
        used = self._read() / _MB
        self._began_ms = now_ms if self._began_ms is None else self._began_ms
        alerts = self._large.judge(
            now_ms,
            f"the session takes {used:,.0f} MB of memory (limit {self._limit:,.0f})",
            "restart it",
            bad=used > self._limit,
            fine=used < 0.9 * self._limit,
        )
        if now_ms - self._began_ms < self._warm_up_ms:
            return alerts
        self._note(now_ms, used)
        slope = self.slope_mb_h()
        if slope is None:
            return alerts
        growing = self._growing.judge(
            now_ms,
            f"memory grows by {slope:,.0f} MB an hour (limit {self._slope_limit:,.0f}), {used:,.0f} MB now",
            "restart the session before it is full",
            bad=slope > self._slope_limit,
            fine=slope < self._slope_limit / 2,
        )
        return alerts + growing

    def slope_mb_h(self) -> float | None:
        """Return the growth over the window, MB an hour; None before half a window was seen."""
        times = [time_ms / _HOUR_MS for time_ms, _ in self._readings]
        if len(times) < _FEWEST_READINGS or (times[-1] - times[0]) * _HOUR_MS < self._window_ms / 2:
            return None
        mean_time = sum(times) / len(times)
        mean_used = sum(used for _, used in self._readings) / len(times)
        above = sum(
            (time - mean_time) * (used - mean_used) for time, (_, used) in zip(times, self._readings, strict=True)
        )
        return above / sum((time - mean_time) ** 2 for time in times)

    def _note(self, now_ms: int, used: float) -> None:
        spacing_ms = self._window_ms / _READINGS
        if self._readings and now_ms - self._readings[-1][0] < spacing_ms:
            return
        self._readings.append((now_ms, used))
        while now_ms - self._readings[0][0] > self._window_ms:
            self._readings.popleft()


class OpenFilesWatch:
    """Open files and sockets against what the system allows.

    Parameters
    ----------
    read : callable
        How many are open; 0 when it is not known.
    limit : int, optional
        How many may be; None asks the system, 0 is none.
    """

    forbids_orders: str | None = None

    def __init__(self, read: Callable[[], int] = open_files, limit: int | None = None) -> None:
        self._read = read
        self._limit = open_files_limit() if limit is None else limit
        self._many = Latch(Trouble("open_files", Severity.WARNING))

    def check(self, now_ms: int) -> list[Alert]:
        """Count them."""
        count = self._read()
        share = count / self._limit if self._limit else 0.0
        state = f"{count:,} files and sockets are open (limit {self._limit:,})"
        return self._many.judge(now_ms, state, "restart the session", bad=share > 0.8, fine=share < 0.6)


class DiskWatch:
    """Free space where the journal is: a warning first, then no new orders, before a write can fail.

    Parameters
    ----------
    folder : Path
        The session's folder.
    read : callable
        Free space of a folder's disk, bytes.
    warn_mb, stop_mb : float
        Free space under which it warns, and under which no new order may go out, MB.
    """

    def __init__(
        self,
        folder: Path,
        read: Callable[[Path], int] = disk_free_bytes,
        *,
        warn_mb: float = 1_000.0,
        stop_mb: float = 200.0,
    ) -> None:
        self._folder, self._read = folder, read
        self._warn, self._stop = warn_mb, stop_mb
        self._low = Latch(Trouble("disk", Severity.WARNING))
        self._full = Latch(Trouble("disk_full", Severity.CRITICAL, "E006", Action.REJECT))

    @property
    def forbids_orders(self) -> str | None:
        """The disk is nearly full."""
        return f"less than {self._stop:,.0f} MB of disk are free" if self._full.is_on else None

    def check(self, now_ms: int) -> list[Alert]:
        """Look at the disk."""
        free = self._read(self._folder) / _MB
        state = f"{free:,.0f} MB are free on the disk of {self._folder}"
        full = self._full.judge(
            now_ms, state, "make room, no new orders go out before", bad=free < self._stop, fine=free > 1.5 * self._stop
        )
        return full + self._low.judge(now_ms, state, "make room", bad=free < self._warn, fine=free > 1.2 * self._warn)


class LoopLagWatch:
    """How late the event loop wakes: something in it blocks, and orders wait.

    Parameters
    ----------
    limit_ms : float
        Lag that is an alert, milliseconds.
    """

    forbids_orders: str | None = None

    def __init__(self, limit_ms: float = 1_000.0) -> None:
        self._limit = limit_ms
        self._worst = 0.0
        self._late = Latch(Trouble("loop_lag", Severity.WARNING))

    async def measure(self, clock: Clock, monotonic: Callable[[], float] = monotonic_ms, every_s: float = 1.0) -> None:
        """Measure until it is cancelled; the clock must be the machine's.

        Parameters
        ----------
        clock : Clock
            Sleeps.
        monotonic : callable
            Milliseconds that only rise.
        every_s : float
            Length of one sleep, seconds.
        """
        while True:
            began = monotonic()
            await clock.sleep(every_s)
            self.woke(monotonic() - began - every_s * 1000)

    def woke(self, lag_ms: float) -> None:
        """Note how late a sleeper woke, milliseconds."""
        self._worst = max(self._worst, lag_ms)

    def check(self, now_ms: int) -> list[Alert]:
        """Judge the worst lag since the last look."""
        worst, self._worst = self._worst, 0.0
        state = f"the session stood still for {worst:,.0f} ms (limit {self._limit:,.0f})"
        advice = "see what else keeps this machine busy"
        return self._late.judge(now_ms, state, advice, bad=worst > self._limit, fine=worst < self._limit / 2)


class Watches:
    """All watches of a session, asked together.

    Parameters
    ----------
    watches : sequence of Watch
        In any order.
    """

    def __init__(self, watches: Sequence[Watch]) -> None:
        self._watches = tuple(watches)

    @property
    def forbids_orders(self) -> str | None:
        """Why no new order may go out; None when they may."""
        reasons = [reason for watch in self._watches if (reason := watch.forbids_orders)]
        return "; ".join(reasons) or None

    def check(self, now_ms: int) -> list[Alert]:
        """Look at everything once and return what is new."""
        return [alert for watch in self._watches for alert in watch.check(now_ms)]
