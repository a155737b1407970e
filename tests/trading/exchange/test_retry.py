"""Retries against a real server, on a clock that does not wait."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from email.utils import formatdate

import pytest

from tests.klines_server import (
    BROKEN_OFF,
    HANG,
    HTML,
    RESET,
    TRUNCATED_JSON,
    Fault,
    KlinesServer,
    RecordingClock,
    impatient,
    status,
)
from tests.markets import random_market
from trading.errors import ConnectionLost, FeedFailed, RateLimited, Refused, UsageError
from trading.exchange import Retry, RetryPolicy

CANDLES = random_market(1, 50, "1m")
NOW_MS = int(CANDLES.timestamp[-1]) + 60_000
MIDDLE = 0.5
CAP_S = 30.0


@pytest.fixture
def server() -> Iterator[KlinesServer]:
    with KlinesServer(NOW_MS) as market:
        market.serve(CANDLES)
        yield market


@pytest.fixture
def clock() -> RecordingClock:
    return RecordingClock(NOW_MS)


def ask(server: KlinesServer, clock: RecordingClock, callers: int = 1, symbol: str = "TEST/USDT") -> list[object]:
    """Ask for nine candles in so many tasks at once; errors come back as values."""

    async def main() -> list[object]:
        exchange = impatient(server, timeout_ms=250)
        retry = Retry("binance", clock, RetryPolicy(cap_s=CAP_S), jitter=lambda: MIDDLE)

        async def nine() -> list[list[float]]:
            return await exchange.fetch_ohlcv(symbol, "1m", int(CANDLES.timestamp[0]), 9)

        try:
            await retry("markets", exchange.load_markets)
            return await asyncio.gather(*(retry("nine candles", nine) for _ in range(callers)), return_exceptions=True)
        finally:
            await exchange.close()

    return asyncio.run(main())


@pytest.mark.parametrize("fault", [status(500), status(503), status(504), status(408), RESET, BROKEN_OFF, HANG])
def test_silence_is_asked_again(server: KlinesServer, clock: RecordingClock, fault: Fault) -> None:
    server.faults = [fault]
    assert len(ask(server, clock)[0]) == 9
    assert clock.sleeps in ([0.375], [])  # aiohttp itself repeats a read on a kept connection that was reset
    assert len(server.klines_calls) == 2


@pytest.mark.parametrize("fault", [TRUNCATED_JSON, HTML])
def test_nonsense_is_asked_again_but_not_for_ever(server: KlinesServer, clock: RecordingClock, fault: Fault) -> None:
    server.faults = [fault, fault]
    assert len(ask(server, clock)[0]) == 9
    server.always = fault
    failure = ask(server, clock)[0]
    assert isinstance(failure, FeedFailed)
    assert len(server.klines_calls) == 6


def test_pauses_double_up_to_the_cap_with_jitter(server: KlinesServer, clock: RecordingClock) -> None:
    server.always = status(503)
    failure = ask(server, clock)[0]
    assert isinstance(failure, ConnectionLost)
    assert failure.code == "E001"
    assert clock.sleeps == [0.75 * pause for pause in (0.5, 1, 2, 4, 8, 16, CAP_S)]
    assert len(server.klines_calls) == 8


def test_lesson_16_retry_after_is_honoured(server: KlinesServer, clock: RecordingClock) -> None:
    server.faults = [status(429, "47")]
    assert len(ask(server, clock)[0]) == 9
    assert clock.sleeps == [47.0]


def test_retry_after_may_be_a_date(server: KlinesServer, clock: RecordingClock) -> None:
    server.faults = [status(429, formatdate(NOW_MS / 1000 + 12, usegmt=True))]
    assert len(ask(server, clock)[0]) == 9
    assert clock.sleeps == [pytest.approx(12, abs=1)]


@pytest.mark.parametrize("header", [None, "soon"])
def test_busy_without_a_readable_pause_backs_off(
    server: KlinesServer, clock: RecordingClock, header: str | None
) -> None:
    server.faults = [status(429, header), status(429, header)]
    assert len(ask(server, clock)[0]) == 9
    assert clock.sleeps == [0.375, 0.75]


class GatheringClock(RecordingClock):
    """Lets sleepers go on only when so many sleep at once."""

    def __init__(self, now_ms: int, sleepers: int) -> None:
        super().__init__(now_ms)
        self.somebody_sleeps = asyncio.Event()
        self._all_sleep = asyncio.Event()
        self._sleepers = sleepers

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.somebody_sleeps.set()
        if len(self.sleeps) == self._sleepers:
            self._now_ms += round(seconds * 1000)
            self._all_sleep.set()
        await self._all_sleep.wait()


def test_lesson_16_a_pause_holds_for_every_task(server: KlinesServer) -> None:
    server.faults = [status(429, "47")]
    clock = GatheringClock(NOW_MS, sleepers=5)
    times: list[int] = []
    server.on_call = lambda call: times.append(clock.now_ms()) if call.path.endswith("klines") else None

    async def main() -> None:
        exchange = impatient(server)
        retry = Retry("binance", clock)

        async def nine() -> list[list[float]]:
            return await exchange.fetch_ohlcv("TEST/USDT", "1m", int(CANDLES.timestamp[0]), 9)

        try:
            await retry("markets", exchange.load_markets)
            first = asyncio.create_task(retry("candles", nine))
            await clock.somebody_sleeps.wait()
            async with asyncio.timeout(20):
                await asyncio.gather(first, *(retry("candles", nine) for _ in range(4)))
        finally:
            await exchange.close()

    asyncio.run(main())
    assert times == [NOW_MS] + [NOW_MS + 47_000] * 5


def test_lesson_16_a_ban_stops_every_later_call(server: KlinesServer, clock: RecordingClock) -> None:
    server.faults = [status(418, "3600")]

    async def main() -> list[object]:
        exchange = impatient(server)
        retry = Retry("binance", clock)
        outcomes: list[object] = []
        try:
            await retry("markets", exchange.load_markets)
            for _ in range(3):
                candles = retry("candles", lambda: exchange.fetch_ohlcv("TEST/USDT", "1m", 0, 9))
                outcomes += await asyncio.gather(candles, return_exceptions=True)
        finally:
            await exchange.close()
        return outcomes

    outcomes = asyncio.run(main())
    assert [type(outcome) for outcome in outcomes] == [RateLimited] * 3
    assert "try again in 3600 s" in str(outcomes[0])
    assert (len(server.klines_calls), clock.sleeps) == (1, [])


def test_a_pause_beyond_patience_ends_the_work(server: KlinesServer, clock: RecordingClock) -> None:
    server.faults = [status(429, "86400")]
    assert isinstance(ask(server, clock)[0], RateLimited)
    assert (len(server.klines_calls), clock.sleeps) == (1, [])


def test_busy_for_ever_is_given_up(server: KlinesServer, clock: RecordingClock) -> None:
    server.always = status(429, "5")
    failure = ask(server, clock)[0]
    assert isinstance(failure, RateLimited)
    assert failure.code == "E003"
    assert clock.sleeps == [5.0] * 7


@pytest.mark.parametrize("code", [400, 401, 403, 404, 451])
def test_a_refusal_is_final(server: KlinesServer, clock: RecordingClock, code: int) -> None:
    server.always = status(code)
    failure = ask(server, clock)[0]
    assert isinstance(failure, Refused)
    assert f"HTTP {code}" in str(failure)
    assert (len(server.klines_calls), clock.sleeps) == (1, [])


def test_an_unknown_symbol_is_the_callers_mistake(server: KlinesServer, clock: RecordingClock) -> None:
    failure = ask(server, clock, symbol="FOO/BAR")[0]
    assert isinstance(failure, UsageError)
    assert server.klines_calls == []


def test_a_busy_list_of_markets_tells_its_pause_too(server: KlinesServer, clock: RecordingClock) -> None:
    server.other_faults = [status(429, "9")]
    assert len(ask(server, clock)[0]) == 9
    assert clock.sleeps == [9.0]


def test_errors_of_our_own_pass_through(clock: RecordingClock) -> None:
    async def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(Retry("binance", clock)("nothing", broken))
    assert clock.sleeps == []
