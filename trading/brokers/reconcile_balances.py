"""Comparing what the account has with what the books say, often enough to tell a difference from an old answer."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from trading.brokers.desk import OrderDesk
from trading.brokers.desk_keeper import Keeper
from trading.brokers.protocol import Broker, Funding, TellsFunding
from trading.errors import GridBotError
from trading.exchange.clock import Clock
from trading.orders.venue import Balance

_WEEK_MS = 7 * 86_400_000

_log = logging.getLogger(__name__)


class Verdict(StrEnum):
    """What comparing the balances came to."""

    EQUAL = "equal"
    NOT_COMPARED = "not_compared"
    UNCLEAR = "unclear"
    FUNDED = "funded"
    MISMATCH = "mismatch"


@dataclass(frozen=True, slots=True)
class BalancePolicy:
    """When a difference counts.

    Parameters
    ----------
    confirmations : int
        Readings in a row with the very same difference, trades polled before each.
    readings : int
        Readings after which a difference that keeps changing is left to the next reconciliation.
    pause_s : float
        Between two readings, at least, seconds of the session's clock.
    """

    confirmations: int = 3
    readings: int = 6
    pause_s: float = 4.0


class BalanceCheck:
    """Compares the account's totals with the books' while nothing is in flight.

    Parameters
    ----------
    broker : Broker
        The venue; one that `TellsFunding` can explain a difference.
    keeper : Keeper
        The session's books.
    desk : OrderDesk
        Polls trades, and knows whether something is in flight.
    clock : Clock
        The session's clock.
    policy : BalancePolicy, optional
        When a difference counts.
    """

    def __init__(
        self, broker: Broker, keeper: Keeper, desk: OrderDesk, clock: Clock, policy: BalancePolicy | None = None
    ) -> None:
        self._broker = broker
        self._keeper = keeper
        self._desk = desk
        self._clock = clock
        self._policy = policy or BalancePolicy()
        self._used: set[str] = set()
        self._halted_for: Mapping[str, Decimal] = {}
        self._previous: Mapping[str, Decimal] = {}
        self._same = self._readings = 0
        self._read_ms = 0

    @property
    def again_ms(self) -> int | None:
        """Return when the next reading is due, the session's clock; None when there is no difference to confirm."""
        return self._read_ms + int(self._policy.pause_s * 1000) if self._readings else None

    async def run(self) -> tuple[Verdict, Mapping[str, Decimal]]:
        """Read until it is clear what a difference is, and return that with the differences by asset.

        Nothing else goes on meanwhile: this is for a session that has not begun.
        """
        while True:
            verdict, differences = await self.look()
            if self.again_ms is None:
                return verdict, differences
            await self._clock.sleep(self._policy.pause_s)

    async def look(self) -> tuple[Verdict, Mapping[str, Decimal]]:
        """Take one reading, and return what it came to with the differences (account minus books) by asset.

        A difference that deposits or withdrawals explain is booked; any other halts the session, when so many readings
        in a row have shown the very same. Until then it is unclear, and `again_ms` tells when to look again.
        """
        if self._readings and self._clock.now_ms() < (self.again_ms or 0):
            return Verdict.UNCLEAR, self._previous
        differences = await self._differences()
        if differences is None:
            self._put_off()
            return Verdict.NOT_COMPARED, self._previous
        if not differences:
            self._halted_for = {}
            self._begin_anew()
            return Verdict.EQUAL, {}
        self._same = self._same + 1 if differences == self._previous else 1
        self._previous = differences
        self._readings, self._read_ms = self._readings + 1, self._clock.now_ms()
        if self._same >= self._policy.confirmations or differences == self._halted_for:
            self._begin_anew()
            return await self._judge(differences)
        if self._readings >= self._policy.readings:
            self._begin_anew()
        return Verdict.UNCLEAR, differences

    def _begin_anew(self) -> None:
        self._previous, self._same, self._readings = {}, 0, 0

    def _put_off(self) -> None:
        # What was seen is kept: a difference that is real is the very same when books and venue can be compared again.
        if self._readings:
            self._readings, self._read_ms = self._readings + 1, self._clock.now_ms()
            if self._readings >= self._policy.readings:
                self._begin_anew()

    async def _differences(self) -> Mapping[str, Decimal] | None:
        if await self._desk.book_trades() is None or not self._desk.is_quiet():
            return None
        before = dict(self._keeper.expected())
        try:
            balances = await self._broker.balances()
        except GridBotError as error:
            _log.info("balances_unanswered error=%s", error)
            return None
        if not self._desk.is_quiet() or dict(self._keeper.expected()) != before:
            return None
        found = {asset: balances.get(asset, Balance()).total - amount for asset, amount in before.items()}
        return {asset: delta for asset, delta in found.items() if not self._is_rounding(asset, delta)}

    def _is_rounding(self, asset: str, delta: Decimal) -> bool:
        # Base: less than what could be traded. Quote: one unit of rounding for each trade.
        market = self._keeper.market
        if asset == market.base:
            return abs(delta) < market.lot_size
        return abs(delta) <= market.money(1) * self._keeper.fill_count()

    async def _judge(self, differences: Mapping[str, Decimal]) -> tuple[Verdict, Mapping[str, Decimal]]:
        if await self._orders_know_more():
            return Verdict.UNCLEAR, differences
        funding = await self._funding()
        if funding is None:
            return Verdict.UNCLEAR, differences
        unexplained = {asset: delta for asset, delta in differences.items() if not self._explain(asset, delta, funding)}
        if not unexplained:
            return Verdict.FUNDED, differences
        if unexplained != self._halted_for:
            self._keeper.halt(self._words(unexplained))
            self._halted_for = unexplained
        return Verdict.MISMATCH, unexplained

    async def _orders_know_more(self) -> bool:
        # The list of trades may be behind: an order's own count of what filled tells so.
        before = dict(self._keeper.expected())
        for record in self._keeper.records():
            if not record.is_planned and not await self._desk.ask(record.client_id):
                return True
        return not self._desk.is_quiet() or dict(self._keeper.expected()) != before

    async def _funding(self) -> Sequence[Funding] | None:
        if not isinstance(self._broker, TellsFunding):
            return ()
        try:
            since_ms = max(0, await self._broker.time_ms() - _WEEK_MS)
            return await self._broker.funding_since(since_ms)
        except GridBotError as error:
            _log.info("funding_unanswered error=%s", error)
            return None

    def _explain(self, asset: str, delta: Decimal, funding: Sequence[Funding]) -> bool:
        # The newest ones that add up to the difference: older ones are in the books already.
        fresh = [each for each in funding if each.asset == asset and each.funding_id not in self._used]
        total = Decimal(0)
        for count, each in enumerate(reversed(fresh), start=1):
            total += each.amount
            if self._is_rounding(asset, delta - total):
                self._used.update(new.funding_id for new in fresh[-count:])
                self._keeper.funded(asset, total)
                _log.info("funded asset=%s amount=%s", asset, total)
                return True
        return False

    def _words(self, differences: Mapping[str, Decimal]) -> str:
        books = self._keeper.expected()
        parts = (
            f"{books[asset] + delta} {asset} where the books say {books[asset]} ({delta:+} {asset})"
            for asset, delta in differences.items()
        )
        return (
            f"the account holds {' and '.join(parts)}, and neither trades nor deposits explain it; look for trades or "
            "transfers made by hand before the session is started again"
        )
