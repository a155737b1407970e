"""Clients of accounts: they reach the server that they were pointed at and no other, and keep their keys."""

from __future__ import annotations

import asyncio
import logging
from urllib.parse import urlsplit

import ccxt.async_support as ccxt
import pytest
from ccxt import pro

from tests.trading.exchange.venue_server import Reply, SteppingClock, VenueServer
from trading.errors import Refused, UsageError
from trading.exchange.account import AccountOptions, open_account, open_public
from trading.exchange.addresses import NOWHERE, hosts
from trading.exchange.credentials import Credentials

KEYS = Credentials("public-half-of-the-key", "the-secret-of-this-test")
SERVER = "127.0.0.1:8123"
KNOWN = {
    "binance",
    "binanceus",
    "coinbase",
    "kraken",
    "okx",
    "bybit",
    "kucoin",
    "bitget",
    "gate",
    "htx",
    "mexc",
    "bitfinex",
    "bitstamp",
    "gemini",
}
SPOT = [name for name in pro.exchanges if name in KNOWN]


@pytest.mark.parametrize("exchange_id", SPOT)
def test_every_address_is_moved(exchange_id: str) -> None:
    client = open_account(exchange_id, KEYS, rest_url=f"http://{SERVER}", ws_url=f"ws://{SERVER}")
    assert set(hosts(client.urls)) == {SERVER}
    assert set(hosts(client.options)) <= {SERVER}
    assert client.allowed_hosts == frozenset({SERVER})


@pytest.mark.parametrize("exchange_id", SPOT)
def test_without_a_stream_address_streams_lead_nowhere(exchange_id: str) -> None:
    client = open_account(exchange_id, KEYS, rest_url=f"http://{SERVER}")
    assert set(hosts(client.urls)) == {SERVER, urlsplit(NOWHERE).netloc}
    assert not client.has_streams


def test_streams_and_rest_may_be_on_different_servers() -> None:
    client = open_account("coinbase", KEYS, rest_url="http://127.0.0.1:1", ws_url="wss://127.0.0.1:2/feed")
    assert client.urls["api"] == {"rest": "http://127.0.0.1:1", "ws": "wss://127.0.0.1:2/feed"}


@pytest.mark.parametrize(
    ("exchange_id", "paths"),
    [
        ("binance", {"public": f"http://{SERVER}/api/v3", "private": f"http://{SERVER}/api/v3"}),
        ("kraken", {"public": f"http://{SERVER}", "private": f"http://{SERVER}"}),
        ("bybit", {"spot": f"http://{SERVER}"}),
    ],
)
def test_paths_are_kept(exchange_id: str, paths: dict[str, str]) -> None:
    addresses = open_account(exchange_id, KEYS, rest_url=f"http://{SERVER}/").urls["api"]
    assert isinstance(addresses, dict)
    assert {name: addresses[name] for name in paths} == paths


def test_a_stream_is_never_opened_elsewhere() -> None:
    async def main() -> None:
        client = open_account("binance", KEYS, rest_url="http://127.0.0.1:9")
        try:
            with pytest.raises(Refused, match="given no address for streams"):
                client.client(f"{NOWHERE}/ws-api/v3")  # type: ignore[attr-defined]
            with pytest.raises(Refused, match=r"stream\.binance\.com:9443, which is not the server"):
                client.client("wss://stream.binance.com:9443/ws")  # type: ignore[attr-defined]
        finally:
            await client.close()

    asyncio.run(main())


def test_a_request_never_leaves_for_another_server() -> None:
    async def main() -> None:
        client = open_account("binance", KEYS, rest_url="http://127.0.0.1:9")
        client.urls["api"]["public"] = "https://api.binance.com/api/v3"  # type: ignore[index]
        try:
            await client.fetch_time()
        finally:
            await client.close()

    with pytest.raises(Refused, match=r"api\.binance\.com, which is not the server"):
        asyncio.run(main())


@pytest.mark.parametrize("exchange_id", ["binanceusdm", "binancecoinm", "krakenfutures", "dydx"])
def test_exchanges_without_spot_are_refused(exchange_id: str) -> None:
    with pytest.raises(Refused, match="margin, futures and leverage are refused"):
        open_account(exchange_id, KEYS)


