"""Binance's rate limits, counted on market time: request weight, raw requests, orders, and the ban of who goes on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from trading.brokers.exchange_server.config import LimitConfig

_MINUTE_MS = 60_000
_FIVE_MINUTES_MS = 300_000
_TEN_SECONDS_MS = 10_000
_DAY_MS = 86_400_000
_LONGEST_BAN_S = 259_200
_ADVICE = "Please use WebSocket Streams for live updates to avoid"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the limits say to a request.

    Parameters
    ----------
    status : int
        200, 429 or 418.
    retry_after_s : int
        When to come back, market seconds.
    code : int
        Binance's error code.
    text : str
        What goes into ``msg``.
    """

    status: int = 200
    retry_after_s: int = 0
    code: int = 0
    text: str = ""


_FREE = Verdict()


@dataclass(slots=True)
class _Window:
    """A count that begins anew at every multiple of its length."""

    length_ms: int
    number: int = -1
    count: int = 0

    def add(self, now_ms: int, amount: int) -> int:
        if now_ms // self.length_ms != self.number:
            self.number, self.count = now_ms // self.length_ms, 0
        self.count += amount
        return self.count

    def left_s(self, now_ms: int) -> int:
        return -(-(self.length_ms - now_ms % self.length_ms) // 1_000)


@dataclass(slots=True)
class _Caller:
    weight: _Window = field(default_factory=lambda: _Window(_MINUTE_MS))
    raw: _Window = field(default_factory=lambda: _Window(_FIVE_MINUTES_MS))
    refused: deque[int] = field(default_factory=deque)
    banned_until_ms: int = 0
    bans: int = 0


class RateLimits:
    """The limits of all callers.

    Parameters
    ----------
    config : LimitConfig
        The limits.
    now : callable
        Market time in milliseconds.
    """

    def __init__(self, config: LimitConfig, now: Callable[[], int]) -> None:
        self.config = config
        self._now = now
        self._callers: dict[str, _Caller] = {}
        self._orders: dict[tuple[str, int], _Window] = {}
        self.refusals = 0
        self.bans = 0

    def take(self, caller: str, weight: int) -> Verdict:
        """Count a request of a caller (an address), and say whether it may go on.

        Parameters
        ----------
        caller : str
            Who.
        weight : int
            Of the endpoint.
        """
        who, now = self._callers.setdefault(caller, _Caller()), self._now()
        if now < who.banned_until_ms:
            return self._banned(who, now)
        used = who.weight.add(now, weight)
        raw = who.raw.add(now, 1)
        if used > self.config.weight_per_minute:
            return self._refuse(
                who, now, who.weight.left_s(now), f"{self.config.weight_per_minute} request weight per 1 MINUTE"
            )
        if raw > self.config.raw_requests_per_5_minutes:
            return self._refuse(
                who, now, who.raw.left_s(now), f"{self.config.raw_requests_per_5_minutes} requests per 5 MINUTE"
            )
        return _FREE

    def weight_used(self, caller: str) -> int:
        """Return the weight of a caller in this minute."""
        return self._callers.setdefault(caller, _Caller()).weight.add(self._now(), 0)

    def take_order(self, account: str) -> Verdict:
        """Count a new order of an account, and say whether it may go on."""
        now = self._now()
        limits = ((_TEN_SECONDS_MS, self.config.orders_per_10_seconds), (_DAY_MS, self.config.orders_per_day))
        windows = [self._orders.setdefault((account, length), _Window(length)) for length, _ in limits]
        for window, (length, limit) in zip(windows, limits, strict=True):
            if window.add(now, 0) >= limit:
                self.refusals += 1
                period = "10 SECOND" if length == _TEN_SECONDS_MS else "1 DAY"
                text = f"Too many new orders; current limit is {limit} orders per {period}."
                return Verdict(429, window.left_s(now), -1015, text)
        for window in windows:
            window.add(now, 1)
        return _FREE

    def orders_used(self, account: str) -> tuple[int, int]:
        """Return an account's new orders in these ten seconds and on this day."""
        now = self._now()
        first, second = (
            self._orders.setdefault((account, length), _Window(length)).add(now, 0)
            for length in (_TEN_SECONDS_MS, _DAY_MS)
        )
        return first, second

    def _refuse(self, who: _Caller, now: int, left_s: int, limit: str) -> Verdict:
        self.refusals += 1
        who.refused.append(now)
        while who.refused[0] <= now - _MINUTE_MS:
            who.refused.popleft()
        if len(who.refused) > self.config.refusals_before_ban:
            who.banned_until_ms = now + 1_000 * min(self.config.ban_s * 2**who.bans, _LONGEST_BAN_S)
            who.bans += 1
            who.refused.clear()
            self.bans += 1
            return self._banned(who, now)
        text = f"Too much request weight used; current limit is {limit}. {_ADVICE} polling the API."
        return Verdict(429, left_s, -1003, text)

    @staticmethod
    def _banned(who: _Caller, now: int) -> Verdict:
        left_s = -(-(who.banned_until_ms - now) // 1_000)
        text = f"Way too much request weight used; IP banned until {who.banned_until_ms}. {_ADVICE} bans."
        return Verdict(418, left_s, -1003, text)
