from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.brokers.exchange_server.exchanges import BTC, fill_or_kill, limit, market, still
from trading.brokers.exchange_server.book import BUYS, SELLS, Book, Order
from trading.brokers.exchange_server.records import (
    ExchangeRefusal,
    OrderRequest,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)


def test_orders_trade_by_price_and_then_by_time():
    book = Book()
    late, early, best = (Order(number, "a", SELLS, price, 5) for number, price in ((1, 101), (2, 102), (3, 100)))
    second = Order(4, "b", SELLS, 101, 5)
    for order in (late, early, best, second):
        book.add(order)

    assert [order.order_id for order in book.opposite(BUYS, 0)] == [3, 1, 4, 2]
    assert [order.order_id for order in book.opposite(BUYS, 101)] == [3, 1, 4]
    assert book.best(SELLS) == 100
    assert book.best(BUYS) is None
    assert book.levels(SELLS, 2) == [(100, 5), (101, 10)]


def test_a_removed_order_leaves_no_empty_level():
    book = Book()
    order = Order(1, "a", BUYS, 99, 5)
    book.add(order)
    book.remove(order)

    assert book.best(BUYS) is None
    assert book.levels(BUYS, 5) == []
    assert not book.crosses(SELLS, 1)


def test_a_limit_order_trades_at_the_makers_price_and_rests_with_what_is_left():
    exchange = still()
    exchange.place("other", limit(Side.SELL, "1", "100.00"))
    exchange.place("other", limit(Side.SELL, "1", "100.01"))

    placed = exchange.place("main", limit(Side.BUY, "1.5", "100.00"))

    assert [(one.price, one.quantity) for one in placed.executions] == [(Decimal("100.00"), Decimal("1.00000"))]
    assert placed.order.status is OrderStatus.PARTIALLY_FILLED
    assert exchange.depth(BTC, 1).bids[0].quantity == Decimal("0.5")


def test_an_ioc_order_expires_with_what_is_left():
    exchange = still()
    exchange.place("other", limit(Side.SELL, "1", "100.00"))

    placed = exchange.place("main", limit(Side.BUY, "3", "100.00", time_in_force=TimeInForce.IOC))

    assert (placed.order.status, placed.order.filled) == (OrderStatus.EXPIRED, Decimal(1))
    assert exchange.open_orders("main") == ()


def test_a_fok_order_fills_whole_or_not_at_all():
    exchange = still()
    exchange.place("other", limit(Side.SELL, "1", "100.00"))

    killed = exchange.place("main", fill_or_kill(Side.BUY, "1.1", "100.00"))
    filled = exchange.place("main", fill_or_kill(Side.BUY, "1.0", "100.00"))

    assert (killed.order.status, killed.order.filled) == (OrderStatus.EXPIRED, 0)
    assert filled.order.status is OrderStatus.FILLED


def test_a_post_only_order_that_would_take_is_refused():
    exchange = still()
    exchange.place("other", limit(Side.SELL, "1", "100.00"))

    with pytest.raises(ExchangeRefusal) as caught:
        exchange.place("main", limit(Side.BUY, "1", "100.00", type=OrderType.LIMIT_MAKER))

    assert (caught.value.code, caught.value.text) == (-2010, "Order would immediately match and take.")
    assert exchange.place("main", limit(Side.BUY, "1", "99.99", type=OrderType.LIMIT_MAKER)).order.is_open


def test_a_market_order_that_empties_the_book_expires():
    exchange = still()
    depth = exchange.depth(BTC, 5_000)
    there = sum(level.quantity for level in depth.bids)
    exchange.deposit("main", "BTC", there * 2)

    placed = exchange.place("main", market(Side.SELL, str(there + 1)))

    assert (placed.order.status, placed.order.filled) == (OrderStatus.EXPIRED, there)
    exchange.check_conservation()


def test_meeting_an_own_order_expires_the_resting_one():
    exchange = still()
    resting = exchange.place("main", limit(Side.SELL, "1", "100.00")).order

    placed = exchange.place("main", limit(Side.BUY, "1", "100.00"))

    assert placed.executions == ()
    assert exchange.order("main", BTC, resting.order_id).status is OrderStatus.EXPIRED_IN_MATCH
    assert placed.order.is_open
    exchange.check_conservation()


