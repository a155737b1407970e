from __future__ import annotations

from decimal import Decimal

import pytest

from tests.trading.brokers.exchange_server.exchanges import BTC, account, limit, market, still
from trading.brokers.exchange_server.records import (
    BalancesChanged,
    ExchangeRefusal,
    MoneyMoved,
    OrderRequest,
    OrderStatus,
    OrderType,
    ReplaceMode,
    Side,
)
from trading.errors import Refused


def balances(exchange, name="main"):
    return {one.asset: (one.free, one.locked) for one in exchange.balances(name)}


def test_a_buy_locks_its_value_and_pays_its_fee_in_what_it_receives():
    exchange = still(accounts=(account(USDT="1000", BTC="0"), account("other")))
    exchange.place("main", limit(Side.BUY, "2", "99.00"))
    assert balances(exchange)["USDT"] == (Decimal(802), Decimal(198))

    exchange.push_price(BTC, Decimal(98))

    assert balances(exchange) == {"BTC": (Decimal("1.998"), 0), "USDT": (Decimal(802), 0)}
    trade = exchange.my_trades("main", BTC)[0]
    assert (trade.fee, trade.fee_asset, trade.is_maker) == (Decimal("0.002"), "BTC", True)
    exchange.check_conservation()


def test_a_buy_below_its_limit_gives_the_difference_back():
    exchange = still(accounts=(account(USDT="1000", BTC="0"), account("other")))
    exchange.place("other", limit(Side.SELL, "2", "100.00"))
    exchange.place("main", limit(Side.BUY, "4", "101.00"))

    free, locked = balances(exchange)["USDT"]

    rest = exchange.open_orders("main")
    assert locked == sum(order.remaining * order.price for order in rest)
    spent = sum(trade.quote_quantity for trade in exchange.my_trades("main", BTC))
    assert free + locked + spent == Decimal(1000)


def test_fees_in_quote_are_locked_with_the_order():
    exchange = still(fee_asset="quote", accounts=(account(USDT="1000", BTC="0"), account("other")))
    exchange.place("main", limit(Side.BUY, "2", "99.00"))
    assert balances(exchange)["USDT"] == (Decimal("801.802"), Decimal("198.198"))

    exchange.push_price(BTC, Decimal(98))

    assert balances(exchange) == {"BTC": (Decimal(2), 0), "USDT": (Decimal("801.802"), 0)}
    exchange.check_conservation()


def test_a_cancel_gives_back_what_was_locked():
    exchange = still(accounts=(account(USDT="1000"), account("other")))
    order = exchange.place("main", limit(Side.BUY, "2", "99.00", "mine")).order

    cancelled = exchange.cancel("main", BTC, client_id="mine")

    assert (cancelled.order_id, cancelled.status) == (order.order_id, OrderStatus.CANCELED)
    assert balances(exchange)["USDT"] == (Decimal(1000), 0)


def test_an_order_that_cannot_be_paid_is_refused():
    exchange = still(accounts=(account(USDT="100"), account("other")))
    for request in (limit(Side.BUY, "2", "99.00"), limit(Side.SELL, "2", "101.00"), market(Side.BUY, "2")):
        with pytest.raises(ExchangeRefusal) as caught:
            exchange.place("main", request)
        assert (caught.value.code, caught.value.text) == (
            -2010,
            "Account has insufficient balance for requested action.",
        )
    assert exchange.audit_log.accepted == []


def test_a_market_buy_by_quote_spends_no_more_than_that():
    exchange = still(accounts=(account(USDT="1000", BTC="0"), account("other")))
    request = OrderRequest(BTC, Side.BUY, OrderType.MARKET, quote_quantity=Decimal("500.55"))

    placed = exchange.place("main", request)

    assert placed.order.status is OrderStatus.FILLED
    price = placed.executions[-1].price
    assert 0 <= Decimal("500.55") - placed.order.quote_filled < price * Decimal("0.00001")
    assert balances(exchange)["USDT"] == (Decimal(1000) - placed.order.quote_filled, 0)


def test_a_client_id_may_come_again_only_when_its_order_is_closed():
    exchange = still()
    exchange.place("main", limit(Side.BUY, "1", "99.00", "mine"))
    with pytest.raises(ExchangeRefusal) as caught:
        exchange.place("main", limit(Side.BUY, "1", "98.00", "mine"))
    assert (caught.value.code, caught.value.text) == (-2010, "Duplicate order sent.")
    assert exchange.place("other", limit(Side.BUY, "1", "98.00", "mine")).order.is_open

    exchange.cancel("main", BTC, client_id="mine")
    again = exchange.place("main", limit(Side.BUY, "1", "98.00", "mine")).order

    assert exchange.order("main", BTC, client_id="mine") == again
    assert exchange.audit_log.repeated_client_ids() == ["mine"]


