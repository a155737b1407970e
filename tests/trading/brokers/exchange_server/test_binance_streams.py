"""Unmodified ccxt.pro, and a bare WebSocket, against the Binance streams of the built-in exchange."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import aiohttp
import ccxt.pro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.brokers.exchange_server.exchanges import BTC, limit, served, still
from trading.brokers.exchange_server import binance_stream_messages as messages
from trading.brokers.exchange_server.binance_stream_endpoints import ListenKeys
from trading.brokers.exchange_server.config import TEST_KEY, TEST_SECRET
from trading.brokers.exchange_server.records import (
    BookChanged,
    Event,
    ExchangeRefusal,
    KlineChanged,
    OrderUpdated,
    Side,
    TradeMade,
)
from trading.brokers.exchange_server.server import ExchangeServer
from trading.exchange.addresses import moved

MARKET = "BTCUSDT"
NAME = "btcusdt"
TIMEOUT_S = 20.0
_HEADERS = {"X-MBX-APIKEY": TEST_KEY}


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), TIMEOUT_S))


@asynccontextmanager
async def streaming(**changes: Any) -> AsyncIterator[tuple[ExchangeServer, Any]]:
    """The exchange, and unmodified ccxt.pro with all its addresses moved there."""
    async with served(**changes) as (server, _):
        client = ccxt.pro.binance(
            {
                "apiKey": TEST_KEY,
                "secret": TEST_SECRET,
                "enableRateLimit": False,
                "options": {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False, "fetchMargins": False},
            }
        )
        client.urls["api"] = moved(client.urls["api"], server.url, server.ws_url)
        try:
            await client.load_markets()
            yield server, client
        finally:
            await client.close()


@asynccontextmanager
async def socket(server: ExchangeServer, path: str, *, autoping: bool = True) -> AsyncIterator[Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{server.ws_url}{path}", autoping=autoping) as opened,
    ):
        yield opened


async def ask(opened: Any, method: str, params: object = None, request_id: object = 1) -> dict[str, Any]:
    request: dict[str, object] = {"method": method, "id": request_id}
    await opened.send_json(request if params is None else {**request, "params": params})
    while True:
        answer: dict[str, Any] = await opened.receive_json()
        if "id" in answer:
            return answer


async def subscribed(opened: Any, *streams: str) -> None:
    assert await ask(opened, "SUBSCRIBE", list(streams)) == {"result": None, "id": 1}


async def known(server: ExchangeServer, kind: type[Event], count: int = 1) -> None:
    """Wait until so many connections have asked for a kind of event."""
    async with asyncio.timeout(TIMEOUT_S):
        while sum(kind in session.kinds for session in server.hub.sessions) < count:
            await asyncio.sleep(0)


async def until(reached: Callable[[], bool], watch: Callable[[], Awaitable[object]]) -> None:
    """Watch until what ccxt has taken in is enough; nothing can arrive between the look and the wait."""
    while not reached():
        await watch()


def push(server: ExchangeServer, price: float, volume: str | None = None) -> None:
    server.exchange.push_price(BTC, Decimal(str(price)), None if volume is None else Decimal(volume))


def test_ticker_tells_price_and_top_of_the_book() -> None:
    async def scenario() -> None:
        async with streaming() as (server, client):
            # Left alone, ccxt watches the small ticker, which has no book in it.
            client.options["watchTickers"] = client.options["watchTicker"] = {"name": "ticker"}
            watched = asyncio.ensure_future(client.watch_ticker(BTC))
            await known(server, BookChanged)
            push(server, 101)
            ticker = await watched
            depth = server.exchange.depth(BTC, 1)
            assert ticker["last"] == 101.0
            assert (ticker["bid"], ticker["ask"]) == (float(depth.bids[0].price), float(depth.asks[0].price))
            assert ticker["info"]["e"] == "24hrTicker"

    run(scenario)


def test_trades_come_once_each_and_in_order() -> None:
    async def scenario() -> None:
        async with streaming() as (server, client):
            watched = asyncio.ensure_future(client.watch_trades(BTC))
            await known(server, TradeMade)
            for step in range(5):
                push(server, 100 + step)
            await watched
            wanted = [str(trade.trade_id) for trade in server.exchange.recent_trades(BTC)]
            await until(lambda: len(client.trades[BTC]) >= len(wanted), lambda: client.watch_trades(BTC))
            assert [trade["id"] for trade in client.trades[BTC]] == wanted

    run(scenario)


def test_candles_grow_and_close_once() -> None:
    async def scenario() -> None:
        async with streaming() as (server, client), socket(server, f"/ws/{NAME}@kline_5m") as opened:
            watched = asyncio.ensure_future(client.watch_ohlcv(BTC, "1m"))
            await known(server, KlineChanged, 2)
            push(server, 105)
            (row,) = await watched
            assert (row[1], row[4]) == (105.0, 105.0)
            server.exchange.advance_to(server.exchange.now_ms + 600_000)
            closed: list[tuple[str, int, str]] = []
            while len(closed) < 2:
                message = await opened.receive_json()
                if message["k"]["x"]:
                    closed.append((message["k"]["i"], message["k"]["t"], message["k"]["c"]))
            first_ms = row[0] - row[0] % 300_000
            assert closed == [("5m", first_ms, "105.00000000"), ("5m", first_ms + 300_000, "105.00000000")]

    run(scenario)


def test_watched_order_book_equals_the_book_after_changes() -> None:
    async def scenario() -> None:
        async with streaming() as (server, client):
            watched = asyncio.ensure_future(client.watch_order_book(BTC))
            await known(server, BookChanged)
            push(server, 101)
            await watched
            for price in (102, 99, 100):
                push(server, price)
            server.exchange.place("main", limit(Side.BUY, "1", "90", "deep"))
            depth = server.exchange.depth(BTC, 1_000)
            bids, asks = (
                [[float(level.price), float(level.quantity)] for level in half] for half in (depth.bids, depth.asks)
            )
            book = client.orderbooks[BTC]
            while [row[:2] for row in book["bids"]] != bids:
                book = await client.watch_order_book(BTC)
            assert [row[:2] for row in book["asks"]] == asks
            assert book["nonce"] == depth.update_id

    run(scenario)


def test_own_order_is_told_with_fills_fees_and_balances() -> None:
    async def scenario() -> None:
        async with streaming() as (server, client):
            orders = asyncio.ensure_future(client.watch_orders(BTC))
            trades = asyncio.ensure_future(client.watch_my_trades(BTC))
            balances = asyncio.ensure_future(client.watch_balance())
            await known(server, OrderUpdated)
            placed = await client.create_order(BTC, "limit", "buy", 2, 99, {"newClientOrderId": "mine"})
            (order,) = await orders
            assert (order["id"], order["clientOrderId"], order["status"]) == (placed["id"], "mine", "open")
            assert (await balances)["USDT"]["used"] == 198.0
            push(server, 98)
            (trade,) = await trades
            assert (trade["order"], trade["price"], trade["amount"]) == (placed["id"], 99.0, 2.0)
            assert (trade["fee"]["currency"], trade["takerOrMaker"]) == ("BTC", "maker")
            assert trade["fee"]["cost"] == pytest.approx(0.002)
            assert trade["id"] == str(server.exchange.my_trades("main", BTC)[0].trade_id)
            await until(lambda: client.orders[0]["status"] != "open", lambda: client.watch_orders(BTC))
            (done,) = client.orders
            assert (done["status"], done["filled"], done["cost"]) == ("closed", 2.0, 198.0)
            await until(lambda: client.balance["spot"]["USDT"]["used"] == 0, client.watch_balance)
            assert client.balance["spot"]["BTC"]["free"] == pytest.approx(101.998)

    run(scenario)


def test_partial_fills_and_a_cancel_are_told_one_by_one() -> None:
    async def scenario() -> None:
        async with streaming() as (server, client), socket(server, "/ws-api/v3") as opened:
            await ask(opened, "userDataStream.subscribe.signature", signed(server))
            placed = await client.create_order(BTC, "limit", "sell", 2, 103, {"newClientOrderId": "part"})
            push(server, 103, "0.5")
            await client.cancel_order(placed["id"], BTC)
            told: list[dict[str, Any]] = []
            while not told or told[-1]["x"] != "CANCELED":
                event = (await opened.receive_json())["event"]
                told += [event] if event["e"] == "executionReport" else []
            assert [(one["x"], one["X"]) for one in told] == [
                ("NEW", "NEW"),
                ("TRADE", "PARTIALLY_FILLED"),
                ("CANCELED", "CANCELED"),
            ]
            assert Decimal(told[1]["l"]) == Decimal(told[2]["z"]) > 0
            assert told[1]["t"] == server.exchange.my_trades("main", BTC)[0].trade_id
            assert told[2]["C"] == "part"
            assert told[2]["c"] != "part"

    run(scenario)


def test_deposit_is_a_balance_update() -> None:
    async def scenario() -> None:
        async with streaming() as (server, client):
            watched = asyncio.ensure_future(client.watch_balance())
            await known(server, OrderUpdated)
            server.exchange.deposit("main", "USDT", Decimal(5))
            assert (await watched)["info"] == {
                "e": "balanceUpdate",
                "E": server.exchange.now_ms,
                "a": "USDT",
                "d": "5.00000000",
                "T": server.exchange.now_ms,
            }

    run(scenario)


async def listen_key(server: ExchangeServer, method: str, **fields: str) -> tuple[int, dict[str, Any]]:
    url = f"{server.url}/api/v3/userDataStream"
    async with aiohttp.ClientSession(headers=_HEADERS) as session:
        answer = await session.request(method, url, params=fields)
        return answer.status, await answer.json()


def test_listen_key_opens_a_user_stream_until_it_is_closed() -> None:
    async def scenario() -> None:
        async with streaming() as (server, client):
            _, created = await listen_key(server, "POST")
            assert (await listen_key(server, "POST"))[1] == created
            assert await listen_key(server, "PUT", **created) == (200, {})
            async with socket(server, f"/ws/{created['listenKey']}") as opened:
                await known(server, OrderUpdated)
                await client.create_order(BTC, "limit", "buy", 1, 99, {"newClientOrderId": "heard"})
                report = await opened.receive_json()
                assert (report["e"], report["c"]) == ("executionReport", "heard")
                position = await opened.receive_json()
                assert position["e"] == "outboundAccountPosition"
                assert {one["a"]: one["l"] for one in position["B"]} == {"BTC": "0.00000000", "USDT": "99.00000000"}
            assert await listen_key(server, "DELETE", **created) == (200, {})
            status, refusal = await listen_key(server, "PUT", **created)
            assert (status, refusal["code"]) == (400, -1125)

    run(scenario)


def test_listen_key_needs_a_known_api_key_and_ends_after_an_hour() -> None:
    now = [0]
    keys = ListenKeys(lambda: now[0], "seed")
    key = keys.create("main")
    now[0] += 3_599_999
    keys.prolong(key, "main")
    now[0] += 3_599_999
    assert keys.account_of(key) == "main"
    with pytest.raises(ExchangeRefusal):
        keys.close(key, "other")
    now[0] += 1
    assert keys.account_of(key) is None
    assert keys.create("main") != key

    async def scenario() -> None:
        async with served() as (server, _), aiohttp.ClientSession() as session:
            answer = await session.post(f"{server.url}/api/v3/userDataStream", headers={"X-MBX-APIKEY": "unknown"})
            assert (answer.status, (await answer.json())["code"]) == (401, -2015)

    run(scenario)


def signed(server: ExchangeServer, secret: str = TEST_SECRET, late_ms: int = 0, **changes: object) -> dict[str, object]:
    params: dict[str, object] = {"apiKey": TEST_KEY, "timestamp": server.server_ms() - late_ms, **changes}
    query = "&".join(f"{name}={params[name]}" for name in sorted(params))
    return params | {"signature": hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()}


def test_signature_subscription_is_checked_and_can_be_ended() -> None:
    async def scenario() -> None:
        async with served() as (server, _), socket(server, "/ws-api/v3") as opened:
            method = "userDataStream.subscribe.signature"
            refused = [
                (await ask(opened, method, params))["error"]["code"]
                for params in (
                    signed(server, secret="wrong"),
                    signed(server, late_ms=60_000),
                    signed(server, apiKey="unknown"),
                    {},
                )
            ]
            assert refused == [-1022, -1021, -2015, -2014]
            answer = await ask(opened, method, signed(server), "x7")
            assert (answer["id"], answer["status"], answer["result"]) == ("x7", 200, {"subscriptionId": 0})
            server.exchange.deposit("main", "USDT", Decimal(1))
            told = await opened.receive_json()
            assert (told["subscriptionId"], told["event"]["e"]) == (0, "balanceUpdate")
            assert (await ask(opened, "userDataStream.unsubscribe"))["status"] == 200
            assert OrderUpdated not in next(iter(server.hub.sessions)).kinds
            assert (await ask(opened, "time"))["result"]["serverTime"] > 0
            assert (await ask(opened, "ping"))["result"] == {}
            assert (await ask(opened, "order.dance"))["status"] == 400

    run(scenario)


def test_streams_are_subscribed_listed_and_given_up_by_request() -> None:
    async def scenario() -> None:
        async with served() as (server, _), socket(server, f"/ws/{NAME}@trade") as opened:
            await subscribed(opened, f"{NAME}@bookTicker", f"{NAME}@depth5", f"{NAME}@depth@100ms")
            assert (await ask(opened, "LIST_SUBSCRIPTIONS"))["result"] == [
                f"{NAME}@trade",
                f"{NAME}@bookTicker",
                f"{NAME}@depth5",
                f"{NAME}@depth@100ms",
            ]
            push(server, 101)
            told = [await opened.receive_json() for _ in range(4)]
            assert sorted(one.get("e", "") for one in told) == ["", "", "depthUpdate", "trade"]
            partial = next(one for one in told if "lastUpdateId" in one)
            diff = next(one for one in told if one.get("e") == "depthUpdate")
            best = next(one for one in told if "B" in one and "e" not in one)
            assert partial["lastUpdateId"] == diff["u"] == best["u"]
            assert len(partial["bids"]) == 5
            assert partial["bids"][0] == [best["b"], best["B"]]
            await ask(opened, "UNSUBSCRIBE", [f"{NAME}@bookTicker", f"{NAME}@depth5", f"{NAME}@depth@100ms"])
            assert BookChanged not in next(iter(server.hub.sessions)).kinds

    run(scenario)


def test_combined_streams_name_the_stream_of_each_message() -> None:
    async def scenario() -> None:
        path = f"/stream?streams={NAME}@aggTrade/{NAME}@miniTicker"
        async with served() as (server, _), socket(server, path) as opened:
            assert (await ask(opened, "GET_PROPERTY", ["combined"]))["result"] is True
            push(server, 101)
            first, second = await opened.receive_json(), await opened.receive_json()
            assert {first["stream"]: first["data"]["e"], second["stream"]: second["data"]["e"]} == {
                f"{NAME}@aggTrade": "aggTrade",
                f"{NAME}@miniTicker": "24hrMiniTicker",
            }
            await ask(opened, "SET_PROPERTY", ["combined", False])
            push(server, 102)
            assert (await opened.receive_json())["e"] == "aggTrade"

    run(scenario)


def test_all_market_tickers_come_as_lists_at_most_once_a_market_second() -> None:
    async def scenario() -> None:
        async with served() as (server, _), socket(server, "/ws/!miniTicker@arr") as opened:
            await known(server, TradeMade)
            push(server, 101)
            push(server, 102)
            server.exchange.advance_to(server.exchange.now_ms + 1_000)
            push(server, 103)
            assert [one["c"] for one in await opened.receive_json()] == ["101.00000000"]
            assert [one["c"] for one in await opened.receive_json()] == ["103.00000000"]

    run(scenario)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"id": true, "method": "SUBSCRIBE"}',
        '{"id": 1}',
        '{"id": 1, "method": "DANCE"}',
        '{"id": 1, "method": "SUBSCRIBE", "params": "btcusdt@trade"}',
        '{"id": 1, "method": "SUBSCRIBE", "params": [7]}',
        '{"id": 1, "method": "SUBSCRIBE", "params": ["btcusdt@nothing"]}',
        '{"id": 1, "method": "SUBSCRIBE", "params": ["btcusdt@kline_7m"]}',
        '{"id": 1, "method": "SET_PROPERTY", "params": ["combined", 1]}',
        '{"id": 1, "method": "GET_PROPERTY", "params": ["other"]}',
        "[" * 5_000,
    ],
)
def test_malformed_requests_get_an_error_and_the_connection_stays(text: str) -> None:
    async def scenario() -> None:
        async with served() as (server, _), socket(server, "/ws") as opened, socket(server, "/ws-api/v3") as api:
            for one in (opened, api):
                await one.send_str(text)
                assert "error" in await one.receive_json()
            await subscribed(opened, f"{NAME}@trade")
            assert (await ask(api, "ping"))["status"] == 200

    run(scenario)


def test_ccxt_comes_back_after_the_server_cut_the_connection() -> None:
    async def scenario() -> None:
        async with streaming() as (server, client):
            watched = asyncio.ensure_future(client.watch_trades(BTC))
            await known(server, TradeMade)
            assert server.hub.disconnect_all() == 1
            with pytest.raises(ccxt.NetworkError):
                await watched
            again = asyncio.ensure_future(client.watch_trades(BTC))
            await known(server, TradeMade)
            push(server, 101)
            assert (await again)[0]["price"] == 101.0
            assert server.hub.counts["opened"] == 2

    run(scenario)


def test_faulty_stream_sends_duplicates_and_changes_the_order_but_loses_nothing() -> None:
    async def scenario() -> None:
        faults = {"duplicate": 0.3, "reorder": 0.3, "seed": 5}
        async with served(faults=faults) as (server, _), socket(server, f"/ws/{NAME}@trade") as opened:
            await known(server, TradeMade)
            for step in range(30):
                push(server, 100 + step)
            wanted = [trade.trade_id for trade in server.exchange.recent_trades(BTC)]
            seen: list[int] = []
            while len(seen) < len(wanted) + server.faults.counts["duplicate"]:
                seen.append((await opened.receive_json())["t"])
            assert sorted(set(seen)) == wanted
            assert len(seen) > len(wanted)
            assert seen != sorted(seen)
            assert server.faults.counts["reorder"] > 0

    run(scenario)


def test_connection_is_closed_after_a_day_of_market_time() -> None:
    async def scenario() -> None:
        async with served() as (server, _), socket(server, f"/ws/{NAME}@kline_1m") as opened:
            await known(server, KlineChanged)
            server.exchange.advance_to(server.exchange.now_ms + 86_400_000)
            message = await opened.receive()
            while message.type is aiohttp.WSMsgType.TEXT:
                message = await opened.receive()
            assert message.type is aiohttp.WSMsgType.CLOSE
            assert server.hub.counts["expired"] == 1
            assert server.hub.sessions == ()

    run(scenario)


@pytest.mark.parametrize(("price", "text"), [("0.1", "0.10000000"), ("1E+3", "1000.00000000"), ("1E-9", "0.000000001")])
def test_amounts_have_eight_decimals_or_as_many_as_they_need(price: str, text: str) -> None:
    assert messages.amount_text(Decimal(price)) == text


@given(
    st.lists(
        st.tuples(st.sampled_from(["97", "99", "101", "104"]), st.integers(1, 50), st.booleans()),
        min_size=1,
        max_size=15,
    )
)
def test_depth_updates_applied_to_a_snapshot_give_the_next_snapshot(orders: list[tuple[str, int, bool]]) -> None:
    exchange = still()
    exchange.depth(BTC)
    before = messages.partial_depth_message(exchange.depth(BTC, 5_000))
    events: list[BookChanged] = []
    exchange.on_event(lambda event: events.append(event) if isinstance(event, BookChanged) else None, (BookChanged,))
    for number, (price, tenths, buys) in enumerate(orders):
        order = limit(Side.BUY if buys else Side.SELL, f"{tenths / 10:.1f}", price, f"n{number}")
        exchange.place("main", order)
        if number % 3 == 2:
            exchange.push_price(BTC, Decimal(price))
    book: dict[str, dict[str, str]] = {side: dict(before[f"{side}s"]) for side in ("bid", "ask")}  # type: ignore[call-overload]
    update_id = before["lastUpdateId"]
    for event in events:
        update: Any = messages.depth_update_message(event, MARKET)
        assert update["U"] == update_id + 1  # type: ignore[operator]
        assert update["u"] >= update["U"]
        update_id = update["u"]
        for side, rows in (("bid", update["b"]), ("ask", update["a"])):
            for price, quantity in rows:
                if Decimal(quantity) == 0:
                    del book[side][price]
                else:
                    book[side][price] = quantity
    after: Any = messages.partial_depth_message(exchange.depth(BTC, 5_000))
    assert update_id == after["lastUpdateId"]
    assert book == {side: dict(after[f"{side}s"]) for side in ("bid", "ask")}
