"""A small real venue on loopback, in the test's own event loop: Binance spot's REST and streams, driven by a clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Self

from aiohttp import WSMsgType, web

from trading.exchange import Clock
from trading.market.candles import Candles

Row = list[object]
Answer = Callable[[list[Row]], object]


@dataclass
class Venue:
    """The market of some symbols as it stands at the clock's time, and the faults that meet those who ask.

    `window` limits an answer to so many candle lengths of time. `rest_faults` wait for the next calls of klines,
    `rest_always` meets each; a fault is an HTTP status or a function of the rightful rows. `ws_down` refuses
    connections, `ws_silent` sends nothing, `change` makes of a stream message those that are sent.
    """

    clock: Clock
    series: dict[str, Candles]
    lag_ms: int = 0
    window: int | None = None
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
    _rows: dict[str, list[Row]] = field(default_factory=dict)
    _trades_told: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, clock: Clock, *candles: Candles, **settings: object) -> Self:
        return cls(clock, {one.symbol: one for one in candles}, **settings)  # type: ignore[arg-type]

    @property
    def market_ms(self) -> int:
        return self.clock.now_ms() - self.lag_ms

    def rows(self, symbol: str) -> list[Row]:
        """Closed rows and the one that is open, which has told half of its way."""
        closed = self.closed(symbol)
        return [*self._told(symbol)[:closed], *self._open(symbol, closed)]

    def closed(self, symbol: str) -> int:
        candles = self.series[symbol]
        return int(candles.timestamp.searchsorted(self.market_ms - candles.step_ms, side="right"))

    def _told(self, symbol: str) -> list[Row]:
        if symbol not in self._rows:
            candles = self.series[symbol]
            self._rows[symbol] = [_row(candles, row, open_ms=None) for row in range(len(candles))]
        return self._rows[symbol]

    def _open(self, symbol: str, row: int) -> list[Row]:
        candles = self.series[symbol]
        if row >= len(candles) or int(candles.timestamp[row]) > self.market_ms:
            return []
        return [_row(candles, row, open_ms=self.market_ms - int(candles.timestamp[row]))]

    def ticker(self, symbol: str) -> dict[str, object]:
        closed = self.closed(symbol)
        row = (self._open(symbol, closed) or self._told(symbol)[closed - 1 : closed])[0]
        price = float(str(row[4]))
        return {
            "e": "24hrTicker", "E": self.market_ms, "s": symbol.replace("/", ""), "c": repr(price),
            "b": repr(price * 0.999), "a": repr(price * 1.001), "B": "1", "A": "1", "C": self.market_ms,
        }  # fmt: skip

    def kline(self, symbol: str, row: int, *, closed: bool) -> dict[str, object]:
        candles = self.series[symbol]
        told = self._told(symbol)[row] if closed else self._open(symbol, row)[0]
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
            start = int(self.series[symbol].timestamp.searchsorted(int(request.query["startTime"])))
            rows = rows[start : start + limit]
            if self.window is not None:
                # Some venues answer a window of time, whether anything was traded in it or not.
                end_ms = int(request.query["startTime"]) + self.window * self.series[symbol].step_ms
                rows = [row for row in rows if int(str(row[0])) < end_ms]
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

    def _new_trades(self, symbol: str) -> list[dict[str, object]]:
        """Trades since the last time: four a candle, with its open, low, high, close and all of its volume."""
        candles = self.series[symbol]
        first = self._trades_told.setdefault(symbol, 4 * self.closed(symbol))
        trades: list[dict[str, object]] = []
        for number in range(first, 4 * len(candles)):
            row, quarter = divmod(number, 4)
            time_ms = int(candles.timestamp[row]) + quarter * candles.step_ms // 4
            if time_ms > self.market_ms:
                break
            price = float((candles.open, candles.low, candles.high, candles.close)[quarter][row])
            amount = Decimal(repr(float(candles.volume[row]))) / 4
            told = {"e": "trade", "E": time_ms, "s": symbol.replace("/", ""), "t": number + 1_000, "p": repr(price)}
            trades.append(told | {"q": str(amount), "T": time_ms, "m": False})
        self._trades_told[symbol] = first + len(trades)
        return trades

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
                    if self._open(symbol, self.closed(symbol)):
                        row = self.closed(symbol)
                        await self.send(f"{name}@kline_{candles.timeframe}", self.kline(symbol, row, closed=False))
                for trade in self._new_trades(symbol):
                    await self.send(f"{name}@trade", trade)
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


def _row(candles: Candles, row: int, open_ms: int | None) -> Row:
    opened = int(candles.timestamp[row])
    values = [float(getattr(candles, name)[row]) for name in ("open", "high", "low", "close", "volume")]
    if open_ms is not None:
        # Until its end a candle has not gone its whole way, and trades as time goes.
        share = open_ms / candles.step_ms / 2
        values = [values[0], values[0], values[0], values[0], values[4] * share + 0.001]
    return [opened, *map(repr, values), opened + candles.step_ms - 1, "0", 1, "0", "0", "0"]


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
