from __future__ import annotations

import asyncio
import hashlib
import hmac
from decimal import Decimal
from urllib.parse import urlencode

import ccxt.async_support as ccxt
import httpx
import pytest

from tests.trading.brokers.exchange_server.exchanges import ccxt_client, served
from trading.brokers.exchange_server.config import TEST_KEY, TEST_SECRET, AccountConfig, FaultConfig, LimitConfig

BTC = "BTC/USDT"


def with_client(work, **changes):
    async def run():
        async with served(**changes) as (server, client):
            return await work(server, client)

    return asyncio.run(run())


def signed(**params):
    query = urlencode(params)
    return query + "&signature=" + hmac.new(TEST_SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()


def raw(method, path, query="", key=TEST_KEY, body=None, **changes):
    async def run():
        async with served(**changes) as (server, _), httpx.AsyncClient(base_url=server.url) as http:
            text = query(server) if callable(query) else query
            return await http.request(
                method, f"{path}?{text}" if text else path, headers={"X-MBX-APIKEY": key} if key else {}, content=body
            )

    return asyncio.run(run())


def now(server):
    return server.clock.now_ms()


async def _market_data(server, client):
    await client.load_markets()
    return {
        "market": client.market(BTC),
        "time": await client.fetch_time(),
        "ohlcv": await client.fetch_ohlcv(BTC, "1m", limit=1_000),
        "hours": await client.fetch_ohlcv(BTC, "1h", since=server.exchange.now_ms - 10 * 3_600_000),
        "ticker": await client.fetch_ticker(BTC),
        "tickers": await client.fetch_tickers([BTC]),
        "bids_asks": await client.fetch_bids_asks([BTC]),
        "last": await client.fetch_last_prices([BTC]),
        "book": await client.fetch_order_book(BTC, 5),
        "trades": await client.fetch_trades(BTC),
        "status": await client.fetch_status(),
        "ui": await client.public_get_uiklines({"symbol": "BTCUSDT", "interval": "5m", "limit": 3}),
        "average": await client.public_get_avgprice({"symbol": "BTCUSDT"}),
        "old": await client.public_get_historicaltrades({"symbol": "BTCUSDT", "fromId": 2, "limit": 2}),
        "price": server.exchange.last_price(BTC),
        "depth": server.exchange.depth(BTC, 5),
    }


def test_ccxt_reads_all_market_data():
    told = with_client(_market_data, flow="synthetic", start_price=30_000.0)

    assert told["market"]["precision"] == {"amount": 1e-05, "price": 0.01, "base": 1e-08, "quote": 1e-08}
    assert told["market"]["limits"]["cost"]["min"] == 5.0
    assert told["market"]["active"]
    assert len(told["ohlcv"]) == 1_000
    assert len(told["hours"]) == 10 or len(told["hours"]) == 11
    for price in (
        told["ticker"]["last"],
        told["tickers"][BTC]["last"],
        told["last"][BTC]["price"],
        told["ohlcv"][-1][4],
    ):
        assert price == float(told["price"])
    assert told["ticker"]["high"] >= told["ticker"]["last"] >= told["ticker"]["low"]
    assert told["book"]["bids"] == [[float(one.price), float(one.quantity)] for one in told["depth"].bids]
    assert told["book"]["nonce"] == told["depth"].update_id
    assert told["bids_asks"][BTC]["ask"] == told["book"]["asks"][0][0]
    assert told["trades"][-1]["price"] == float(told["price"])
    assert told["status"]["status"] == "ok"
    assert len(told["ui"]) == 3
    assert float(told["average"]["price"]) > 0
    assert told["old"] == []


async def _life_of_orders(server, client):
    told = {}
    told["market"] = await client.create_order(BTC, "market", "buy", 0.05, None, {"newClientOrderId": "m1"})
    told["spent"] = await client.create_market_buy_order_with_cost(BTC, 10)
    told["limit"] = await client.create_order(BTC, "limit", "sell", 0.5, 105, {"newClientOrderId": "s1"})
    told["maker"] = await client.create_order(BTC, "limit", "buy", 0.5, 95, {"postOnly": True})
    told["ioc"] = await client.create_order(BTC, "limit", "buy", 0.5, 97, {"timeInForce": "IOC"})
    told["test"] = await client.create_order(BTC, "limit", "buy", 0.5, 97, {"test": True})
    told["open"] = await client.fetch_open_orders(BTC)
    client.options["warnOnFetchOpenOrdersWithoutSymbol"] = False
    told["all_open"] = await client.fetch_open_orders()
    told["edited"] = await client.edit_order(told["limit"]["id"], BTC, "limit", "sell", 0.5, 104)
    told["old"] = await client.fetch_order(None, BTC, {"origClientOrderId": "s1"})
    server.exchange.push_price(BTC, Decimal(106), None)
    told["filled"] = await client.fetch_order(told["edited"]["id"], BTC)
    told["trades"] = await client.fetch_my_trades(BTC)
    told["of_order"] = await client.fetch_order_trades(told["edited"]["id"], BTC)
    told["orders"] = await client.fetch_orders(BTC)
    told["cancelled"] = await client.cancel_order(told["maker"]["id"], BTC)
    told["again"] = await client.create_order(BTC, "limit", "buy", 0.5, 95)
    told["all"] = await client.cancel_all_orders(BTC)
    told["balance"] = await client.fetch_balance()
    return told


def test_ccxt_places_queries_replaces_and_cancels_orders():
    told = with_client(_life_of_orders)

    assert (told["market"]["status"], told["market"]["filled"]) == ("closed", 0.05)
    assert told["market"]["clientOrderId"] == "m1"
    assert told["market"]["fee"]["currency"] == "BTC"
    assert told["spent"]["status"] == "closed"
    assert 9.99 < told["spent"]["cost"] <= 10
    assert told["limit"]["status"] == "open"
    assert told["maker"]["info"]["type"] == "LIMIT_MAKER"
    assert told["ioc"]["status"] == "expired"
    assert {order["id"] for order in told["open"]} == {told["limit"]["id"], told["maker"]["id"]}
    assert told["all_open"] == told["open"]
    assert told["old"]["status"] == "canceled"
    assert told["filled"]["status"] == "closed"
    assert [trade["price"] for trade in told["of_order"]] == [104.0]
    assert told["of_order"][0]["takerOrMaker"] == "maker"
    assert told["of_order"][0]["fee"]["currency"] == "USDT"
    assert float(told["of_order"][0]["fee"]["cost"]) == pytest.approx(0.052)
    assert len({trade["id"] for trade in told["trades"]}) == len(told["trades"])
    assert len(told["orders"]) == 6
    assert told["cancelled"]["status"] == "canceled"
    assert [order["id"] for order in told["all"]] == [told["again"]["id"]]
    assert told["balance"]["USDT"]["used"] == 0
    base = sum(t["amount"] * (1 if t["side"] == "buy" else -1) for t in told["trades"])
    fees = sum(t["fee"]["cost"] for t in told["trades"] if t["fee"]["currency"] == "BTC")
    assert told["balance"]["BTC"]["total"] == pytest.approx(100 + base - fees)


async def _wallet(server, client):
    server.exchange.deposit("main", "USDT", Decimal(250))
    server.exchange.deposit("main", "USDT", Decimal(-50))
    return (
        await client.fetch_deposits("USDT"),
        await client.fetch_withdrawals("USDT"),
        await client.fetch_trading_fee(BTC),
        await client.sapi_get_account_apirestrictions(),
        await client.private_get_account_commission({"symbol": "BTCUSDT"}),
        await client.private_get_ratelimit_order(),
    )


def test_ccxt_reads_the_wallet():
    deposits, withdrawals, fee, restrictions, commission, used = with_client(_wallet)

    assert [(one["amount"], one["status"]) for one in deposits] == [(250.0, "ok")]
    assert [(one["amount"], one["status"]) for one in withdrawals] == [(50.0, "ok")]
    assert (fee["maker"], fee["taker"]) == (0.001, 0.001)
    assert restrictions["enableWithdrawals"] is False
    assert commission["standardCommission"]["maker"] == "0.00100000"
    assert [row["count"] for row in used] == [0, 0]


def test_a_key_with_withdrawal_permission_is_told_as_such():
    wealthy = AccountConfig(can_withdraw=True)

    restrictions = with_client(lambda _, client: client.sapi_get_account_apirestrictions(), accounts=(wealthy,))

    assert restrictions["enableWithdrawals"] is True


@pytest.mark.parametrize(
    ("arguments", "kind", "code"),
    [
        (("limit", "buy", 0.00001, 100), ccxt.BadRequest, -1013),
        (("limit", "buy", 1, 600), ccxt.BadRequest, -1013),
        (("limit", "buy", 80_000, 99), ccxt.InsufficientFunds, "insufficient balance"),
        (("limit", "buy", 1, 150, {"postOnly": True}), ccxt.OrderImmediatelyFillable, "immediately match"),
        (("limit", "buy", 1, 99, {"newClientOrderId": "taken"}), ccxt.InvalidOrder, -2010),
        (("limit", "buy", 1, 99, {"newClientOrderId": "a b"}), ccxt.BadRequest, -1100),
        (("limit", "buy", 1, 99, {"timeInForce": "GTD"}), ccxt.BadRequest, -1115),
        (("limit", "up", 1, 99), ccxt.BadRequest, -1117),
    ],
)
def test_refusals_reach_ccxt_as_its_own_errors(arguments, kind, code):
    async def work(_, client):
        await client.create_order(BTC, "limit", "buy", 1, 90, {"newClientOrderId": "taken"})
        with pytest.raises(kind, match=str(code)) as caught:
            await client.create_order(BTC, *arguments)
        return caught.value

    assert type(with_client(work)) is kind


def test_unknown_orders_are_unknown_in_two_ways():
    async def work(_, client):
        with pytest.raises(ccxt.OrderNotFound, match="-2011"):
            await client.cancel_order("12345", BTC)
        with pytest.raises(ccxt.OrderNotFound, match="-2013"):
            await client.fetch_order("12345", BTC)
        with pytest.raises(ccxt.OrderNotFound, match="-2011"):
            await client.cancel_all_orders(BTC)

    with_client(work)


@pytest.mark.parametrize(
    ("method", "path", "query", "status", "code", "text"),
    [
        ("GET", "/api/v3/klines", "symbol=NOPEUSDT&interval=1m", 400, -1121, "Invalid symbol."),
        ("GET", "/api/v3/klines", "symbol=BTC-USDT&interval=1m", 400, -1121, "Invalid symbol."),
        ("GET", "/api/v3/klines", "symbol=BTCUSDT&interval=7m", 400, -1120, "Invalid interval."),
        ("GET", "/api/v3/klines", "interval=1m", 400, -1102, "Mandatory parameter 'symbol' was not sent"),
        ("GET", "/api/v3/klines", "symbol=BTCUSDT", 400, -1102, "Mandatory parameter 'interval' was not sent"),
        (
            "GET",
            "/api/v3/klines",
            "symbol=btc%20usdt&interval=1m",
            400,
            -1100,
            "Illegal characters found in parameter 'symbol'",
        ),
        ("GET", "/api/v3/klines", "symbol=BTCUSDT&interval=1m&limit=x", 400, -1100, "Illegal characters"),
        (
            "GET",
            "/api/v3/klines",
            "symbol=BTCUSDT&interval=1m&startTime=",
            400,
            -1105,
            "Parameter 'startTime' was empty.",
        ),
        ("GET", "/api/v3/account", "", 400, -1102, "Mandatory parameter 'timestamp' was not sent"),
        ("GET", "/api/v3/account", "timestamp=1", 400, -1102, "Mandatory parameter 'signature' was not sent"),
        ("GET", "/api/v3/account", "timestamp=1&signature=00", 400, -1022, "Signature for this request is not valid."),
        ("GET", "/api/v3/account", lambda s: signed(timestamp=now(s) - 9_000), 400, -1021, "outside of the recvWindow"),
        (
            "GET",
            "/api/v3/account",
            lambda s: signed(timestamp=now(s) + 3_000),
            400,
            -1021,
            "ahead of the server's time",
        ),
        ("GET", "/api/v3/account", lambda s: signed(timestamp=now(s), recvWindow=60_001), 400, -1131, "recvWindow"),
        (
            "GET",
            "/api/v3/order",
            lambda s: signed(timestamp=now(s), symbol="BTCUSDT"),
            400,
            -1102,
            "Param 'origClientOrderId' or 'orderId' must be sent",
        ),
        (
            "GET",
            "/api/v3/myTrades",
            lambda s: signed(timestamp=now(s), symbol="BTCUSDT", startTime=1, endTime=90_000_000),
            400,
            -1127,
            "24 hours",
        ),
        (
            "POST",
            "/api/v3/order",
            lambda s: signed(
                timestamp=now(s),
                symbol="BTCUSDT",
                side="BUY",
                type="LIMIT",
                timeInForce="GTC",
                quantity="1.123456789",
                price="99",
            ),
            400,
            -1111,
            "too much precision",
        ),
        (
            "POST",
            "/api/v3/order",
            lambda s: signed(
                timestamp=now(s), symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity="1"
            ),
            400,
            -1102,
            "'price'",
        ),
        (
            "POST",
            "/api/v3/order",
            lambda s: signed(timestamp=now(s), symbol="BTCUSDT", side="BUY", type="MARKET", quantity="1", price="9"),
            400,
            -1106,
            "sent when not required",
        ),
        (
            "POST",
            "/api/v3/order",
            lambda s: signed(timestamp=now(s), symbol="BTCUSDT", side="BUY", type="SPOT", quantity="1"),
            400,
            -1116,
            "Invalid orderType.",
        ),
        (
            "POST",
            "/api/v3/order",
            lambda s: signed(timestamp=now(s), symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0"),
            400,
            -1013,
            "Invalid quantity.",
        ),
    ],
)
def test_error_codes_and_texts(method, path, query, status, code, text):
    answer = raw(method, path, query)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert text in answer.json()["msg"]


@pytest.mark.parametrize(("key", "code"), [(None, -2014), ("with blank", -2014), ("somebody-elses", -2015)])
def test_wrong_keys_are_answered_with_401(key, code):
    answer = raw("GET", "/api/v3/account", "timestamp=1", key)

    assert (answer.status_code, answer.json()["code"]) == (401, code)


def test_a_signature_covers_the_body_too():
    async def run(change):
        async with served() as (server, _), httpx.AsyncClient(base_url=server.url) as http:
            body = signed(
                symbol="BTCUSDT",
                side="BUY",
                type="LIMIT",
                timeInForce="GTC",
                quantity="1",
                price="99",
                timestamp=now(server),
            )
            headers = {"X-MBX-APIKEY": TEST_KEY, "Content-Type": "application/x-www-form-urlencoded"}
            return (await http.post("/api/v3/order", headers=headers, content=change(body))).json()

    assert asyncio.run(run(lambda body: body))["status"] == "NEW"
    assert asyncio.run(run(lambda body: body.replace("quantity=1", "quantity=2")))["code"] == -1022


def test_weights_are_counted_and_told_in_headers():
    async def work(server, client):
        async with httpx.AsyncClient(base_url=server.url) as http:
            used = []
            for path in (
                "ping",
                "klines?symbol=BTCUSDT&interval=1m",
                "depth?symbol=BTCUSDT&limit=5000",
                "ticker/24hr",
                "exchangeInfo",
            ):
                answer = await http.get(f"/api/v3/{path}")
                used.append(int(answer.headers["X-MBX-USED-WEIGHT-1M"]))
            await client.load_markets()
            await client.create_order(BTC, "limit", "buy", 1, 99)
            return used, dict(client.last_response_headers)

    used, headers = with_client(work)

    assert [after - before for before, after in zip([0, *used], used, strict=False)] == [1, 2, 250, 80, 20]
    assert (headers["X-MBX-ORDER-COUNT-10S"], headers["X-MBX-ORDER-COUNT-1D"]) == ("1", "1")


def test_too_much_weight_is_429_and_going_on_is_418():
    async def work(server, _):
        async with httpx.AsyncClient(base_url=server.url) as http:
            return [await http.get("/api/v3/exchangeInfo") for _ in range(6)]

    answers = with_client(work, limits=LimitConfig(weight_per_minute=40, refusals_before_ban=2))

    assert [answer.status_code for answer in answers] == [200, 200, 429, 429, 418, 418]
    assert int(answers[2].headers["Retry-After"]) == 60
    assert answers[2].json()["code"] == -1003
    assert "IP banned until" in answers[-1].json()["msg"]


def test_a_cancel_replace_tells_both_halves():
    async def work(server, client):
        await client.load_markets()
        new = {
            "symbol": "BTCUSDT",
            "side": "BUY",
            "type": "LIMIT",
            "timeInForce": "GTC",
            "quantity": "1",
            "price": "98",
        }
        old = {"cancelOrigClientOrderId": "none", "cancelReplaceMode": "ALLOW_FAILURE"}
        async with httpx.AsyncClient(base_url=server.url) as http:
            headers = {"X-MBX-APIKEY": TEST_KEY}
            partly = await http.post(
                f"/api/v3/order/cancelReplace?{signed(**new, **old, timestamp=now(server))}", headers=headers
            )
            old["cancelReplaceMode"] = "STOP_ON_FAILURE"
            failed = await http.post(
                f"/api/v3/order/cancelReplace?{signed(**new, **old, timestamp=now(server))}", headers=headers
            )
        return partly, failed

    partly, failed = with_client(work)

    assert (partly.status_code, partly.json()["code"]) == (409, -2021)
    assert partly.json()["data"]["newOrderResponse"]["status"] == "NEW"
    assert partly.json()["data"]["cancelResponse"]["code"] == -2011
    assert (failed.status_code, failed.json()["code"]) == (400, -2022)
    assert failed.json()["data"]["newOrderResult"] == "NOT_ATTEMPTED"


def test_two_accounts_trade_with_each_other_and_see_only_their_own():
    async def work(server, client):
        other = ccxt_client(server, "key-of-other", "secret-of-other")
        try:
            await client.create_order(BTC, "limit", "sell", 1, 100)
            await other.create_order(BTC, "limit", "buy", 1, 100)
            return await client.fetch_my_trades(BTC), await other.fetch_my_trades(BTC), server.exchange.audit()
        finally:
            await other.close()

    second = AccountConfig(name="other", api_key="key-of-other", secret="secret-of-other")
    first = AccountConfig(balances={"BTC": Decimal(1)})
    mine, theirs, audit = with_client(work, accounts=(first, second))

    assert (mine[0]["id"], mine[0]["side"], mine[0]["takerOrMaker"]) == (theirs[0]["id"], "sell", "maker")
    assert (theirs[0]["side"], theirs[0]["takerOrMaker"]) == ("buy", "taker")
    assert audit["flow"] == {}


def test_a_halted_symbol_is_told_and_refused():
    async def work(server, client):
        async with httpx.AsyncClient(base_url=server.url) as http:
            await http.post("/sim/delist", json={"symbol": "BTCUSDT"})
        await client.load_markets()
        with pytest.raises(ccxt.BaseError, match="Market is closed"):
            await client.create_order(BTC, "limit", "buy", 1, 99)
        return client.market(BTC)["active"]

    assert with_client(work) is False


def test_a_skewed_clock_refuses_until_the_client_corrects_it():
    async def work(_, client):
        with pytest.raises(ccxt.InvalidNonce):
            await client.fetch_balance()
        await client.load_time_difference()
        client.options["adjustForTimeDifference"] = True
        return await client.fetch_balance()

    balance = with_client(work, faults=FaultConfig(clock_skew_ms=-30_000))

    assert balance["USDT"]["free"] == 1_000_000
