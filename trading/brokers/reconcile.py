"""``Reconciler``: compares the books with the venue, and brings them in line with a reason for each step."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from trading.brokers.desk import OrderDesk
from trading.brokers.desk_keeper import Keeper
from trading.brokers.protocol import Broker, Funding, TellsFunding
from trading.brokers.reconcile_balances import BalanceCheck, BalancePolicy, Verdict
from trading.errors import GridBotError
from trading.exchange.clock import Clock
from trading.orders.records import OrderRecord, Sent
from trading.orders.venue import VenueOrder

__all__ = ["BalancePolicy", "Funding", "ReconcileAction", "ReconcileReport", "Reconciler", "TellsFunding", "Verdict"]

_YOUNG_MS = 5_000
# A venue that did not answer is asked again soon, and not only when the timer says so.
_AGAIN_MS = 5_000

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReconcileAction:
    """One step of a reconciliation.

    Parameters
    ----------
    kind : str
        ``updated``, ``adopted``, ``cancelled``, ``closed``, ``asked`` or ``failed``.
    client_id : str
        Which order.
    reason : str
        Why, in words.
    """

    kind: str
    client_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReconcileReport:
    """What comparing books and venue found and did.

    Parameters
    ----------
    reason : str
        Why they were compared.
    time_ms : int
        When, the session's clock.
    answered : bool
        Whether the venue told its open orders; nothing was compared otherwise.
    open_orders : int
        Open orders of the symbol at the venue.
    ours, other_sessions, foreign : int
        How many of them are this session's, other GridBot sessions', other software's; only the first are touched.
    left_alone : int
        Orders too young, or with a request on its way, to be judged.
    trades : int
        Trades booked that the books did not have.
    balances : Verdict
        What comparing the balances came to.
    differences : mapping of str to Decimal
        Account minus books by asset.
    actions : tuple of ReconcileAction
        All steps.
    """

    reason: str
    time_ms: int
    answered: bool
    open_orders: int = 0
    ours: int = 0
    other_sessions: int = 0
    foreign: int = 0
    left_alone: int = 0
    trades: int = 0
    balances: Verdict = Verdict.NOT_COMPARED
    differences: Mapping[str, Decimal] = field(default_factory=dict)
    actions: tuple[ReconcileAction, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return the report as plain JSON values; money as text."""
        counts = {
            name: getattr(self, name)
            for name in ("open_orders", "ours", "other_sessions", "foreign", "left_alone", "trades")
        }
        return {
            "reason": self.reason,
            "time_ms": self.time_ms,
            "answered": self.answered,
            **counts,
            "balances": self.balances.value,
            "differences": {asset: str(delta) for asset, delta in self.differences.items()},
            "actions": [
                {"kind": action.kind, "client_id": action.client_id, "reason": action.reason} for action in self.actions
            ],
        }