def test_the_audit_tells_every_request_and_what_became_of_it():
    exchange = still()
    exchange.place("main", limit(Side.BUY, "1", "99.00", "a"))
    with pytest.raises(ExchangeRefusal):
        exchange.place("main", limit(Side.BUY, "0.00001", "99.00", "b"))
    exchange.cancel("main", BTC, client_id="a")
    with pytest.raises(ExchangeRefusal):
        exchange.cancel("main", BTC, client_id="a")

    outcomes = [(one.kind, one.client_id, one.outcome) for one in exchange.audit_log.received]

    assert outcomes == [
        ("place", "a", "accepted"),
        ("place", "b", "-1013"),
        ("cancel", "a", "accepted"),
        ("cancel", "a", "-2011"),
    ]
    assert [one.client_id for one in exchange.audit_log.accepted] == ["a"]


def test_a_cancel_replace_stops_at_a_failed_cancel_only_when_told_so():
    exchange = still()
    new = limit(Side.BUY, "1", "98.00", "new")
    stopped = exchange.cancel_replace("main", BTC, None, "none", new)
    assert isinstance(stopped.cancelled, ExchangeRefusal)
    assert stopped.placed is None

    went_on = exchange.cancel_replace("main", BTC, None, "none", new, ReplaceMode.ALLOW_FAILURE)

    assert isinstance(went_on.cancelled, ExchangeRefusal)
    assert exchange.open_orders("main")[0].client_id == "new"


def test_money_that_comes_and_goes_is_told_and_kept_account_of():
    exchange = still()
    told = []
    exchange.on_event(told.append, (MoneyMoved, BalancesChanged))
    exchange.deposit("main", "USDT", Decimal(500))
    exchange.deposit("main", "USDT", Decimal(-200))
    with pytest.raises(ExchangeRefusal):
        exchange.deposit("main", "USDT", Decimal(-10_000_000))

    assert [one.amount for one in exchange.transfers("main")] == [500, -200]
    assert [type(event) for event in told] == [MoneyMoved, BalancesChanged] * 2
    assert balances(exchange)["USDT"][0] == Decimal(1_000_300)
    exchange.check_conservation()


def test_pages_of_trades_and_orders():
    exchange = still()
    for number in range(6):
        exchange.advance_to(exchange.now_ms + 1_000)
        exchange.advance_to(exchange.now_ms + 60_000)
        exchange.place("main", market(Side.BUY, "0.05"))
        exchange.place("main", limit(Side.BUY, "1", "90.00", f"c{number}"))
    trades, orders = exchange.my_trades("main", BTC), exchange.all_orders("main", BTC)

    assert exchange.my_trades("main", BTC, from_id=trades[2].trade_id, limit=2) == trades[2:4]
    assert exchange.my_trades("main", BTC, start_ms=trades[4].time_ms) == trades[4:]
    assert exchange.my_trades("main", BTC, end_ms=trades[1].time_ms) == trades[:2]
    assert exchange.my_trades("main", BTC, order_id=trades[3].order_id) == trades[3:4]
    assert exchange.my_trades("main", BTC, limit=2) == trades[-2:]
    assert exchange.all_orders("main", BTC, order_id=orders[5].order_id, limit=3) == orders[5:8]
    assert exchange.all_orders("main", BTC, start_ms=orders[4].created_ms) == orders[4:]
    assert exchange.my_trades("other", BTC) == ()


def test_a_delisted_symbol_cancels_its_orders_and_takes_none_until_it_is_back():
    exchange = still()
    exchange.place("main", limit(Side.BUY, "1", "99.00"))
    exchange.delist(BTC, 60)
    with pytest.raises(ExchangeRefusal) as caught:
        exchange.place("main", limit(Side.BUY, "1", "99.00"))

    assert (caught.value.code, caught.value.text) == (-1013, "Market is closed.")
    assert exchange.all_orders("main", BTC)[0].status is OrderStatus.CANCELED
    assert not exchange.is_trading(BTC)
    assert exchange.depth(BTC).bids == ()
    exchange.advance_to(exchange.now_ms + 60_000)
    assert exchange.place("main", limit(Side.BUY, "1", "99.00")).order.is_open


@pytest.mark.parametrize(
    ("quantity", "price", "text"),
    [
        ("1", "99.001", "PRICE_FILTER"),
        ("0.000001", "99.00", "LOT_SIZE"),
        ("0.00001", "99.00", "NOTIONAL"),
        ("1", "501.00", "PERCENT_PRICE"),
        ("1", "19.99", "PERCENT_PRICE"),
    ],
)
def test_filters_refuse_in_binances_words(quantity, price, text):
    with pytest.raises(ExchangeRefusal) as caught:
        still().place("main", limit(Side.BUY, quantity, price))

    assert (caught.value.code, caught.value.text) == (-1013, f"Filter failure: {text}")


def test_no_more_orders_than_the_market_allows():
    exchange = still(max_orders=2)
    for _ in range(2):
        exchange.place("main", limit(Side.BUY, "1", "99.00"))
    with pytest.raises(ExchangeRefusal, match="MAX_NUM_ORDERS"):
        exchange.place("main", limit(Side.BUY, "1", "99.00"))


def test_a_market_too_fine_to_count_is_refused():
    with pytest.raises(Refused, match="coarser"):
        still(market={"tick_size": "1E-12", "lot_size": "1E-9"})
