"""The client factory: no call leaves for the real exchange, and a bad answer never passes for an empty one."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar
from urllib.parse import urlsplit

import ccxt.async_support as ccxt
import pytest

from tests.klines_server import (
    HTML,
    TRUNCATED_JSON,
    Fault,
    KlinesServer,
    impatient,
    rows_changed,
    status,
)
from tests.markets import random_market
from trading.errors import Refused, UsageError
from trading.exchange import Exchange, open_exchange
from trading.exchange.answers import Answer, listening

T = TypeVar("T")
CANDLES = random_market(1, 50, "1m")
NOW_MS = int(CANDLES.timestamp[-1]) + 60_000


@pytest.fixture
def server() -> Iterator[KlinesServer]:
    with KlinesServer(NOW_MS) as market:
        market.serve(CANDLES)
        yield market


def asked(server: KlinesServer, ask: Callable[[Exchange], Awaitable[T]]) -> T:
    async def main() -> T:
        exchange = impatient(server)
        try:
            return await ask(exchange)
        finally:
            await exchange.close()

    return asyncio.run(main())


def candles_of(server: KlinesServer, since: int | None = None) -> list[list[float]]:
    return asked(
        server, lambda exchange: exchange.fetch_ohlcv("TEST/USDT", "1m", since or int(CANDLES.timestamp[0]), 9)
    )


def strings(value: object) -> list[str]:
    if isinstance(value, dict | list):
        return [text for item in (value.values() if isinstance(value, dict) else value) for text in strings(item)]
    return [] if value is None else [str(value)]


@pytest.mark.parametrize("exchange_id", ["binance", "coinbase", "kraken", "bybit", "okx", "kucoin", "bitget"])
def test_every_address_of_a_client_is_moved(exchange_id: str) -> None:
    exchange = open_exchange(exchange_id, "http://127.0.0.1:8123/")
    addresses = strings(exchange.urls["api"])
    assert addresses
    assert {urlsplit(address).netloc for address in addresses} == {"127.0.0.1:8123"}
    assert {urlsplit(address).scheme for address in addresses} <= {"http", "ws"}


def test_paths_stay_when_addresses_move() -> None:
    assert open_exchange("binance", "https://127.0.0.1:8123").urls["api"]["public"] == "https://127.0.0.1:8123/api/v3"


def test_without_an_address_the_real_ones_stay() -> None:
    assert open_exchange("binance").urls["api"]["public"] == ccxt.binance().urls["api"]["public"]


def test_an_address_that_cannot_be_moved_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    description = ccxt.binance().describe()
    description["urls"]["api"]["public"] = "ftp://api.binance.com/api/v3"
    monkeypatch.setattr(ccxt.binance, "describe", lambda _: description)
    with pytest.raises(Refused, match="cannot be moved to http://127"):
        open_exchange("binance", "http://127.0.0.1:8123")


@pytest.mark.parametrize("url", ["127.0.0.1:8123", "ftp://127.0.0.1", "http://", "http://127.0.0.1/?key=1"])
def test_what_is_no_server_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="is no server address"):
        open_exchange("binance", url)


def test_unknown_exchange_is_refused() -> None:
    with pytest.raises(UsageError, match="there is no exchange 'binanse'"):
        open_exchange("binanse")


def test_rate_limiter_is_on_and_no_keys_are_set() -> None:
    exchange = open_exchange("binance")
    assert exchange.enableRateLimit
    assert not exchange.apiKey


def test_markets_take_one_call(server: KlinesServer) -> None:
    asked(server, lambda exchange: exchange.load_markets())
    assert [call.path for call in server.calls] == ["/api/v3/exchangeInfo"]


def test_the_real_exchange_cannot_be_reached_from_tests() -> None:
    async def main() -> None:
        exchange = open_exchange("binance", timeout_ms=2_000)
        exchange.timeout_on_exit = 0  # type: ignore[attr-defined]
        try:
            await exchange.fetch_time()
        finally:
            await exchange.close()

    with pytest.raises((AssertionError, ccxt.NetworkError)):
        asyncio.run(main())


def test_good_candles_come_through(server: KlinesServer) -> None:
    rows = candles_of(server)
    assert [row[0] for row in rows] == CANDLES.timestamp[:9].tolist()
    assert [row[4] for row in rows] == CANDLES.close[:9].tolist()


def test_candles_before_the_time_asked_for_are_seen(server: KlinesServer) -> None:
    server.always = rows_changed(lambda _: [[int(CANDLES.timestamp[0]), "1", "1", "1", "1", "1"]])
    assert len(candles_of(server, since=int(CANDLES.timestamp[20]))) == 1


@pytest.mark.parametrize(
    "fault",
    [
        TRUNCATED_JSON,
        HTML,
        rows_changed(lambda _: [[1_704_067_200_000, "1", "1", None, "1", "1"]]),
        rows_changed(lambda _: [[None, "1", "1", "1", "1", "1"]]),
        rows_changed(lambda _: [[1_704_067_200_000, "1"]]),
        rows_changed(lambda _: ["candle"]),
        rows_changed(lambda _: {"candles": 3}),  # type: ignore[arg-type,return-value]
    ],
    ids=["truncated", "html", "null price", "null time", "short row", "text row", "no list"],
)
def test_a_bad_answer_is_no_empty_answer(server: KlinesServer, fault: Fault) -> None:
    server.always = fault
    with pytest.raises(ccxt.BadResponse):
        candles_of(server)


def test_truncated_markets_are_a_bad_answer(server: KlinesServer) -> None:
    server.other_faults = [TRUNCATED_JSON]
    with pytest.raises(ccxt.BadResponse, match="broken JSON"):
        asked(server, lambda exchange: exchange.load_markets())


def test_each_caller_hears_its_own_answer(server: KlinesServer) -> None:
    server.faults = [status(429, "7"), status(503), status(418, "99")]

    async def listen(exchange: Exchange) -> Answer:
        with listening() as answer, pytest.raises(ccxt.OperationFailed):
            await exchange.fetch_ohlcv("TEST/USDT", "1m", 0, 5)
        return answer

    async def three(exchange: Exchange) -> list[Answer]:
        await exchange.load_markets()
        return await asyncio.gather(*(listen(exchange) for _ in range(3)))

    answers = asked(server, three)
    heard = sorted((answer.status, answer.headers.get("retry-after")) for answer in answers)
    assert heard == [(418, "99"), (429, "7"), (503, None)]


def test_clients_of_one_process_read_the_certificate_authorities_once(server: KlinesServer) -> None:
    async def main() -> None:
        one, other = impatient(server), impatient(server)
        one.open()
        other.open()
        assert one.ssl_context is other.ssl_context
        assert one.ssl_context.verify_mode is ssl.CERT_REQUIRED
        assert one.ssl_context.check_hostname
        await one.close()
        await other.close()

    asyncio.run(main())