def test_test_networks_are_used_where_there_are_any() -> None:
    client = open_account("binance", KEYS, testnet=True)
    assert client.urls["api"]["public"] == "https://testnet.binance.vision/api/v3"  # type: ignore[index]
    with pytest.raises(Refused, match="coinbase has no test network"):
        open_account("coinbase", KEYS, testnet=True)
    with pytest.raises(UsageError, match="leave out either"):
        open_account("binance", KEYS, testnet=True, rest_url="http://127.0.0.1:9")


def test_stream_addresses_alone_are_refused() -> None:
    with pytest.raises(UsageError, match="give --rest-url too"):
        open_account("binance", KEYS, ws_url="ws://127.0.0.1:9")


def test_unknown_exchanges_are_refused() -> None:
    with pytest.raises(UsageError, match="there is no exchange 'binanse'"):
        open_account("binanse", KEYS)


@pytest.mark.parametrize("url", ["127.0.0.1", "ws://127.0.0.1", "http://user:word@127.0.0.1", "http://127.0.0.1/?a=1"])
def test_what_is_no_server_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="is no server address"):
        open_account("binance", KEYS, rest_url=url)


def test_a_template_stands_for_the_hostname() -> None:
    client = open_account("bybit", KEYS, rest_url="http://127.0.0.1:9", ws_url="ws://127.0.0.1:9")
    assert "{hostname}" not in str(client.urls)


def test_our_limiter_paces_it_and_numbers_are_exact() -> None:
    client = open_account("binance", KEYS)
    assert not client.enableRateLimit  # type: ignore[attr-defined]
    assert client.pace is not None
    assert client.number is str
    assert open_public("binance").number is float
    assert not open_public("binance").apiKey


def test_no_secret_is_logged_or_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def main() -> list[str]:
        async with VenueServer(
            {"GET /api/v3/account": Reply({"code": -2015, "msg": "Invalid API-key"}, 401)}
        ) as server:
            client = open_account("binance", KEYS, rest_url=server.url, clock=SteppingClock())
            try:
                with pytest.raises(ccxt.AuthenticationError) as failure:
                    await client.privateGetAccount()  # type: ignore[attr-defined]
            finally:
                await client.close()
            assert "signature" in server.asked[0].query
            return [str(failure.value), repr(KEYS), f"{KEYS}"]

    told = " ".join(asyncio.run(main())) + caplog.text
    assert KEYS.secret not in told
    assert KEYS.api_key not in told
    assert "signature=" not in told


def test_every_request_waits_for_its_weight() -> None:
    async def main() -> list[float]:
        routes = {"GET /api/v3/time": Reply({"serverTime": 1_700_000_000_000}), "GET /api/v3/openOrders": Reply([])}
        async with VenueServer(routes) as server:
            client = open_account("binance", KEYS, rest_url=server.url, clock=SteppingClock())
            taken: list[float] = []

            async def pace(weight_ms: float) -> None:
                taken.append(weight_ms)

            client.pace = pace
            try:
                await client.fetch_time()
                await client.privateGetOpenOrders({"symbol": "BTCUSDT"})  # type: ignore[attr-defined]
                await client.privateGetOpenOrders()  # type: ignore[attr-defined]
            finally:
                await client.close()
            return taken

    # 1, 6 and 80 of the 6,000 that fill a minute
    assert asyncio.run(main()) == pytest.approx([10, 60, 800], rel=0.01)


def test_the_signing_clock_is_corrected() -> None:
    async def main() -> int:
        async with VenueServer({"GET /api/v3/openOrders": Reply([])}) as server:
            client = open_account("binance", KEYS, rest_url=server.url, options=AccountOptions(timeout_ms=2_000))
            client.offset_ms = 3_600_000
            try:
                await client.privateGetOpenOrders({"symbol": "BTCUSDT"})  # type: ignore[attr-defined]
            finally:
                await client.close()
            return int(server.asked[0].query["timestamp"])

    assert abs(asyncio.run(main()) - int(ccxt.Exchange.milliseconds()) - 3_600_000) < 60_000
