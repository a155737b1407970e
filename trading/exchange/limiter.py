"""One budget of request weight for all who use an address: this process's sessions, and other processes too."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Final

from trading.errors import RateLimited
from trading.exchange.clock import Clock
from trading.exchange.failures import BANNED, asked_pause_s

_BUSY_TIMEOUT_S = 5.0
_DEFAULT_WINDOW_MS = 1_000
_DEFAULT_BAN_S = 120.0
_DEFAULT_PAUSE_S = 1.0
_TABLES = """
CREATE TABLE IF NOT EXISTS spent (venue TEXT NOT NULL, at_ms INTEGER NOT NULL, weight_ms REAL NOT NULL);
CREATE INDEX IF NOT EXISTS spent_by_time ON spent (venue, at_ms);
CREATE TABLE IF NOT EXISTS pauses (venue TEXT PRIMARY KEY, until_ms INTEGER NOT NULL, banned INTEGER NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class LimitRule:
    """How much an exchange lets an address ask, in its own weights as milliseconds of the window that they take.

    Parameters
    ----------
    window_ms : int
        Length of the rolling window.
    share : float
        Share of the window that everything together may take.
    patient_share : float
        Share that what can wait may take; the rest is kept for orders and cancels.
    used_header : str
        Header that tells the weight used so far, lower case; empty where there is none.
    used_limit : float
        The weight in that header that fills the window.
    """

    window_ms: int = _DEFAULT_WINDOW_MS
    share: float = 0.9
    patient_share: float = 0.75
    used_header: str = ""
    used_limit: float = 1.0


# https://developers.binance.com/docs/binance-spot-api-docs/rest-api/limits
_HEADERS: Final[Mapping[str, tuple[str, float]]] = {"binance": ("x-mbx-used-weight-1m", 6_000.0)}


def rule_for(exchange_id: str, rolling_window_ms: float = 0.0) -> LimitRule:
    """Return the rule of an exchange.

    Parameters
    ----------
    exchange_id : str
        ccxt's name of it.
    rolling_window_ms : float
        ccxt's window of it; 0 where ccxt counts requests by a leaky bucket.
    """
    header, limit = _HEADERS.get(exchange_id, ("", 1.0))
    window_ms = int(rolling_window_ms) or _DEFAULT_WINDOW_MS
    return LimitRule(window_ms=window_ms, used_header=header, used_limit=limit)


class WeightBudget:
    """What has been asked of which exchange lately, in memory, or in a file that several processes share.

    Parameters
    ----------
    path : Path, optional
        The file; None keeps it in memory.
    """

    def __init__(self, path: Path | None = None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(
            path or ":memory:", isolation_level=None, check_same_thread=False, timeout=_BUSY_TIMEOUT_S
        )
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = OFF")  # what a power cut loses here is a minute old at most
        self._connection.executescript(_TABLES)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def take(self, venue: str, now_ms: int, weight_ms: float, window_ms: int, room_ms: float) -> int:
        """Spend weight, or tell how long to wait before asking again.

        Parameters
        ----------
        venue : str
            Whose budget.
        now_ms : int
            Milliseconds UTC.
        weight_ms, room_ms : float
            What the request takes, and what all requests of the window may take together.
        window_ms : int
            Length of the window.

        Returns
        -------
        int
            0 when it is spent; else milliseconds to wait, and nothing is spent.
        """
        with self._transaction():
            spent = self._spent(venue, now_ms, window_ms)
            total = sum(weight for _, weight in spent)
            if not spent or total + weight_ms <= room_ms:
                self._connection.execute("INSERT INTO spent VALUES (?, ?, ?)", (venue, now_ms, weight_ms))
                return 0
        for at_ms, weight in spent:
            total -= weight
            if total + weight_ms <= room_ms:
                return max(1, at_ms + window_ms - now_ms)
        return max(1, spent[-1][0] + window_ms - now_ms)

    def observe(self, venue: str, now_ms: int, used_ms: float, window_ms: int) -> None:
        """Count what others have spent, from what the exchange says was spent in all."""
        with self._transaction():
            unknown = used_ms - sum(weight for _, weight in self._spent(venue, now_ms, window_ms))
            if unknown > 0:
                self._connection.execute("INSERT INTO spent VALUES (?, ?, ?)", (venue, now_ms, unknown))

    def pause(self, venue: str, until_ms: int, *, banned: bool) -> None:
        """Let nobody ask before a time; a longer pause stands above a shorter one."""
        self._connection.execute(
            "INSERT INTO pauses VALUES (?, ?, ?) ON CONFLICT (venue) DO UPDATE SET banned = CASE WHEN "
            "excluded.until_ms >= until_ms THEN excluded.banned ELSE banned END, until_ms = "
            "max(until_ms, excluded.until_ms)",
            (venue, until_ms, int(banned)),
        )

    def paused(self, venue: str) -> tuple[int, bool]:
        """Return until when nobody may ask, and whether it is a ban."""
        row = self._connection.execute("SELECT until_ms, banned FROM pauses WHERE venue = ?", (venue,)).fetchone()
        return (0, False) if row is None else (int(row[0]), bool(row[1]))

    def _spent(self, venue: str, now_ms: int, window_ms: int) -> list[tuple[int, float]]:
        # what lies in the future was written under a clock that has been set back
        self._connection.execute(
            "DELETE FROM spent WHERE venue = ? AND (at_ms <= ? OR at_ms > ?)",
            (venue, now_ms - window_ms, now_ms + window_ms),
        )
        rows = self._connection.execute("SELECT at_ms, weight_ms FROM spent WHERE venue = ? ORDER BY at_ms", (venue,))
        return [(int(at_ms), float(weight)) for at_ms, weight in rows]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


@lru_cache
def shared_budget(path: Path | None = None) -> WeightBudget:
    """Return the budget that all sessions of this process share, and all processes when it has a file."""
    return WeightBudget(path)


_patience_s: ContextVar[float | None] = ContextVar("patience_s", default=None)


@contextmanager
def hurried(patience_s: float) -> Iterator[None]:
    """Let requests made inside use the whole budget, and refuse them where they would wait longer than that.

    Parameters
    ----------
    patience_s : float
        Longest wait, seconds.
    """
    token = _patience_s.set(patience_s)
    try:
        yield
    finally:
        _patience_s.reset(token)


class Limiter:
    """Holds requests to one exchange back until the budget, and the exchange's own pauses, allow them.

    Parameters
    ----------
    budget : WeightBudget
        Shared with all who use the same address.
    venue : str
        Name of the exchange and its server in the budget.
    clock : Clock
        Tells the time and sleeps.
    rule : LimitRule
        How much may be asked.
    """

    def __init__(self, budget: WeightBudget, venue: str, clock: Clock, rule: LimitRule) -> None:
        self._budget = budget
        self._venue = venue
        self._clock = clock
        self._rule = rule

    async def acquire(self, weight_ms: float) -> None:
        """Wait for a request's turn.

        Parameters
        ----------
        weight_ms : float
            What it takes of the window.

        Raises
        ------
        RateLimited
            When the exchange has banned this address for now, or the wait is longer than the caller is willing to
            wait; nothing was sent.
        """
        patience_s = _patience_s.get()
        room_ms = self._rule.window_ms * (self._rule.patient_share if patience_s is None else self._rule.share)
        while True:
            now_ms = self._clock.now_ms()
            wait_ms = self._pause_ms(now_ms)
            if wait_ms <= 0:
                wait_ms = self._budget.take(self._venue, now_ms, weight_ms, self._rule.window_ms, room_ms)
            if wait_ms <= 0:
                return
            if patience_s is not None and wait_ms > patience_s * 1000:
                raise RateLimited(
                    f"{self._venue} may be asked again in {wait_ms / 1000:g} s; nothing was sent, try again then"
                )
            await self._clock.sleep(wait_ms / 1000)

    def observe(self, status: int, headers: Mapping[str, str]) -> None:
        """Learn from an answer: used weight, a pause, a ban.

        Parameters
        ----------
        status : int
            HTTP status.
        headers : mapping of str to str
            Names in lower case.
        """
        now_ms = self._clock.now_ms()
        used = _number(headers.get(self._rule.used_header, "")) if self._rule.used_header else None
        if used is not None:
            used_ms = used / self._rule.used_limit * self._rule.window_ms
            self._budget.observe(self._venue, now_ms, used_ms, self._rule.window_ms)
        if status in {BANNED, HTTPStatus.TOO_MANY_REQUESTS}:
            banned = status == BANNED
            asked_s = asked_pause_s(headers, now_ms)
            pause_s = asked_s if asked_s is not None else (_DEFAULT_BAN_S if banned else _DEFAULT_PAUSE_S)
            self._budget.pause(self._venue, now_ms + int(pause_s * 1000), banned=banned)

    def _pause_ms(self, now_ms: int) -> int:
        until_ms, banned = self._budget.paused(self._venue)
        if banned and until_ms > now_ms:
            raise RateLimited(
                f"{self._venue} has banned this address (HTTP {BANNED}) for another {(until_ms - now_ms) / 1000:g} s; "
                "nothing is sent until then, run fewer sessions on it"
            )
        return until_ms - now_ms


def _number(text: str) -> float | None:
    text = text.strip()
    return float(text) if text.isascii() and text.isdigit() else None
