"""A small real HTTP server on loopback that answers in Binance spot's own format, with faults on demand."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from trading.exchange import Exchange, open_exchange
from trading.market.candles import Candles
from trading.market.timeframes import timeframe_ms

Row = list[object]


@dataclass(frozen=True)
class Call:
    """One request that the server got."""

    path: str
    query: dict[str, str]
    fault: str | None = None

    @property
    def start_ms(self) -> int:
        return int(self.query["startTime"])


@dataclass(frozen=True)
class Fault:
    """What the server does instead of answering well."""

    kind: str
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    change: Callable[[list[Row]], list[Row]] | None = None


def status(code: int, retry_after: str | None = None) -> Fault:
    return Fault("status", code, {} if retry_after is None else {"Retry-After": retry_after})


def rows_changed(change: Callable[[list[Row]], list[Row]]) -> Fault:
    """A fault of the rows themselves: the rightful answer goes through a function."""
    return Fault("rows", change=change)


HANG = Fault("hang")
RESET = Fault("reset")
TRUNCATED_JSON = Fault("truncated")
BROKEN_OFF = Fault("broken_off")
HTML = Fault("html")


def klines_row(candles: Candles, row: int) -> Row:
    """One candle as the 12 columns of Binance's klines."""
    opened = int(candles.timestamp[row])
    prices = (repr(float(getattr(candles, name)[row])) for name in ("open", "high", "low", "close", "volume"))
    return [opened, *prices, opened + candles.step_ms - 1, "0.0", 1, "0.0", "0.0", "0"]


class KlinesServer:
    """Serves the candles it is given on 127.0.0.1, and keeps a log of the calls.

    Faults wait in a queue for the next calls of klines; `always` meets every call of klines, `always_for` those of a
    symbol, `other_faults` the calls of the other paths.
    """

    def __init__(self, now_ms: int, *, bounded: bool = False) -> None:
        self.now_ms = now_ms
        self.bounded = bounded
        self.calls: list[Call] = []
        self.faults: list[Fault | None] = []
        self.other_faults: list[Fault] = []
        self.always: Fault | None = None
        self.always_for: dict[str, Fault] = {}
        self.on_call: Callable[[Call], None] | None = None
        self._rows: dict[tuple[str, str], list[Row]] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._http = _Http(self)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def klines_calls(self) -> list[Call]:
        return [call for call in self.calls if call.path == "/api/v3/klines"]

    def serve(self, candles: Candles) -> None:
        """List a symbol and serve its candles; the last may still be open at the server's time."""
        rows = [klines_row(candles, row) for row in range(len(candles))]
        self._rows[candles.symbol, candles.timeframe] = rows

    def rows_of(self, symbol: str, timeframe: str) -> list[Row]:
        """All rows that are served of a series."""
        return list(self._rows[symbol, timeframe])

    def answer(self, path: str, query: dict[str, str]) -> tuple[Fault | None, object]:
        """The fault that is due and the rightful answer to a call."""
        with self._lock:
            fault = self._due(path, query.get("symbol", ""))
            call = Call(path, query, None if fault is None else fault.kind)
            self.calls.append(call)
        if self.on_call is not None:
            self.on_call(call)
        return fault, self._rightful(path, query)

    def wait_until_closed(self) -> None:
        self._closing.wait()

    def barrier(self, callers: int) -> threading.Barrier:
        """Let the first call of klines by each caller wait until so many callers have asked."""
        barrier, waited = threading.Barrier(callers, timeout=20), set()

        def wait(call: Call) -> None:
            if call.path == "/api/v3/klines" and call.query["symbol"] not in waited:
                waited.add(call.query["symbol"])
                barrier.wait()

        self.on_call = wait
        return barrier

    def _due(self, path: str, symbol: str) -> Fault | None:
        if path != "/api/v3/klines":
            return self.other_faults.pop(0) if self.other_faults else None
        lasting = self.always_for.get(symbol, self.always)
        if lasting is not None:
            return lasting
        return self.faults.pop(0) if self.faults else None

    def _rightful(self, path: str, query: dict[str, str]) -> object:
        if path == "/api/v3/time":
            return {"serverTime": self.now_ms}
        if path == "/api/v3/exchangeInfo":
            symbols = dict.fromkeys(symbol for symbol, _ in self._rows)
            return {"timezone": "UTC", "serverTime": self.now_ms, "symbols": [_listing(symbol) for symbol in symbols]}
        if path == "/api/v3/klines":
            return self._klines(query)
        return None

    def _klines(self, query: dict[str, str]) -> list[Row]:
        rows = next(
            (
                rows
                for (symbol, timeframe), rows in self._rows.items()
                if symbol.replace("/", "") == query["symbol"] and timeframe == query["interval"]
            ),
            [],
        )
        first, limit = int(query["startTime"]), min(int(query["limit"]), 1000)
        last = int(query.get("endTime", 2**62))
        if self.bounded:
            # Other venues answer a window of time, whether anything was traded in it or not.
            last = min(last, first + (limit - 1) * timeframe_ms(query["interval"]))
        return [row for row in rows if first <= int(str(row[0])) <= last][:limit]


