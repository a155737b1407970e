"""What a failed call to an exchange means, and how it may be quoted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from enum import Enum
from http import HTTPStatus

import ccxt.async_support as ccxt

from trading.errors import FeedFailed
from trading.exchange.redaction import Redactor

BANNED = 418
"""HTTP status of an address that has asked too much."""

_PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
_LONGEST_QUOTE = 160
_QUERY = re.compile(r"(?i)(\b(?:https?|wss?)://[^\s?#\"']*)[?#][^\s\"']*")
# Requests that were signed may be quoted in part, without their address.
_ARGUMENTS = re.compile(r"(?i)\b(signature|timestamp|recvWindow|listenKey|api[_-]?key|nonce|jwt)=[^\s&\"']*")
_TOKEN = re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*")
_REDACTOR = Redactor()


class Kind(Enum):
    """What a failed call means: BUSY asks for a pause, CLOCK says that the request's time is off."""

    SILENT = "silent"
    BUSY = "busy"
    NONSENSE = "nonsense"
    BANNED = "banned"
    CLOCK = "clock"
    FINAL = "final"


def kind_of(error: Exception, status: int | None) -> Kind:
    """Tell what a failed call means.

    Parameters
    ----------
    error : Exception
        What ccxt, or this package, raised.
    status : int or None
        HTTP status of the answer; None when there was none.
    """
    if status == BANNED:
        return Kind.BANNED
    if status == HTTPStatus.TOO_MANY_REQUESTS or isinstance(error, ccxt.DDoSProtection | ccxt.RateLimitExceeded):
        return Kind.BUSY
    # an order book's checksum is no clock
    if isinstance(error, ccxt.InvalidNonce) and not isinstance(error, ccxt.ChecksumError):
        return Kind.CLOCK
    refused = status is not None and HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    if refused and status not in _PASSING and not isinstance(error, ccxt.RequestTimeout | ccxt.BadResponse):
        return Kind.FINAL
    return _kind_without_refusal(error, status)


def quote(error: BaseException) -> str:
    """Return what an error says, on one line, short, without anything that signs a request."""
    words = " ".join(str(error).split()) or type(error).__name__
    words = _TOKEN.sub("***", _ARGUMENTS.sub(r"\g<1>=***", _QUERY.sub(r"\g<1>?***", words)))
    words = _REDACTOR.text(words)
    return words if len(words) <= _LONGEST_QUOTE else f"{words[:_LONGEST_QUOTE]}…"


def asked_pause_s(headers: Mapping[str, str], now_ms: int) -> float | None:
    """Return the pause that an answer asks for by Retry-After, seconds; None when it does not, or not readably.

    Parameters
    ----------
    headers : mapping of str to str
        Names in lower case.
    now_ms : int
        Milliseconds UTC, for pauses that are told as a date.
    """
    text = headers.get("retry-after", "").strip()
    if text.isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now_ms / 1000)
    except ValueError:
        return None


def backoff_s(tries: int, first_s: float, cap_s: float, jitter: float) -> float:
    """Return the pause after a number of failures: doubled each time up to the cap, less up to half of it.

    Parameters
    ----------
    tries : int
        Failures so far, from 1.
    first_s, cap_s : float
        First and greatest pause, seconds.
    jitter : float
        In [0, 1); half of it is taken off.
    """
    return min(cap_s, first_s * 2.0 ** min(tries - 1, 60)) * (1 - jitter / 2)


def _kind_without_refusal(error: Exception, status: int | None) -> Kind:
    if isinstance(error, FeedFailed | ccxt.BadResponse):
        return Kind.NONSENSE
    # ccxt gives a connection that broke in mid-answer its most general name.
    if status is None and type(error) is ccxt.ExchangeError and error.__cause__ is not None:
        return Kind.SILENT
    return Kind.SILENT if isinstance(error, ccxt.OperationFailed) else Kind.FINAL
