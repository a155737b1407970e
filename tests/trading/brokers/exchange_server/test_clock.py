from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.klines_server import RecordingClock
from tests.trading.brokers.exchange_server.exchanges import served
from trading.brokers.exchange_server.config import ExchangeConfig
from trading.brokers.exchange_server.limits import RateLimits
from trading.brokers.exchange_server.market_clock import MarketClock
from trading.brokers.exchange_server.server import ExchangeServer


@pytest.mark.parametrize("speed", [0.1, 1.0, 60.0, 1_000.0])
def test_market_time_is_real_time_times_the_speed(speed):
    real = RecordingClock(5_000)
    clock = MarketClock(1_000_000, speed, lockstep=False, clock=real)
    asyncio.run(real.sleep(30))

    assert clock.now_ms() == 1_000_000 + int(30_000 * speed)


def test_market_time_never_goes_back():
    real = RecordingClock(5_000)
    clock = MarketClock(1_000_000, 1.0, lockstep=False, clock=real)
    asyncio.run(real.sleep(30))
    before = clock.now_ms()
    asyncio.run(real.sleep(-20))

    assert clock.now_ms() == before


def test_in_lockstep_only_an_advance_moves_time():
    real = RecordingClock(5_000)
    clock = MarketClock(1_000_000, 1.0, lockstep=True, clock=real)
    asyncio.run(real.sleep(30))

    assert clock.now_ms() == 1_000_000
    assert clock.advance(250) == clock.now_ms() == 1_000_250


def test_a_server_in_lockstep_moves_by_advance_and_signs_by_real_time():
    async def run():
        async with served() as (server, client), httpx.AsyncClient(base_url=server.url) as http:
            start = server.exchange.now_ms
            answer = (await http.post("/sim/advance", json={"ms": 90_000})).json()
            status = (await http.get("/sim/status")).json()
            klines = await client.fetch_ohlcv("BTC/USDT", "1m", limit=2)
            return start, answer, status, klines, await client.fetch_time(), server.clock.now_ms()

    start, answer, status, klines, told_ms, real_ms = asyncio.run(run())

    assert answer == {"now_ms": start + 90_000}
    assert (status["gridbot_exchange"], status["now_ms"], status["lockstep"]) == ("1", start + 90_000, True)
    assert klines[-1][0] == start + 60_000
    assert abs(real_ms - told_ms) < 60_000 < real_ms - start


def test_a_server_that_runs_by_itself_refuses_to_be_advanced():
    async def run():
        async with ExchangeServer(ExchangeConfig(history=10)) as server, httpx.AsyncClient(base_url=server.url) as http:
            return await http.post("/sim/advance", json={"ms": 1})

    answer = asyncio.run(run())

    assert answer.status_code == 400
    assert "--lockstep" in answer.json()["error"]


def test_an_accelerated_server_makes_candles_by_itself():
    async def run():
        config = ExchangeConfig(history=10, speed=1_000)
        async with ExchangeServer(config) as server:
            first = server.exchange.now_ms
            while server.exchange.now_ms < first + 120_000:
                await server.clock.sleep(0.01)
            return server.exchange.klines("BTC/USDT", "1m", first)

    klines = asyncio.run(run())

    assert len(klines) >= 2
    assert klines[0].trades >= 4


def test_the_same_requests_in_lockstep_give_the_same_audit_bytes():
    async def run():
        async with (
            served(flow="synthetic", seed=11, start_price=30_000.0) as (server, client),
            httpx.AsyncClient(base_url=server.url) as http,
        ):
            price = float(server.exchange.last_price("BTC/USDT"))
            for number in range(20):
                side = "buy" if number % 2 else "sell"
                limit = round(price * (0.999 if side == "buy" else 1.001), 2)
                await client.create_order(
                    "BTC/USDT", "limit", side, 0.5, limit, {"newClientOrderId": f"order-{number}"}
                )
                await http.post("/sim/advance", json={"ms": 45_000})
            return (await http.get("/sim/audit")).content

    first, second = asyncio.run(run()), asyncio.run(run())

    assert first == second
    assert b'"executions": [{' in first


class _Time:
    def __init__(self):
        self.now = 0

    def __call__(self):
        return self.now


def test_weight_is_counted_by_the_minute_of_market_time():
    time = _Time()
    limits = RateLimits(ExchangeConfig().limits.model_copy(update={"weight_per_minute": 10}), time)

    assert [limits.take("me", 4).status for _ in range(3)] == [200, 200, 429]
    assert limits.take("you", 4).status == 200
    time.now = 60_000
    assert limits.take("me", 4).status == 200
    assert limits.weight_used("me") == 4


def test_who_goes_on_after_429_is_banned_for_longer_each_time():
    time = _Time()
    changes = {"weight_per_minute": 1, "refusals_before_ban": 3, "ban_s": 120}
    limits = RateLimits(ExchangeConfig().limits.model_copy(update=changes), time)
    verdicts = [limits.take("me", 1) for _ in range(6)]

    assert [verdict.status for verdict in verdicts] == [200, 429, 429, 429, 418, 418]
    assert verdicts[1].retry_after_s == 60
    assert verdicts[-1].retry_after_s == 120
    time.now = 119_999
    assert limits.take("me", 1).status == 418
    time.now = 120_000
    assert [limits.take("me", 1).status for _ in range(5)] == [200, 429, 429, 429, 418]
    assert limits.take("me", 1).retry_after_s == 240


def test_orders_have_limits_of_their_own():
    time = _Time()
    changes = {"orders_per_10_seconds": 2, "orders_per_day": 3}
    limits = RateLimits(ExchangeConfig().limits.model_copy(update=changes), time)
    statuses = [limits.take_order("main").code for _ in range(3)]
    time.now = 10_000
    statuses += [limits.take_order("main").code for _ in range(2)]

    assert statuses == [0, 0, -1015, 0, -1015]
    assert limits.orders_used("main") == (1, 3)
