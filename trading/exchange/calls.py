"""Calls to an exchange account: reads are repeated while that is safe, what changes something is sent once."""

from __future__ import annotations

import random
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import TypeVar

import ccxt.async_support as ccxt

from trading.errors import ConnectionLost, FeedFailed, GridBotError, RateLimited, Refused
from trading.exchange.answers import Answer, listening
from trading.exchange.circuit import CircuitBreaker
from trading.exchange.clock import Clock
from trading.exchange.failures import Kind, backoff_s, kind_of, quote
from trading.exchange.limiter import hurried

T = TypeVar("T")

_LEAVES_OPEN = re.compile(r"(?i)time[ _-]?out|timed out|unavailable|internal|maintenance")

_NOTHING_HAPPENED = frozenset({Kind.BUSY, Kind.CLOCK})
_WORTH_ASKING_AGAIN = _NOTHING_HAPPENED | {Kind.SILENT, Kind.NONSENSE}


class Reason(StrEnum):
    """Why an exchange says no."""

    FUNDS = "funds"
    UNKNOWN_ORDER = "unknown order"
    DUPLICATE_ID = "duplicate id"
    KEYS = "keys"
    OTHER = "other"


class VenueRefusal(Refused):
    """The exchange answered, and its answer is no.

    Parameters
    ----------
    message : str
        What was asked, and what it says.
    reason : Reason
        Why.
    """

    def __init__(self, message: str, reason: Reason) -> None:
        super().__init__(message)
        self.reason = reason


class AnswerUnusable(ConnectionLost):
    """E001: the exchange answered with what cannot be understood, so that nothing is known."""


@dataclass(frozen=True, slots=True)
class CallPolicy:
    """How patient the calls are.

    Parameters
    ----------
    attempts : int
        Tries of a read.
    first_s, cap_s : float
        First and greatest pause between them, seconds.
    send_attempts : int
        Tries of a send whose answers prove that nothing happened.
    send_patience_s : float
        Longest wait before a send, seconds; an order that waited longer is out of date.
    """

    attempts: int = 4
    first_s: float = 0.5
    cap_s: float = 30.0
    send_attempts: int = 3
    send_patience_s: float = 2.0


