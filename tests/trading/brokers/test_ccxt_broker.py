"""The broker on the built-in exchange: exact, idempotent, and honest about what is not known."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import TypeVar

import pytest

from tests.trading.brokers.venue_at_hand import KEYS, SYMBOL, AtHand, at_hand, new
from trading.brokers.ccxt_broker import BrokerPolicy, CcxtBroker
from trading.brokers.codecs import client_id
from trading.brokers.exchange_server.config import AccountConfig, ExchangeConfig, LimitConfig
from trading.brokers.protocol import FundsRejected, OrderRejected
from trading.errors import ConnectionLost, GridBotError, RateLimited, Refused
from trading.exchange.account import open_account
from trading.exchange.calls import CallPolicy
from trading.exchange.clock import SystemClock
from trading.exchange.credentials import Credentials
from trading.orders.states import OrderState
from trading.orders.venue import Balance, NewOrder

T = TypeVar("T")


def use(work: Callable[[AtHand], Awaitable[T]], config: ExchangeConfig | None = None) -> T:
    async def main() -> T:
        async with at_hand(config) as hand:
            return await work(hand)

    return asyncio.run(main())


def push(hand: AtHand, price: str, volume: str | None = None) -> None:
    hand.server.catch_up()
    hand.server.exchange.push_price(SYMBOL, Decimal(price), None if volume is None else Decimal(volume))


def test_the_market_has_the_venues_steps_and_the_accounts_fees() -> None:
    market = use(lambda hand: hand.broker.market())
    assert (market.tick_size, market.lot_size, market.min_notional) == (Decimal("0.01"), Decimal("0.00001"), Decimal(5))
    assert (market.maker_fee, market.taker_fee, market.fee_in_base) == (Decimal("0.001"), Decimal("0.001"), True)


def test_balances_are_exact() -> None:
    async def work(hand: AtHand) -> None:
        assert await hand.broker.balances() == {"USDT": Balance(Decimal(10_000)), "BTC": Balance(Decimal(1))}
        await hand.broker.place(new(1))
        assert (await hand.broker.balances())["USDT"] == Balance(Decimal(9_800), Decimal(200))

    use(work)


def test_an_order_rests_is_listed_and_cancelled() -> None:
    async def work(hand: AtHand) -> None:
        placed = await hand.broker.place(new(1))
        assert (placed.client_id, placed.state) == (client_id("test", 1), OrderState.SUBMITTED)
        assert (placed.quantity, placed.filled, placed.price) == (Decimal("0.01"), Decimal(0), Decimal(20_000))
        assert await hand.broker.open_orders() == [placed]
        assert await hand.broker.order(client_id("test", 1), None) == placed
        assert await hand.broker.order(client_id("test", 1), placed.exchange_id) == placed
        cancelled = await hand.broker.cancel(client_id("test", 1), None)
        assert (cancelled.state, cancelled.exchange_id) == (OrderState.CANCELLED, placed.exchange_id)
        assert await hand.broker.cancel(client_id("test", 1), placed.exchange_id) == cancelled
        assert await hand.broker.open_orders() == []

    use(work)


def test_an_order_that_fills_at_once_is_answered_as_filled() -> None:
    async def work(hand: AtHand) -> None:
        placed = await hand.broker.place(new(1, side=-1, price=None))
        assert (placed.state, placed.filled, placed.price) == (OrderState.FILLED, Decimal("0.01"), None)

    use(work)


def test_lesson_12_a_buys_fee_is_told_in_the_base_asset() -> None:
    async def work(hand: AtHand) -> None:
        placed = await hand.broker.place(new(1, quantity="0.5"))
        push(hand, "19000", "3")
        (fill,) = await hand.broker.fills_of(placed)
        assert (fill.client_id, fill.is_maker, fill.fee_asset) == (client_id("test", 1), True, "BTC")
        assert (fill.quantity, fill.fee) == (Decimal("0.5"), Decimal("0.0005"))
        assert (await hand.broker.balances())["BTC"].total == 1 + fill.quantity - fill.fee

    use(work)


def test_partial_fills_come_one_by_one_oldest_first() -> None:
    async def work(hand: AtHand) -> None:
        placed = await hand.broker.place(new(1, quantity="0.3"))
        for _ in range(2):
            push(hand, "20000", "0.1")
        order = await hand.broker.order(client_id("test", 1), placed.exchange_id)
        assert order is not None
        assert order.state is OrderState.PARTIAL
        fills = await hand.broker.fills_of(placed)
        assert sum(fill.quantity for fill in fills) == order.filled
        assert [fill.time_ms for fill in fills] == sorted(fill.time_ms for fill in fills)
        assert list(await hand.broker.fills_since(0)) == [
            type(fill)(**{name: getattr(fill, name) for name in fill.__slots__} | {"client_id": None}) for fill in fills
        ]

    use(work)


def test_fills_before_a_time_are_left_out() -> None:
    async def work(hand: AtHand) -> None:
        first = await hand.broker.place(new(1, side=-1, price=None))
        (fill,) = await hand.broker.fills_of(first)
        assert [one.trade_id for one in await hand.broker.fills_since(fill.time_ms)] == [fill.trade_id]
        assert list(await hand.broker.fills_since(fill.time_ms + 1)) == []

    use(work)


def test_fills_are_read_to_the_last_page() -> None:
    async def work(hand: AtHand) -> None:
        placed = await hand.broker.place(new(1, quantity="0.25"))
        for _ in range(2_499):
            push(hand, "20000", "0.0001")
        fills = await hand.broker.fills_since(0)
        assert len(fills) == len({fill.trade_id for fill in fills}) > 2_000
        order = await hand.broker.order(client_id("test", 1), placed.exchange_id)
        assert order is not None
        assert sum(fill.quantity for fill in fills) == order.filled
        assert [fill.trade_id for fill in await hand.broker.fills_of(placed)] == [fill.trade_id for fill in fills]

    use(work)


def test_lesson_04_an_id_that_was_taken_gives_the_order_that_took_it() -> None:
    async def work(hand: AtHand) -> None:
        first = await hand.broker.place(new(1))
        assert await hand.broker.place(new(1)) == first
        assert len(await hand.broker.open_orders()) == 1

    use(work)


def test_lesson_04_an_order_whose_answer_is_lost_is_found_by_its_id() -> None:
    async def work(hand: AtHand) -> None:
        hand.faults(drop_after=1.0)
        with pytest.raises(ConnectionLost):
            await hand.broker.place(new(1))
        hand.faults(drop_after=0.0)
        assert hand.sends() == 1
        order = await hand.broker.order(client_id("test", 1), None)
        assert order is not None
        assert order.state is OrderState.SUBMITTED

    use(work)


@pytest.mark.parametrize("fault", ["drop_before", "error_500", "error_502", "error_503", "error_504", "garbage"])
def test_lesson_01_silence_is_never_taken_for_an_answer(fault: str) -> None:
    async def work(hand: AtHand) -> None:
        resting = await hand.broker.place(new(1))
        hand.faults(**{fault: 1.0})
        for ask in (
            lambda: hand.broker.place(new(2)),
            lambda: hand.broker.cancel(client_id("test", 1), resting.exchange_id),
            lambda: hand.broker.order(client_id("test", 9), None),
            hand.broker.open_orders,
            hand.broker.balances,
            lambda: hand.broker.fills_since(0),
        ):
            with pytest.raises(ConnectionLost):
                await ask()
        hand.faults(**{fault: 0.0})
        assert hand.sends() <= 2

    use(work)


def test_only_the_venue_says_that_it_knows_no_such_order() -> None:
    assert use(lambda hand: hand.broker.order(client_id("test", 77), None)) is None


def test_a_cancel_of_an_unknown_order_is_refused() -> None:
    async def work(hand: AtHand) -> None:
        with pytest.raises(OrderRejected, match="there is nothing to cancel"):
            await hand.broker.cancel(client_id("test", 77), None)
        with pytest.raises(OrderRejected):
            await hand.broker.cancel(client_id("test", 77), "4711")

    use(work)


def test_lesson_24_a_cancel_that_comes_too_late_returns_the_filled_order() -> None:
    async def work(hand: AtHand) -> None:
        placed = await hand.broker.place(new(1))
        push(hand, "19000", "3")
        order = await hand.broker.cancel(client_id("test", 1), placed.exchange_id)
        assert (order.state, order.filled) == (OrderState.FILLED, Decimal("0.01"))

    use(work)


def test_what_the_account_cannot_pay_for_is_refused_for_its_funds() -> None:
    async def work(hand: AtHand) -> None:
        with pytest.raises(FundsRejected) as failure:
            await hand.broker.place(new(1, quantity="0.6"))
        assert failure.value.code == "E002"

    use(work)


@pytest.mark.parametrize(
    ("quantity", "price"), [("0.000011", "20000"), ("0.000001", "20000"), ("0.01", "20000.001"), ("0.0001", "20000")]
)
def test_what_is_off_the_markets_steps_or_too_small_is_refused(quantity: str, price: str) -> None:
    async def work(hand: AtHand) -> None:
        with pytest.raises(OrderRejected):
            await hand.broker.place(new(1, quantity=quantity, price=price))
        assert await hand.broker.open_orders() == []

    use(work)


@pytest.mark.parametrize(("quantity", "price"), [("0.12345", "20000.01"), ("0.10000", "19999.90"), ("1E-2", "2E+4")])
def test_prices_and_quantities_arrive_exactly_as_they_are(quantity: str, price: str) -> None:
    async def work(hand: AtHand) -> None:
        order = await hand.broker.place(new(1, quantity=quantity, price=price))
        assert (order.quantity, order.price) == (Decimal(quantity), Decimal(price))

    use(work)


def test_all_our_orders_are_cancelled_and_others_left_alone() -> None:
    async def work(hand: AtHand) -> None:
        for number in range(3):
            await hand.broker.place(new(number, price=str(20_000 - number)))
        other = open_account("binance", KEYS, rest_url=hand.server.url, clock=hand.clock)
        try:
            await other.create_order(SYMBOL, "limit", "buy", "0.01", "18000", {"clientOrderId": "somebody-else"})
        finally:
            await other.close()
        cancelled = await hand.broker.cancel_all()
        assert [order.state for order in cancelled] == [OrderState.CANCELLED] * 3
        (left,) = await hand.broker.open_orders()
        assert (left.client_id, left.price) == (None, Decimal(18_000))

    use(work)


def test_lesson_16_a_busy_venue_has_not_taken_the_order() -> None:
    limits = LimitConfig(orders_per_10_seconds=2)
    account = AccountConfig(balances={"USDT": Decimal(10_000)})
    config = ExchangeConfig(flow="still", history=60, accounts=(account,), limits=limits, lockstep=True)

    async def work(hand: AtHand) -> None:
        for number in range(2):
            await hand.broker.place(new(number))
        with pytest.raises((RateLimited, OrderRejected)):
            await hand.broker.place(new(2))
        assert len(hand.server.exchange.audit_log.accepted) == 2

    use(work, config)


def test_a_clock_that_is_off_is_measured_and_corrected() -> None:
    async def work(hand: AtHand) -> None:
        hand.faults(clock_skew_ms=-90_000)
        placed = await hand.broker.place(new(1))
        assert placed.state is OrderState.SUBMITTED
        assert hand.sends() == 1

    use(work)


def test_wrong_keys_are_refused_with_what_to_do() -> None:
    async def work(hand: AtHand) -> None:
        keys = Credentials("a-key-that-nobody-knows", "a-secret-that-nobody-knows")
        client = open_account("binance", keys, rest_url=hand.server.url, clock=hand.clock)
        broker = CcxtBroker("binance", SYMBOL, client, hand.clock)
        try:
            with pytest.raises(Refused, match="check the keys"):
                await broker.open()
        finally:
            await broker.close()

    use(work)


def test_an_unlisted_symbol_is_refused() -> None:
    async def work(hand: AtHand) -> None:
        client = open_account("binance", KEYS, rest_url=hand.server.url, clock=hand.clock)
        broker = CcxtBroker("binance", "NO/SUCH", client, hand.clock)
        try:
            with pytest.raises(Refused, match="does not list NO/SUCH"):
                await broker.open()
        finally:
            await broker.close()

    use(work)


def test_an_order_under_a_foreign_id_is_never_sent() -> None:
    async def work(hand: AtHand) -> None:
        with pytest.raises(GridBotError, match="no client order id of this program"):
            await hand.broker.place(NewOrder("my-own-idea", SYMBOL, 1, Decimal("0.01"), Decimal(20_000)))
        assert hand.sends() == 0

    use(work)


def test_without_a_stream_address_hints_end_at_once() -> None:
    async def work(hand: AtHand) -> int:
        return len([hint async for hint in hand.broker.hints()])

    assert use(work) == 0


def test_lesson_06_a_storm_of_faults_sends_each_order_once_and_loses_none() -> None:
    names = ("drop_before", "drop_after", "error_500", "error_502", "error_503", "error_504", "garbage")
    policy = BrokerPolicy(calls=CallPolicy(attempts=30))

    async def main() -> None:
        async with at_hand(policy=policy) as hand:
            hand.faults(**dict.fromkeys(names, 0.05))
            unknown = 0
            for number in range(60):
                try:
                    await hand.broker.place(new(number, quantity="0.001"))
                except ConnectionLost:
                    unknown += 1
            ours = {order.client_id for order in await hand.broker.open_orders()}
            hand.faults(**dict.fromkeys(names, 0.0))
            accepted = [one.client_id for one in hand.server.exchange.audit_log.accepted]
            assert unknown > 0
            assert len(accepted) == len(set(accepted))
            assert ours == set(accepted)
            assert hand.sends() <= 60

    asyncio.run(main())


def test_the_system_clock_will_do() -> None:
    async def work(hand: AtHand) -> int:
        client = open_account("binance", KEYS, rest_url=hand.server.url)
        broker = CcxtBroker("binance", SYMBOL, client, SystemClock(), market_time_ms=lambda: 5)
        try:
            await broker.open()
            return await broker.time_ms()
        finally:
            await broker.close()

    assert use(work) == 5
