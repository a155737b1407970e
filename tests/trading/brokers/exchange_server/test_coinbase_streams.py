"""Unmodified ccxt.pro, and a bare WebSocket, against the streams of the Coinbase dialect."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import aiohttp
import ccxt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.brokers.exchange_server.coinbase_venue import (
    KEY,
    PRODUCT,
    SYMBOL,
    CoinbaseVenue,
    config,
    run,
    running,
)
from trading.brokers.exchange_server import coinbase_messages as messages
from trading.brokers.exchange_server.coinbase_auth import CoinbaseKey
from trading.brokers.exchange_server.records import BookChanged, Depth, Event, OrderRequest, OrderType, Side, TradeMade
from trading.brokers.exchange_server.streams import StreamSettings
from trading.brokers.exchange_server.venue import SimulatedExchange


async def until_seen(reached: Callable[[], bool], watch: Callable[[], Awaitable[object]]) -> None:
    """Watch until what ccxt has taken in is enough; nothing can arrive between the look and the wait."""
    while not reached():
        await watch()


def wants(venue: CoinbaseVenue, kind: type[Event]) -> bool:
    return any(kind in session.kinds for session in venue.hub.sessions)


async def known(venue: CoinbaseVenue, kind: type[Event]) -> None:
    """Wait until a connection has asked for a kind of event."""
    while not wants(venue, kind):
        await asyncio.sleep(0)


@asynccontextmanager
async def socket(venue: CoinbaseVenue) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    url = f"ws://127.0.0.1:{venue.port}"
    async with aiohttp.ClientSession() as session, session.ws_connect(url, autoping=True) as opened:
        yield opened


async def subscribe(opened: aiohttp.ClientWebSocketResponse, channel: str, **more: object) -> None:
    await opened.send_json({"type": "subscribe", "channel": channel, "product_ids": [PRODUCT], **more})


def token(key: CoinbaseKey = KEY) -> str:
    client = ccxt.coinbase({"apiKey": key.name, "secret": key.private_pem})
    return str(client.create_auth_token(client.seconds()))


async def until(opened: aiohttp.ClientWebSocketResponse, channel: str) -> dict[str, Any]:
    while True:
        message: dict[str, Any] = await opened.receive_json()
        if message.get("channel") == channel or message.get("type") == channel:
            return message


def test_ticker_follows_the_price() -> None:
    async def scenario() -> None:
        async with running() as venue:
            client = venue.client()
            await client.load_markets()
            first = await client.watch_ticker(SYMBOL)
            assert first["last"] == 30_000.0
            await known(venue, BookChanged)
            venue.exchange.push_price(SYMBOL, Decimal(30_100))
            await until_seen(lambda: client.tickers[SYMBOL]["last"] == 30_100.0, lambda: client.watch_ticker(SYMBOL))
            second = client.tickers[SYMBOL]
            depth = venue.exchange.depth(SYMBOL, 1)
            assert (second["bid"], second["ask"]) == (float(depth.bids[0].price), float(depth.asks[0].price))

    run(scenario)


def test_several_tickers_come_in_batches_of_market_time() -> None:
    async def scenario() -> None:
        async with running() as venue:
            client = venue.client()
            await client.load_markets()
            await client.watch_tickers([SYMBOL])
            await known(venue, TradeMade)
            venue.exchange.push_price(SYMBOL, Decimal(30_100))
            venue.exchange.push_price(SYMBOL, Decimal(30_200))
            await venue.hub.flush()
            venue.exchange.advance_to(venue.exchange.now_ms + 5_000)
            venue.exchange.push_price(SYMBOL, Decimal(30_300))
            seen = [client.tickers[SYMBOL]["last"]]
            while seen[-1] != 30_300.0:
                seen.append((await client.watch_tickers([SYMBOL]))[SYMBOL]["last"])
            assert 30_200.0 not in seen

    run(scenario)


def test_trades_come_once_each_and_in_order() -> None:
    async def scenario() -> None:
        async with running() as venue:
            client = venue.client()
            await client.load_markets()
            venue.exchange.push_price(SYMBOL, Decimal(30_010))
            await client.watch_trades(SYMBOL)
            await known(venue, TradeMade)
            for step in range(1, 6):
                venue.exchange.push_price(SYMBOL, Decimal(30_010 + step))
            wanted = [str(trade.trade_id) for trade in venue.exchange.recent_trades(SYMBOL)]
            await until_seen(lambda: len(client.trades[SYMBOL]) >= len(wanted), lambda: client.watch_trades(SYMBOL))
            assert [trade["id"] for trade in client.trades[SYMBOL]] == wanted

    run(scenario)


def test_watched_order_book_equals_the_book_after_changes() -> None:
    async def scenario() -> None:
        async with running() as venue:
            client = venue.client()
            await client.load_markets()
            await client.watch_order_book(SYMBOL)
            for price in (30_050, 29_900, 30_010):
                venue.exchange.push_price(SYMBOL, Decimal(price))
            venue.exchange.place("main", limit_order(Side.BUY, "0.01", "29500", "deep"))
            depth = venue.exchange.depth(SYMBOL, 1_000)
            wanted = [[float(level.price), float(level.quantity)] for level in depth.bids]
            book = client.orderbooks[SYMBOL]
            while [row[:2] for row in book["bids"]] != wanted:
                book = await client.watch_order_book(SYMBOL)
            assert [row[:2] for row in book["asks"]] == [
                [float(level.price), float(level.quantity)] for level in depth.asks
            ]

    run(scenario)


def limit_order(side: Side, quantity: str, price: str, client_id: str) -> OrderRequest:
    return OrderRequest(SYMBOL, side, OrderType.LIMIT, Decimal(quantity), Decimal(price), client_id=client_id)


def test_own_orders_are_told_from_open_to_filled() -> None:
    async def scenario() -> None:
        async with running() as venue:
            client = venue.client()
            await client.load_markets()
            venue.exchange.place("main", limit_order(Side.BUY, "0.01", "29000", "before"))
            (before,) = await client.watch_orders(SYMBOL)
            assert (before["clientOrderId"], before["status"]) == ("before", "open")
            placed = await client.create_order(SYMBOL, "limit", "sell", 0.02, 31_000, {"client_order_id": "mine"})

            def states() -> dict[str, str]:
                return {one["clientOrderId"]: one["status"] for one in client.orders}

            await until_seen(lambda: states().get("mine") == "open", lambda: client.watch_orders(SYMBOL))
            venue.exchange.push_price(SYMBOL, Decimal(31_500))
            await until_seen(lambda: states()["mine"] == "closed", lambda: client.watch_orders(SYMBOL))
            filled = next(one for one in client.orders if one["id"] == placed["id"])
            assert (filled["filled"], filled["info"]["total_fees"]) == (0.02, "0.62")
            await client.cancel_order(before["id"], SYMBOL)
            await until_seen(lambda: states()["before"] == "canceled", lambda: client.watch_orders(SYMBOL))

    run(scenario)


def test_user_channel_needs_a_good_token() -> None:
    async def scenario() -> None:
        async with running() as venue, socket(venue) as opened:
            for bad in (None, "x.y.z", token(CoinbaseKey(KEY.name, KEY.private_value + 1))):
                await subscribe(opened, "user", jwt=bad)
                assert (await until(opened, "error"))["message"] == "authentication failure"
            await subscribe(opened, "user", jwt=token())
            snapshot = await until(opened, "user")
            assert snapshot["events"] == [{"type": "snapshot", "orders": []}]
            answer = await until(opened, "subscriptions")
            assert answer["events"] == [{"subscriptions": {"user": [PRODUCT]}}]

    run(scenario)


def test_large_snapshot_of_open_orders_ends_with_a_batch_that_is_not_full() -> None:
    async def scenario() -> None:
        async with running() as venue, socket(venue) as opened:
            for number in range(100):
                venue.exchange.place("main", limit_order(Side.BUY, "0.0001", f"{29_000 - number}", f"n{number}"))
            await subscribe(opened, "user", jwt=token())
            batches = [(await until(opened, "user"))["events"][0]["orders"] for _ in range(3)]
            assert [len(batch) for batch in batches] == [50, 50, 0]
            assert {order["client_order_id"] for batch in batches for order in batch} == {
                f"n{number}" for number in range(100)
            }

    run(scenario)


def test_other_accounts_orders_are_not_told() -> None:
    async def scenario() -> None:
        accounts: tuple[dict[str, object], ...] = (
            {},
            {"name": "other", "api_key": "other", "balances": {"USD": Decimal(1_000)}},
        )
        async with running(accounts=accounts) as venue, socket(venue) as opened:
            await subscribe(opened, "user", jwt=token())
            await until(opened, "subscriptions")
            venue.exchange.place("other", limit_order(Side.BUY, "0.01", "29000", "theirs"))
            venue.exchange.deposit("main", "USD", Decimal(1_000))
            venue.exchange.place("main", limit_order(Side.BUY, "0.01", "29000", "ours"))
            told = await until(opened, "user")
            assert [order["client_order_id"] for order in told["events"][0]["orders"]] == ["ours"]

    run(scenario)


def test_every_message_of_a_connection_has_the_next_number() -> None:
    async def scenario() -> None:
        async with running() as venue, socket(venue) as opened:
            for channel in ("level2", "market_trades", "ticker", "ticker_batch", "candles", "heartbeats"):
                await subscribe(opened, channel)
            venue.exchange.push_price(SYMBOL, Decimal(30_100))
            channels: set[str] = set()
            number = 0
            while channels < {"l2_data", "ticker", "ticker_batch", "candles", "heartbeats", "market_trades"}:
                message = await opened.receive_json()
                assert message["sequence_num"] == number
                number += 1
                channels.add(message["channel"])

    run(scenario)


def test_candles_begin_with_history_and_go_on_with_the_open_candle() -> None:
    async def scenario() -> None:
        async with running() as venue, socket(venue) as opened:
            await subscribe(opened, "candles")
            history = (await until(opened, "candles"))["events"][0]
            assert history["type"] == "snapshot"
            assert len(history["candles"]) > 10
            await until(opened, "subscriptions")
            venue.exchange.push_price(SYMBOL, Decimal(30_500))
            update = (await until(opened, "candles"))["events"][0]
            assert update["candles"][0]["start"] == history["candles"][0]["start"]
            assert update["candles"][0]["product_id"] == PRODUCT

    run(scenario)


def test_unsubscribed_channel_falls_silent_and_the_exchange_makes_no_more_events() -> None:
    async def scenario() -> None:
        async with running() as venue:
            client = venue.client()
            await client.load_markets()
            await client.watch_order_book(SYMBOL)
            assert wants(venue, BookChanged)
            await client.un_watch_order_book(SYMBOL)
            assert not wants(venue, BookChanged)

    run(scenario)


@pytest.mark.parametrize(
    "request_text",
    [
        "",
        "{",
        "[]",
        '"x"',
        "{}",
        '{"type": "subscribe"}',
        '{"type": "subscribe", "channel": "nothing"}',
        '{"type": "dance", "channel": "ticker"}',
        '{"type": "subscribe", "channel": "ticker", "product_ids": ["XYZ-USD"]}',
        '{"type": "subscribe", "channel": "ticker", "product_ids": 7}',
        "[" * 5_000,
    ],
)
def test_malformed_requests_get_an_error_and_the_connection_stays(request_text: str) -> None:
    async def scenario() -> None:
        async with running() as venue, socket(venue) as opened:
            await opened.send_str(request_text)
            assert (await opened.receive_json())["type"] == "error"
            await subscribe(opened, "ticker")
            assert (await until(opened, "ticker"))["events"][0]["type"] == "snapshot"

    run(scenario)


def test_ccxt_comes_back_after_the_server_cut_the_connection() -> None:
    async def scenario() -> None:
        async with running() as venue:
            client = venue.client()
            await client.load_markets()
            await client.watch_ticker(SYMBOL)
            pending = asyncio.ensure_future(client.watch_ticker(SYMBOL))
            await asyncio.sleep(0)
            assert venue.hub.disconnect_all() == 1
            with pytest.raises(ccxt.NetworkError):
                await pending
            assert (await client.watch_ticker(SYMBOL))["last"] == 30_000.0
            assert venue.hub.counts["opened"] == 2

    run(scenario)


def test_duplicates_arrive_with_the_same_number() -> None:
    async def scenario() -> None:
        async with running(faults={"duplicate": 1.0}) as venue, socket(venue) as opened:
            await subscribe(opened, "ticker")
            first, second = await opened.receive_json(), await opened.receive_json()
            assert first == second
            assert venue.faults.counts["duplicate"] >= 1

    run(scenario)


def test_reordered_messages_all_arrive_out_of_order() -> None:
    async def scenario() -> None:
        async with running(faults={"reorder": 0.5, "seed": 3}) as venue, socket(venue) as opened:
            await subscribe(opened, "market_trades")
            await known(venue, TradeMade)
            for step in range(20):
                venue.exchange.push_price(SYMBOL, Decimal(30_001 + step))
            numbers: list[int] = []
            while len(numbers) < 21:
                numbers.append((await opened.receive_json())["sequence_num"])
            assert sorted(numbers) == list(range(21))
            assert numbers != sorted(numbers)
            assert venue.faults.counts["reorder"] >= 1

    run(scenario)


def test_cut_by_fault_breaks_the_connection_without_a_goodbye() -> None:
    async def scenario() -> None:
        async with running(faults={"disconnect": 1.0}) as venue, socket(venue) as opened:
            await subscribe(opened, "ticker")
            message = await opened.receive()
            assert message.type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR, aiohttp.WSMsgType.CLOSE}
            assert opened.close_code != aiohttp.WSCloseCode.OK
            assert venue.faults.counts["disconnect"] >= 1

    run(scenario)


class PingClock:
    """Lets no time pass between pings and stands still for everything else."""

    def now_ms(self) -> int:
        return 0

    async def sleep(self, seconds: float) -> None:
        if seconds == StreamSettings().ping_every_s:
            await asyncio.sleep(0)
        else:
            await asyncio.Event().wait()


def test_pings_that_nobody_answers_end_the_connection() -> None:
    async def scenario() -> None:
        async with running(clock=PingClock()) as venue:
            url = f"ws://127.0.0.1:{venue.port}"
            async with aiohttp.ClientSession() as session, session.ws_connect(url, autoping=False) as opened:
                kinds = [(await opened.receive()).type for _ in range(4)]
                assert kinds == [*[aiohttp.WSMsgType.PING] * 3, aiohttp.WSMsgType.CLOSE]
                assert opened.close_code == aiohttp.WSCloseCode.POLICY_VIOLATION

    run(scenario)


def test_answered_pings_keep_the_connection_open() -> None:
    async def scenario() -> None:
        settings = StreamSettings(pings_unanswered=1_000)
        async with running(clock=PingClock(), settings=settings) as venue, socket(venue) as opened:
            await subscribe(opened, "ticker")
            await until(opened, "subscriptions")
            reading = asyncio.ensure_future(opened.receive())
            while venue.hub.counts["ping"] < 5_000:
                await asyncio.sleep(0)
            assert not opened.closed
            reading.cancel()

    run(scenario)


def test_silent_connection_stays_open_and_tells_nothing() -> None:
    async def scenario() -> None:
        async with running() as venue, socket(venue) as opened, socket(venue) as other:
            await subscribe(opened, "market_trades")
            await until(opened, "subscriptions")
            assert venue.hub.silence_all() == 2
            async with socket(venue) as fresh:
                await subscribe(fresh, "market_trades")
                await until(fresh, "subscriptions")
                venue.exchange.push_price(SYMBOL, Decimal(30_100))
                await until(fresh, "market_trades")
                await opened.ping()
                assert venue.hub.counts["unsent"] >= 1
                assert not opened.closed
                assert not other.closed

    run(scenario)


levels = st.lists(
    st.tuples(st.sampled_from(["29900", "29950", "30050", "30100", "30200"]), st.integers(1, 20), st.booleans()),
    min_size=1,
    max_size=12,
)


@given(levels)
def test_updates_applied_to_a_snapshot_give_the_next_snapshot(orders: list[tuple[str, int, bool]]) -> None:
    exchange = SimulatedExchange(config())
    before = exchange.depth(SYMBOL, 5_000)
    events: list[BookChanged] = []
    exchange.on_event(lambda event: events.append(event) if isinstance(event, BookChanged) else None, (BookChanged,))
    for number, (price, lots, buys) in enumerate(orders):
        side = Side.BUY if buys else Side.SELL
        exchange.place("main", limit_order(side, f"{lots * 0.0001:.4f}", price, f"n{number}"))
    book: dict[tuple[str, str], str] = {}
    told = [messages.level2_snapshot(before, PRODUCT, 0), *(messages.level2_update(one, PRODUCT) for one in events)]
    for message in told:
        apply(book, message)
    assert book == rows(exchange.depth(SYMBOL, 5_000))


def apply(book: dict[tuple[str, str], str], message: dict[str, Any]) -> None:
    for update in message["updates"]:
        key = (update["side"], update["price_level"])
        if update["new_quantity"] == "0":
            book.pop(key, None)
        else:
            book[key] = update["new_quantity"]


def rows(depth: Depth) -> dict[tuple[str, str], str]:
    return {
        (side, messages.amount_text(level.price)): messages.amount_text(level.quantity)
        for side, levels in (("bid", depth.bids), ("offer", depth.asks))
        for level in levels
    }


def test_messages_are_json_with_exact_amounts() -> None:
    exchange = SimulatedExchange(config())
    placed = exchange.place("main", limit_order(Side.BUY, "0.0007", "29999.99", "exact"))
    assert placed is not None
    told = json.loads(json.dumps(messages.stream_order(placed.order, PRODUCT, messages.FeeTotals())))
    assert (told["limit_price"], told["leaves_quantity"], told["status"]) == ("29999.99", "0.0007", "OPEN")
    assert told["outstanding_hold_amount"] == "20.999993"


@given(st.integers(1, 2**59), st.integers(0, 2_000_000_000_000))
def test_ids_and_times_survive_their_text(order_id: int, time_ms: int) -> None:
    assert messages.order_id_of(messages.order_uuid(order_id)) == order_id
    assert messages.time_of(messages.time_text(time_ms)) == time_ms


@given(st.text() | st.uuids().map(str))
def test_foreign_order_ids_are_nobodys(text: str) -> None:
    assert messages.order_id_of(text) is None
