"""What every ccxt client here is made of: no nonsense passes, nothing leaves for another host, our own pace."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from http import HTTPStatus
from operator import itemgetter
from typing import Any, cast
from urllib.parse import urlsplit

import ccxt.async_support as ccxt

from trading.errors import Refused
from trading.exchange.addresses import NOWHERE, host_of
from trading.exchange.answers import note

OhlcvRow = list[float]

_ROW_LENGTH = 6
_LONGEST_PRECISION = 3
_log = logging.getLogger(__name__)


class Watched(ccxt.Exchange):  # type: ignore[misc]  # ccxt is untyped
    """Mixed in before a ccxt class: watches its answers, its addresses, its pace and its streams.

    ``allowed_hosts`` are the only ones that it connects to (None: all). ``pace`` is waited for before each request,
    with its weight in milliseconds of the exchange's budget, and ``observe`` hears of each answer. ``offset_ms`` is
    added to the clock that signs requests. ``has_streams`` says whether streams may be opened; ``on_raw`` is shown
    each of their messages, and ``on_dropped`` is told of those that could not be used.
    """

    allowed_hosts: frozenset[str] | None = None
    pace: Callable[[float], Awaitable[None]] | None = None
    observe: Callable[[int, Mapping[str, str]], None] | None = None
    offset_ms: int = 0
    has_streams: bool = True
    on_dropped: Callable[[], None] | None = None
    on_raw: Callable[[object], None] | None = None
    ssl_context: ssl.SSLContext | bool | None

    def open(self, *arguments: object, **named: object) -> None:
        """Open the connections; all clients of a process share one reading of the certificate authorities."""
        if self.ssl_context is None and self.verify and not self.options.get("include_OS_certificates"):
            self.ssl_context = _tls(self.cafile)
        super().open(*arguments, **named)

    def milliseconds(self) -> int:
        """Return the exchange's time as far as it is known, milliseconds UTC."""
        return int(ccxt.Exchange.milliseconds()) + self.offset_ms

    def microseconds(self) -> int:
        """Return the same in microseconds."""
        return int(ccxt.Exchange.microseconds()) + self.offset_ms * 1000

    def seconds(self) -> int:
        """Return the same in whole seconds."""
        return self.milliseconds() // 1000

    async def fetch2(
        self,
        path: str,
        api: object = "public",
        method: str = "GET",
        params: Mapping[str, object] | None = None,
        config: Mapping[str, object] | None = None,
    ) -> object:
        """Wait for the request's turn, then make it."""
        asked, weights = dict(params or {}), dict(config or {})
        if self.pace is not None:
            cost = self.calculate_rate_limiter_cost(api, method, path, asked, weights)
            await self.pace(float(cost) * float(self.rateLimit))
        return await super().fetch2(path, api, method, asked, weights)

    async def fetch(self, url: str, method: str = "GET", headers: object = None, body: object = None) -> object:
        """Make one HTTP request, to an allowed host only."""
        self._check_host(url)
        return await super().fetch(url, method, headers, body)

    def ws_dial_delay(self, url: str) -> float:
        """Return no delay: who opens a stream again keeps the pauses, on its own clock."""
        del url
        return 0.0

    def client(self, url: str) -> object:
        """Return the stream client of an address, guarded against messages that break ccxt's own loop."""
        if "://" in url:
            self._check_host(url)
        client = super().client(url)
        if "handle_message" not in vars(client):
            client.handle_message = self._guarded(client.handle_message)
            client.future = _never_unheard(client.future)
        return cast("object", client)

    async def close_ws_clients(self) -> None:
        """Close all streams; who asks for one meanwhile gets a new one, never one that is being closed."""
        closing = list((self.clients or {}).values())
        self.clients: dict[str, Any] = {}
        for client in closing:
            if client.connecting:
                # ccxt would go on connecting, and nobody would ever close what comes of it
                client.connected.add_done_callback(lambda _, late=client: asyncio.ensure_future(late.close()))
        await asyncio.gather(*(client.close() for client in closing), return_exceptions=True)

    def on_close(self, client: object, error: object) -> None:
        """Forget a stream client that was closed, and not the one that has taken its place."""
        if self._is_current(client):
            super().on_close(client, error)

    def on_error(self, client: object, error: object) -> None:
        """Forget a stream client that broke, and not the one that has taken its place."""
        if self._is_current(client):
            super().on_error(client, error)

    def on_rest_response(
        self,
        code: int,
        reason: str,
        url: str,
        method: str,
        response_headers: Mapping[str, str],
        response_body: str,
        request_headers: object,
        request_body: object,
    ) -> str:
        """Note the answer's status and headers, and refuse text that is no JSON."""
        note(code, response_headers)
        if self.observe is not None:
            self.observe(code, {name.lower(): value for name, value in response_headers.items()})
        body: str = super().on_rest_response(
            code, reason, url, method, response_headers, response_body, request_headers, request_body
        )
        # ccxt hands text that is no JSON on to its parsers, which make an empty list of candles out of it.
        if code == HTTPStatus.OK and self.parse_json(body) is None:
            raise ccxt.BadResponse(
                f"{self.id} answered {method} {urlsplit(url).path} with {len(body)} bytes of broken JSON"
            )
        return body

    def parse_precision(self, precision: str | None) -> str | None:
        """Return decimals as a step; ccxt would write out any number of noughts."""
        if precision is not None and (len(str(precision)) > _LONGEST_PRECISION or not _is_whole(str(precision))):
            raise ccxt.BadResponse(f"{self.id} lists a market with steps that cannot be")
        return cast("str | None", super().parse_precision(precision))

    def parse_ohlcvs(
        self,
        ohlcvs: object,
        market: object = None,
        timeframe: str = "1m",
        since: int | None = None,
        limit: int | None = None,
        tail: bool = False,
    ) -> list[OhlcvRow]:
        """Return all rows of an answer, also those from before the time that was asked for."""
        # ccxt drops rows before `since` without a word, so a server that ignores it would look like one without data.
        if not isinstance(ohlcvs, list):
            raise ccxt.BadResponse(f"{self.id} answered no list of candles")
        rows = [self.parse_ohlcv(row, market) for row in ohlcvs]
        if any(len(row) < _ROW_LENGTH or None in row for row in rows):
            raise ccxt.BadResponse(f"{self.id} answered candles with missing values")
        return sorted(rows, key=itemgetter(0))

    def _is_current(self, client: object) -> bool:
        return any(known is client for known in (self.clients or {}).values())

    def _check_host(self, url: str) -> None:
        host = host_of(url)
        if host == host_of(NOWHERE):
            raise Refused(f"{self.id} was given no address for streams, so none is opened; give it one with --ws-url")
        if self.allowed_hosts is not None and host not in self.allowed_hosts:
            raise Refused(f"{self.id} wanted to connect to {host}, which is not the server it was pointed at")

    def _guarded(self, handle: Callable[[object], None]) -> Callable[[object], None]:
        def guarded(message: object) -> None:
            # An exception in here would end ccxt's receive loop without anybody being told.
            try:
                handle(message)
            except Exception as error:  # noqa: BLE001 - whatever a message breaks, the stream goes on and REST is asked
                _log.warning("stream_message_dropped exchange=%s error=%s", self.id, type(error).__name__)
                if self.on_dropped is not None:
                    self.on_dropped()

        return guarded

    def handle_message(self, client: object, message: object) -> None:
        """Show the message to whoever listens, then let ccxt read it."""
        if self.on_raw is not None:
            self.on_raw(message)
        super().handle_message(client, message)


def _never_unheard(make: Callable[[str], asyncio.Future[object]]) -> Callable[[str], asyncio.Future[object]]:
    def made(message_hash: str) -> asyncio.Future[object]:
        # some of ccxt's futures have nobody waiting, and asyncio would log each of their errors
        future = make(message_hash)
        future.remove_done_callback(_heard)
        future.add_done_callback(_heard)
        return future

    return made


def _heard(future: asyncio.Future[object]) -> None:
    if not future.cancelled():
        future.exception()


def _is_whole(text: str) -> bool:
    return text.isascii() and text.removeprefix("-").isdigit()


@cache
def _tls(authorities: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authorities)
