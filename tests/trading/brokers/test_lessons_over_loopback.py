"""What users of other systems paid for, against a real server: desk, reconciler, ccxt and the built-in exchange.

`tests/trading/brokers/test_desk_lessons.py` has each of them step by step in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal

import aiohttp
import pytest

from tests.trading.brokers.keeper_model import PREFIX
from tests.trading.brokers.test_funding import Books, books
from tests.trading.brokers.test_fuzz import session
from trading.brokers.desk import OrderDesk
from trading.brokers.reconcile import Reconciler, Verdict
from trading.orders.states import CommandState, OrderState

LOTS = 50
PRICE = 9_900
SYMBOL = "BTC/USDT"


def at_venue(bench: Books) -> dict[str, tuple[str, Decimal]]:
    """Status and filled quantity of every order that the exchange has taken, by our id."""
    orders = bench.server.exchange.all_orders("main", SYMBOL, limit=1_000)
    return {str(order.client_id): (order.status.value, order.filled) for order in orders}


def placed(bench: Books, client_id: str) -> int:
    """How often the exchange was sent an order of an id."""
    received = bench.server.exchange.audit_log.received
    return sum(one.kind == "place" and one.client_id == client_id for one in received)


def push(bench: Books, price: str, volume: str | None = None) -> None:
    bench.server.exchange.push_price(SYMBOL, Decimal(price), None if volume is None else Decimal(volume))


def faults(bench: Books, **shares: float) -> None:
    bench.server.faults.change(dict(shares))


async def live(bench: Books, seconds: int) -> None:
    """Do what a session does for a while."""
    for _ in range(seconds):
        await bench.desk.work()
        await bench.desk.book_trades()
        await bench.clock.sleep(1)


def restart(bench: Books) -> None:
    """Forget all that a process forgets when it dies; the books stay."""
    bench.desk = OrderDesk(bench.broker, bench.keeper, bench.clock)
    bench.reconciler = Reconciler(bench.broker, bench.keeper, bench.desk, bench.clock, PREFIX)


async def agrees(bench: Books) -> None:
    assert await bench.compare() is Verdict.EQUAL
    assert bench.server.exchange.audit()["repeated_client_ids"] == []
    assert not bench.keeper.halts
    for record in bench.keeper.all_records():
        status, filled = at_venue(bench)[record.client_id]
        assert bench.keeper.market.quantity(record.filled_lots) == filled
        assert record.is_final == (status not in {"NEW", "PARTIALLY_FILLED"})


def test_lesson_01_an_outage_of_the_network_ends_no_order() -> None:
    async def main() -> None:
        async with books("binance") as bench:
            first = bench.keeper.plan(0, 1, LOTS, PRICE)
            await live(bench, 2)
            faults(bench, drop_before=1.0)
            push(bench, "98")
            await live(bench, 40)
            assert not bench.keeper.get(first).is_final
            faults(bench, drop_before=0.0)
            await live(bench, 60)
            assert bench.keeper.get(first).state is OrderState.FILLED
            await agrees(bench)

    asyncio.run(main())


def test_lesson_03_a_cancel_lost_in_the_network_does_not_leave_an_order_that_fills_later() -> None:
    async def main() -> None:
        async with books("binance") as bench:
            gone = bench.keeper.plan(0, 1, LOTS, PRICE)
            await live(bench, 2)
            faults(bench, drop_before=1.0)
            bench.keeper.want_cancel(gone)
            await live(bench, 3)
            faults(bench, drop_before=0.0)
            restart(bench)
            await bench.reconciler.run("start")
            await live(bench, 40)
            assert bench.keeper.get(gone).state is OrderState.CANCELLED
            push(bench, "98")
            await live(bench, 3)
            assert at_venue(bench)[gone] == ("CANCELED", Decimal(0))
            await agrees(bench)

    asyncio.run(main())


def test_lesson_04_an_order_whose_answer_was_lost_is_looked_up_and_not_sent_again() -> None:
    async def main() -> None:
        async with books("binance") as bench:
            faults(bench, drop_after=1.0)
            lost = bench.keeper.plan(0, 1, LOTS, PRICE)
            await bench.desk.work()
            assert bench.keeper.get(lost).command is CommandState.UNRESOLVED
            faults(bench, drop_after=0.0)
            await live(bench, 30)
            assert bench.keeper.get(lost).command is CommandState.CONFIRMED
            assert placed(bench, lost) == 1
            await agrees(bench)

    asyncio.run(main())


@pytest.mark.parametrize("warm", [True, False])
def test_lesson_05_a_restart_books_no_trade_twice(warm: bool) -> None:
    async def main() -> None:
        async with books("binance") as bench:
            half = bench.keeper.plan(0, 1, LOTS, PRICE)
            await live(bench, 2)
            push(bench, "99", "0.02")
            await live(bench, 2)
            restart(bench)
            if not warm:
                await bench.clock.sleep(3_600)
            for _ in range(3):
                await bench.reconciler.run("start")
                await live(bench, 2)
            assert bench.keeper.get(half).filled_lots == 20
            push(bench, "98")
            await live(bench, 3)
            assert bench.keeper.get(half).filled_lots == LOTS
            await agrees(bench)

    asyncio.run(main())


def test_lesson_06_what_has_filled_unnoticed_is_not_sold_again() -> None:
    async def main() -> None:
        async with books("binance") as bench:
            faults(bench, drop_after=1.0)
            sold = bench.keeper.plan(0, -1, LOTS, 10_100)
            await bench.desk.work()
            push(bench, "102")
            again = bench.keeper.plan(0, -1, LOTS, 10_100)
            await live(bench, 3)
            assert placed(bench, again) == 0
            faults(bench, drop_after=0.0)
            await live(bench, 60)
            assert placed(bench, sold) == 1
            assert bench.keeper.get(sold).state is OrderState.FILLED
            await agrees(bench)

    asyncio.run(main())


def test_lesson_07_a_stale_list_right_after_a_fill_leads_to_no_second_order() -> None:
    async def main() -> None:
        async with books("binance") as bench:
            bench.server.history.start()
            first = bench.keeper.plan(0, 1, LOTS, PRICE)
            await live(bench, 10)
            faults(bench, stale=1.0, stale_ms=8_000)
            push(bench, "98")
            for _ in range(4):
                await bench.reconciler.run("timer")
                await live(bench, 1)
            faults(bench, stale=0.0)
            await live(bench, 15)
            assert bench.keeper.get(first).filled_lots == LOTS
            assert len(at_venue(bench)) == 1
            await agrees(bench)

    asyncio.run(main())


def test_lesson_08_what_filled_while_nobody_looked_is_answered_by_its_mirror() -> None:
    async def main() -> None:
        async with books("binance") as bench:
            bench.keeper._mirror = True
            first = bench.keeper.plan(0, 1, LOTS, PRICE)
            await live(bench, 2)
            push(bench, "98")
            await bench.clock.sleep(7_200)
            restart(bench)
            await bench.reconciler.run("start")
            await live(bench, 5)
            records = bench.keeper.all_records()
            assert [(record.side, record.filled_lots) for record in records] == [(1, LOTS), (-1, 0)]
            assert records[0].client_id == first
            assert at_venue(bench)[records[1].client_id] == ("NEW", Decimal(0))

    asyncio.run(main())


def test_lesson_13_trades_are_booked_though_the_stream_says_nothing_more() -> None:
    async def main() -> None:
        async with session() as here:
            here.hand.server.hub.silence_all()
            first = here.keeper.all_records()[0]
            here.hand.server.exchange.push_price(SYMBOL, Decimal(28_000))
            heard = here.heard
            assert await here.desk.book_trades() == 1
            await here.desk.work()
            assert here.heard == heard
            assert here.keeper.get(first.client_id).filled_lots == first.lots

    asyncio.run(main())


def test_lesson_16_a_ban_that_others_on_the_address_have_earned_stops_every_request_until_it_ends() -> None:
    async def main() -> None:
        async with books("binance") as bench:
            limits, client, answers = bench.server.limits, bench.broker._client, list[int]()
            observe = client.observe
            assert observe is not None

            def count(status: int, headers: Mapping[str, str]) -> None:
                answers.append(status)
                observe(status, headers)

            client.observe = count
            limits.config = limits.config.model_copy(update={"raw_requests_per_5_minutes": 1})
            async with aiohttp.ClientSession() as others:
                while not limits.bans:
                    await (await others.get(f"{bench.server.url}/api/v3/ping")).read()
            began_ms = bench.clock.now_ms()
            limits.config = limits.config.model_copy(update={"raw_requests_per_5_minutes": 61_000})
            first = bench.keeper.plan(0, 1, LOTS, PRICE)
            await live(bench, 110)
            assert answers == [418]
            assert bench.clock.now_ms() - began_ms < 120_000
            await live(bench, 120)
            assert bench.keeper.get(first).command is CommandState.CONFIRMED
            assert placed(bench, first) == 1
            assert set(answers[1:]) == {200}

    asyncio.run(main())


def test_lesson_21_nothing_reaches_the_venue_once_the_gate_is_closed() -> None:
    async def main() -> None:
        async with books("binance") as bench:
            faults(bench, drop_before=1.0)
            late = bench.keeper.plan(0, 1, LOTS, PRICE)
            await bench.desk.work()
            bench.desk.close_gate("the session ends")
            faults(bench, drop_before=0.0)
            never = bench.keeper.plan(1, 1, LOTS, PRICE)
            assert await bench.desk.settle(120) == ()
            assert at_venue(bench) == {}
            assert bench.keeper.get(late).is_final
            assert bench.keeper.get(never).is_planned

    asyncio.run(main())


def test_lesson_24_a_fill_that_beats_the_cancel_counts() -> None:
    async def main() -> None:
        async with books("binance") as bench:
            half = bench.keeper.plan(0, 1, LOTS, PRICE)
            await live(bench, 2)
            push(bench, "99", "0.02")
            # the fill is not known here when the cancel leaves
            bench.keeper.want_cancel(half)
            await live(bench, 5)
            record = bench.keeper.get(half)
            assert (record.state, record.filled_lots) == (OrderState.CANCELLED, 20)
            await agrees(bench)

    asyncio.run(main())
