"""Comparing what the account has with what the books say, often enough to tell a difference from an old answer."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, runtime_checkable

from trading.brokers.desk import OrderDesk
from trading.brokers.desk_keeper import Keeper
from trading.brokers.protocol import Broker
from trading.errors import GridBotError
from trading.exchange.clock import Clock
from trading.orders.venue import Balance

_WEEK_MS = 7 * 86_400_000

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Funding:
    """Money that came or went other than by trading.

    Parameters
    ----------
    funding_id : str
        The venue's id of the deposit or withdrawal.
    asset : str
        What came or went.
    amount : Decimal
        Positive came, negative went, its fee included.
    time_ms : int
        The venue's clock.
    """

    funding_id: str
    asset: str
    amount: Decimal
    time_ms: int


@runtime_checkable
class TellsFunding(Protocol):
    """A broker whose venue tells of deposits and withdrawals."""

    async def funding_since(self, since_ms: int) -> Sequence[Funding]:
        """Return completed deposits and withdrawals from a time of the venue's clock on, oldest first."""
        ...


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
        Between two readings, seconds.
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

    async def run(self) -> tuple[Verdict, Mapping[str, Decimal]]:
        """Compare, and return what it came to with the differences (account minus books) by asset.

        A difference that deposits or withdrawals explain is booked; any other halts the session.
        """
        previous: Mapping[str, Decimal] = {}
        same = 0
        for reading in range(self._policy.readings):
            if reading:
                await self._clock.sleep(self._policy.pause_s)
            differences = await self._differences()
            if differences is None:
                return Verdict.NOT_COMPARED, previous
            if not differences:
                self._halted_for = {}
                return Verdict.EQUAL, {}
            same = same + 1 if differences == previous else 1
            previous = differences
            if same >= self._policy.confirmations:
                return await self._judge(differences)
        return Verdict.UNCLEAR, previous

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
