"""What venues answer is read exactly or not at all; nothing that they send can crash the session."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.brokers.test_ccxt_broker_kraken import PAIR
from tests.trading.brokers.test_ccxt_broker_kraken import order as kraken_order
from tests.trading.brokers.test_ccxt_broker_kraken import trade as kraken_trade
from tests.trading.exchange.venue_server import SteppingClock
from trading.brokers.codecs import client_id, codec_for
from trading.brokers.parsing import (
    oldest_first,
    parse_balances,
    parse_fill,
    parse_listing,
    parse_order,
)
from trading.brokers.venue_rules import Fees, check_spot, parse_fees, parse_market
from trading.errors import GridBotError
from trading.exchange.account import open_account
from trading.exchange.calls import AnswerUnusable, VenueCalls
from trading.exchange.circuit import CircuitBreaker
from trading.exchange.credentials import Credentials
from trading.exchange.venue_client import VenueClient
from trading.orders.states import OrderState
from trading.orders.venue import Balance

SYMBOL = "BTC/USDT"
CODEC = codec_for("binance")
OURS = client_id("test", 7)
ORDER: dict[str, object] = {
    "id": "4711", "clientOrderId": OURS, "symbol": SYMBOL, "side": "buy", "type": "limit", "status": "open",
    "amount": "0.30000000", "filled": "0.10000000", "price": "20000.01", "timestamp": 1_700_000_000_123, "info": {},
}  # fmt: skip
TRADE: dict[str, object] = {
    "id": "99", "order": "4711", "symbol": SYMBOL, "side": "sell", "price": "20000.01", "amount": "0.1",
    "fee": {"cost": "0.0001", "currency": "BTC"}, "takerOrMaker": "maker", "timestamp": 1_700_000_000_123, "info": {},
}  # fmt: skip
ACCOUNT: dict[str, object] = {
    "info": {}, "timestamp": 1, "datetime": "", "free": {"BTC": "1"}, "used": {}, "total": {},
    "BTC": {"free": "0.1", "used": "0.2", "total": "0.3"}, "USDT": {"free": "5", "used": None, "total": "7.5"},
}  # fmt: skip
MARKET: dict[str, object] = {
    "id": "BTCUSDT", "symbol": SYMBOL, "spot": True, "contract": False, "active": True,
    "precision": {"price": "0.01", "amount": "0.00001"}, "limits": {"cost": {"min": "5"}}, "maker": "0.001",
    "taker": "0.001", "feeSide": "get",
}  # fmt: skip
FEES = Fees(Decimal("0.001"), Decimal("0.001"), "a test")
TICK_SIZE = 4


def order(**changes: object) -> object:
    return parse_order(ORDER | changes, SYMBOL, CODEC)


@pytest.mark.parametrize(
    ("status", "filled", "state"),
    [
        ("open", "0", OrderState.SUBMITTED),
        ("open", "0.1", OrderState.PARTIAL),
        ("open", "0.3", OrderState.FILLED),
        ("canceling", "0", OrderState.SUBMITTED),
        ("CANCEL_QUEUED", "0.1", OrderState.PARTIAL),
        ("closed", "0.3", OrderState.FILLED),
        ("closed", "0.2", OrderState.CANCELLED),
        ("canceled", "0.1", OrderState.CANCELLED),
        ("expired", "0.1", OrderState.EXPIRED),
        ("rejected", "0", OrderState.REJECTED),
    ],
)
def test_states_are_told_apart(status: str, filled: str, state: OrderState) -> None:
    assert parse_order(ORDER | {"status": status, "filled": filled}, SYMBOL, CODEC).state is state


def test_amounts_keep_every_digit() -> None:
    read = parse_order(ORDER | {"amount": "0.123456789012345678", "filled": "1e-18"}, SYMBOL, CODEC)
    assert (read.quantity, read.filled) == (Decimal("0.123456789012345678"), Decimal("1e-18"))


@given(st.decimals(min_value="1e-18", max_value="1e12", places=18))
def test_any_amount_is_read_back(amount: Decimal) -> None:
    assert parse_order(ORDER | {"amount": str(amount), "filled": "0"}, SYMBOL, CODEC).quantity == amount


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None}, {"id": ""}, {"id": 1.5}, {"id": True}, {"id": "x" * 300}, {"symbol": "ETH/USDT"},
        {"side": "BUY?"},
        {"side": None}, {"status": None}, {"status": "wonderful"}, {"amount": None}, {"amount": "0"}, {"amount": "NaN"},
        {"amount": "Infinity"}, {"amount": "-1"}, {"amount": "1e999999999"}, {"amount": "1e-999999999"}, {"amount": []},
        {"filled": "0.4"}, {"filled": "-0.1"}, {"filled": None}, {"price": "-1"}, {"price": "x"}, {"timestamp": None},
        {"timestamp": 0}, {"timestamp": 1.5}, {"timestamp": 2**60}, {"timestamp": "soon"},
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_is_not_read(changes: dict[str, object]) -> None:
    with pytest.raises(AnswerUnusable):
        order(**changes)


def test_a_market_order_has_no_price() -> None:
    read = [
        parse_order(ORDER | change, SYMBOL, CODEC) for change in ({"type": "market"}, {"price": None}, {"price": "0"})
    ]
    assert [one.price for one in read] == [None] * 3


def test_lesson_03_only_our_own_ids_are_ours() -> None:
    for theirs in (None, "", "x-TKT5PX2F123", 5, ["gb-test-7"], "gb-test-7 "):
        assert parse_order(ORDER | {"clientOrderId": theirs}, SYMBOL, CODEC).client_id is None


def test_lesson_12_a_fee_names_its_asset() -> None:
    fill = parse_fill(TRADE, SYMBOL, CODEC)
    assert (fill.fee, fill.fee_asset, fill.is_maker) == (Decimal("0.0001"), "BTC", True)
    for fee in (None, {}, {"cost": "1"}, {"currency": "BTC"}, {"cost": None, "currency": "BTC"}, "0.1 BTC"):
        with pytest.raises(AnswerUnusable):
            parse_fill(TRADE | {"fee": fee}, SYMBOL, CODEC)


def test_a_rebate_is_a_fee_below_zero() -> None:
    assert parse_fill(TRADE | {"fee": {"cost": "-0.5", "currency": "USDT"}}, SYMBOL, CODEC).fee == Decimal("-0.5")


def test_lesson_05_a_trade_counts_once_however_often_it_is_told() -> None:
    one, two = parse_fill(TRADE, SYMBOL, CODEC), parse_fill(TRADE | {"id": "100"}, SYMBOL, CODEC)
    early = replace(two, trade_id="98", time_ms=5)
    assert oldest_first([two, one, early, one, two]) == [early, one, two]


def test_balances_are_completed_and_never_negative() -> None:
    assert parse_balances(ACCOUNT) == {
        "BTC": Balance(Decimal("0.1"), Decimal("0.2")),
        "USDT": Balance(Decimal(5), Decimal("2.5")),
    }
    for entry in (None, {}, {"free": "1"}, {"free": "-1", "used": "2"}, {"free": "2", "total": "1"}, "much", 5):
        with pytest.raises(AnswerUnusable):
            parse_balances({"BTC": entry})


def test_a_listing_leaves_out_only_what_is_plainly_of_others() -> None:
    def parse(value: object) -> object:
        return parse_order(value, SYMBOL, CODEC)

    strange = {"amount": None, "clientOrderId": "somebody-else"}
    assert len(parse_listing([ORDER, ORDER | strange], "order", CODEC, parse)) == 1
    for broken in (ORDER | {"amount": None}, ORDER | {"amount": None, "clientOrderId": None}, None, "order", {}):
        with pytest.raises(AnswerUnusable):
            parse_listing([ORDER, broken], "order", CODEC, parse)


def test_a_markets_rules_are_read() -> None:
    market = parse_market(MARKET, SYMBOL, "binance", TICK_SIZE, FEES)
    assert (market.tick_size, market.lot_size, market.min_notional) == (Decimal("0.01"), Decimal("0.00001"), Decimal(5))
    assert market.fee_in_base
    assert not parse_market(MARKET, SYMBOL, "coinbase", TICK_SIZE, FEES).fee_in_base
    assert parse_market(MARKET, SYMBOL, "elsewhere", TICK_SIZE, FEES).fee_in_base


def test_decimal_places_are_steps_too() -> None:
    places = MARKET | {"precision": {"price": "2", "amount": 5}}
    market = parse_market(places, SYMBOL, "elsewhere", 2, FEES)
    assert (market.tick_size, market.lot_size) == (Decimal("0.01"), Decimal("0.00001"))


@pytest.mark.parametrize("change", [{"spot": False}, {"spot": None}, {"contract": True}, {"active": False}])
def test_what_is_not_open_spot_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(GridBotError):
        check_spot(MARKET | change, SYMBOL, "binance")


def test_significant_digits_are_refused() -> None:
    with pytest.raises(GridBotError, match="significant digits"):
        parse_market(MARKET, SYMBOL, "bitfinex", 3, FEES)


# ---- whatever comes, only our own errors go on ---------------------------------------------------------------------

ODD: Sequence[object] = (
    None, True, False, 0, -1, 1.5, 1e308, float("inf"), float("nan"), 2**63, "", "0", "-1", "NaN", "sNaN", "1e400",
    "1e-400", "null", "\x00", "é" * 50, "9" * 500, [], {}, [None], {"a": None}, [[]], "2024-01-01", "{}", "BUY",
)  # fmt: skip


def mutated(value: object, chance: random.Random, rate: float = 0.12) -> object:
    """The same answer with parts replaced, dropped, cut, repeated, reordered or nested."""
    if chance.random() < rate / 4:
        return chance.choice(ODD)
    if isinstance(value, dict):
        items = [(key, mutated(item, chance, rate)) for key, item in value.items() if chance.random() > rate / 3]
        if items and chance.random() < rate:
            items.append((chance.choice(items)[0], chance.choice(ODD)))
        if chance.random() < rate:
            chance.shuffle(items)
        return dict(items)
    if isinstance(value, list):
        items_of = [mutated(item, chance, rate) for item in value if chance.random() > rate / 3]
        return items_of * 2 if chance.random() < rate / 3 else items_of
    if chance.random() < rate:
        text = str(value)
        return chance.choice(
            [*ODD, text[: len(text) // 2], text + "x", "-" + text, [value], {"value": value}, text * 9]
        )
    return value


PARSERS: dict[str, tuple[object, Callable[[object], object]]] = {
    "order": (ORDER, lambda raw: parse_order(raw, SYMBOL, CODEC)),
    "trade": (TRADE, lambda raw: parse_fill(raw, SYMBOL, CODEC)),
    "account": (ACCOUNT, parse_balances),
    "market": (MARKET, lambda raw: parse_market(raw, SYMBOL, "binance", TICK_SIZE, FEES)),
    "spot": (MARKET, lambda raw: check_spot(raw, SYMBOL, "binance")),
    "fees": (MARKET, lambda raw: parse_fees(raw, "a test")),
}


@pytest.mark.parametrize("name", sorted(PARSERS))
def test_fuzzed_structures_are_read_or_refused(name: str) -> None:
    good, parse = PARSERS[name]
    chance = random.Random(f"structures of {name}")
    refused = 0
    for _ in range(2_000):
        try:
            parse(mutated(good, chance))
        except GridBotError:
            refused += 1
    assert 0 < refused < 2_000


BINANCE_ORDER = {
    "symbol": "BTCUSDT", "orderId": 28, "orderListId": -1, "clientOrderId": OURS, "price": "0.1", "origQty": "1.0",
    "executedQty": "0.5", "origQuoteOrderQty": "0.0", "cummulativeQuoteQty": "0.05", "status": "PARTIALLY_FILLED",
    "timeInForce": "GTC", "type": "LIMIT", "side": "BUY", "stopPrice": "0.0", "icebergQty": "0.0",
    "time": 1499827319559, "updateTime": 1499827319559, "isWorking": True, "workingTime": 1499827319559,
    "fills": [{"price": "0.1", "qty": "0.5", "commission": "0.0005", "commissionAsset": "BTC", "tradeId": 56}],
}  # fmt: skip
BINANCE_TRADE = {
    "symbol": "BTCUSDT", "id": 28457, "orderId": 100234, "orderListId": -1, "price": "4.00000100",
    "qty": "12.00000000", "quoteQty": "48.000012", "commission": "10.10000000", "commissionAsset": "BNB",
    "time": 1499865549590, "isBuyer": True, "isMaker": False, "isBestMatch": True,
}  # fmt: skip
COINBASE_ORDER = {
    "order_id": "9bc1eb3b-5b46-4b71-9628-ae2ed0cca75b", "product_id": "BTC-USD", "side": "SELL",
    "order_configuration": {"limit_limit_gtc": {"base_size": "0.2", "limit_price": "30000", "post_only": False}},
    "client_order_id": OURS, "status": "OPEN", "time_in_force": "GOOD_UNTIL_CANCELLED",
    "created_time": "2023-01-16T23:37:23.947030Z", "completion_percentage": "0", "filled_size": "0.1",
    "average_filled_price": "30000", "fee": "", "number_of_fills": "1", "filled_value": "3000", "total_fees": "9",
    "order_type": "LIMIT", "settled": False,
}  # fmt: skip
COINBASE_TRADE = {
    "entry_id": "b88b82cc", "trade_id": "1111111-11111", "order_id": "9bc1eb3b", "product_id": "BTC-USD",
    "trade_time": "2023-01-18T01:37:38.091377090Z", "trade_type": "FILL", "price": "21220.64", "size": "0.0046",
    "commission": "0.28", "sequence_timestamp": "2023-01-18T01:37:38.092520Z", "liquidity_indicator": "MAKER",
    "size_in_quote": False, "side": "BUY",
}  # fmt: skip
BINANCE_LISTING = {
    "symbol": "BTCUSDT", "status": "TRADING", "baseAsset": "BTC", "baseAssetPrecision": 8, "quoteAsset": "USDT",
    "quoteAssetPrecision": 8, "orderTypes": ["LIMIT"], "isSpotTradingAllowed": True, "permissions": ["SPOT"],
    "filters": [
        {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000.00", "tickSize": "0.01"},
        {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000.00", "stepSize": "0.00001"},
        {"filterType": "NOTIONAL", "minNotional": "5.00"},
    ],
}  # fmt: skip
COINBASE_LISTING = {
    "id": "BTC-USD", "symbol": "BTC/USD", "base": "BTC", "quote": "USD", "baseId": "BTC", "quoteId": "USD",
    "spot": True, "type": "spot", "active": True, "precision": {"price": "0.01", "amount": "0.0001"},
}  # fmt: skip


def prepared(exchange_id: str) -> VenueClient:
    client = open_account(exchange_id, Credentials("a-key", "YS1zZWNyZXQ="), rest_url="http://127.0.0.1:9")
    real: object = client
    # what ccxt leaves behind when it loads the markets itself
    client.options.update({"crossMarginPairsData": [], "isolatedMarginPairsData": []})
    if exchange_id == "binance":
        listing = real.parse_market(BINANCE_LISTING)  # type: ignore[attr-defined]
    elif exchange_id == "kraken":
        listing = {**COINBASE_LISTING, "id": "XXBTZUSD", "altname": "XBTUSD", "wsId": "XBT/USD", "info": PAIR}
        client.options["marketsByAltname"] = {"XBTUSD": listing}
    else:
        listing = COINBASE_LISTING
    real.set_markets([listing])  # type: ignore[attr-defined]
    return client


RAW: dict[str, tuple[str, object, Callable[[VenueClient, object], object]]] = {
    "binance order": ("binance", BINANCE_ORDER, lambda client, raw: parse_order(
        client.parse_order(raw, client.market("BTC/USDT")), "BTC/USDT", CODEC)),  # type: ignore[arg-type]
    "binance trade": ("binance", BINANCE_TRADE, lambda client, raw: parse_fill(
        client.parse_trade(raw, client.market("BTC/USDT")), "BTC/USDT", CODEC)),  # type: ignore[arg-type]
    "binance market": ("binance", BINANCE_LISTING, lambda client, raw: parse_market(
        client.parse_market(raw), "BTC/USDT", "binance", TICK_SIZE, FEES)),  # type: ignore[attr-defined]
    "coinbase order": ("coinbase", COINBASE_ORDER, lambda client, raw: parse_order(
        client.parse_order(raw, client.market("BTC/USD")), "BTC/USD", CODEC)),  # type: ignore[arg-type]
    "coinbase trade": ("coinbase", COINBASE_TRADE, lambda client, raw: parse_fill(
        client.parse_trade(raw, client.market("BTC/USD")), "BTC/USD", CODEC)),  # type: ignore[arg-type]
    "kraken order": ("kraken", {"id": "O-1", **kraken_order()}, lambda client, raw: parse_order(
        client.parse_order(raw), "BTC/USD", codec_for("kraken"))),  # type: ignore[arg-type]
    "kraken trade": ("kraken", {"id": "T-1", **kraken_trade()}, lambda client, raw: parse_fill(
        client.parse_trade(raw), "BTC/USD", codec_for("kraken"))),  # type: ignore[arg-type]
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(RAW))
def test_fuzzed_answers_go_through_ccxt_and_only_our_errors_come_out(name: str) -> None:
    exchange_id, good, read = RAW[name]
    client = prepared(exchange_id)
    clock = SteppingClock()

    async def resync() -> None:
        raise AssertionError("no answer here speaks of time")

    calls = VenueCalls(exchange_id, clock, CircuitBreaker(clock, failures=1_000_000), resync)
    chance = random.Random(f"answers of {name}")

    async def main() -> tuple[int, int]:
        read_well = refused = 0
        assert read(client, json.loads(json.dumps(good)))
        for _ in range(1_000):
            raw = mutated(good, chance)

            async def answer(raw: object = raw) -> object:
                return read(client, raw)

            try:
                await calls.send("it", answer)
                read_well += 1
            except GridBotError:
                refused += 1
        return read_well, refused

    read_well, refused = asyncio.run(main())
    assert read_well + refused == 1_000
    assert min(read_well, refused) > 0


def test_fuzzed_stream_messages_never_raise() -> None:
    report = {
        "subscriptionId": 0,
        "event": {
            "e": "executionReport", "E": 1499405658658, "s": "BTCUSDT", "c": OURS, "S": "BUY", "o": "LIMIT", "f": "GTC",
            "q": "1.0", "p": "0.1", "P": "0.0", "F": "0.0", "g": -1, "C": "", "x": "TRADE", "X": "PARTIALLY_FILLED",
            "r": "NONE", "i": 4293153, "l": "0.5", "z": "0.5", "L": "0.1", "n": "0", "N": "BTC", "T": 1499405658657,
            "t": 7, "w": True, "m": False, "O": 1499405658657, "Z": "0.05", "Y": "0.05", "Q": "0.0",
        },
    }  # fmt: skip
    chance = random.Random("messages of a stream")

    async def main() -> int:
        client = prepared("binance")
        client.allowed_hosts = None
        dropped = 0

        def count() -> None:
            nonlocal dropped
            dropped += 1

        client.on_dropped = count
        from aiohttp import WSMsgType

        stream = client.client("ws://127.0.0.1:9/ws")  # type: ignore[attr-defined]
        for _ in range(2_000):
            words = json.dumps(mutated(report, chance))
            if chance.random() < 0.1:
                words = words[: chance.randrange(len(words) + 1)]
            stream.handle_message(type("Frame", (), {"type": WSMsgType.TEXT, "data": words}))
        await client.close()
        return dropped

    assert asyncio.run(main()) > 0
