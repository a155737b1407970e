"""Unmodified ccxt against the REST endpoints of the Coinbase dialect."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import ccxt.pro
import pytest

from tests.trading.brokers.exchange_server.coinbase_venue import KEY, PRODUCT, SYMBOL, CoinbaseVenue, run, running
from tests.trading.brokers.exchange_server.exchanges import served
from trading.brokers.exchange_server.coinbase_auth import CoinbaseKey
from trading.brokers.exchange_server.coinbase_gate import CoinbaseLimits
from trading.brokers.exchange_server.config import TEST_KEY, TEST_SECRET
from trading.errors import UsageError


async def place(client: Any, side: str, amount: float, price: float, client_id: str, **params: object) -> Any:
    return await client.create_order(SYMBOL, "limit", side, amount, price, {"client_order_id": client_id, **params})


def test_markets_carry_steps_limits_and_the_account_fee_tier() -> None:
    async def scenario() -> None:
        async with running() as venue:
            markets = await venue.client().load_markets()
            market = markets[SYMBOL]
            assert market["id"] == PRODUCT
            assert market["precision"] == {"amount": 0.0001, "price": 0.01}
            assert market["limits"]["cost"]["min"] == 1.0
            assert (market["maker"], market["taker"]) == (0.001, 0.001)
            assert market["active"]

    run(scenario)


def test_clock_candles_book_and_trades_agree_with_the_exchange() -> None:
    async def scenario() -> None:
        async with running() as venue:
            client = venue.client(fetchTime="v3PublicGetBrokerageTime")
            await client.load_markets()
            assert abs(await client.fetch_time() - client.milliseconds()) < 5_000
            venue.exchange.push_price(SYMBOL, Decimal(30_100))
            known = venue.exchange.klines(SYMBOL, "1m", limit=20)
            candles = await client.fetch_ohlcv(SYMBOL, "1m", since=known[0].open_ms, limit=100)
            assert [row[:5] for row in candles] == [
                [one.open_ms, float(one.open), float(one.high), float(one.low), float(one.close)] for one in known
            ]
            book = await client.fetch_order_book(SYMBOL, 5)
            depth = venue.exchange.depth(SYMBOL, 5)
            assert book["bids"] == [[float(level.price), float(level.quantity)] for level in depth.bids]
            assert book["asks"] == [[float(level.price), float(level.quantity)] for level in depth.asks]
            ticker = await client.fetch_ticker(SYMBOL)
            assert (ticker["last"], ticker["bid"], ticker["ask"]) == (
                30_100.0,
                float(depth.bids[0].price),
                float(depth.asks[0].price),
            )
            (trade, *_) = await client.fetch_trades(SYMBOL, limit=1)
            assert trade["id"] == str(venue.exchange.recent_trades(SYMBOL)[-1].trade_id)
            quotes = await client.fetch_bids_asks([SYMBOL])
            assert quotes[SYMBOL]["bid"] == ticker["bid"]

    run(scenario)


def test_order_lives_from_open_to_filled_and_everything_agrees() -> None:
    async def scenario() -> None:
        async with running() as venue:
            client = venue.client()
            await client.load_markets()
            placed = await place(client, "buy", 0.01, 29_000, "first")
            assert placed["clientOrderId"] == "first"
            (resting,) = await client.fetch_open_orders(SYMBOL)
            assert (resting["id"], resting["status"], resting["price"]) == (placed["id"], "open", 29_000.0)
            balance = await client.fetch_balance()
            assert balance["USD"]["used"] > 290.0
            venue.exchange.push_price(SYMBOL, Decimal(28_900))
            done = await client.fetch_order(placed["id"], SYMBOL)
            assert (done["status"], done["filled"], done["average"]) == ("closed", 0.01, 29_000.0)
            (fill,) = await client.fetch_my_trades(SYMBOL)
            assert (fill["order"], fill["price"], fill["amount"]) == (placed["id"], 29_000.0, 0.01)
            assert (fill["fee"], fill["takerOrMaker"]) == ({"cost": 0.29, "currency": "USD"}, "maker")
            assert done["info"]["total_fees"] == "0.29"
            balance = await client.fetch_balance()
            assert balance["BTC"]["total"] == 1.01
            assert balance["USD"] == {"free": 9709.71, "used": 0.0, "total": 9709.71}
            assert await client.fetch_open_orders(SYMBOL) == []
            assert [one["id"] for one in await client.fetch_closed_orders(SYMBOL)] == [placed["id"]]

    run(scenario)


def test_repeated_client_order_id_brings_back_the_first_order_even_when_it_is_done() -> None:
    async def scenario() -> None:
        async with running() as venue:
            client = venue.client()
            await client.load_markets()
            first = await place(client, "buy", 0.01, 29_000, "same")
            again = await place(client, "sell", 0.02, 31_000, "same")
            assert again["id"] == first["id"]
            assert again["side"] == "buy"
            venue.exchange.push_price(SYMBOL, Decimal(28_900))
            late = await place(client, "buy", 0.01, 28_000, "same")
            assert late["id"] == first["id"]
            assert len(await client.fetch_orders(SYMBOL)) == 1
            assert venue.exchange.audit_log.repeated_client_ids() == []

    run(scenario)


def test_cancel_ends_an_order_once() -> None:
    async def scenario() -> None:
        async with running() as venue:
            client = venue.client()
            await client.load_markets()
            placed = await place(client, "sell", 0.5, 31_000, "away")
            await client.cancel_order(placed["id"], SYMBOL)
            assert (await client.fetch_order(placed["id"], SYMBOL))["status"] == "canceled"
            assert [one["id"] for one in await client.fetch_canceled_orders(SYMBOL)] == [placed["id"]]
            with pytest.raises(ccxt.BadRequest):
                await client.cancel_order(placed["id"], SYMBOL)
            raw = await client.v3PrivatePostBrokerageOrdersBatchCancel({"order_ids": [placed["id"], "nonsense"]})
            assert [one["failure_reason"] for one in raw["results"]] == ["UNKNOWN_CANCEL_ORDER"] * 2

    run(scenario)


def test_market_orders_by_base_and_by_quote_size_fill_at_once() -> None:
    async def scenario() -> None:
        async with running() as venue:
            client = venue.client()
            await client.load_markets()
            sold = await client.create_order(SYMBOL, "market", "sell", 0.01, None, {"client_order_id": "base"})
            done = await client.fetch_order(sold["id"], SYMBOL)
            assert (done["status"], done["filled"], done["type"], done["timeInForce"]) == (
                "closed",
                0.01,
                "market",
                "IOC",
            )
            bought = await client.create_market_buy_order_with_cost(SYMBOL, 300, {"client_order_id": "quote"})
            spent = await client.fetch_order(bought["id"], SYMBOL)
            assert 0.009 <= spent["filled"] <= 0.01
            assert spent["info"]["order_configuration"] == {"market_market_ioc": {"quote_size": "300"}}

    run(scenario)


def test_immediate_order_cancels_what_it_leaves_over() -> None:
    async def scenario() -> None:
        async with running() as venue:
            client = venue.client()
            await client.load_markets()
            placed = await place(client, "buy", 0.01, 29_000, "ioc", timeInForce="IOC")
            done = await client.fetch_order(placed["id"], SYMBOL)
            assert (done["status"], done["filled"], done["timeInForce"]) == ("canceled", 0.0, "IOC")
            whole = await place(client, "buy", 0.01, 29_000, "fok", timeInForce="FOK")
            assert (await client.fetch_order(whole["id"], SYMBOL))["timeInForce"] == "FOK"

    run(scenario)


@pytest.mark.parametrize(
    ("side", "amount", "price", "params", "kind", "word"),
    [
        ("buy", 1.0, 30_000.0, {}, ccxt.InsufficientFunds, "PREVIEW_INSUFFICIENT_FUND"),
        ("sell", 2.0, 31_000.0, {}, ccxt.InsufficientFunds, "PREVIEW_INSUFFICIENT_FUND"),
        ("buy", 0.01, 31_000.0, {"postOnly": True}, ccxt.ExchangeError, "INVALID_LIMIT_PRICE_POST_ONLY"),
        ("buy", 0.01, 1.0, {}, ccxt.ExchangeError, "INVALID_LIMIT_PRICE"),
    ],
)
def test_refused_orders_say_why_in_the_words_of_coinbase(
    side: str, amount: float, price: float, params: dict[str, object], kind: type[Exception], word: str
) -> None:
    async def scenario() -> None:
        async with running() as venue:
            client = venue.client()
            await client.load_markets()
            with pytest.raises(kind, match=word):
                await place(client, side, amount, price, "refused", **params)
            assert await client.fetch_orders(SYMBOL) == []

    run(scenario)


@pytest.mark.parametrize(
    ("configuration", "word"),
    [
        ({"limit_limit_gtc": {"base_size": "0.01", "limit_price": "29000.001"}}, "INVALID_PRICE_PRECISION"),
        ({"limit_limit_gtc": {"base_size": "0.00001", "limit_price": "29000"}}, "INVALID_SIZE_PRECISION"),
        ({"limit_limit_gtc": {"base_size": "NaN", "limit_price": "29000"}}, "INVALID_ARGUMENT"),
        ({"limit_limit_gtc": {"base_size": "-1", "limit_price": "29000"}}, "INVALID_ARGUMENT"),
        ({"market_market_ioc": {}}, "INVALID_ARGUMENT"),
        ({"twap_limit_gtd": {"base_size": "1"}}, "INVALID_ARGUMENT"),
        ({}, "INVALID_ARGUMENT"),
        ([], "INVALID_ARGUMENT"),
    ],
)
def test_malformed_orders_are_refused_without_an_order(configuration: object, word: str) -> None:
    async def scenario() -> None:
        async with running() as venue:
            client = venue.client()
            body = {
                "client_order_id": "bad",
                "product_id": PRODUCT,
                "side": "BUY",
                "order_configuration": configuration,
            }
            with pytest.raises(ccxt.ExchangeError, match=word):
                await client.v3PrivatePostBrokerageOrders(body)
            assert venue.exchange.audit_log.accepted == []

    run(scenario)


def test_unknown_product_and_unknown_order_are_refused() -> None:
    async def scenario() -> None:
        async with running() as venue:
            client = venue.client()
            body = {
                "client_order_id": "bad",
                "product_id": "XYZ-USD",
                "side": "BUY",
                "order_configuration": {"market_market_ioc": {"base_size": "1"}},
            }
            with pytest.raises(ccxt.ExchangeError, match="INVALID_PRODUCT_ID"):
                await client.v3PrivatePostBrokerageOrders(body)
            await client.load_markets()
            with pytest.raises(ccxt.ExchangeError, match="was not found"):
                await client.fetch_order("9bc1eb3b-5b46-4b71-9628-ae2ed0cca75b", SYMBOL)

    run(scenario)


async def many_orders(venue: CoinbaseVenue, count: int) -> list[str]:
    client = venue.client()
    await client.load_markets()
    return [(await place(client, "buy", 0.001, 29_000 - number, f"n{number}"))["id"] for number in range(count)]


def test_lists_come_page_by_page_without_loss_or_repetition() -> None:
    async def scenario() -> None:
        async with running() as venue:
            ids = await many_orders(venue, 7)
            client = venue.clients[0]
            venue.exchange.push_price(SYMBOL, Decimal(28_000))
            for read, name, key in (
                (client.v3PrivateGetBrokerageOrdersHistoricalBatch, "orders", "order_id"),
                (client.v3PrivateGetBrokerageOrdersHistoricalFills, "fills", "order_id"),
                (client.v3PrivateGetBrokerageAccounts, "accounts", "currency"),
            ):
                limit = 1 if name == "accounts" else 3
                seen: list[str] = []
                cursor = ""
                while True:
                    page = await read({"limit": limit, "cursor": cursor} if cursor else {"limit": limit})
                    assert len(page[name]) <= limit
                    seen += [one[key] for one in page[name]]
                    cursor = page["cursor"]
                    if not cursor:
                        break
                wanted = {"BTC", "USD"} if name == "accounts" else set(ids)
                assert set(seen) == wanted
                assert len(seen) == len(wanted)
            with pytest.raises(ccxt.ExchangeError, match="invalid cursor"):
                await client.v3PrivateGetBrokerageOrdersHistoricalBatch({"cursor": "no cursor"})

    run(scenario)


def test_paginated_ccxt_calls_return_every_order_and_fill() -> None:
    async def scenario() -> None:
        async with running() as venue:
            ids = await many_orders(venue, 5)
            client = venue.clients[0]
            venue.exchange.push_price(SYMBOL, Decimal(28_000))
            orders = await client.fetch_orders(SYMBOL, params={"paginate": True})
            assert {one["id"] for one in orders} == set(ids)
            fills = await client.fetch_my_trades(SYMBOL, params={"paginate": True})
            assert {one["order"] for one in fills} == set(ids)

    run(scenario)


def test_list_filters_by_time_and_product() -> None:
    async def scenario() -> None:
        async with running() as venue:
            await many_orders(venue, 2)
            client = venue.clients[0]
            later_ms = venue.exchange.now_ms + 60_000
            assert await client.fetch_orders(SYMBOL, since=later_ms) == []
            venue.exchange.advance_to(later_ms)
            venue.exchange.push_price(SYMBOL, Decimal(28_000))
            assert len(await client.fetch_my_trades(SYMBOL, since=later_ms)) == 2
            assert await client.fetch_my_trades(SYMBOL, since=later_ms + 1) == []

    run(scenario)


def test_wrong_secret_is_unauthorised_everywhere_private_and_nowhere_public() -> None:
    async def scenario() -> None:
        async with running() as venue:
            stranger = venue.client(key=CoinbaseKey(KEY.name, KEY.private_value + 1))
            with pytest.raises(ccxt.AuthenticationError):
                await stranger.v3PrivateGetBrokerageAccounts()
            with pytest.raises(ccxt.AuthenticationError):
                await stranger.v3PrivatePostBrokerageOrders({"product_id": PRODUCT})
            unknown = venue.client(key=CoinbaseKey.derived("nobody", "secret"))
            with pytest.raises(ccxt.AuthenticationError):
                await unknown.v3PrivateGetBrokerageKeyPermissions()
            assert (await stranger.v3PublicGetBrokerageMarketProducts())["num_products"] == 1
            assert await venue.client().v3PrivateGetBrokerageProducts()

    run(scenario)


def test_key_permissions_tell_whether_money_can_leave() -> None:
    async def scenario() -> None:
        async with running(accounts=({"can_withdraw": True, "balances": {}},)) as venue:
            permissions = await venue.client().v3PrivateGetBrokerageKeyPermissions()
            assert permissions["can_transfer"] is True

    run(scenario)


def test_too_many_requests_in_a_second_get_429() -> None:
    async def scenario() -> None:
        async with running(limits=CoinbaseLimits(2, 2)) as venue:
            client = venue.client()

            async def many(read: Callable[[], Awaitable[object]]) -> None:
                for _ in range(50):
                    await read()

            for read in (client.v3PrivateGetBrokerageKeyPermissions, client.v3PublicGetBrokerageTime):
                with pytest.raises(ccxt.RateLimitExceeded):
                    await many(read)

    run(scenario)


def test_the_rate_is_counted_in_seconds_of_the_market() -> None:
    async def scenario() -> None:
        async with running(limits=CoinbaseLimits(2, 2)) as venue:
            read = venue.client().v3PublicGetBrokerageTime
            for _ in range(5):
                await read()
                await read()
                with pytest.raises(ccxt.RateLimitExceeded):
                    await read()
                venue.exchange.advance_to(venue.exchange.now_ms + 1_000)

    run(scenario)


def test_too_many_candles_are_refused() -> None:
    async def scenario() -> None:
        async with running() as venue:
            with pytest.raises(ccxt.ExchangeError, match="less than 350"):
                await venue.client().v3PublicGetBrokerageMarketProductsProductIdCandles(
                    {"product_id": PRODUCT, "start": 0, "end": 351 * 60, "granularity": "ONE_MINUTE"}
                )

    run(scenario)


def test_insufficient_funds_by_fault_leaves_no_order() -> None:
    async def scenario() -> None:
        async with running(faults={"insufficient_funds": 1.0}) as venue:
            client = venue.client()
            await client.load_markets()
            with pytest.raises(ccxt.InsufficientFunds):
                await place(client, "buy", 0.001, 29_000, "fault")
            assert venue.faults.counts["insufficient_funds"] == 1
            assert venue.exchange.audit_log.accepted == []

    run(scenario)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("drop_before", ccxt.NetworkError),
        ("drop_after", ccxt.NetworkError),
        ("error_500", ccxt.ExchangeError),
        ("error_502", ccxt.ExchangeNotAvailable),
        ("error_503", ccxt.BaseError),
        ("error_504", ccxt.BaseError),
        ("too_many", ccxt.RateLimitExceeded),
        ("maintenance", ccxt.BaseError),
    ],
)
def test_faulty_answers_never_look_like_a_placed_order(fault: str, kind: type[Exception]) -> None:
    async def scenario() -> None:
        async with running() as venue:
            client = venue.client()
            await client.load_markets()
            venue.faults.change({fault: 1.0})
            with pytest.raises(kind):
                await place(client, "buy", 0.001, 29_000, "faulty")
            assert venue.faults.counts[fault] == 1
            accepted = len(venue.exchange.audit_log.accepted)
            assert accepted == (1 if fault == "drop_after" else accepted)
            if fault in {"drop_before", "error_500", "error_502", "too_many", "maintenance"}:
                assert accepted == 0
            venue.faults.change({fault: 0.0})
            venue.exchange.advance_to(venue.exchange.now_ms + 60_000)
            again = await place(client, "buy", 0.001, 29_000, "faulty")
            assert (await client.fetch_order(again["id"], SYMBOL))["clientOrderId"] == "faulty"
            assert len(venue.exchange.audit_log.accepted) == 1

    run(scenario)


def test_stale_answers_tell_how_it_was_before() -> None:
    async def scenario() -> None:
        async with running() as venue:
            client = venue.client()
            await client.load_markets()
            await place(client, "buy", 0.001, 29_000, "new")
            venue.faults.change({"stale": 1.0, "stale_ms": 1_000})
            assert await client.fetch_open_orders(SYMBOL) == []
            assert (await client.fetch_balance())["USD"]["used"] == 0.0
            venue.faults.change({"stale": 0.0})
            assert len(await client.fetch_open_orders(SYMBOL)) == 1

    run(scenario)


def test_delisting_by_fault_refuses_the_order_and_says_so() -> None:
    async def scenario() -> None:
        async with running() as venue:
            client = venue.client()
            await client.load_markets()
            venue.faults.change({"delisting": 1.0})
            with pytest.raises(ccxt.ExchangeError, match="ORDER_ENTRY_DISABLED"):
                await place(client, "buy", 0.001, 29_000, "late")
            products = await client.v3PublicGetBrokerageMarketProducts()
            assert products["products"][0]["trading_disabled"] is True

    run(scenario)


def test_fees_in_the_received_asset_cannot_be_told_and_are_refused() -> None:
    async def scenario() -> None:
        with pytest.raises(UsageError, match="fee_asset"):
            async with running(fee_asset="received"):
                pass

    run(scenario)


def test_server_speaks_both_dialects_about_the_same_orders_when_fees_are_in_quote() -> None:
    async def scenario() -> None:
        async with served(fee_asset="quote") as (server, binance):
            await binance.load_markets()
            made = await binance.create_order("BTC/USDT", "limit", "buy", 1, 99, {"newClientOrderId": "shared"})
            key = CoinbaseKey.derived(TEST_KEY, TEST_SECRET)
            coinbase = ccxt.pro.coinbase({"apiKey": key.name, "secret": key.private_pem, "enableRateLimit": False})
            coinbase.urls["api"] = {"rest": server.url, "ws": server.ws_url}
            try:
                (seen,) = await coinbase.fetch_open_orders("BTC/USDT")
                assert (seen["clientOrderId"], seen["price"], seen["amount"]) == ("shared", 99.0, 1.0)
                await coinbase.cancel_order(seen["id"], "BTC/USDT")
            finally:
                await coinbase.close()
            assert (await binance.fetch_order(made["id"], "BTC/USDT"))["status"] == "canceled"

    run(scenario)


def test_older_balance_call_of_ccxt_tells_totals() -> None:
    async def scenario() -> None:
        async with running() as venue:
            client = venue.client(fetchBalance="v2PrivateGetAccounts")
            await client.load_markets()
            await place(client, "buy", 0.01, 29_000, "held")
            balance = await client.fetch_balance()
            assert (balance["BTC"]["total"], balance["USD"]["total"]) == (1.0, 10_000.0)

    run(scenario)
