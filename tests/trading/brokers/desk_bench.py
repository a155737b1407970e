"""A venue in memory, books and a desk that share a virtual clock."""

from __future__ import annotations

from decimal import Decimal

from tests.trading.brokers.keeper_model import PREFIX, KeeperModel
from tests.trading.brokers.venue_in_memory import MARKET, InMemoryVenue
from tests.trading.live.virtual_clock import VirtualClock
from trading.brokers.desk import DeskPolicy, OrderDesk
from trading.brokers.reconcile import Reconciler, ReconcileReport, Verdict


class Bench:
    """A venue, books and a desk that share a clock."""

    def __init__(self, *, mirror: bool = False, policy: DeskPolicy | None = None) -> None:
        self.clock = VirtualClock()
        self.venue = InMemoryVenue(self.clock)
        self.keeper = KeeperModel(self.clock, mirror=mirror)
        self.policy = policy
        self.restart()

    def restart(self) -> None:
        self.desk = OrderDesk(self.venue, self.keeper, self.clock, self.policy)
        self.reconciler = Reconciler(self.venue, self.keeper, self.desk, self.clock, PREFIX)

    async def live(self, seconds: float) -> None:
        """Do what a session does for a while."""
        end_ms = self.clock.now_ms() + int(seconds * 1000)
        while self.clock.now_ms() < end_ms:
            await self.desk.work()
            await self.desk.book_trades()
            await self.clock.sleep(0.5)

    async def compare(self) -> ReconcileReport:
        """Reconcile as a session does, which goes on meanwhile, until there is no difference left to confirm."""
        report = await self.reconciler.run("timer")
        while report.balances is Verdict.UNCLEAR:
            before_ms = self.clock.now_ms()
            while not self.desk.reconcile_reason:
                assert self.clock.now_ms() < before_ms + 60_000
                await self.live(0.5)
            report = await self.reconciler.run(self.desk.reconcile_reason)
        return report

    async def serve(self) -> None:
        """Do what a session does, for ever, reconciling every 20 s."""
        next_ms = self.clock.now_ms()
        while True:
            await self.live(1)
            if self.clock.now_ms() >= next_ms or self.desk.reconcile_reason:
                await self.reconciler.run(self.desk.reconcile_reason or "timer")
                next_ms = self.clock.now_ms() + 20_000

    def agrees(self) -> None:
        """Assert that books and venue say the same."""
        for record in self.keeper.all_records():
            order = self.venue.of(record.client_id)
            filled = order.filled if order is not None else Decimal(0)
            assert MARKET.quantity(record.filled_lots) == filled, (record, order)
            still_open = order is not None and not order.is_final
            assert still_open == (not record.is_final and not record.is_planned), (record, order)
        assert all(count == 1 for count in self.venue.accepted.values())
        assert self.keeper.expected() == self.venue.totals