class VenueCalls:
    """Makes the calls of one account.

    Parameters
    ----------
    exchange_id : str
        Named in the errors.
    clock : Clock
        Sleeps.
    breaker : CircuitBreaker
        Shared by all calls to the exchange.
    resync : callable
        Measures the exchange's clock anew, after it refused a request for its time.
    policy : CallPolicy
        Patience.
    jitter : callable
        Uniform random numbers in [0, 1).
    """

    def __init__(
        self,
        exchange_id: str,
        clock: Clock,
        breaker: CircuitBreaker,
        resync: Callable[[], Awaitable[None]],
        policy: CallPolicy | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._exchange_id = exchange_id
        self._clock = clock
        self._breaker = breaker
        self._resync = resync
        self._policy = policy or CallPolicy()
        self._jitter = jitter

    async def read(self, what: str, call: Callable[[], Awaitable[T]]) -> T:
        """Return the answer to a call that changes nothing, asking again while that may help.

        Parameters
        ----------
        what : str
            What is asked for, as a person says it: it ends up in the errors.
        call : callable
            Makes one try.

        Raises
        ------
        ConnectionLost
            When no usable answer came.
        RateLimited
            When the exchange stays busy.
        VenueRefusal
            When it answers no.
        """
        tries = 0
        while True:
            tries += 1
            outcome = await self._try(what, call, sends=False)
            if not isinstance(outcome, _Failed):
                return outcome
            if outcome.kind not in _WORTH_ASKING_AGAIN or tries >= self._policy.attempts:
                raise outcome.told
            if outcome.kind is Kind.CLOCK:
                await self._resync()
            # a busy exchange's own pause is kept by the limiter
            await self._clock.sleep(backoff_s(tries, self._policy.first_s, self._policy.cap_s, self._jitter()))

    async def send(self, what: str, call: Callable[[], Awaitable[T]]) -> T:
        """Return the answer to a call that changes something; it is repeated only where nothing can have happened.

        That is the case after HTTP 429, and after a refusal of the request's time.

        Parameters
        ----------
        what : str
            What is sent, as a person says it.
        call : callable
            Sends it once.

        Raises
        ------
        ConnectionLost
            When no usable answer came: it may have been carried out, or not.
        RateLimited
            When nothing was carried out, since the exchange asks for a pause or does not answer at present.
        VenueRefusal
            When the exchange answers no.
        """
        tries = 0
        while True:
            tries += 1
            with hurried(self._policy.send_patience_s):
                outcome = await self._try(what, call, sends=True)
            if not isinstance(outcome, _Failed):
                return outcome
            if outcome.kind not in _NOTHING_HAPPENED or tries >= self._policy.send_attempts:
                raise outcome.told
            if outcome.kind is Kind.CLOCK:
                await self._resync()

    async def _try(self, what: str, call: Callable[[], Awaitable[T]], *, sends: bool) -> T | _Failed:
        if not self._breaker.admit():
            return self._not_asked(what, sends=sends)
        with listening() as answer:
            try:
                result = await call()
            except Exception as error:  # noqa: BLE001 - whatever ccxt raises becomes one of our errors
                # no error that we raise carries ccxt's own along: those quote signed requests
                failed = self._failed(what, error, answer, sends=sends)
                self._count(failed.kind)
                return failed
            except BaseException:
                self._breaker.abandoned()
                raise
        self._breaker.succeeded()
        return result

    def _count(self, kind: Kind | None) -> None:
        if kind is None:
            self._breaker.abandoned()
        elif kind in {Kind.SILENT, Kind.NONSENSE}:
            self._breaker.failed()
        else:
            self._breaker.succeeded()

    def _not_asked(self, what: str, *, sends: bool) -> _Failed:
        told = f"{self._exchange_id} does not answer at present, so {what} was not sent; it is tried again soon"
        return _Failed(None, RateLimited(told) if sends else ConnectionLost(told))

    def _failed(self, what: str, error: Exception, answer: Answer, *, sends: bool) -> _Failed:
        if isinstance(error, GridBotError) and not isinstance(error, FeedFailed | AnswerUnusable):
            return _Failed(None, error)
        kind = _kind(error, answer.status, sends=sends)
        return _Failed(kind, self._told(what, kind, error, answer))

    def _told(self, what: str, kind: Kind, error: Exception, answer: Answer) -> GridBotError:
        name, words = self._exchange_id, quote(error)
        if kind in {Kind.BUSY, Kind.BANNED, Kind.CLOCK}:
            why = "refuses the time of" if kind is Kind.CLOCK else "asks for a pause before"
            return RateLimited(f"{name} {why} {what} ({words}); nothing happened there, try again later")
        if kind is Kind.NONSENSE:
            return AnswerUnusable(f"{name} answered {what} with what cannot be used ({words}); nothing is known of it")
        if kind is Kind.SILENT:
            return ConnectionLost(f"{name} did not answer {what} ({words}); nothing is known of it")
        status = f"HTTP {answer.status}: " if answer.status is not None else ""
        return VenueRefusal(f"{name} refuses {what} ({status}{words})", _reason(error, answer.status))


@dataclass(frozen=True, slots=True)
class _Failed:
    """How one try ended; a kind of None says that nothing was sent, or that the error is our own."""

    kind: Kind | None
    told: GridBotError


def _kind(error: Exception, status: int | None, *, sends: bool) -> Kind:
    if isinstance(error, AnswerUnusable) or not isinstance(error, ccxt.BaseError | FeedFailed):
        # an answer that is JSON, but not of the form that ccxt's parser expects
        return Kind.NONSENSE
    if status is not None and status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Kind.SILENT
    kind = kind_of(error, status)
    return Kind.SILENT if sends and kind is Kind.FINAL and _leaves_open(error) else kind


def _leaves_open(error: Exception) -> bool:
    # "an unknown error occurred" may come with any status, and what ccxt has no class for may be such words too
    in_general = type(error) is ccxt.ExchangeError and _LEAVES_OPEN.search(str(error)) is not None
    return in_general or isinstance(error, ccxt.OperationFailed)


def _reason(error: Exception, status: int | None) -> Reason:
    if isinstance(error, ccxt.InsufficientFunds):
        return Reason.FUNDS
    if isinstance(error, ccxt.DuplicateOrderId) or "duplicate" in str(error).lower():
        return Reason.DUPLICATE_ID
    if isinstance(error, ccxt.OrderNotFound) and status is not None:
        return Reason.UNKNOWN_ORDER
    return Reason.KEYS if isinstance(error, ccxt.AuthenticationError) else Reason.OTHER
