"""The broker in Coinbase's words: other ids, other listings, other answers, the same broker."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

import pytest

from tests.trading.brokers.exchange_server.coinbase_venue import KEY, SYMBOL, CoinbaseVenue, running
from tests.trading.brokers.venue_at_hand import StreamClock
from trading.brokers.ccxt_broker import CcxtBroker
from trading.brokers.codecs import client_id
from trading.brokers.protocol import FundsRejected, Hint, OrderRejected
from trading.errors import ConnectionLost
from trading.exchange.account import AccountOptions, open_account
from trading.exchange.circuit import CircuitBreaker
from trading.exchange.credentials import Credentials
from trading.orders.states import OrderState
from trading.orders.venue import Balance, NewOrder

T = TypeVar("T")


@dataclass
class Here:
    """The broker and its venue."""

    broker: CcxtBroker
    venue: CoinbaseVenue

    def push(self, price: str, volume: str | None = None) -> None:
        self.venue.exchange.push_price(SYMBOL, Decimal(price), None if volume is None else Decimal(volume))


def new(number: int, side: int = 1, quantity: str = "0.01", price: str | None = "20000") -> NewOrder:
    limit = None if price is None else Decimal(price)
    return NewOrder(client_id("test", number), SYMBOL, side, Decimal(quantity), limit)


def use(work: Callable[[Here], Awaitable[T]], *, streams: bool = False) -> T:
    async def main() -> T:
        async with running() as venue:
            clock = StreamClock()
            url = f"127.0.0.1:{venue.port}"
            client = open_account(
                "coinbase",
                Credentials(KEY.name, KEY.private_pem),
                rest_url=f"http://{url}",
                ws_url=f"ws://{url}" if streams else None,
                clock=clock,
                options=AccountOptions(timeout_ms=2_000),
            )
            broker = CcxtBroker("coinbase", SYMBOL, client, clock, breaker=CircuitBreaker(clock, 1_000))
            try:
                await broker.open()
                return await work(Here(broker, venue))
            finally:
                await broker.close()

    return asyncio.run(main())


def test_the_market_and_the_account_are_exact() -> None:
    async def work(here: Here) -> None:
        market = await here.broker.market()
        assert (market.tick_size, market.lot_size, market.min_notional) == (
            Decimal("0.01"),
            Decimal("0.0001"),
            Decimal(1),
        )
        assert not market.fee_in_base
        assert 0 <= market.maker_fee <= market.taker_fee < Decimal("0.05")
        balances = await here.broker.balances()
        assert (balances["USD"], balances["BTC"]) == (Balance(Decimal(10_000)), Balance(Decimal(1)))

    use(work)


def test_an_order_rests_is_found_by_either_id_and_cancelled() -> None:
    async def work(here: Here) -> None:
        placed = await here.broker.place(new(1))
        assert (placed.state, placed.quantity, placed.price) == (OrderState.SUBMITTED, Decimal("0.01"), Decimal(20_000))
        by_ours = await here.broker.order(client_id("test", 1), None)
        by_theirs = await here.broker.order(client_id("test", 1), placed.exchange_id)
        assert by_ours == by_theirs
        assert by_ours is not None
        assert (by_ours.exchange_id, by_ours.state, by_ours.filled) == (
            placed.exchange_id,
            OrderState.SUBMITTED,
            Decimal(0),
        )
        assert await here.broker.open_orders() == [by_ours]
        cancelled = await here.broker.cancel(client_id("test", 1), placed.exchange_id)
        assert cancelled.state is OrderState.CANCELLED
        assert await here.broker.cancel(client_id("test", 1), placed.exchange_id) == cancelled
        assert await here.broker.open_orders() == []

    use(work)


def test_unknown_orders_are_unknown() -> None:
    async def work(here: Here) -> None:
        assert await here.broker.order(client_id("test", 9), None) is None
        unknown = "11111111-2222-4333-8444-555555555555"
        assert await here.broker.order(client_id("test", 9), unknown) is None
        with pytest.raises(OrderRejected):
            await here.broker.cancel(client_id("test", 9), unknown)

    use(work)


def test_lesson_04_the_same_id_sent_twice_is_one_order() -> None:
    async def work(here: Here) -> None:
        first = await here.broker.place(new(1))
        assert (await here.broker.place(new(1))).exchange_id == first.exchange_id
        assert len(await here.broker.open_orders()) == 1

    use(work)


def test_fills_are_told_with_their_fees_in_quote() -> None:
    async def work(here: Here) -> None:
        placed = await here.broker.place(new(1, quantity="0.1"))
        here.push("19000", "3")
        order = await here.broker.order(client_id("test", 1), placed.exchange_id)
        assert order is not None
        assert order.state is OrderState.FILLED
        fills = await here.broker.fills_of(order)
        assert sum(fill.quantity for fill in fills) == Decimal("0.1")
        assert {fill.fee_asset for fill in fills} == {"USD"}
        assert all(fill.is_maker and fill.fee > 0 for fill in fills)
        since = await here.broker.fills_since(0)
        assert [fill.trade_id for fill in since] == [fill.trade_id for fill in fills]
        assert not await here.broker.fills_since(fills[-1].time_ms + 1)

    use(work)


def test_all_pages_of_a_listing_are_read() -> None:
    async def work(here: Here) -> None:
        placed = await here.broker.place(new(1, quantity="0.1"))
        for _ in range(600):
            here.push("20000", "0.0001")
        fills = await here.broker.fills_since(0)
        order = await here.broker.order(client_id("test", 1), placed.exchange_id)
        assert order is not None
        assert len(fills) > 500
        assert sum(fill.quantity for fill in fills) == order.filled

    use(work)


def test_a_market_sell_fills() -> None:
    async def work(here: Here) -> None:
        placed = await here.broker.place(new(1, side=-1, price=None))
        order = await here.broker.order(client_id("test", 1), placed.exchange_id)
        assert order is not None
        assert (order.state, order.filled) == (OrderState.FILLED, Decimal("0.01"))

    use(work)


def test_a_market_buy_goes_as_an_immediate_order_for_the_exact_quantity() -> None:
    async def work(here: Here) -> None:
        placed = await here.broker.place(new(1, price=None))
        order = await here.broker.order(client_id("test", 1), placed.exchange_id)
        assert order is not None
        assert (order.state, order.filled, order.quantity) == (OrderState.FILLED, Decimal("0.01"), Decimal("0.01"))

    use(work)


def test_refusals_come_with_their_reason() -> None:
    async def work(here: Here) -> None:
        with pytest.raises(FundsRejected):
            await here.broker.place(new(1, quantity="5"))
        with pytest.raises(OrderRejected, match="not on the steps"):
            await here.broker.place(new(2, quantity="0.01001"))
        assert await here.broker.open_orders() == []

    use(work)


@pytest.mark.parametrize("fault", ["drop_before", "error_500", "error_503", "garbage"])
def test_lesson_01_silence_is_never_taken_for_an_answer(fault: str) -> None:
    async def work(here: Here) -> None:
        here.venue.faults.change({fault: 1.0})
        for ask in (
            lambda: here.broker.place(new(2)),
            lambda: here.broker.order(client_id("test", 9), None),
            here.broker.open_orders,
            here.broker.balances,
            lambda: here.broker.fills_since(0),
        ):
            with pytest.raises(ConnectionLost):
                await ask()

    use(work)


def test_the_stream_points_at_orders_and_rest_tells_them() -> None:
    async def work(here: Here) -> Hint:
        stream = here.broker.hints()
        try:
            async with asyncio.timeout(20):
                assert (await anext(stream)).reconnected
                await here.broker.place(new(1))
                while True:
                    hint = await anext(stream)
                    if hint.order is not None:
                        return hint
        finally:
            await stream.aclose()  # type: ignore[attr-defined]

    order = use(work, streams=True).order
    assert order is not None
    assert (order.client_id, order.quantity, order.state) == (
        client_id("test", 1),
        Decimal("0.01"),
        OrderState.SUBMITTED,
    )
