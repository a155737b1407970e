"""Feeds of the built-in exchange, in both its dialects, in lock-step and at speed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

import pytest

from trading.brokers.exchange_server import server as exchange_server
from trading.brokers.exchange_server.coinbase_gate import CoinbaseLimits
from trading.brokers.exchange_server.config import ExchangeConfig
from trading.exchange import Retry
from trading.exchange.clock import Clock, LockstepClock, ScaledClock
from trading.exchange.simulated import SimulatedTime
from trading.market.feeds import ClosedCandle, FailoverFeed, FeedNews, FeedState, RestFeed, Tick, open_feed
from trading.market.feeds.gate import GateCounts
from trading.market.feeds.stream_client import open_streams
from trading.market.feeds.venue_candles import VenueCandles

MINUTE = 60_000


@pytest.fixture(autouse=True)
def hurried_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Coinbase's ten requests a second are real seconds, of which a market at speed has too few."""
    patient = partial(exchange_server.add_coinbase, limits=CoinbaseLimits(1_000_000, 1_000_000))
    monkeypatch.setattr(exchange_server, "add_coinbase", patient)


def config(*, lockstep: bool) -> ExchangeConfig:
    speed = {"lockstep": True} if lockstep else {"speed": 300.0}
    return ExchangeConfig.model_validate(
        {"symbols": ("BTC/USD",), "fee_asset": "quote", "start_price": 100.0, "history": 120, "seed": 5} | speed
    )


async def watch(
    exchange_id: str, config: ExchangeConfig, candles: int, streams: bool, check: Callable[[object, Clock], None]
) -> tuple[list[object], list[list[float]], int]:
    """What a feed tells until so many candles, the exchange's rows from the history's end on, and that end."""
    async with exchange_server.ExchangeServer(config) as server:
        time = SimulatedTime(server.url)
        clock = await time.clock()
        ws_url = server.ws_url if streams else None
        feed = open_feed(exchange_id, ["BTC/USD"], "1m", clock, rest_url=server.url, ws_url=ws_url)
        check(feed, clock)
        history = await feed.history("BTC/USD", 40)
        assert len(history) == 40
        events: list[object] = []
        async for event in feed.events():
            events.append(event)
            if sum(isinstance(one, ClosedCandle) for one in events) == candles:
                await feed.close()
        client = open_streams(exchange_id, clock, server.url)
        client.timeout_on_exit = 0  # type: ignore[attr-defined]
        rows = await client.fetch_ohlcv("BTC/USD", "1m", since=int(history.timestamp[-1]), limit=200)
        await client.close()
        await time.close()
        return events, rows, int(history.timestamp[-1])


def require_whole(events: list[object], rows: list[list[float]], end_ms: int) -> None:
    told = [event for event in events if isinstance(event, ClosedCandle)]
    assert [one.timestamp for one in told] == [end_ms + MINUTE * n for n in range(1, len(told) + 1)]
    values = {int(row[0]): tuple(row[1:6]) for row in rows}
    for one in told:
        assert (one.open, one.high, one.low, one.close, one.volume) == values[one.timestamp]
    assert any(isinstance(event, Tick) for event in events)


@pytest.mark.parametrize("exchange_id", ["binance", "coinbase"])
def test_in_lock_step_rest_tells_every_candle(exchange_id: str) -> None:
    def check(feed: object, clock: Clock) -> None:
        assert isinstance(clock, LockstepClock)
        assert isinstance(feed, RestFeed)

    require_whole(*asyncio.run(watch(exchange_id, config(lockstep=True), 20, streams=True, check=check)))


@pytest.mark.parametrize("exchange_id", ["binance", "coinbase"])
def test_at_speed_streams_and_rest_tell_every_candle(exchange_id: str) -> None:
    def check(feed: object, clock: Clock) -> None:
        assert isinstance(clock, ScaledClock)
        assert isinstance(feed, FailoverFeed)

    events, rows, end_ms = asyncio.run(watch(exchange_id, config(lockstep=False), 6, streams=True, check=check))
    require_whole(events, rows, end_ms)
    assert FeedState.LIVE in [event.state for event in events if isinstance(event, FeedNews)]


@pytest.mark.parametrize("lockstep", [True, False])
def test_market_time_is_not_taken_for_the_time_that_signatures_are_checked_by(lockstep: bool) -> None:
    hour_ms, asked = 3_600_000, list[str]()

    async def advance(milliseconds: int) -> int:
        raise AssertionError(f"nothing waits here for {milliseconds} ms")

    async def main() -> None:
        async with exchange_server.ExchangeServer(config(lockstep=True)) as server:
            now_ms = server.exchange.now_ms + hour_ms
            clock: Clock = LockstepClock(now_ms, advance) if lockstep else ScaledClock(now_ms, 1.0)
            client = open_streams("binance", clock, server.url)
            client.timeout_on_exit = 0  # type: ignore[attr-defined]
            fetch_time = client.fetch_time

            async def counted() -> int | None:
                asked.append("time")
                return await fetch_time()

            client.fetch_time = counted  # type: ignore[method-assign]
            retry = Retry("binance", clock)
            candles = VenueCandles(client, "1m", clock, retry, GateCounts())
            await candles.open(["BTC/USD"])
            assert 0 <= candles.now_ms() - now_ms < 60_000
            await client.close()

    asyncio.run(main())
    assert asked == []
