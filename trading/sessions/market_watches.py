"""Watches over what a session hears and does: the feed, the clocks, and orders that ought to come."""

from __future__ import annotations

from collections.abc import Callable

from trading.errors import Action
from trading.sessions.alerts import Alert, Severity
from trading.sessions.vitals import monotonic_ms
from trading.sessions.watches import Latch, Trouble

_SILENT_CANDLES = 3


class ClockWatch:
    """The clock of this machine: jumps against a clock that nobody sets, and its distance from the venue's.

    Parameters
    ----------
    offset_ms : callable
        The venue's clock less ours, milliseconds; None while it is not known.
    monotonic : callable
        Milliseconds that only rise.
    warn_ms : float
        Distance or jump that is worth a warning, milliseconds.
    window_ms : float
        The venue's recvWindow: beyond it every request is refused.
    """

    def __init__(
        self,
        offset_ms: Callable[[], float | None],
        monotonic: Callable[[], float] = monotonic_ms,
        *,
        warn_ms: float = 1_000.0,
        window_ms: float = 5_000.0,
    ) -> None:
        self._offset, self._monotonic = offset_ms, monotonic
        self._warn, self._window = warn_ms, window_ms
        self._last: tuple[int, float] | None = None
        self._jumped = Latch(Trouble("clock_jump", Severity.WARNING))
        self._apart = Latch(Trouble("clock_offset", Severity.WARNING))
        self._beyond = Latch(Trouble("clock", Severity.CRITICAL, "E006", Action.REJECT))

    @property
    def forbids_orders(self) -> str | None:
        """The venue would refuse them."""
        if not self._beyond.is_on:
            return None
        return f"this machine's clock is more than {self._window / 1000:g} s from the venue's"

    def check(self, now_ms: int) -> list[Alert]:
        """Compare the clocks; the time given is this machine's own."""
        return self._jump(now_ms) + self._distance(now_ms)

    def _jump(self, now_ms: int) -> list[Alert]:
        ticking = self._monotonic()
        last, self._last = self._last, (now_ms, ticking)
        jump = 0.0 if last is None else (now_ms - last[0]) - (ticking - last[1])
        state = f"this machine's clock jumped by {jump / 1000:+,.1f} s"
        advice = "let NTP steer it slowly"
        return self._jumped.judge(now_ms, state, advice, bad=abs(jump) > self._warn, fine=abs(jump) < self._warn / 2)

    def _distance(self, now_ms: int) -> list[Alert]:
        offset = self._offset()
        if offset is None:
            return []
        state = f"this machine's clock is {-offset / 1000:+,.1f} s from the venue's"
        far = abs(offset)
        advice = "set it by NTP, no new orders go out before"
        beyond = self._beyond.judge(now_ms, state, advice, bad=far > self._window, fine=far < 0.8 * self._window)
        return beyond + self._apart.judge(
            now_ms, state, "set it by NTP", bad=far > self._warn, fine=far < self._warn / 2
        )


class FeedWatch:
    """Market data of one symbol: candles that do not come, ticks that stop.

    Parameters
    ----------
    symbol : str
        ``BASE/QUOTE``.
    candle_ms : int
        Length of a candle; three of them without one is an alert.
    patience_ms : int
        Silence that is none yet, whatever a candle's length: where the clock runs fast, a moment of this machine.
    tick_limit_ms : int, optional
        Longest silence between ticks, milliseconds; None where no ticks are expected.
    """

    def __init__(self, symbol: str, candle_ms: int, tick_limit_ms: int | None = None, *, patience_ms: int = 0) -> None:
        self._symbol, self._tick_limit_ms = symbol, tick_limit_ms
        self._candle_limit_ms = max(_SILENT_CANDLES * candle_ms, patience_ms)
        self._candle_at_ms: int | None = None
        self._tick_at_ms: int | None = None
        self._no_candles = Latch(Trouble("feed", Severity.CRITICAL, "E004", Action.FALL_BACK))
        self._no_ticks = Latch(Trouble("ticks", Severity.WARNING, "E004", Action.FALL_BACK))

    @property
    def forbids_orders(self) -> str | None:
        """Nothing is decided on prices that may be old."""
        return f"no candle of {self._symbol} has come for too long" if self._no_candles.is_on else None

    def candle(self, now_ms: int) -> None:
        """Note that a candle came."""
        self._candle_at_ms = now_ms

    def tick(self, now_ms: int) -> None:
        """Note that a tick came."""
        self._tick_at_ms = now_ms

    def check(self, now_ms: int) -> list[Alert]:
        """Judge the silence."""
        if self._candle_at_ms is None:
            # silence counts from the first look: a feed that never speaks is silent too
            self._candle_at_ms = now_ms
        silent = now_ms - self._candle_at_ms
        late = silent > self._candle_limit_ms
        state = f"the last candle of {self._symbol} came {_span(silent)} ago"
        alerts = self._no_candles.judge(now_ms, state, "look at the exchange and the network", bad=late, fine=not late)
        if self._tick_limit_ms is None:
            return alerts
        if self._tick_at_ms is None:
            self._tick_at_ms = now_ms
        silent = now_ms - self._tick_at_ms
        late = silent > self._tick_limit_ms
        state = f"the last tick of {self._symbol} came {_span(silent)} ago"
        return alerts + self._no_ticks.judge(now_ms, state, "trailing waits for candles", bad=late, fine=not late)


class IdleWatch:
    """Orders that ought to come: the price is inside the grid for a long time, and nothing is ordered.

    Parameters
    ----------
    symbol : str
        ``BASE/QUOTE``.
    limit_ms : int
        Longest time in range without an order, milliseconds.
    """

    forbids_orders: str | None = None

    def __init__(self, symbol: str, limit_ms: int = 4 * 3_600_000) -> None:
        self._symbol, self._limit_ms = symbol, limit_ms
        self._idle_since_ms: int | None = None
        self._idle = Latch(Trouble("no_orders", Severity.WARNING))

    def ordered(self, now_ms: int) -> None:
        """Note that an order went out."""
        if self._idle_since_ms is not None:
            self._idle_since_ms = now_ms

    def price(self, now_ms: int, *, in_range: bool) -> None:
        """Note whether the price is inside the grid; outside of it nothing is expected."""
        if not in_range:
            self._idle_since_ms = None
        elif self._idle_since_ms is None:
            self._idle_since_ms = now_ms

    def check(self, now_ms: int) -> list[Alert]:
        """Judge how long nothing was ordered; a feed that says nothing new keeps the last price in force."""
        idle = 0 if self._idle_since_ms is None else now_ms - self._idle_since_ms
        late = idle > self._limit_ms
        state = f"no order of {self._symbol} for {_span(idle)} with the price inside the grid"
        advice = "look at what blocks the levels (`gridbot sessions show`)"
        return self._idle.judge(now_ms, state, advice, bad=late, fine=not late)


def _span(milliseconds: int) -> str:
    seconds = milliseconds / 1000
    if seconds < 120:
        return f"{seconds:,.0f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 7_200 else f"{seconds / 3600:,.1f} h"
