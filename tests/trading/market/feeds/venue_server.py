"""A small real venue on loopback, in the test's own event loop: Binance spot's REST and streams, driven by a clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Self

from aiohttp import WSMsgType, web

from trading.exchange import Clock
from trading.market.candles import Candles
from trading.market.timeframes import timeframe_ms

Row = list[object]
Answer = Callable[[list[Row]], object]


@dataclass
class Venue:
    """The market of some symbols as it stands at the clock's time, and the faults that meet those who ask.

    `rest_faults` wait for the next calls of klines, `rest_always` meets each; a fault is an HTTP status or a function
    of the rightful rows. `ws_down` refuses connections. `drop` is asked of each stream message.
    """

    clock: Clock
    series: dict[str, Candles]
    lag_ms: int = 0
    empty_candles: bool = True
    rest_faults: list[int | Answer | None] = field(default_factory=list)
    rest_always: int | Answer | None = None
    ticker_always: int | Callable[[dict[str, object]], object] | None = None
    ws_down: bool = False
    ws_silent: bool = False
    ws_ticks_only: bool = False
    calls: list[str] = field(default_factory=list)
    opened: int = 0
    sockets: list[tuple[web.WebSocketResponse, set[str]]] = field(default_factory=list)
    change: Callable[[dict[str, object]], Sequence[object]] = field(default=lambda message: [message])

    @classmethod
    def of(cls, clock: Clock, *candles: Candles, **settings: object) -> Self:
        return cls(clock, {one.symbol: one for one in candles}, **settings)  # type: ignore[arg-type]

    @property
    def market_ms(self) -> int:
        return self.clock.now_ms() - self.lag_ms

    def rows(self, symbol: str) -> list[Row]:
        """Closed rows and the one that is open, which has told half of its way."""
        candles = self.series[symbol]
        return [self._row(candles, row) for row in range(len(candles)) if int(candles.timestamp[row]) <= self.market_ms]

    def _row(self, candles: Candles, row: int) -> Row:
        opened = int(candles.timestamp[row])
        values = [float(getattr(candles, name)[row]) for name in ("open", "high", "low", "close", "volume")]
        if opened + candles.step_ms > self.market_ms:
            values = [values[0], values[0], values[0], values[0], values[4] / 2 + 0.001]
        return [opened, *map(repr, values), opened + candles.step_ms - 1, "0", 1, "0", "0", "0"]

    def closed(self, symbol: str) -> int:
        candles = self.series[symbol]
        return int((candles.timestamp + candles.step_ms <= self.market_ms).sum())

    def ticker(self, symbol: str) -> dict[str, object]:
        row = self.rows(symbol)[-1]
        price = float(str(row[4]))
        return {
            "e": "24hrTicker", "E": self.market_ms, "s": symbol.replace("/", ""), "c": repr(price),
            "b": repr(price * 0.999), "a": repr(price * 1.001), "B": "1", "A": "1", "C": self.market_ms,
        }  # fmt: skip

    def kline(self, symbol: str, row: int, *, closed: bool) -> dict[str, object]:
        candles = self.series[symbol]
        told = self._row(candles, row)
        name = symbol.replace("/", "")
        body = {"t": told[0], "T": told[6], "s": name, "i": candles.timeframe, "o": told[1], "h": told[2]}
        body |= {"l": told[3], "c": told[4], "v": told[5], "n": 1, "x": closed, "f": 1, "L": 1, "q": "0"}
        return {"e": "kline", "E": self.market_ms, "s": name, "k": body}

    # --- HTTP and streams

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.calls.append(request.path)
        if request.path.startswith("/ws"):
            return await self._socket(request)
        if request.path == "/api/v3/time":
            return web.json_response({"serverTime": self.clock.now_ms()})
        if request.path == "/api/v3/exchangeInfo":
            return web.json_response({"timezone": "UTC", "symbols": [_listing(symbol) for symbol in self.series]})
        symbol = next((name for name in self.series if name.replace("/", "") == request.query.get("symbol")), None)
        if symbol is None:
            return web.json_response({"code": -1121, "msg": "Invalid symbol."}, status=400)
        if request.path == "/api/v3/ticker/24hr":
            return self._answer_ticker(symbol)
        return self._answer_klines(symbol, request)

    def _answer_ticker(self, symbol: str) -> web.Response:
        told = self.ticker(symbol)
        price = {"lastPrice": told["c"], "bidPrice": told["b"], "askPrice": told["a"], "closeTime": told["C"]}
        fault = self.ticker_always
        if isinstance(fault, int):
            return web.json_response({"code": -1000, "msg": "scripted"}, status=fault)
        answer = {"symbol": symbol.replace("/", ""), **price}
        return web.json_response(answer if fault is None else fault(answer))

    def _answer_klines(self, symbol: str, request: web.Request) -> web.Response:
        fault = self.rest_faults.pop(0) if self.rest_faults else self.rest_always
        if isinstance(fault, int):
            return web.json_response({"code": -1000, "msg": "scripted"}, status=fault)
        limit = min(int(request.query.get("limit", "500")), 1000)
        rows: list[Row] = self.rows(symbol)
        if "startTime" in request.query:
            rows = [row for row in rows if int(str(row[0])) >= int(request.query["startTime"])][:limit]
        else:
            rows = rows[-limit:]
        return web.Response(text=json.dumps(rows if fault is None else fault(rows)), content_type="application/json")

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if self.ws_down:
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.opened += 1
        entry = (socket, set[str]())
        self.sockets.append(entry)
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    continue
                asked = json.loads(message.data)
                if asked["method"] == "SUBSCRIBE":
                    entry[1].update(asked["params"])
                else:
                    entry[1].difference_update(asked["params"])
                await socket.send_json({"result": None, "id": asked["id"]})
        finally:
            self.sockets.remove(entry)
        return socket

    async def send(self, stream: str, message: dict[str, object]) -> None:
        for socket, streams in list(self.sockets):
            if stream in streams and not self.ws_silent and not socket.closed:
                for one in self.change(message):
                    text = one if isinstance(one, str) else json.dumps(one)
                    await socket.send_str(text)

    async def cut(self) -> None:
        for socket, _ in list(self.sockets):
            await socket.close()

    async def run(self, until_ms: int, every_s: float = 10.0) -> None:
        """Tell the streams what happens, every so many seconds of the clock, until a time."""
        told = {symbol: self.closed(symbol) for symbol in self.series}
        while self.clock.now_ms() < until_ms:
            await self.clock.sleep(every_s)
            for symbol, candles in self.series.items():
                name = symbol.replace("/", "").lower()
                if not self.ws_ticks_only:
                    for row in range(told[symbol], self.closed(symbol)):
                        await self.send(f"{name}@kline_{candles.timeframe}", self.kline(symbol, row, closed=True))
                    if self.closed(symbol) < len(self.rows(symbol)):
                        row = self.closed(symbol)
                        await self.send(f"{name}@kline_{candles.timeframe}", self.kline(symbol, row, closed=False))
                told[symbol] = self.closed(symbol)
                await self.send(f"{name}@ticker", self.ticker(symbol))


class serving:  # noqa: N801 - a context manager, used as a word of a sentence
    """Serve a venue on 127.0.0.1 for the time of a `async with`."""

    def __init__(self, venue: Venue) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", venue.handle)
        self._venue = venue
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)

    async def __aenter__(self) -> str:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def __aexit__(self, *_: object) -> None:
        for socket, _streams in list(self._venue.sockets):
            await socket.close()
        await self._runner.cleanup()


def step_of(candles: Candles) -> int:
    return timeframe_ms(candles.timeframe)


def _listing(symbol: str) -> dict[str, object]:
    base, quote = symbol.split("/")
    return {
        "symbol": base + quote,
        "status": "TRADING",
        "baseAsset": base,
        "quoteAsset": quote,
        "orderTypes": ["LIMIT", "MARKET"],
        "isSpotTradingAllowed": True,
        "permissions": ["SPOT"],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000.00", "tickSize": "0.01"},
            {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000.00", "stepSize": "0.00001"},
        ],
    }