@dataclass(slots=True)
class _Run:
    reason: str
    time_ms: int
    counts: dict[str, int] = field(default_factory=dict)
    actions: list[ReconcileAction] = field(default_factory=list)

    def count(self, name: str, number: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + number

    def act(self, kind: str, client_id: str, reason: str) -> None:
        self.actions.append(ReconcileAction(kind, client_id, reason))
        _log.info("reconciled kind=%s client_id=%s reason=%s", kind, client_id, reason)


class Reconciler:
    """Runs at start, after every reconnect and on a timer; runs one at a time.

    A difference of the balances has to show in several readings. The first run waits for them, since nothing is sent
    before it ends; later ones take one reading each, so that the session goes on, and ask the desk to be run again.

    Parameters
    ----------
    broker : Broker
        The venue.
    keeper : Keeper
        The session's books.
    desk : OrderDesk
        Asks about orders and books trades.
    clock : Clock
        The session's clock.
    prefix : str
        What this session's client ids are before their number; a number holds no dash.
    balance_policy : BalancePolicy, optional
        When a difference of the balances counts.
    """

    def __init__(
        self,
        broker: Broker,
        keeper: Keeper,
        desk: OrderDesk,
        clock: Clock,
        prefix: str,
        balance_policy: BalancePolicy | None = None,
    ) -> None:
        self._broker = broker
        self._keeper = keeper
        self._desk = desk
        self._clock = clock
        self._prefix = prefix
        self._balances = BalanceCheck(broker, keeper, desk, clock, balance_policy)
        self._lock = asyncio.Lock()
        self._has_run = False

    async def run(self, reason: str) -> ReconcileReport:
        """Compare open orders, trades and balances, and bring the books in line.

        Parameters
        ----------
        reason : str
            Why now, for the report.

        Returns
        -------
        ReconcileReport
            What was found and done; ``answered`` is False when the venue did not answer, so that it is to be run
            again.
        """
        async with self._lock:
            run = _Run(reason, self._clock.now_ms())
            self._desk.reconcile_again_at(None)
            try:
                listed = await self._desk.pace.ask(self._broker.open_orders())
            except GridBotError as error:
                _log.warning("reconcile_unanswered reason=%s error=%s", reason, error)
                self._desk.reconcile_again_at(self._clock.now_ms() + _AGAIN_MS)
                return ReconcileReport(reason, run.time_ms, answered=False)
            await self._compare_orders(run, listed)
            trades = await self._desk.book_trades()
            run.count("trades", trades or 0)
            verdict, differences = await (self._balances.look() if self._has_run else self._balances.run())
            self._has_run = True
            if trades is not None:
                self._desk.reconciled()
            self._desk.reconcile_again_at(self._balances.again_ms)
            return ReconcileReport(
                reason,
                run.time_ms,
                answered=True,
                balances=verdict,
                differences=differences,
                actions=tuple(run.actions),
                **run.counts,
            )

    async def _compare_orders(self, run: _Run, listed: Sequence[VenueOrder]) -> None:
        open_ids: set[str] = set()
        for order in listed:
            run.count("open_orders")
            if order.client_id is None:
                run.count("foreign")
            elif not self._is_ours(order.client_id):
                run.count("other_sessions")
            else:
                run.count("ours")
                open_ids.add(order.client_id)
                await self._compare(run, order.client_id, order)
        for record in self._keeper.records():
            if record.client_id not in open_ids and not record.is_planned:
                await self._missing(run, record)

    def _is_ours(self, client_id: str) -> bool:
        # Another session's name may begin with this one's and a dash; the number at the end has none.
        return client_id.startswith(self._prefix) and "-" not in client_id[len(self._prefix) :]

    async def _compare(self, run: _Run, client_id: str, order: VenueOrder) -> None:
        record = self._keeper.record(client_id)
        if self._desk.is_busy(client_id):
            run.count("left_alone")
        elif record is None:
            await self._stray(run, order, "the journal does not know it")
        elif record.is_final:
            await self._stray(run, order, f"the journal has it as {record.state} ({record.note or record.command})")
        elif record.exchange_id is not None and record.exchange_id != order.exchange_id:
            await self._stray(run, order, f"the journal knows this id as the venue's order {record.exchange_id}")
        else:
            if record.is_planned:
                self._keeper.apply(Sent(client_id, self._clock.now_ms()))
                run.act("adopted", client_id, "it rests at the venue and the journal has it as never sent")
            await self._desk.observe(client_id, order)
            self._note_change(run, record, "updated", "from the venue's open orders")

    async def _missing(self, run: _Run, record: OrderRecord) -> None:
        if self._desk.is_busy(record.client_id) or run.time_ms - record.sent_ms < _YOUNG_MS:
            run.count("left_alone")
            return
        if not await self._desk.ask(record.client_id):
            run.act("failed", record.client_id, "not among the open orders, and the question about it got no answer")
            return
        after = self._keeper.record(record.client_id)
        kind = "closed" if after is not None and after.is_final else "asked"
        self._note_change(run, record, kind, "not among the venue's open orders")

    async def _stray(self, run: _Run, order: VenueOrder, reason: str) -> None:
        client_id = order.client_id or ""
        try:
            if await self._broker.time_ms() - order.time_ms < _YOUNG_MS:
                run.count("left_alone")
                return
            # The list may be older than the order's end.
            now = await self._desk.pace.ask(self._broker.order(client_id, order.exchange_id))
            if now is not None and now.exchange_id == order.exchange_id and not now.is_final:
                now = await self._desk.pace.ask(self._broker.cancel(client_id, order.exchange_id))
                run.act("cancelled", client_id, f"open at the venue as {order.exchange_id}, and {reason}")
            if now is not None and now.filled > 0:
                await self._adopt(run, now)
        except GridBotError as error:
            run.act("failed", client_id, f"open at the venue as {order.exchange_id}, and {reason}; {error}")

    async def _adopt(self, run: _Run, order: VenueOrder) -> None:
        client_id = order.client_id or ""
        record = self._keeper.record(client_id)
        if record is None:
            self._keeper.alert(
                "unknown_order",
                f"order {client_id} ({order.exchange_id}) carries this session's id and filled {order.filled}, and the "
                "journal does not know it; look whether an older journal was put back",
            )
            return
        if record.exchange_id in {None, order.exchange_id}:
            await self._desk.observe(client_id, order)
        else:
            await self._desk.adopt_trades(order)
        after = self._keeper.record(client_id)
        if after is not None and after.filled_lots != record.filled_lots:
            lots = after.filled_lots - record.filled_lots
            run.count("trades")
            run.act("adopted", client_id, f"{self._keeper.market.quantity(lots)} of it were not in the books")

    def _note_change(self, run: _Run, before: OrderRecord, kind: str, reason: str) -> None:
        after = self._keeper.record(before.client_id)
        if after is not None and (after.state, after.command, after.filled_lots) != (
            before.state,
            before.command,
            before.filled_lots,
        ):
            run.act(kind, before.client_id, f"{reason}: {before.state} is {after.state}")