def _listing(symbol: str) -> dict[str, object]:
    base, quote = symbol.split("/")
    return {
        "symbol": base + quote,
        "status": "TRADING",
        "baseAsset": base,
        "baseAssetPrecision": 8,
        "quoteAsset": quote,
        "quoteAssetPrecision": 8,
        "orderTypes": ["LIMIT", "MARKET"],
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "permissions": ["SPOT"],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000.00", "tickSize": "0.01"},
            {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000.00", "stepSize": "0.00001"},
            {"filterType": "NOTIONAL", "minNotional": "5.00"},
        ],
    }


class _Http(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, market: KlinesServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.market = market


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Http

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        fault, answer = self.server.market.answer(address.path, dict(parse_qsl(address.query)))
        if fault is not None and fault.change is not None:
            answer, fault = fault.change(list(answer)), None  # type: ignore[call-overload]
        body = json.dumps(answer).encode()
        if fault is None:
            self._send(200 if answer is not None else 404, body)
        elif fault.kind == "status":
            code = -1003 if fault.status in (418, 429) else -1000
            self._send(fault.status, json.dumps({"code": code, "msg": "scripted"}).encode(), fault.headers)
        elif fault.kind == "hang":
            self.server.market.wait_until_closed()
        else:
            self._break(fault.kind, body)

    def _break(self, kind: str, body: bytes) -> None:
        if kind == "truncated":
            self._send(200, body[: len(body) * 2 // 3])
        elif kind == "html":
            self._send(200, b"<html>maintenance</html>", {"Content-Type": "text/html"})
        elif kind == "broken_off":
            self._send(200, body[:-10], length=len(body))
        if kind in ("broken_off", "reset"):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True

    def _send(self, code: int, body: bytes, headers: dict[str, str] | None = None, length: int | None = None) -> None:
        self.send_response(code)
        for name, value in ({"Content-Type": "application/json"} | (headers or {})).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        pass

    def handle(self) -> None:
        try:
            super().handle()
        except (OSError, ValueError):
            self.close_connection = True


def impatient(server: KlinesServer, timeout_ms: int = 2_000) -> Exchange:
    """A real client of the server without the waits that only the real exchange needs: its pace, and TLS at the end."""
    exchange = open_exchange("binance", server.url, timeout_ms)
    exchange.enableRateLimit = False  # type: ignore[attr-defined]
    exchange.timeout_on_exit = 0  # type: ignore[attr-defined]
    return exchange


class RecordingClock:
    """A clock that does not wait: a sleep is written down and moves its time on."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms
        self.sleeps: list[float] = []

    def now_ms(self) -> int:
        return self._now_ms

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self._now_ms += round(seconds * 1000)
