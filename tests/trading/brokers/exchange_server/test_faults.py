from __future__ import annotations

import asyncio

import ccxt.async_support as ccxt
import httpx
import pytest

from tests.trading.brokers.exchange_server.exchanges import served
from trading.brokers.exchange_server.config import FaultConfig
from trading.brokers.exchange_server.faults import DRAWN, Faults
from trading.errors import UsageError

BTC = "BTC/USDT"
ORDER = (BTC, "limit", "buy", 1, 99, {"newClientOrderId": "mine"})


def place_under(**faults):
    """What a client meets that places one order, and what the exchange took."""

    async def run():
        async with served() as (server, client):
            await client.load_markets()
            server.faults.change(faults)
            error = None
            try:
                await client.create_order(*ORDER)
            except ccxt.BaseError as caught:
                error = caught
            return error, [one.client_id for one in server.exchange.audit_log.accepted], dict(server.faults.counts)

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("fault", "kind", "taken"),
    [
        ("drop_before", ccxt.NetworkError, False),
        ("drop_after", ccxt.NetworkError, True),
        ("error_500", ccxt.BaseError, False),
        ("error_502", ccxt.NetworkError, False),
        ("garbage", ccxt.BaseError, True),
        ("too_many", ccxt.DDoSProtection, False),
        ("insufficient_funds", ccxt.InsufficientFunds, False),
        ("maintenance", ccxt.OnMaintenance, False),
    ],
)
def test_each_fault_happens_and_is_counted(fault, kind, taken):
    error, accepted, counts = place_under(**{fault: 1.0})

    assert isinstance(error, kind)
    assert accepted == (["mine"] if taken else [])
    assert counts[fault] == 1
    assert sum(counts.values()) == 1


@pytest.mark.parametrize("fault", ["error_503", "error_504"])
def test_after_a_503_or_504_the_order_may_be_there_or_not(fault):
    outcomes = {tuple(place_under(**{fault: 1.0, "seed": seed})[1]) for seed in range(12)}

    assert outcomes == {(), ("mine",)}


def test_latency_is_waited_out_with_the_order_taken():
    error, accepted, counts = place_under(latency=1.0, latency_ms=1)

    assert error is None
    assert accepted == ["mine"]
    assert counts["latency"] == 1


def test_a_burst_of_429_lasts_its_time_and_tells_when_to_come_back():
    async def run():
        async with served() as (server, _), httpx.AsyncClient(base_url=server.url) as http:
            server.faults.change({"too_many": 1.0, "too_many_s": 5})
            first = await http.get("/api/v3/time")
            server.faults.change({"too_many": 0.0})
            await http.post("/sim/advance", json={"ms": 3_000})
            second = await http.get("/api/v3/time")
            await http.post("/sim/advance", json={"ms": 2_000})
            return first, second, await http.get("/api/v3/time")

    first, second, third = asyncio.run(run())

    assert [one.status_code for one in (first, second, third)] == [429, 429, 200]
    assert [one.headers.get("Retry-After") for one in (first, second, third)] == ["5", "2", None]


def test_stale_answers_are_those_of_a_while_ago():
    async def run():
        async with served() as (server, client), httpx.AsyncClient(base_url=server.url) as http:
            await http.post("/sim/faults", json={"stale": 1.0, "stale_ms": 5_000})
            await http.post("/sim/advance", json={"ms": 10_000})
            await client.create_order(*ORDER)
            await client.create_order(BTC, "market", "buy", 0.1)
            old = await _view(client)
            await http.post("/sim/advance", json={"ms": 6_000})
            return old, await _view(client), dict(server.faults.counts)

    old, new, counts = asyncio.run(run())

    assert old == (0, 0, 1_000_000.0, 100.0)
    assert new[0] == 1
    assert new[1] >= 1
    assert new[2] < 1_000_000.0
    assert new[3] > 100.0
    assert counts["stale"] == 6


