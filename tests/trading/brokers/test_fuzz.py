"""Nonsense by the thousand at every parser of broker and feed: nothing but our own errors, and the books stay as is.

A part of the messages is told by the built-in exchange and spoiled by a seeded generator, so that each is certainly
malformed: cut JSON, missing keys, wrong types, NaN, huge numbers, values that no market has. Others are sound and come
twice or in another order. The suite sends 20,000; all 100,000 are sent by ``make test-all``.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Decimal
from math import isfinite
from typing import Any

import pytest
from aiohttp import WSMsgType

from tests.trading.brokers.keeper_model import PREFIX, KeeperModel
from tests.trading.brokers.test_parsing import RAW, mutated, prepared
from tests.trading.brokers.venue_at_hand import SYMBOL, AtHand, at_hand
from tests.trading.exchange.venue_server import SteppingClock
from tests.trading.market.feeds.test_stream import MARKET as CANDLES
from tests.trading.market.feeds.venue_server import Venue
from tests.trading.market.feeds.watching import at_row, candles_told, rightful, states_told, stream_feed, watched
from trading.brokers.desk import OrderDesk
from trading.brokers.reconcile import Reconciler, Verdict
from trading.errors import GridBotError
from trading.exchange.calls import VenueCalls
from trading.exchange.circuit import CircuitBreaker
from trading.market.feeds import ClosedCandle, FeedEvent, FeedState, StreamFeed, Tick
from trading.market.feeds.builder import Trade, trade_of
from trading.market.feeds.sanity import Unsound, candle_of_row, tick_of_ticker
from trading.orders.venue import VenueFill, VenueOrder

Message = dict[str, Any]

SIZES = [pytest.param(1, id="suite"), pytest.param(5, id="whole", marks=pytest.mark.slow)]
NO_NUMBER: tuple[object, ...] = (
    None, "", "x", "NaN", "sNaN", "Infinity", "1e400", "9" * 500, [], {}, [1], {"a": 1}, True, "0x10", "--1",
)  # fmt: skip
NO_AMOUNT: tuple[object, ...] = (*NO_NUMBER, "0", "-0.01", "1e-30")
NO_WORD: tuple[object, ...] = (None, "", {}, [], [[]], {"a": None}, "two words", "x" * 300)


def frame(words: str) -> object:
    return type("Frame", (), {"type": WSMsgType.TEXT, "data": words})


def cut(message: object, chance: random.Random) -> str:
    words = json.dumps(message)
    return words[: chance.randrange(1, len(words))]


# ---- the private stream --------------------------------------------------------------------------------------------

# What a report of a trade must have, by Binance's short names, and what none of them can be.
IMPOSSIBLE: dict[str, tuple[object, ...]] = {
    "s": ("ETHUSDT", "", None, {}, "BTC-USDT"),
    "S": ("HOLD", "", None, 7, []),
    "t": NO_WORD,
    "l": (*NO_AMOUNT, "0.0000000001", "99999", "0.0123456789"),
    "L": (*NO_AMOUNT, "0.0000000001", "1e9"),
    "n": NO_NUMBER,
    "N": NO_WORD,
    "T": (*NO_NUMBER, -1, "yesterday", 2**70),
}


def spoiled(message: Message, chance: random.Random) -> str:
    """Return a message of the stream that tells nothing any more."""
    kind = chance.random()
    if kind < 0.25:
        return cut(message, chance)
    if kind < 0.35:
        return json.dumps(chance.choice([None, [], [message["event"]], "text", 7, True, {}, {"event": [message]}]))
    changed = deepcopy(message)
    report = changed["event"]
    if report.get("x") == "TRADE":
        # a trade of its own: one that is known would not be booked again, whatever it says
        report["t"] = chance.randrange(10**6, 10**9)
    if report["e"] != "executionReport":
        return json.dumps(mutated(changed, chance, 0.5))
    if kind < 0.45:
        report["e"] = chance.choice([None, 5, "", "executionreport", {}, ["executionReport"]])
    elif report["x"] != "TRADE":
        return json.dumps(mutated(changed, chance, 0.4))
    elif kind < 0.6:
        del report[chance.choice(sorted(IMPOSSIBLE))]
    else:
        name = chance.choice(sorted(IMPOSSIBLE))
        report[name] = chance.choice(IMPOSSIBLE[name])
    return json.dumps(changed)


@dataclass
class Session:
    """Books and a desk that hear a real stream, and every message that it has told."""

    hand: AtHand
    keeper: KeeperModel
    desk: OrderDesk
    told: list[Message] = field(default_factory=list)
    heard: int = 0

    async def listen(self) -> None:
        async for hint in self.hand.broker.hints():
            self.desk.on_hint(hint)
            self.heard += 1

    def tap(self) -> None:
        """Keep what the stream tells from now on."""
        client = self.hand.broker._client
        seen = client.on_raw
        assert seen is not None

        def keep(message: object) -> None:
            if isinstance(message, dict) and "event" in message:
                self.told.append(deepcopy(message))
            seen(message)

        client.on_raw = keep

    def hear(self, words: str) -> None:
        """Let ccxt receive a text as if the exchange had sent it."""
        for stream in list(self.hand.broker._client.clients.values()):  # type: ignore[attr-defined]
            stream.handle_message(frame(words))

    async def until(self, met: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not met():
                await self.desk.work()
                await asyncio.sleep(0.002)

    async def rest(self) -> None:
        """Let everything that waits be read."""
        for _ in range(20):
            await asyncio.sleep(0)

    def state(self) -> tuple[object, ...]:
        keeper = self.keeper
        return (
            tuple(keeper.all_records()),
            tuple(keeper.trades),
            tuple(keeper.halts),
            tuple(keeper.expected().items()),
        )


@asynccontextmanager
async def session() -> AsyncIterator[Session]:
    """A session that has bought a part of one order, and cancelled another."""
    async with at_hand(streams=True, listen=False) as hand:
        market = await hand.broker.market()
        keeper = KeeperModel(hand.clock, Decimal(10_000), Decimal(1), market=market)
        here = Session(hand, keeper, OrderDesk(hand.broker, keeper, hand.clock))
        listening = asyncio.create_task(here.listen())
        try:
            await here.until(lambda: here.heard > 0)
            here.tap()
            await _trade(here)
            yield here
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


async def _trade(here: Session) -> None:
    keeper, exchange, market = here.keeper, here.hand.server.exchange, here.keeper.market
    ticks = int(Decimal(29_000) / market.tick_size)
    lots = int(Decimal("0.02") / market.lot_size)
    half = keeper.plan(0, 1, lots, ticks)
    gone = keeper.plan(1, 1, lots, ticks - 100)
    await here.until(lambda: all(record.exchange_id for record in keeper.all_records()))
    exchange.push_price(SYMBOL, Decimal(29_000), Decimal("0.01"))
    keeper.want_cancel(gone)
    await here.until(lambda: keeper.get(gone).is_final and 0 < keeper.get(half).filled_lots < lots)
    exchange.push_price(SYMBOL, Decimal(30_000))
    exchange.deposit("main", "USDT", Decimal(5))
    await here.until(lambda: any(message["event"]["e"] == "balanceUpdate" for message in here.told))
    keeper.funded("USDT", Decimal(5))
    await here.rest()


@pytest.mark.parametrize("size", SIZES)
def test_nonsense_on_the_private_stream_changes_no_book(size: int) -> None:
    chance = random.Random("the private stream")

    async def main() -> None:
        async with session() as here:
            known = {message["event"]["e"] for message in here.told}
            assert {"executionReport", "outboundAccountPosition", "balanceUpdate"} <= known
            trades = [message for message in here.told if message["event"].get("x") == "TRADE"]
            assert trades
            before, told = here.state(), list(here.told)
            for number in range(8_000 * size):
                message = chance.choice(trades if chance.random() < 0.6 else told)
                here.hear(spoiled(message, chance))
                if number % 100 == 99:
                    await here.rest()
                    assert here.state() == before
            await here.desk.work()
            assert here.state() == before
            await _ends_well(here)

    asyncio.run(main())


def test_a_sound_report_of_the_stream_is_booked() -> None:
    async def main() -> None:
        async with session() as here:
            before = here.state()
            message = next(message for message in here.told if message["event"].get("x") == "TRADE")
            message["event"]["t"] = 10**6
            here.hear(json.dumps(message))
            await here.rest()
            assert here.state() != before

    asyncio.run(main())


async def _ends_well(here: Session) -> None:
    # the stream is still heard, and what follows is booked as ever
    first, trades = here.keeper.all_records()[0], len(here.keeper.trades)
    here.hand.server.exchange.push_price(SYMBOL, Decimal(28_000))
    await here.until(lambda: here.keeper.get(first.client_id).is_final)
    assert here.keeper.get(first.client_id).filled_lots == first.lots
    assert len(here.keeper.trades) > trades
    reconciler = Reconciler(here.hand.broker, here.keeper, here.desk, here.hand.clock, PREFIX)
    assert (await reconciler.run("the end")).balances is Verdict.EQUAL
    assert not here.keeper.halts


@pytest.mark.parametrize("size", SIZES)
def test_sound_messages_that_come_twice_or_out_of_order_change_no_book(size: int) -> None:
    chance = random.Random("the order of the private stream")

    async def main() -> None:
        async with session() as here:
            before, told = here.state(), list(here.told)
            sent = 0
            while sent < 2_000 * size:
                for message in chance.sample(told * 3, 2 * len(told)):
                    here.hear(json.dumps(message))
                    sent += 1
                await here.rest()
                assert here.state() == before
            await here.desk.work()
            assert here.state() == before
            await _ends_well(here)

    asyncio.run(main())


# ---- answers of the broker's questions -----------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_nonsense_for_answers_is_refused_by_our_own_errors(size: int) -> None:
    clock = SteppingClock()
    chance = random.Random("answers")

    async def resync() -> None:
        raise AssertionError("no answer here speaks of time")

    async def main() -> None:
        calls = VenueCalls("a venue", clock, CircuitBreaker(clock, failures=10**9), resync)
        clients = {exchange_id: prepared(exchange_id) for exchange_id, _, _ in RAW.values()}
        names = sorted(RAW)
        read_well = refused = 0
        for number in range(5_000 * size):
            exchange_id, good, read = RAW[names[number % len(names)]]
            raw = mutated(good, chance, chance.choice([0.05, 0.12, 0.4]))

            async def answer(client: Any = clients[exchange_id], raw: object = raw, read: Any = read) -> object:
                return read(client, raw)

            try:
                found = await calls.send("it", answer)
            except GridBotError:
                refused += 1
            else:
                read_well += 1
                _is_whole(found)
        assert min(read_well, refused) > 500 * size

    asyncio.run(main())


def _is_whole(found: object) -> None:
    if isinstance(found, VenueOrder):
        assert found.quantity.is_finite()
        assert 0 <= found.filled <= found.quantity
        assert found.exchange_id
    elif isinstance(found, VenueFill):
        assert found.price.is_finite()
        assert found.quantity > 0
        assert found.price > 0
        assert found.fee.is_finite()
        assert found.trade_id
        assert found.fee_asset


# ---- market data ---------------------------------------------------------------------------------------------------

ROW = [1_704_067_200_000, "42283.58", "42298.62", "42261.02", "42298.61", "35.92724"]
TICKER: Message = {"symbol": SYMBOL, "timestamp": 1_704_067_200_000, "last": 42_283.5, "bid": 42_283.0, "ask": 42_284.0}
TRADE: Message = {"id": "17", "timestamp": 1_704_067_200_000, "price": "42283.5", "amount": "0.5", "side": "buy"}


@pytest.mark.parametrize("size", SIZES)
def test_nonsense_for_market_data_is_refused_with_a_reason(size: int) -> None:
    chance = random.Random("market data")
    refused = 0
    for _ in range(1_000 * size):
        candle = candle_of_row(SYMBOL, mutated(ROW, chance, 0.3), 60_000)
        tick = tick_of_ticker(SYMBOL, mutated(TICKER, chance, 0.3), 1_704_067_200_000)
        trade = trade_of(mutated(TRADE, chance, 0.3))
        refused += isinstance(candle, Unsound) + isinstance(tick, Unsound) + (trade is None)
        if isinstance(candle, ClosedCandle):
            assert 0 < candle.low <= min(candle.open, candle.close) <= max(candle.open, candle.close) <= candle.high
            assert isfinite(candle.high)
            assert candle.volume >= 0
            assert candle.timestamp % 60_000 == 0
        if isinstance(tick, Tick):
            assert tick.price > 0
            assert isfinite(tick.price)
            assert tick.bid is None or tick.ask is None or tick.bid <= tick.ask
        if isinstance(trade, Trade):
            assert trade.price > 0
            assert trade.amount > 0
    assert refused > 300 * size


# What a closed candle must have, by Binance's short names, and what none of them can be.
NO_CANDLE: dict[str, tuple[object, ...]] = {
    "t": (*NO_NUMBER, -60_000, 7, 2**70),
    "o": NO_AMOUNT,
    "h": (*NO_AMOUNT, "0.0000001"),
    "l": (*NO_NUMBER, "0", "-0.01", "1e30"),
    "c": NO_AMOUNT,
    "v": (*NO_NUMBER, "-5"),
    "s": ("NONE/USDT", None, {}, ""),
    "x": (None, 0, "yes", {}),
}


def spoiled_candle(open_ms: int, chance: random.Random) -> str:
    """Return what the market's stream might tell of a candle, if it were not nonsense."""
    kline: Message = {
        "t": open_ms, "T": open_ms + 59_999, "s": "TESTUSDT", "i": "1m", "f": 1, "L": 2, "o": "100", "c": "101",
        "h": "102", "l": "99", "v": "5", "n": 2, "x": True, "q": "500", "V": "1", "Q": "100", "B": "0",
    }  # fmt: skip
    message = {"e": "kline", "E": open_ms + 60_000, "s": "TESTUSDT", "k": kline}
    kind = chance.random()
    if kind < 0.2:
        return cut(message, chance)
    if kind < 0.3:
        return json.dumps(chance.choice([None, [], [message], "kline", 7, {"e": "kline"}, {"e": "kline", "k": []}]))
    name = chance.choice(sorted(NO_CANDLE))
    if kind < 0.5:
        del kline[name]
    else:
        kline[name] = chance.choice(NO_CANDLE[name])
    return json.dumps(message)


@pytest.mark.parametrize("size", SIZES)
def test_nonsense_on_the_markets_stream_passes_no_candle_and_loses_none(size: int) -> None:
    chance = random.Random("the market's stream")
    clock = at_row(CANDLES, 30)
    feeds: list[StreamFeed] = []

    def opened(url: str) -> StreamFeed:
        feeds.append(stream_feed(clock, url, [CANDLES.symbol]))
        return feeds[-1]

    async def shout(event: FeedEvent) -> None:
        if isinstance(event, ClosedCandle):
            for stream in list(feeds[0]._exchange.clients.values()):  # type: ignore[attr-defined]
                for _ in range(250 * size):
                    stream.handle_message(frame(spoiled_candle(clock.now_ms() // 60_000 * 60_000, chance)))

    until_ms = clock.now_ms() + 20 * 60_000
    events = watched(Venue.of(clock, CANDLES), clock, opened, until_ms, shout)
    assert candles_told(events) == rightful(CANDLES, 29, clock.now_ms())
    assert states_told(events)[-1] is FeedState.LIVE
