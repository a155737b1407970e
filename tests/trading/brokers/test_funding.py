"""Deposits and withdrawals: read from the venue's lists, and a balance that they explain is no mismatch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import aiohttp
import pytest

from tests.trading.brokers.keeper_model import PREFIX, KeeperModel
from tests.trading.brokers.test_ccxt_broker_kraken import result, use
from tests.trading.brokers.venue_at_hand import AtHand, at_hand
from tests.trading.exchange.venue_server import Asked, Reply, VenueServer
from trading.brokers.ccxt_broker import CcxtBroker
from trading.brokers.desk import OrderDesk
from trading.brokers.exchange_server.coinbase_auth import CoinbaseKey
from trading.brokers.exchange_server.config import AccountConfig, ExchangeConfig
from trading.brokers.exchange_server.server import ExchangeServer
from trading.brokers.protocol import Funding
from trading.brokers.reconcile import Reconciler, TellsFunding, Verdict
from trading.exchange.account import open_account
from trading.exchange.clock import Clock
from trading.exchange.credentials import Credentials
from trading.exchange.simulated import SimulatedTime


async def move(server: ExchangeServer, asset: str, amount: str) -> None:
    """Deposit, or withdraw when negative, as a person does it at the venue."""
    async with aiohttp.ClientSession() as session:
        answer = await session.post(f"{server.url}/sim/deposit", json={"asset": asset, "amount": amount})
        assert answer.status == 200, await answer.text()


def test_deposits_and_withdrawals_are_listed_oldest_first_with_their_sign() -> None:
    async def main(hand: AtHand) -> None:
        assert isinstance(hand.broker, TellsFunding)
        assert await hand.broker.funding_since(0) == []
        await move(hand.server, "USDT", "250.5")
        await move(hand.server, "BTC", "-0.25")
        told = await hand.broker.funding_since(0)
        assert {(one.asset, one.amount) for one in told} == {("USDT", Decimal("250.5")), ("BTC", Decimal("-0.25"))}
        assert [one.time_ms for one in told] == sorted(one.time_ms for one in told)
        assert len({one.funding_id for one in told}) == 2
        assert await hand.broker.funding_since(told[0].time_ms + 3_600_000) == []

    async def within() -> None:
        async with at_hand() as hand:
            await main(hand)

    asyncio.run(within())


def entry(kind: str, asset: str, amount: str, fee: str, seconds: float) -> dict[str, object]:
    return {
        "refid": "FTXVX5W-7JUPC-PMRQHM", "time": seconds, "type": kind, "subtype": "", "aclass": "currency",
        "asset": asset, "amount": amount, "fee": fee, "balance": "0.0",
    }  # fmt: skip


def test_krakens_ledger_tells_what_left_with_its_fee() -> None:
    def ledger(asked: Asked) -> Reply:
        kind = "withdrawal" if "type=withdrawal" in asked.body else "deposit" if "type=deposit" in asked.body else ""
        rows = {
            "withdrawal": {"LW-1": entry("withdrawal", "XXBT", "-0.5000000000", "0.0002000000", 1688669448.5)},
            "deposit": {"LD-1": entry("deposit", "ZUSD", "100.0000", "0.0000", 1688664969.25)},
        }.get(kind, {})
        return result({"ledger": rows, "count": len(rows)})

    async def work(broker: CcxtBroker, _: VenueServer) -> None:
        assert list(await broker.funding_since(1_688_000_000_000)) == [
            Funding("LD-1", "USD", Decimal("100.0000"), 1_688_664_969_250),
            Funding("LW-1", "BTC", Decimal("-0.5002000000"), 1_688_669_448_500),
        ]

    use(work, Ledgers=ledger)


def test_keys_that_may_not_see_the_list_tell_of_no_funding() -> None:
    async def work(broker: CcxtBroker, _: VenueServer) -> None:
        assert list(await broker.funding_since(0)) == []

    use(work, Ledgers=Reply({"error": ["EGeneral:Permission denied"]}))


class Books:
    """Books, a desk and a reconciler on a lock-step exchange, the way a session has them."""

    def __init__(self, server: ExchangeServer, broker: CcxtBroker, clock: Clock, keeper: KeeperModel) -> None:
        self.server, self.broker, self.keeper, self.clock = server, broker, keeper, clock
        self.desk = OrderDesk(broker, keeper, clock)
        self.reconciler = Reconciler(broker, keeper, self.desk, clock, PREFIX)

    async def compare(self) -> Verdict:
        verdict = (await self.reconciler.run("timer")).balances
        for _ in range(20):
            if verdict is not Verdict.UNCLEAR:
                return verdict
            await self.clock.sleep(1)
            if self.desk.reconcile_reason:
                verdict = (await self.reconciler.run(self.desk.reconcile_reason)).balances
        raise AssertionError("the difference is never judged")


async def _keyed(exchange_id: str, config: ExchangeConfig, server: ExchangeServer, clock: Clock) -> CcxtBroker:
    account = config.accounts[0]
    keys = Credentials(account.api_key, account.secret)
    if exchange_id == "coinbase":
        derived = CoinbaseKey.derived(account.api_key, account.secret)
        keys = Credentials(derived.name, derived.private_pem)
    client = open_account(exchange_id, keys, rest_url=server.url, clock=clock)
    return CcxtBroker(exchange_id, config.symbols[0], client, clock, market_time_ms=clock.now_ms)


@asynccontextmanager
async def books(exchange_id: str) -> AsyncIterator[Books]:
    money = {"USDT": Decimal(100_000), "BTC": Decimal(10)}
    config = ExchangeConfig.model_validate(
        {
            "symbols": ("BTC/USDT",), "flow": "still", "lockstep": True, "history": 10, "start_price": 100.0,
            "accounts": (AccountConfig(balances=money),), "fee_asset": "quote",
            "market": {"tick_size": "0.01", "lot_size": "0.001", "min_notional": "1"},
        }
    )  # fmt: skip
    async with ExchangeServer(config) as server:
        time = SimulatedTime(server.url)
        clock = await time.clock()
        broker = await _keyed(exchange_id, config, server, clock)
        try:
            await broker.open()
            market = await broker.market()
            yield Books(server, broker, clock, KeeperModel(clock, money["USDT"], money["BTC"], market=market))
        finally:
            await broker.close()
            await time.close()


@pytest.mark.parametrize("amount", ["500", "-250.75"])
def test_a_transfer_that_the_venue_lists_is_booked_and_no_mismatch(amount: str) -> None:
    async def main() -> None:
        async with books("binance") as bench:
            assert await bench.compare() is Verdict.EQUAL
            await move(bench.server, "USDT", amount)
            assert await bench.compare() is Verdict.FUNDED
            assert bench.keeper.funding == [("USDT", Decimal(amount))]
            assert await bench.compare() is Verdict.EQUAL
            assert not bench.keeper.halts

    asyncio.run(main())


def test_money_that_goes_where_the_venue_lists_no_transfers_halts() -> None:
    async def main() -> None:
        async with books("coinbase") as bench:
            assert await bench.compare() is Verdict.EQUAL
            await move(bench.server, "USDT", "-100")
            assert await bench.compare() is Verdict.MISMATCH
            assert "where the books say 100000 (-100 USDT)" in bench.keeper.halts[0]

    asyncio.run(main())
