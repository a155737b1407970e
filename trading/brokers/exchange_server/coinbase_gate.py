"""The road of a request to the Coinbase dialect: rate limits, faults, and the answer when something goes wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from trading.brokers.exchange_server.account_history import AccountHistory
from trading.brokers.exchange_server.broken_answers import dropped, garbled
from trading.brokers.exchange_server.coinbase_messages import JsonObject
from trading.brokers.exchange_server.faults import Faults
from trading.brokers.exchange_server.streams import StreamHub
from trading.brokers.exchange_server.venue import SimulatedExchange
from trading.exchange.clock import Clock

Handler = Callable[[web.Request], Awaitable[web.Response]]

_MAINTENANCE = (503, "UNAVAILABLE", "Service is under maintenance")
_INTERNAL = (500, "INTERNAL", "Internal server error")
_MAYBE = (503, "UNAVAILABLE", "upstream connect error or disconnect before headers")
_TIMEOUT = (504, "DEADLINE_EXCEEDED", "upstream request timeout")
_BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


class CoinbaseHost(Protocol):
    """What the dialect needs of the server that it is part of."""

    @property
    def exchange(self) -> SimulatedExchange:
        """The exchange."""
        ...

    @property
    def faults(self) -> Faults:
        """What goes wrong."""
        ...

    @property
    def history(self) -> AccountHistory:
        """How accounts looked before."""
        ...

    @property
    def hub(self) -> StreamHub:
        """All stream connections."""
        ...

    @property
    def clock(self) -> Clock:
        """Real time."""
        ...

    def catch_up(self) -> int:
        """Bring the exchange to the present market time."""
        ...

    def server_ms(self) -> int:
        """Return the exchange's real time, off by its skew."""
        ...


@dataclass(frozen=True)
class CoinbaseLimits:
    """Requests a second of market time, so that an exchange at many times the speed allows what a real one does.

    Parameters
    ----------
    private_per_s, public_per_s : int
        Of one key, and of one address.
    """

    private_per_s: int = 30
    public_per_s: int = 10


REAL_LIMITS = CoinbaseLimits()
"""What Coinbase allows."""


class SecondCounts:
    """Requests of every caller in the second that is now.

    Parameters
    ----------
    now : callable
        Market time in milliseconds.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._second = -1
        self._counts: Counter[str] = Counter()

    def take(self, caller: str, limit: int) -> tuple[bool, dict[str, str]]:
        """Count a request; return whether it may go on, and the headers that tell how many are left.

        Parameters
        ----------
        caller : str
            A key or an address.
        limit : int
            Requests a second.
        """
        second = self._now() // 1000
        if second != self._second:
            self._second = second
            self._counts.clear()
        self._counts[caller] += 1
        left = limit - self._counts[caller]
        headers = {
            "x-ratelimit-limit": str(limit),
            "x-ratelimit-remaining": str(max(0, left)),
            "x-ratelimit-reset": "1",
        }
        return left >= 0, headers


def guarded(host: CoinbaseHost, handler: Handler) -> Handler:
    """Return a handler that brings the exchange up to date first and suffers the server's faults.

    Parameters
    ----------
    host : CoinbaseHost
        The server.
    handler : callable
        Does the work.
    """

    async def answer(request: web.Request) -> web.Response:
        host.catch_up()
        trouble_before = _before(host.faults, request)
        if trouble_before is not None:
            return trouble_before
        faults = host.faults
        for name, trouble in (("error_503", _MAYBE), ("error_504", _TIMEOUT)):
            if faults.happens(name):
                if faults.share(name) < 0.5:
                    await handler(request)
                return _error(*trouble)
        return await _spoiled(host, request, await handler(request))

    return answer


def too_many(headers: dict[str, str]) -> web.Response:
    """Return the answer to a caller that asks too often."""
    body = {"errors": [{"id": "rate_limit_exceeded", "message": "Too many requests"}]}
    return web.json_response(body, status=429, headers=headers)


def error_body(error: str, text: str) -> JsonObject:
    """Return the body of an error answer."""
    return {"error": error, "error_details": text, "message": text}


def _before(faults: Faults, request: web.Request) -> web.Response | None:
    """Return what is answered instead of working on a request, or None."""
    response: web.Response | None = None
    if faults.in_window("maintenance"):
        response = _error(*_MAINTENANCE)
    elif faults.in_window("too_many"):
        left_s = -(-faults.window_left_ms("too_many") // 1_000)
        response = too_many({"Retry-After": str(left_s)})
    elif faults.happens("drop_before"):
        response = dropped(request)
    elif faults.happens("error_500"):
        response = _error(*_INTERNAL)
    elif faults.happens("error_502"):
        response = web.Response(status=502, text=_BAD_GATEWAY, content_type="text/html")
    return response


async def _spoiled(host: CoinbaseHost, request: web.Request, response: web.Response) -> web.Response:
    faults = host.faults
    if faults.happens("latency"):
        await host.clock.sleep(faults.share("latency") * faults.config.latency_ms / 1_000)
    if faults.happens("drop_after"):
        return dropped(request)
    if faults.happens("garbage"):
        return garbled(response, faults.share("garbage"))
    return response


def _error(status: int, error: str, text: str) -> web.Response:
    return web.json_response(error_body(error, text), status=status)