async def _view(client):
    balance = await client.fetch_balance()
    orders, trades = await client.fetch_open_orders(BTC), await client.fetch_my_trades(BTC)
    return len(orders), len(trades), balance["USDT"]["free"], balance["BTC"]["total"]


def test_a_delisting_cancels_what_rests_and_ends_by_itself():
    async def run():
        async with served() as (server, client), httpx.AsyncClient(base_url=server.url) as http:
            await client.create_order(*ORDER)
            server.faults.change({"delisting": 1.0, "delisting_s": 30})
            with pytest.raises(ccxt.BaseError, match="Market is closed"):
                await client.create_order(BTC, "limit", "buy", 1, 98)
            server.faults.change({"delisting": 0.0})
            cancelled = await client.fetch_order(None, BTC, {"origClientOrderId": "mine"})
            await http.post("/sim/advance", json={"ms": 30_000})
            return cancelled["status"], (await client.create_order(BTC, "limit", "buy", 1, 98))["status"]

    assert asyncio.run(run()) == ("canceled", "open")


def test_a_maintenance_window_ends_with_its_time():
    async def run():
        async with served() as (server, _), httpx.AsyncClient(base_url=server.url) as http:
            server.faults.change({"maintenance": 1.0, "maintenance_s": 30})
            during = await http.get("/api/v3/time")
            server.faults.change({"maintenance": 0.0})
            await http.post("/sim/advance", json={"ms": 30_000})
            return during, await http.get("/api/v3/time")

    during, after = asyncio.run(run())

    assert (during.status_code, during.json()["msg"]) == (503, "System is under maintenance.")
    assert after.status_code == 200


def faults_of(**changes):
    time = [0]
    return Faults(FaultConfig(**changes), lambda: time[0]), time


def test_a_clock_that_is_off_for_a_while():
    faults, time = faults_of(clock_skew=1.0, clock_skew_ms=9_000, clock_skew_s=2)
    assert faults.skew_ms() == 9_000
    faults.change({"clock_skew": 1e-12})
    time[0] = 1_999
    assert faults.skew_ms() == 9_000
    time[0] = 2_000
    assert faults.skew_ms() == 0
    assert faults.counts["clock_skew"] == 1


def test_stream_messages_are_doubled_and_swapped_but_none_is_lost():
    faults, _ = faults_of(duplicate=0.3, reorder=0.3, seed=4)
    sent = [message for number in range(500) for message in faults.stream_plan(number, "c")] + faults.held("c")

    assert set(sent) == set(range(500))
    assert len(sent) == 500 + faults.counts["duplicate"]
    assert sent != sorted(sent)
    assert all(abs(place - number) <= faults.counts["duplicate"] + 1 for place, number in enumerate(sent))


def test_connections_are_not_mixed_up():
    faults, _ = faults_of(reorder=1.0)

    assert faults.stream_plan("a1", "a") == []
    assert faults.stream_plan("b1", "b") == []
    assert faults.stream_plan("a2", "a") == ["a2", "a1"]
    assert faults.held("b") == ["b1"]
    assert faults.held("b") == []


@pytest.mark.parametrize("name", DRAWN)
def test_draws_hang_on_the_seed_and_on_nothing_else(name):
    first, second, other = (faults_of(**{name: 0.5, "seed": seed})[0] for seed in (1, 1, 2))
    second.change({"latency": 0.5})
    drawn = []
    for faults in (first, second, other):
        drawn.append([faults.happens(name) for _ in range(64)])
        faults.happens("latency")

    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]
    assert first.counts[name] == sum(drawn[0]) + (first.counts["latency"] - sum(drawn[0]) if name == "latency" else 0)


@pytest.mark.parametrize("changes", [{"latency": 2.0}, {"nonsense": 0.1}, {"stale": "often"}])
def test_nonsense_is_refused_and_changes_nothing(changes):
    faults, _ = faults_of(latency=0.25)
    with pytest.raises(UsageError, match=next(iter(changes))):
        faults.change({"drop_after": 0.5} | changes)

    assert faults.config == FaultConfig(latency=0.25)
