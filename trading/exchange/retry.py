"""Retries for calls that change nothing at the exchange, sharing one pause among all who call."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import ccxt.async_support as ccxt

from trading.errors import ConnectionLost, FeedFailed, GridBotError, RateLimited, Refused, UsageError
from trading.exchange.answers import Answer, listening
from trading.exchange.clock import Clock
from trading.exchange.failures import Kind, asked_pause_s, backoff_s, kind_of, quote

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently a call is repeated.

    Parameters
    ----------
    attempts : int
        Tries of one call that meets a silent or busy exchange.
    nonsense_attempts : int
        Tries of one call whose answers cannot be used.
    first_s, cap_s : float
        First and greatest pause, seconds; each pause is twice the one before, less up to half of it at random.
    longest_pause_s : float
        Greatest pause that an exchange may ask for, seconds; a longer one ends the call.
    """

    attempts: int = 8
    nonsense_attempts: int = 3
    first_s: float = 0.5
    cap_s: float = 30.0
    longest_pause_s: float = 900.0


class Retry:
    """Repeats safe calls to one exchange; a pause that it asks for holds for every task that calls through here.

    Parameters
    ----------
    exchange_id : str
        Named in the errors.
    clock : Clock
        Tells the time and sleeps.
    policy : RetryPolicy
        How often and how patiently.
    jitter : callable
        Uniform random numbers in [0, 1).
    """

    def __init__(
        self,
        exchange_id: str,
        clock: Clock,
        policy: RetryPolicy | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._exchange_id = exchange_id
        self._clock = clock
        self._policy = policy or RetryPolicy()
        self._jitter = jitter
        self._paused_until_ms = 0
        self._ban: RateLimited | None = None

    async def __call__(self, what: str, call: Callable[[], Awaitable[T]]) -> T:
        """Return what the call returns, repeating it while that is safe and of use.

        Parameters
        ----------
        what : str
            What is asked for, as a person says it: it ends up in the errors.
        call : callable
            Makes one try; it must change nothing at the exchange.

        Raises
        ------
        ConnectionLost
            When the exchange stays silent.
        RateLimited
            When it stays busy, asks for too long a pause, or has banned this address (HTTP 418; no further call is
            sent through this object then).
        FeedFailed
            When its answers stay unusable.
        UsageError, Refused
            When it refuses the request itself.
        """
        failures: list[Kind] = []
        while True:
            await self._wait_for_turn()
            with listening() as answer:
                try:
                    return await call()
                except (ccxt.BaseError, FeedFailed) as error:
                    failures.append(kind_of(error, answer.status))
                    await self._after_failure(what, error, answer, failures)

    async def _wait_for_turn(self) -> None:
        while self._ban is None:
            wait_ms = self._paused_until_ms - self._clock.now_ms()
            if wait_ms <= 0:
                return
            await self._clock.sleep(wait_ms / 1000)
        raise self._ban

    async def _after_failure(self, what: str, error: Exception, answer: Answer, failures: list[Kind]) -> None:
        kind = failures[-1]
        asked_s = asked_pause_s(answer.headers, self._clock.now_ms()) if kind is Kind.BUSY else None
        if kind is Kind.BANNED or (asked_s is not None and asked_s > self._policy.longest_pause_s):
            self._ban = self._banned(answer)
            raise self._ban from None
        if self._is_enough(failures):
            raise self._given_up(what, kind, error, answer, failures.count(kind)) from None
        pause_s = self._backoff_s(len(failures)) if asked_s is None else asked_s
        if kind is Kind.BUSY:
            until_ms = self._clock.now_ms() + int(pause_s * 1000)
            self._paused_until_ms = max(self._paused_until_ms, until_ms)
        else:
            await self._clock.sleep(pause_s)

    def _is_enough(self, failures: list[Kind]) -> bool:
        nonsense = failures.count(Kind.NONSENSE)
        return (
            failures[-1] is Kind.FINAL
            or nonsense >= self._policy.nonsense_attempts
            or len(failures) - nonsense >= self._policy.attempts
        )

    def _backoff_s(self, tries: int) -> float:
        return backoff_s(tries, self._policy.first_s, self._policy.cap_s, self._jitter())

    def _banned(self, answer: Answer) -> RateLimited:
        pause = answer.headers.get("retry-after")
        when = f"in {pause} s" if pause else "later"
        return RateLimited(
            f"{self._exchange_id} asks this address to stop (HTTP {answer.status}); nothing more is sent, "
            f"try again {when}"
        )

    def _given_up(self, what: str, kind: Kind, error: Exception, answer: Answer, tries: int) -> GridBotError:
        name, words = self._exchange_id, quote(error)
        if kind is Kind.BUSY:
            return RateLimited(f"{name} still asks for a pause after {tries} tries for {what}; try again later")
        if kind is Kind.NONSENSE:
            return FeedFailed(
                f"{name} answered {what} {tries} times with what cannot be used ({words}); try again later"
            )
        if kind in {Kind.SILENT, Kind.CLOCK}:
            return ConnectionLost(f"{name} did not answer {what} in {tries} tries ({words}); check the connection")
        if isinstance(error, ccxt.BadSymbol):
            return UsageError(f"{name} does not know the symbol of {what} ({words}); check its spelling")
        status = f"HTTP {answer.status}: " if answer.status is not None else ""
        return Refused(f"{name} refuses {what} ({status}{words}); change the request or the exchange")