_orders = st.lists(
    st.tuples(
        st.sampled_from(["main", "other"]),
        st.sampled_from([Side.BUY, Side.SELL]),
        st.sampled_from(["limit", "maker", "ioc", "fok", "market", "spend", "cancel", "push", "wait"]),
        st.integers(9_900, 10_100),
        st.integers(1, 300_000),
    ),
    max_size=40,
)


@given(_orders, st.booleans())
def test_whatever_is_ordered_quantities_and_money_are_conserved(actions, in_quote):
    exchange = still(fee_asset="quote" if in_quote else "received", max_orders=1_000)
    told = []
    exchange.on_event(told.append)
    for number, (who, side, kind, ticks, lots) in enumerate(actions):
        _act(exchange, number, who, side, kind, Decimal(ticks) / 100, Decimal(lots) / 100_000)
        exchange.check_conservation()
        depth = exchange.depth(BTC, 5)
        assert not depth.bids or not depth.asks or depth.bids[0].price < depth.asks[0].price
        for name in ("main", "other"):
            assert all(one.free >= 0 and one.locked >= 0 for one in exchange.balances(name))
    _check_orders(exchange)
    assert [event.sequence for event in told] == list(range(1, len(told) + 1))


def _act(exchange, number, who, side, kind, price, quantity):
    requests = {
        "limit": lambda: limit(side, str(quantity), str(price), f"c{number}"),
        "maker": lambda: limit(side, str(quantity), str(price), f"c{number}", type=OrderType.LIMIT_MAKER),
        "ioc": lambda: limit(side, str(quantity), str(price), time_in_force=TimeInForce.IOC),
        "fok": lambda: fill_or_kill(side, str(quantity), str(price)),
        "market": lambda: market(side, str(quantity)),
        "spend": lambda: OrderRequest(BTC, side, OrderType.MARKET, quote_quantity=quantity * 100),
    }
    try:
        if kind in requests:
            request, before = requests[kind](), exchange.depth(BTC, 5_000)
            own = [order for order in exchange.open_orders(who) if order.side is not side]
            _check_placed(before, own, exchange.place(who, request), request)
        elif kind == "cancel":
            exchange.cancel_all(who, BTC)
        elif kind == "push":
            exchange.push_price(BTC, price, quantity)
        else:
            exchange.advance_to(exchange.now_ms + 30_000)
    except ExchangeRefusal as refusal:
        assert refusal.code in (-1013, -2010, -2011)


def _check_placed(before, own, placed, request):
    levels = before.asks if request.side is Side.BUY else before.bids
    if own or request.quote_quantity is not None or request.time_in_force is TimeInForce.FOK:
        return
    assert _by_price(placed.executions) == _walked(levels, request)


def _by_price(executions):
    traded = {}
    for one in executions:
        traded[one.price] = traded.get(one.price, 0) + one.quantity
    return list(traded.items())


def _walked(levels, request):
    # What price priority gives: the best level first, each emptied before the next, none beyond the limit.
    expected, left = [], request.quantity
    sign = 1 if request.side is Side.BUY else -1
    for level in levels:
        beyond = request.price is not None and (level.price - request.price) * sign > 0
        if left == 0 or beyond or request.type is OrderType.LIMIT_MAKER:
            break
        expected.append((level.price, min(left, level.quantity)))
        left -= expected[-1][1]
    return expected


def _check_orders(exchange):
    for name in ("main", "other"):
        trades = exchange.my_trades(name, BTC, limit=10_000)
        for order in exchange.all_orders(name, BTC, limit=10_000):
            mine = [one for one in trades if one.order_id == order.order_id]
            assert sum(one.quantity for one in mine) == order.filled <= order.quantity
            assert sum(one.quote_quantity for one in mine) == order.quote_filled
            assert (order.filled == order.quantity) == (order.status is OrderStatus.FILLED) or order.quote_quantity
            assert order.is_open == (order in exchange.open_orders(name))
