"""The road of a request through the server: limits, faults, signature, the work itself, and the answer."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Protocol
from urllib.parse import parse_qsl

from aiohttp import web

from trading.brokers.exchange_server.account_history import AccountHistory
from trading.brokers.exchange_server.binance_calls import Call, Endpoint, Security
from trading.brokers.exchange_server.binance_trading import ReplaceFailed
from trading.brokers.exchange_server.broken_answers import dropped, garbled
from trading.brokers.exchange_server.faults import Faults
from trading.brokers.exchange_server.limits import RateLimits, Verdict
from trading.brokers.exchange_server.parameters import Parameters
from trading.brokers.exchange_server.records import ExchangeRefusal
from trading.brokers.exchange_server.signing import NotAuthorised, Sent, account_of_key, signed_account
from trading.brokers.exchange_server.venue import SimulatedExchange
from trading.exchange.clock import Clock

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_UNKNOWN = (500, -1000, "An unknown error occurred while processing the request.")
_MAYBE = (503, -1000, "Unknown error, please check your request or try again later.")
_TIMEOUT = (
    504,
    -1007,
    "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
)
_MAINTENANCE = (503, 1, "System is under maintenance.")
_compact = partial(json.dumps, separators=(",", ":"))
_BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


class Host(Protocol):
    """What the gate needs of the server."""

    exchange: SimulatedExchange
    faults: Faults
    limits: RateLimits
    history: AccountHistory
    clock: Clock

    def catch_up(self) -> int:
        """Bring the exchange to the present market time."""
        ...

    def server_ms(self) -> int:
        """Return the exchange's real time, off by its skew."""
        ...


class BinanceGate:
    """Answers requests of Binance's REST API.

    Parameters
    ----------
    host : Host
        The server.
    """

    def __init__(self, host: Host) -> None:
        self._host = host

    def routes(self, endpoints: Iterable[Endpoint]) -> list[web.RouteDef]:
        """Return the routes of some endpoints."""
        return [web.route(endpoint.method, endpoint.path, partial(self.answer, endpoint)) for endpoint in endpoints]

    async def answer(self, endpoint: Endpoint, request: web.Request) -> web.StreamResponse:
        """Answer one request, with whatever fault falls on it."""
        host = self._host
        host.catch_up()
        sent = await read(request)
        caller = request.remote or ""
        refused = self._refused(endpoint, sent, caller)
        if refused is None:
            response = await self._answered(endpoint, sent, request)
        else:
            response = refused
        response.headers["X-MBX-USED-WEIGHT"] = response.headers["X-MBX-USED-WEIGHT-1M"] = str(
            host.limits.weight_used(caller)
        )
        return response

    def _refused(self, endpoint: Endpoint, sent: Sent, caller: str) -> web.Response | None:
        host = self._host
        if host.faults.in_window("maintenance"):
            return _error(*_MAINTENANCE)
        if host.faults.in_window("too_many"):
            left_s = -(-host.faults.window_left_ms("too_many") // 1_000)
            return _limited(Verdict(429, left_s, -1003, "Too many requests; please retry later."))
        try:
            weight = endpoint.weighs(Parameters(sent.values))
        except ExchangeRefusal:
            weight = 1  # the handler refuses it again and says why
        verdict = host.limits.take(caller, weight)
        return None if verdict.status == 200 else _limited(verdict)

    async def _answered(self, endpoint: Endpoint, sent: Sent, request: web.Request) -> web.Response:
        faults = self._host.faults
        if faults.happens("drop_before"):
            return dropped(request)
        failed = self._failed(endpoint, sent)
        if failed is not None:
            return failed
        response = self._worked(endpoint, sent)
        if faults.happens("latency"):
            await self._host.clock.sleep(faults.share("latency") * faults.config.latency_ms / 1_000)
        if faults.happens("drop_after"):
            return dropped(request)
        if faults.happens("garbage"):
            return garbled(response, faults.share("garbage"))
        return response

    def _failed(self, endpoint: Endpoint, sent: Sent) -> web.Response | None:
        faults = self._host.faults
        if faults.happens("error_500"):
            return _error(*_UNKNOWN)
        if faults.happens("error_502"):
            return web.Response(status=502, text=_BAD_GATEWAY, content_type="text/html")
        for name, trouble in (("error_503", _MAYBE), ("error_504", _TIMEOUT)):
            if faults.happens(name):
                if faults.share(name) < 0.5:
                    self._worked(endpoint, sent)
                return _error(*trouble)
        return None

    def _worked(self, endpoint: Endpoint, sent: Sent) -> web.Response:
        host = self._host
        try:
            parameters = Parameters(sent.values)
            server_ms = host.server_ms()
            account = None
            if endpoint.security is Security.SIGNED:
                account = signed_account(host.exchange, sent, server_ms)
            elif endpoint.security is Security.KEY:
                account = account_of_key(host.exchange, sent.api_key)
            call = Call(parameters, host.exchange, host.faults, host.limits, host.history, server_ms, account)
            if not endpoint.is_order:
                return _json(endpoint.handler(call))
            return self._ordered(endpoint, call)
        except ReplaceFailed as failure:
            body = {"code": failure.code, "msg": failure.text, "data": failure.data}
            return _json(body, status=failure.status)
        except ExchangeRefusal as refusal:
            return _error(401 if isinstance(refusal, NotAuthorised) else 400, refusal.code, refusal.text)

    def _ordered(self, endpoint: Endpoint, call: Call) -> web.Response:
        limits, name = self._host.limits, call.account.name
        verdict = limits.take_order(name)
        response = _json(endpoint.handler(call)) if verdict.status == 200 else _limited(verdict)
        ten_seconds, day = limits.orders_used(name)
        response.headers["X-MBX-ORDER-COUNT-10S"] = str(ten_seconds)
        response.headers["X-MBX-ORDER-COUNT-1D"] = str(day)
        return response


async def read(request: web.Request) -> Sent:
    """Return a request as it was sent."""
    query = request.raw_path.partition("?")[2]
    body = await request.text()
    values = dict(parse_qsl(query, keep_blank_values=True)) | dict(parse_qsl(body, keep_blank_values=True))
    return Sent(query, body, values, request.headers.get("X-MBX-APIKEY"))


def _json(data: object, status: int = 200) -> web.Response:
    return web.json_response(data, status=status, dumps=_compact)


def _error(status: int, code: int, text: str) -> web.Response:
    return _json({"code": code, "msg": text}, status=status)


def _limited(verdict: Verdict) -> web.Response:
    response = _error(verdict.status, verdict.code, verdict.text)
    response.headers["Retry-After"] = str(verdict.retry_after_s)
    return response
