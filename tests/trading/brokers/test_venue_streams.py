"""Private streams are hints: merged, reopened when they break, and nothing that they say can break the session."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from decimal import Decimal
from functools import partial
from typing import TypeVar

import pytest
from aiohttp import WSMsgType

from tests.trading.brokers.venue_at_hand import SYMBOL, AtHand, at_hand, new
from trading.brokers.ccxt_broker import BrokerPolicy
from trading.brokers.codecs import client_id
from trading.brokers.protocol import Hint
from trading.brokers.venue_streams import StreamPolicy
from trading.orders.states import OrderState

T = TypeVar("T")


def is_about(name: str, hint: Hint) -> bool:
    return hint.order is not None and hint.order.client_id == name


def use(work: Callable[[AtHand], Awaitable[T]], policy: BrokerPolicy | None = None) -> T:
    async def main() -> T:
        async with at_hand(streams=True, policy=policy) as hand:
            return await work(hand)

    return asyncio.run(main())


def test_orders_and_fills_are_told() -> None:
    async def work(hand: AtHand) -> None:
        placed = await hand.broker.place(new(1, side=-1, price=None))
        fill = (await hand.heard_that(lambda hint: hint.fill is not None)).fill
        assert fill is not None
        assert (fill.client_id, fill.exchange_id) == (client_id("test", 1), placed.exchange_id)
        order = await hand.heard_that(lambda hint: hint.order is not None and hint.order.state is OrderState.FILLED)
        assert order.order == placed
        (known,) = await hand.broker.fills_of(placed)
        assert known == fill

    use(work)


def test_money_from_outside_is_told() -> None:
    async def work(hand: AtHand) -> None:
        hand.server.exchange.deposit("main", "USDT", Decimal(5))
        assert (await hand.heard_that(lambda hint: hint.balances_changed)).balances_changed

    use(work)


def test_lesson_13_a_stream_that_breaks_is_opened_again_and_says_so() -> None:
    async def work(hand: AtHand) -> None:
        for number in range(1, 4):
            heard = len(hand.hints)
            assert hand.server.hub.disconnect_all() >= 1
            await hand.heard_that(lambda hint: hint.reconnected, since=heard)
            await hand.broker.place(new(number))
            await hand.heard_that(partial(is_about, client_id("test", number)))

    use(work)


def test_lesson_14_streams_are_rotated_before_a_day_and_leave_nothing_open() -> None:
    async def work(hand: AtHand) -> None:
        for _ in range(3):
            heard = len(hand.hints)
            hand.clock.pass_time(23 * 3600)
            await hand.broker.balances()
            await hand.heard(heard + 1)
            assert any(hint.reconnected for hint in hand.hints[heard:])
        counts = hand.server.hub.counts
        assert counts["opened"] == 4

    use(work)


def test_lesson_13_pauses_between_attempts_grow_to_thirty_seconds() -> None:
    async def main() -> list[float]:
        async with at_hand(streams=True) as hand:
            hand.clock.sleeps.clear()
            await hand.server.__aexit__(None, None, None)
            async with asyncio.timeout(20):
                while len(hand.clock.sleeps) < 20:
                    await asyncio.sleep(0.01)
            return hand.clock.sleeps

    pauses = asyncio.run(main())
    assert max(pauses) == 22.5  # thirty, less the jitter of a quarter
    assert pauses == sorted(pauses)
    assert pauses[0] == 0.375


def test_when_nobody_reads_hints_are_not_heaped_up() -> None:
    async def main() -> None:
        policy = BrokerPolicy(streams=StreamPolicy(waiting=5))
        async with at_hand(policy=policy, streams=True, listen=False) as hand:
            stream = hand.broker.hints()
            assert (await anext(stream)).reconnected
            for number in range(12):
                await hand.broker.place(new(number))
            orders = hand.broker._client.orders  # type: ignore[attr-defined]
            async with asyncio.timeout(20):
                while len(orders) < 12:
                    await asyncio.sleep(0.01)
            told = [await anext(stream)]
            while not told[-1].reconnected:
                told.append(await anext(stream))
            assert len(told) <= 6
            await stream.aclose()  # type: ignore[attr-defined]

    asyncio.run(main())


NONSENSE: list[object] = [
    None,
    [],
    "text",
    7,
    {"e": "executionReport"},
    {"e": "executionReport", "s": "BTCUSDT", "c": "gb-test-1", "X": "NEW", "x": "NEW", "S": "BUY", "i": 1},
    {"subscriptionId": 0, "event": {"e": "executionReport", "s": 5, "q": {"a": 1}, "i": []}},
    {
        "event": {
            "e": "executionReport",
            "x": "TRADE",
            "s": "BTCUSDT",
            "t": "x",
            "l": "much",
            "L": None,
            "c": "gb-test-1",
        }
    },
    {"e": "outboundAccountPosition", "B": "all"},
    {"e": "balanceUpdate", "a": 5, "d": []},
    {"event": "executionReport"},
    {"id": "1", "status": 200, "result": None},
]


@pytest.mark.parametrize("message", NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_on_the_stream_neither_breaks_it_nor_passes_for_news(message: object) -> None:
    async def work(hand: AtHand) -> None:
        client = hand.broker._client
        (stream,) = client.clients.values()  # type: ignore[attr-defined]
        heard = len(hand.hints)
        stream.handle_message(type("Frame", (), {"type": WSMsgType.TEXT, "data": json.dumps(message)}))
        await hand.broker.place(new(5))
        await hand.heard_that(lambda hint: hint.order is not None and hint.order.client_id == client_id("test", 5))
        news = [hint for hint in hand.hints[heard:] if hint.order is not None or hint.fill is not None]
        assert {hint.order.client_id for hint in news if hint.order is not None} == {client_id("test", 5)}
        assert not [hint for hint in news if hint.fill is not None]

    use(work)


def test_broken_json_on_the_stream_is_told_as_a_gap() -> None:
    async def work(hand: AtHand) -> None:
        (stream,) = hand.broker._client.clients.values()  # type: ignore[attr-defined]
        heard = len(hand.hints)
        stream.handle_message(type("Frame", (), {"type": WSMsgType.TEXT, "data": '{"e": "executionRep'}))
        await hand.heard(heard + 1)
        assert hand.hints[heard].reconnected
        await hand.broker.place(new(1))
        await hand.heard_that(lambda hint: hint.order is not None)

    use(work)


def test_other_markets_and_other_software_are_not_told_as_ours() -> None:
    async def work(hand: AtHand) -> None:
        client = hand.broker._client
        await client.create_order(SYMBOL, "limit", "buy", "0.01", "18000", {"clientOrderId": "somebody-else"})
        await hand.broker.place(new(2))
        await hand.heard_that(lambda hint: hint.order is not None)
        assert [hint.order.client_id for hint in hand.hints if hint.order is not None] == [client_id("test", 2)]

    use(work)
