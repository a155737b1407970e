"""Who signed a request: key, HMAC SHA256 signature and time, checked in Binance's order and words."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass

from trading.brokers.exchange_server.accounts import Account
from trading.brokers.exchange_server.parameters import Parameters, missing
from trading.brokers.exchange_server.records import ExchangeRefusal
from trading.brokers.exchange_server.venue import SimulatedExchange

_KEY = re.compile(r"[A-Za-z0-9_-]{1,128}")
_MOST_WINDOW_MS = 60_000
_DEFAULT_WINDOW_MS = 5_000
_AHEAD_MS = 1_000
_SIGNATURE = re.compile(r"(^|&)signature=[^&]*")


class NotAuthorised(ExchangeRefusal):
    """A refusal that is answered with 401."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it was sent.

    Parameters
    ----------
    query, body : str
        Raw, still encoded.
    values : mapping of str to str
        Both, decoded.
    api_key : str or None
        The header.
    """

    query: str
    body: str
    values: Mapping[str, str]
    api_key: str | None


def account_of_key(exchange: SimulatedExchange, api_key: str | None) -> Account:
    """Return the account of a key.

    Raises
    ------
    NotAuthorised
        -2014 when it is no key, -2015 when it is nobody's.
    """
    if api_key is None or _KEY.fullmatch(api_key) is None:
        raise NotAuthorised(-2014, "API-key format invalid.")
    account = exchange.account_of(api_key)
    if account is None:
        raise NotAuthorised(-2015, "Invalid API-key, IP, or permissions for action.")
    return account


def signed_account(exchange: SimulatedExchange, sent: Sent, now_ms: int) -> Account:
    """Return the account that signed a request.

    Parameters
    ----------
    exchange : SimulatedExchange
        Knows the keys.
    sent : Sent
        The request.
    now_ms : int
        The exchange's real time, off by its skew.

    Raises
    ------
    ExchangeRefusal
        -1102, -1131, -1021 or -1022; NotAuthorised with -2014 or -2015.
    """
    account = account_of_key(exchange, sent.api_key)
    parameters = Parameters(sent.values)
    if parameters.integer("timestamp") is None:
        raise missing("timestamp")
    given = parameters.required("signature")
    signed = _SIGNATURE.sub("", sent.query).lstrip("&") + _SIGNATURE.sub("", sent.body).lstrip("&")
    right = hmac.new(account.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(right.encode(), given.lower().encode()):
        raise ExchangeRefusal(-1022, "Signature for this request is not valid.")
    _check_time(parameters, now_ms)
    return account


def _check_time(parameters: Parameters, now_ms: int) -> None:
    timestamp = parameters.integer("timestamp") or 0
    window = parameters.integer("recvWindow")
    if window is not None and window > _MOST_WINDOW_MS:
        raise ExchangeRefusal(-1131, "Parameter 'recvWindow' must be less than or equal to 60000.")
    if timestamp >= now_ms + _AHEAD_MS:
        raise ExchangeRefusal(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if now_ms - timestamp > (_DEFAULT_WINDOW_MS if window is None else window):
        raise ExchangeRefusal(-1021, "Timestamp for this request is outside of the recvWindow.")
