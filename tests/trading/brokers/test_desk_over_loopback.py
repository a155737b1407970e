"""The desk, ccxt and the built-in exchange over loopback while a twentieth of everything goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal

import pytest

from tests.trading.brokers.keeper_model import PREFIX, KeeperModel
from trading.brokers.ccxt_broker import CcxtBroker
from trading.brokers.desk import OrderDesk
from trading.brokers.exchange_server.config import (
    TEST_KEY,
    TEST_SECRET,
    AccountConfig,
    ExchangeConfig,
    FaultConfig,
    FlowKind,
)
from trading.brokers.exchange_server.server import ExchangeServer
from trading.brokers.reconcile import Reconciler
from trading.exchange.account import open_account
from trading.exchange.clock import Clock
from trading.exchange.credentials import Credentials
from trading.exchange.simulated import SimulatedTime
from trading.orders.states import OrderState
from trading.settings import MarketSettings

_MONEY = {"USDT": Decimal(1_000_000), "BTC": Decimal(100)}
_FAULTS: Mapping[str, float] = {
    "drop_before": 0.05,
    "drop_after": 0.05,
    "error_500": 0.05,
    "error_502": 0.05,
    "error_503": 0.05,
    "error_504": 0.05,
    "garbage": 0.05,
    "too_many": 0.05,
    "stale": 0.05,
    "insufficient_funds": 0.05,
    "maintenance": 0.01,
}
_PRICES = (99, 98, 97, 99, 101, 103, 100, 96, 98, 102, 104, 99)


def _config(seed: int) -> ExchangeConfig:
    return ExchangeConfig(
        flow=FlowKind.STILL,
        lockstep=True,
        start_price=100.0,
        history=10,
        seed=seed,
        accounts=(AccountConfig(balances=_MONEY),),
        market=MarketSettings(tick_size=Decimal("0.01"), lot_size=Decimal("0.001"), min_notional=Decimal(1)),
        faults=FaultConfig(seed=seed, stale=0.05),
    )


async def _session(server: ExchangeServer, broker: CcxtBroker, clock: Clock) -> tuple[KeeperModel, OrderDesk]:
    market = await broker.market()
    keeper = KeeperModel(clock, _MONEY["USDT"], _MONEY["BTC"], mirror=True, market=market, mirror_ticks=150)
    for slot in range(8):
        keeper.plan(slot, 1, 10 + slot, 9_950 - 40 * slot)
    server.faults.change(_FAULTS)
    desk = OrderDesk(broker, keeper, clock)
    for number in range(60):
        if number % 10 == 9:  # a crash: nothing is remembered
            desk = OrderDesk(broker, keeper, clock)
            await Reconciler(broker, keeper, desk, clock, PREFIX).run("start")
        await desk.work()
        if number % 3 == 0:
            server.exchange.push_price("BTC/USDT", Decimal(_PRICES[number // 3 % len(_PRICES)]))
        await desk.book_trades()
        if number % 5 == 4:
            await Reconciler(broker, keeper, desk, clock, PREFIX).run("timer")
            records = keeper.records()
            if records:
                keeper.want_cancel(records[number % len(records)].client_id)
        if len(keeper.records()) < 6:
            keeper.plan(number % 8, 1, 5, 9_900 - number)
        await clock.sleep(5)
    return keeper, desk


@pytest.mark.parametrize("seed", [1, 2])
def test_books_and_exchange_agree_after_a_storm(seed: int) -> None:
    async def main() -> None:
        async with ExchangeServer(_config(seed)) as server:
            time = SimulatedTime(server.url)
            clock = await time.clock()
            client = open_account("binance", Credentials(TEST_KEY, TEST_SECRET), rest_url=server.url, clock=clock)
            broker = CcxtBroker("binance", "BTC/USDT", client, clock, market_time_ms=clock.now_ms)
            try:
                await broker.open()
                keeper, desk = await _session(server, broker, clock)
                server.faults.change(dict.fromkeys(_FAULTS, 0.0))
                for _ in range(4):
                    await clock.sleep(40)
                    await desk.work()
                    await desk.book_trades()
                    report = await Reconciler(broker, keeper, desk, clock, PREFIX).run("timer")
                desk.close_gate("the storm is over")
                assert await desk.settle(120) == ()
                _compare(server, keeper)
                assert report.balances == "equal"
            finally:
                await broker.close()
                await time.close()

    asyncio.run(main())


def _compare(server: ExchangeServer, keeper: KeeperModel) -> None:
    market = keeper.market
    counts = server.faults.counts
    assert sum(counts[name] for name in ("drop_before", "drop_after", "error_503", "garbage")) > 10
    assert server.exchange.audit()["repeated_client_ids"] == []
    assert not keeper.halts
    assert keeper.trades
    orders = {order.client_id: order for order in server.exchange.all_orders("main", "BTC/USDT", limit=1_000)}
    for record in keeper.all_records():
        order = orders.pop(record.client_id, None)
        if order is None:
            assert record.filled_lots == 0
            assert record.is_final or record.is_planned
            continue
        assert order.filled == market.quantity(record.filled_lots), record
        assert (order.status.value in {"NEW", "PARTIALLY_FILLED"}) == (not record.is_final), (record, order)
        assert record.state is not OrderState.REJECTED
    assert not orders
    held = {one.asset: one.free + one.locked for one in server.exchange.balances("main")}
    assert keeper.expected() == {asset: held[asset] for asset in _MONEY}
