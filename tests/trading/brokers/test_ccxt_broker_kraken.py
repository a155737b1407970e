"""The broker against answers in Kraken's documented form: https://docs.kraken.com/api-reference."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import TypeVar

import pytest

from tests.trading.brokers.venue_at_hand import StreamClock
from tests.trading.exchange.venue_server import Asked, Reply, Route, VenueServer
from trading.brokers.ccxt_broker import CcxtBroker
from trading.brokers.codecs import client_id, codec_for
from trading.brokers.protocol import FundsRejected, OrderRejected
from trading.errors import ConnectionLost
from trading.exchange.account import open_account
from trading.exchange.circuit import CircuitBreaker
from trading.exchange.clock import SystemClock
from trading.exchange.credentials import Credentials
from trading.orders.states import OrderState
from trading.orders.venue import Balance, NewOrder, VenueOrder

T = TypeVar("T")
SYMBOL = "BTC/USD"
OURS = client_id("test", 7)
THEIRS = codec_for("kraken").encode(OURS)
TXID = "OQCLML-BW3P3-BUCMWZ"
KEYS = Credentials("a-key-of-kraken", b64encode(b"a secret of kraken's").decode())

PAIR: dict[str, object] = {
    "altname": "XBTUSD", "wsname": "XBT/USD", "aclass_base": "currency", "base": "XXBT", "aclass_quote": "currency",
    "quote": "ZUSD", "lot": "unit", "cost_decimals": 5, "pair_decimals": 1, "lot_decimals": 8, "lot_multiplier": 1,
    "leverage_buy": [], "leverage_sell": [], "fees": [[0, 0.4]], "fees_maker": [[0, 0.25]],
    "fee_volume_currency": "ZUSD", "margin_call": 80, "margin_stop": 40, "ordermin": "0.00005", "costmin": "0.5",
    "tick_size": "0.1", "status": "online",
}  # fmt: skip


def order(**changes: object) -> dict[str, object]:
    """An order as OpenOrders, ClosedOrders and QueryOrders tell it."""
    told: dict[str, object] = {
        "refid": None, "userref": 0, "cl_ord_id": THEIRS, "status": "open", "opentm": 1688666559.8974, "starttm": 0,
        "expiretm": 0, "vol": "1.25000000", "vol_exec": "0.37500000", "cost": "11253.7", "fee": "0.00000",
        "price": "30010.0", "stopprice": "0.00000", "limitprice": "0.00000", "misc": "", "oflags": "fciq",
        "descr": {
            "pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "30010.0", "price2": "0",
            "leverage": "none", "order": "buy 1.25 XBTUSD @ limit 30010.0", "close": "",
        },
    }  # fmt: skip
    return told | changes


def trade(**changes: object) -> dict[str, object]:
    """A trade as TradesHistory tells it."""
    told: dict[str, object] = {
        "ordertxid": TXID, "postxid": "TKH2SE-M7IF5-CFI7LT", "pair": "XXBTZUSD", "time": 1688667796.8802,
        "type": "buy", "ordertype": "limit", "price": "30010.00000", "cost": "11253.75000", "fee": "28.13437",
        "vol": "0.37500000", "margin": "0.00000", "leverage": "0", "misc": "", "trade_id": 93748276, "maker": True,
    }  # fmt: skip
    return told | changes


def result(value: object) -> Reply:
    return Reply({"error": [], "result": value})


def refused(word: str) -> Reply:
    return Reply({"error": [word]})


def answers(**changes: Route) -> dict[str, Route]:
    """The venue's answers by endpoint."""
    told: dict[str, Route] = {
        "Assets": result(
            {
                "XXBT": {"aclass": "currency", "altname": "XBT", "decimals": 10, "display_decimals": 5},
                "ZUSD": {"aclass": "currency", "altname": "USD", "decimals": 4, "display_decimals": 2},
            }
        ),
        "AssetPairs": result({"XXBTZUSD": PAIR}),
        "Time": lambda _: result({"unixtime": SystemClock().now_ms() // 1000, "rfc1123": ""}),
        "BalanceEx": result(
            {
                "ZUSD": {"balance": "25435.2110", "hold_trade": "8249.7600"},
                "XXBT": {"balance": "1.2435000000", "hold_trade": "0.8423000000"},
            }
        ),
        "TradeVolume": result(
            {
                "currency": "ZUSD",
                "volume": "200709587.4223",
                "fees": {"XXBTZUSD": {"fee": "0.4000", "minfee": "0.1000"}},
                "fees_maker": {"XXBTZUSD": {"fee": "0.2500", "minfee": "0.0000"}},
            }
        ),
        "OpenOrders": result({"open": {TXID: order()}}),
        "ClosedOrders": result({"closed": {}, "count": 0}),
        "QueryOrders": result({TXID: order()}),
        "TradesHistory": result({"trades": {"THVRQM-33VKH-UCI7BS": trade()}, "count": 1}),
        "AddOrder": result({"descr": {"order": "buy 1.25 XBTUSD @ limit 30010.0"}, "txid": [TXID]}),
        "CancelOrder": result({"count": 1}),
    } | changes
    public = {"Assets", "AssetPairs", "Time"}
    return {
        f"{'GET /0/public' if name in public else 'POST /0/private'}/{name}": answer for name, answer in told.items()
    }


def use(work: Callable[[CcxtBroker, VenueServer], Awaitable[T]], **changes: Route) -> T:
    async def main() -> T:
        async with VenueServer(answers(**changes)) as server:
            clock = StreamClock()
            client = open_account("kraken", KEYS, rest_url=server.url, clock=clock)
            broker = CcxtBroker("kraken", SYMBOL, client, clock, breaker=CircuitBreaker(clock, 1_000))
            try:
                await broker.open()
                return await work(broker, server)
            finally:
                await broker.close()

    return asyncio.run(main())


NEW = NewOrder(OURS, SYMBOL, 1, Decimal("1.25"), Decimal("30010.0"))


def test_rules_fees_and_balances_are_exact() -> None:
    async def work(broker: CcxtBroker, _: VenueServer) -> None:
        market = await broker.market()
        assert (market.tick_size, market.lot_size, market.min_notional) == (
            Decimal("0.1"),
            Decimal("1e-8"),
            Decimal("0.5"),
        )
        assert (market.maker_fee, market.taker_fee, market.fee_in_base) == (Decimal("0.0025"), Decimal("0.004"), False)
        assert await broker.balances() == {
            "USD": Balance(Decimal("17185.4510"), Decimal("8249.7600")),
            "BTC": Balance(Decimal("0.4012000000"), Decimal("0.8423000000")),
        }

    use(work)


def test_an_order_is_sent_exactly_and_under_our_id() -> None:
    async def work(broker: CcxtBroker, server: VenueServer) -> VenueOrder:
        placed = await broker.place(NEW)
        sent = server.asked[-1].form
        assert (sent["cl_ord_id"], sent["volume"], sent["price"], sent["type"]) == (THEIRS, "1.25", "30010", "buy")
        return placed

    placed = use(work)
    assert (placed.client_id, placed.exchange_id, placed.state) == (OURS, TXID, OrderState.SUBMITTED)
    assert (placed.quantity, placed.filled, placed.price) == (Decimal("1.25"), Decimal(0), Decimal(30_010))


def test_orders_are_read_whole_by_either_id() -> None:
    async def work(broker: CcxtBroker, server: VenueServer) -> None:
        by_ours, by_theirs = await broker.order(OURS, None), await broker.order(OURS, TXID)
        assert by_ours == by_theirs
        assert by_ours is not None
        assert (by_ours.state, by_ours.filled, by_ours.quantity) == (
            OrderState.PARTIAL,
            Decimal("0.375"),
            Decimal("1.25"),
        )
        assert (by_ours.price, by_ours.time_ms, by_ours.side) == (Decimal(30_010), 1_688_666_559_897, 1)
        assert await broker.open_orders() == [by_ours]
        asked = [one.form.get("cl_ord_id") for one in server.asked if one.path.endswith("OpenOrders")]
        assert asked == [THEIRS, None]

    use(work)


def test_orders_that_have_ended_are_found_and_unknown_ones_are_none() -> None:
    closed = result({"closed": {TXID: order(status="canceled")}, "count": 1})

    async def ended(broker: CcxtBroker, _: VenueServer) -> VenueOrder | None:
        return await broker.order(OURS, None)

    none: Route = result({"open": {}})
    order_found = use(ended, OpenOrders=none, ClosedOrders=closed)
    assert order_found is not None
    assert (order_found.state, order_found.filled) == (OrderState.CANCELLED, Decimal("0.375"))
    assert use(ended, OpenOrders=none) is None


def test_a_trade_has_its_fee_in_quote() -> None:
    async def work(broker: CcxtBroker, _: VenueServer) -> None:
        (fill,) = await broker.fills_since(1_688_667_796_000)
        assert (fill.trade_id, fill.exchange_id, fill.is_maker) == ("THVRQM-33VKH-UCI7BS", TXID, True)
        assert (fill.price, fill.quantity, fill.fee, fill.fee_asset) == (
            Decimal(30_010),
            Decimal("0.375"),
            Decimal("28.13437"),
            "USD",
        )
        found = await broker.order(OURS, TXID)
        assert found is not None
        assert [one.client_id for one in await broker.fills_of(found)] == [OURS]

    use(work)


def test_trades_are_read_to_the_last_page_though_new_ones_push_them_on() -> None:
    whole = {f"T{number:05}": trade(time=1688667796.0 + number) for number in range(120)}

    def page(asked: Asked) -> Reply:
        names = sorted(whole, reverse=True)
        skip = int(asked.form["ofs"])
        if skip:
            # a trade that was made between two pages
            names = ["T99999", *names]
        return result({"trades": {name: whole.get(name) or trade() for name in names[skip : skip + 50]}, "count": 120})

    async def work(broker: CcxtBroker, _: VenueServer) -> list[str]:
        return [fill.trade_id for fill in await broker.fills_since(1_688_667_000_000)]

    told = use(work, TradesHistory=page)
    assert told == sorted(whole)


def test_a_cancel_tells_what_became_of_the_order() -> None:
    async def work(broker: CcxtBroker, server: VenueServer) -> VenueOrder:
        cancelled = await broker.cancel(OURS, TXID)
        assert server.count("POST /0/private/CancelOrder") == 1
        return cancelled

    assert use(work, QueryOrders=result({TXID: order(status="canceled")})).state is OrderState.CANCELLED
    late = use(
        work,
        QueryOrders=result({TXID: order(status="closed", vol_exec="1.25000000")}),
        CancelOrder=refused("EOrder:Unknown order"),
    )
    assert (late.state, late.filled) == (OrderState.FILLED, Decimal("1.25"))


@pytest.mark.parametrize(
    ("word", "error"),
    [
        ("EOrder:Insufficient funds", FundsRejected),
        ("EOrder:Order minimum not met", OrderRejected),
        ("EGeneral:Invalid arguments:volume", OrderRejected),
        ("EService:Unavailable", ConnectionLost),
        ("EService:Timeout", ConnectionLost),
    ],
)
def test_refusals_and_silence_are_told_apart(word: str, error: type[Exception]) -> None:
    async def work(broker: CcxtBroker, server: VenueServer) -> None:
        with pytest.raises(error):
            await broker.place(NEW)
        assert server.count("POST /0/private/AddOrder") == 1

    use(work, AddOrder=refused(word))


@pytest.mark.parametrize(
    "answer",
    [
        Reply({}),
        Reply([]),
        Reply({"error": []}),
        result(None),
        result([]),
        result({"open": []}),
        result({"open": {TXID: None}}),
        result({"open": {TXID: order(vol="much")}}),
        result({"open": {TXID: order(descr={})}}),
        result({"open": {TXID: order(status="wonderful")}}),
        result({"open": {TXID: order(vol_exec="2")}}),
        Reply(raw="null"),
        Reply(raw='"open"'),
        Reply(raw=""),
    ],
    ids=range(14),
)
def test_an_answer_of_another_form_is_no_empty_listing(answer: Reply) -> None:
    async def work(broker: CcxtBroker, _: VenueServer) -> None:
        with pytest.raises(ConnectionLost):
            await broker.open_orders()
        with pytest.raises(ConnectionLost):
            await broker.order(OURS, None)

    use(work, OpenOrders=answer)
