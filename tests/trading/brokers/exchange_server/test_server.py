from __future__ import annotations

import asyncio
import itertools
import json
import signal
import subprocess
import sys

import httpx
import pytest
from pydantic import ValidationError

from tests.trading.brokers.exchange_server.exchanges import ccxt_client, served
from trading.brokers.exchange_command import ExchangeRequest, exchange, exchange_config
from trading.brokers.exchange_server.config import ExchangeConfig
from trading.brokers.exchange_server.server import ExchangeServer
from trading.commands import News
from trading.errors import DataError, ExitCode, Refused, UsageError
from trading.market.store import CandleStore
from trading.market.synthetic import synthetic_candles

BTC = "BTC/USDT"


def control(*calls, **changes):
    """Answers to calls of the control endpoints, one after the other."""

    async def run():
        async with served(**changes) as (server, _), httpx.AsyncClient(base_url=server.url) as http:
            return [await http.request(method, path, json=body) for method, path, body in calls]

    return asyncio.run(run())


def test_money_prices_and_faults_are_controlled_over_http():
    deposit, price, faults, status, audit = control(
        ("POST", "/sim/deposit", {"asset": "USDT", "amount": "-400000.5"}),
        ("POST", "/sim/price", {"symbol": "BTCUSDT", "price": "120"}),
        ("POST", "/sim/faults", {"latency_ms": 5, "duplicate": 0.5}),
        ("GET", "/sim/status", None),
        ("GET", "/sim/audit", None),
    )

    assert deposit.json()["amount"] == "-400000.50000000"
    assert price.json() == {"price": "120.00"}
    assert faults.json()["faults"]["duplicate"] == 0.5
    assert status.json()["prices"] == {BTC: "120.00"}
    assert audit.json()["balances"]["main"]["USDT"] == ["599999.50000000", "0E-8"]


@pytest.mark.parametrize(
    ("path", "body", "word"),
    [
        ("/sim/advance", {"ms": -1}, "ms"),
        ("/sim/advance", [], "JSON object"),
        ("/sim/deposit", {"asset": "USDT", "amount": "much"}, "amount"),
        ("/sim/deposit", {"asset": "USDT", "amount": "-99999999"}, "insufficient"),
        ("/sim/deposit", {"asset": "USDT", "amount": "1", "account": "nobody"}, "nobody"),
        ("/sim/price", {"price": 0}, "price"),
        ("/sim/delist", {"symbol": "NOPE/USDT"}, "Invalid symbol"),
        ("/sim/faults", {"latency": 7}, "latency"),
    ],
)
def test_nonsense_at_the_control_endpoints_is_refused_with_a_reason(path, body, word):
    (answer,) = control(("POST", path, body))

    assert answer.status_code == 400
    assert word in answer.json()["error"]


def test_a_taken_port_is_refused_with_what_to_do():
    async def run():
        async with ExchangeServer(ExchangeConfig(history=10)) as first:
            with pytest.raises(Refused, match="choose another"):
                await ExchangeServer(ExchangeConfig(history=10), port=first.port).__aenter__()

    asyncio.run(run())


@pytest.mark.parametrize(("fee_asset", "status"), [("quote", 200), ("received", 404)])
def test_it_speaks_for_coinbase_where_fees_are_taken_as_coinbase_does(fee_asset, status):
    (answer,) = control(("GET", "/api/v3/brokerage/time", None), fee_asset=fee_asset)

    assert answer.status_code == status


def test_a_closed_server_has_no_address():
    with pytest.raises(Refused, match="not open"):
        _ = ExchangeServer(ExchangeConfig(history=10)).url


def test_it_can_be_reached_on_this_machine_only():
    async def run():
        async with served() as (server, _):
            return server.url, server.ws_url

    url, ws_url = asyncio.run(run())

    assert url.startswith("http://127.0.0.1:")
    assert ws_url.startswith("ws://127.0.0.1:")


def test_the_command_tells_its_address_and_ends_after_its_minutes():
    work = exchange(ExchangeRequest(minutes=0.002, history=10, balance=["USDT=7", "BTC=1"], fault=["latency=0.5"]))
    news = []
    while True:
        try:
            step = next(work)
        except StopIteration as end:
            result = end.value
            break
        if isinstance(step, News):
            news.append(step)

    assert news[0].data["event"] == "started"
    assert news[0].data["url"] in news[0].text
    assert result.exit_code is ExitCode.DONE
    assert result.as_json()["url"] == news[0].data["url"]
    assert "0 of 0 order requests" in result.as_text()


def test_ctrl_c_ends_the_command_well():
    work = exchange(ExchangeRequest(history=10))
    while not isinstance(next(work), News):
        pass
    with pytest.raises(StopIteration) as end:
        work.throw(KeyboardInterrupt)

    assert end.value.value.exit_code is ExitCode.DONE


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"fault": ["latency"]}, "name=probability"),
        ({"fault": ["nonsense=0.5"]}, "nonsense"),
        ({"fault": ["latency=3"]}, "latency"),
        ({"balance": ["USDT"]}, "ASSET=AMOUNT"),
        ({"balance": ["USDT=-5"]}, "0 or more"),
        ({"symbol": ["???"]}, "is not a symbol"),
    ],
)
def test_the_command_refuses_nonsense(options, word):
    with pytest.raises(UsageError, match=word):
        exchange_config(ExchangeRequest(**options))


def test_speeds_out_of_range_are_refused():
    with pytest.raises(ValidationError):
        ExchangeRequest(speed=1_001)


def test_the_command_replays_a_stored_symbol(tmp_path):
    store = CandleStore(tmp_path / "store")
    store.append(synthetic_candles("SIM/USDT", "5m", 400, seed=2))
    work = exchange(ExchangeRequest(home=tmp_path, candles=["SIM/USDT"], history=100, lockstep=True))
    while not isinstance(step := next(work), News):
        pass
    work.close()

    assert step.data["symbols"] == ["SIM/USDT"]
    assert step.data["timeframe"] == "5m"


def test_the_command_refuses_candles_that_are_not_there(tmp_path):
    with pytest.raises(DataError, match="neither a file nor a stored symbol"):
        next(exchange(ExchangeRequest(home=tmp_path, candles=["BTC/USDT"])))


def test_a_process_of_its_own_prints_one_json_line_and_ends_on_a_signal():
    command = [
        sys.executable,
        "-m",
        "trading.brokers.exchange_server",
        "--port",
        "0",
        "--lockstep",
        "--history",
        "1000",
    ]
    with subprocess.Popen([*command, "--fault", "latency=0.5"], stdout=subprocess.PIPE, text=True) as process:
        told = json.loads(process.stdout.readline())
        status = httpx.get(f"{told['url']}/sim/status").json()
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()

    assert status["lockstep"] is True
    assert (process.returncode, rest) == (0, "")


def test_a_process_of_its_own_refuses_nonsense():
    command = [sys.executable, "-m", "trading.brokers.exchange_server", "--fault", "nonsense=1"]

    done = subprocess.run(command, capture_output=True, text=True)

    assert done.returncode == ExitCode.USAGE
    assert "nonsense" in done.stderr


def test_a_thousand_closed_candles_are_there_from_the_start():
    async def run():
        async with served(flow="synthetic") as (server, client):
            return server.exchange.now_ms, await client.fetch_ohlcv(BTC, "1m", limit=1_000), ccxt_client(server).id

    now_ms, rows, name = asyncio.run(run())

    assert name == "binance"
    assert len([row for row in rows if row[0] + 60_000 <= now_ms]) >= 999
    assert all(second[0] - first[0] == 60_000 for first, second in itertools.pairwise(rows))
