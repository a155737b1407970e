"""``SessionKeeper``: a session's books. What changes them is written down, with the core that it led to, in one go."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, Decimal

from trading.brokers.codecs import client_id
from trading.engine.codes import IntentKind
from trading.errors import GridBotError, StateCorrupt
from trading.exchange.clock import Clock
from trading.market.rules import Market
from trading.orders.journal import Journal
from trading.orders.records import (
    CancelFailed,
    CancelSent,
    Fact,
    Filled,
    OrderRecord,
    Sent,
    Silent,
)
from trading.orders.states import CommandState, OrderState
from trading.orders.venue import VenueFill
from trading.sessions.decider import CoreFill, Decider, Exchange, Intent, Outcome
from trading.sessions.events import Listener, SessionEvent
from trading.sessions.inputs import (
    Funded,
    Input,
    NewCandle,
    Ordered,
    OrderFilled,
    PastCandle,
    Price,
    Resumed,
    encoded_all,
)
from trading.sessions.order_facts import changed, fill_data, order_data, state_after

MICROLOTS = 1_000_000
CHECKPOINT_CANDLES = 60
MOST_WAITING = 5_000
"""Prices that led to nothing are written down with the next that did, or when so many wait."""

_log = logging.getLogger(__name__)


class SessionKeeper:
    """The books of one session: the journal and the core, which always say the same.

    Parameters
    ----------
    journal : Journal
        Open for writing.
    decider : Decider
        The core, as the journal has it.
    clock : Clock
        The session's clock.
    listener : callable
        Is told of events after they are written down.
    is_alone : callable
        Whether no other session trades on the account: only then can its quote balance be compared with these books.
    """

    def __init__(
        self,
        journal: Journal,
        decider: Decider,
        clock: Clock,
        listener: Listener,
        is_alone: Callable[[], bool] = lambda: True,
    ) -> None:
        self.journal = journal
        self.decider = decider
        self.market: Market = decider.market
        self.symbol = self.market.symbol
        self.halt_reason: str | None = journal.meta("halted") or None
        self._is_alone = is_alone
        self._clock = clock
        self._listener = listener
        self._name = journal.facts.name
        self._is_venue = decider.exchange is Exchange.VENUE
        self._open = {record.client_id: record for record in journal.open_records()}
        self._by_core = {record.core_id: record.client_id for record in self._open.values()}
        self._waiting: list[Input] = []
        self._inputs_done = journal.inputs_recorded()
        self._candles = 0
        self._news: list[SessionEvent] = []
        # as they were when the core was saved: until a price has come, its exits leave by these
        self._last_price = int(decider.state.core.last_price)
        self._narrow = bool(decider.book.params.take_market)

    def begin(self, past: Sequence[PastCandle]) -> None:
        """Write down the history that the core has seen, and the core itself, before anything else happens."""
        self._waiting.extend(past)
        with self.journal.transaction():
            self._save_core()

    def tell(self, item: Input) -> None:
        """Tell the core a candle, a price or an order from outside, and write down what follows."""
        outcome = self._apply(item)
        if isinstance(item, Price):
            self._last_price, self._narrow = item.ticks, item.narrow
            if not outcome.intents and not outcome.fills and len(self._waiting) < MOST_WAITING:
                return
        with self.journal.transaction():
            self._keep(outcome)
            if isinstance(item, NewCandle):
                self._keep_candle(item)
        self._publish()

    def flush(self) -> None:
        """Write down the inputs that led to nothing yet, and a checkpoint."""
        with self.journal.transaction():
            self._save_core()
            self.journal.checkpoint(self._clock.now_ms(), int(self.decider.state.core.candle))

    def records(self) -> Sequence[OrderRecord]:
        """Return the records that are not final."""
        return list(self._open.values())

    def record(self, client_id: str) -> OrderRecord | None:
        """Return any record of the session."""
        return self._open.get(client_id) or self.journal.order(client_id)

    def by_exchange_id(self, exchange_id: str) -> OrderRecord | None:
        """Return the record that the venue knows by this id."""
        found = next((one for one in self._open.values() if one.exchange_id == exchange_id), None)
        return found or self.journal.order_of(exchange_id)

    def last_fill_ms(self) -> int:
        """Return when the newest booked trade happened, the venue's clock."""
        return self.journal.last_fill_ms()

    def fill_count(self) -> int:
        """Return how many trades are booked."""
        return self.journal.fill_count()

    def apply(self, fact: Fact) -> None:
        """Write a fact down and tell the core, in one transaction.

        Raises
        ------
        StateCorrupt
            When the fact is about an order that is not in the books, or does not fit the market's units.
        """
        record = self.record(fact.client_id)
        if record is None:
            raise StateCorrupt(f"the books have no order {fact.client_id}; reconcile before going on")
        if isinstance(fact, Filled):
            self._book_trade(record, fact.fill)
            return
        after, item = changed(record, fact)
        outcome = self._apply(item) if item is not None else None
        with self.journal.transaction():
            self._put(after, tell=not isinstance(fact, Sent | Silent | CancelSent | CancelFailed))
            if outcome is not None:
                self._keep(outcome)
        self._publish()

    def expected(self) -> Mapping[str, Decimal]:
        """Return what the account must hold by these books, other money of the account included."""
        market = self.market
        base = Decimal(self.decider.position_microlots) / MICROLOTS * market.lot_size
        assets = {market.base: base + self.other_base}
        if self.knows_other_quote:
            assets[market.quote] = self.cash + Decimal(self.journal.meta("other_quote") or 0)
        elif not self._is_alone():
            self._forget_other_quote()
        return assets

    @property
    def cash(self) -> Decimal:
        """The session's own quote currency."""
        return self.market.money(int(self.decider.state.core.cash))

    @property
    def other_base(self) -> Decimal:
        """What the account has of the base currency beside the session's position."""
        return Decimal(self.journal.meta("other_base") or 0)

    @property
    def knows_other_quote(self) -> bool:
        """Whether it is known what the account has beside the session's capital."""
        return self._is_alone() and self.journal.meta("other_quote") != ""

    @property
    def may_learn_other_quote(self) -> bool:
        """Whether other sessions have gone and left the account's quote balance unknown."""
        return self._is_alone() and self.journal.meta("other_quote") == ""

    def _forget_other_quote(self) -> None:
        if self.journal.meta("other_quote") != "":
            with self.journal.transaction():
                self.journal.set_meta("other_quote", "")

    def set_other_money(self, quote: Decimal, base: Decimal) -> None:
        """Note what the account held beside the session's capital when it began."""
        with self.journal.transaction():
            self.journal.set_meta("other_quote", str(quote))
            self.journal.set_meta("other_base", str(base))

    def funded(self, asset: str, delta: Decimal) -> None:
        """Book a deposit or a withdrawal: the session's orders take another size; other assets are noted only.

        A withdrawal takes what the session does not trade with first.
        """
        other = Decimal(self.journal.meta("other_quote") or 0)
        if asset != self.market.quote:
            self.set_other_money(other, self.other_base + delta)
            self._tell("funded", {"asset": asset, "amount": str(delta), "reason": f"{delta} {asset} came or went"})
            return
        from_other = max(delta, -other) if delta < 0 else Decimal(0)
        units = int((delta - from_other).scaleb(self.market.cash_decimals))
        if int(self.decider.state.core.cash) + units < 0:
            self.halt(
                f"{-delta} {asset} were withdrawn and the session's cash is less; what it holds is {self.expected()}"
            )
            return
        outcome = self._apply(Funded(units))
        reason = f"{abs(delta)} {asset} {'came in' if delta > 0 else 'went out'}; orders take their new size"
        with self.journal.transaction():
            self.journal.set_meta("other_quote", str(other + from_other))
            self._keep(outcome)
            self._note("funded", {"asset": asset, "amount": str(delta), "units": units, "reason": reason})
        self._publish()

    def halt(self, reason: str) -> None:
        """Open nothing more, and say why: what a person has to look at."""
        if self.halt_reason is not None:
            return
        self.halt_reason = reason
        outcome = self._apply(Ordered(flatten=False))
        with self.journal.transaction():
            self.journal.set_meta("halted", reason)
            self._keep(outcome)
            self._note("halted", {"reason": reason})
        self._publish()

    def resume(self, reason: str = "a person lets the session go on") -> None:
        """Let a halted session go on, because a person says so."""
        self.halt_reason = None
        outcome = self._apply(Resumed())
        with self.journal.transaction():
            self.journal.set_meta("halted", "")
            self._keep(outcome)
            self._note("resumed", {"reason": reason})
        self._publish()

    def alert(self, kind: str, reason: str) -> None:
        """Write down and tell what a person should know."""
        self._tell("alert", {"kind": kind, "reason": reason})

    def note(self, kind: str, data: Mapping[str, object]) -> None:
        """Write down and tell that something happened."""
        self._tell(kind, data)

    def _tell(self, kind: str, data: Mapping[str, object]) -> None:
        with self.journal.transaction():
            self._note(kind, data)
        self._publish()

    def _note(self, kind: str, data: Mapping[str, object]) -> None:
        now = self._clock.now_ms()
        self.journal.note(now, kind, data)
        self._news.append(SessionEvent(kind, self._name, now, data))

    def _publish(self) -> None:
        news, self._news = self._news, []
        for event in news:
            self._listener(event)

    def _apply(self, item: Input) -> Outcome:
        try:
            outcome = self.decider.apply(item)
        except Exception as error:
            self._write_crash(item, error)
            raise
        self._waiting.append(outcome.taken)
        return outcome

    def _write_crash(self, item: Input, error: Exception) -> None:
        # The core is not saved: it stays as it was before. The input that broke it is kept beside the recording.
        said = str(error) if isinstance(error, GridBotError) else f"{type(error).__name__}: {error}"
        crash = {
            "inputs_done": self._inputs_done,
            "frames": encoded_all([*self._waiting, item]).hex(),
            "error": said,
            "kind": type(error).__name__,
            "traceback": "".join(traceback.format_exception(error)),
        }
        with self.journal.transaction():
            self.journal.note(self._clock.now_ms(), "crashed", crash)

    def _keep(self, outcome: Outcome) -> None:
        for intent in outcome.intents:
            if intent.kind == IntentKind.PLACE:
                self._plan(intent)
        if not self._is_venue:
            for fill in outcome.fills:
                self._book_own(fill)
        for intent in outcome.intents:
            if intent.kind == IntentKind.CANCEL:
                self._unwant(intent)
        if self._is_venue:
            self._follow_core()
        self._save_core()

    def _save_core(self) -> None:
        if self._waiting:
            frames = encoded_all(self._waiting)
            self.journal.add_inputs(self._inputs_done, len(self._waiting), frames, self.decider.digest)
            self._inputs_done += len(self._waiting)
            self._waiting = []
        self.journal.save_core(self.decider.to_bytes(), self._inputs_done)

    def _keep_candle(self, candle: NewCandle) -> None:
        core = self.decider.state.core
        self.journal.add_equity(
            candle.timestamp + self.decider.step_ms,
            self.decider.equity_units,
            int(core.cash),
            self.decider.position_microlots,
            int(core.last_price),
        )
        self._candles += 1
        if self._candles % CHECKPOINT_CANDLES == 0:
            self.journal.checkpoint(self._clock.now_ms(), int(core.candle))

    def _plan(self, intent: Intent) -> None:
        number = self.journal.next_client_seq()
        limit, now = intent.limit, self._clock.now_ms()
        if limit == 0 and self._is_venue and not self._narrow:
            limit = self._bounded_limit(intent.side)
        record = OrderRecord(
            client_id=client_id(self._name, number),
            core_id=intent.order_id,
            slot=intent.slot,
            side=intent.side,
            lots=intent.lots,
            limit_ticks=limit,
            taker=bool(intent.taker),
            why=intent.why,
            created_ms=now,
        )
        if not self._is_venue:
            record = replace(
                record,
                state=OrderState.SUBMITTED,
                command=CommandState.CONFIRMED,
                exchange_id=f"paper-{number}",
                sends=1,
                sent_ms=now,
            )
        self.journal.add_order(record)
        self._remember(record)
        self._news.append(self._order_event(record))

    def _bounded_limit(self, side: int) -> int:
        # An exit must leave, but not into an empty book: through the last price by no more than the spread allowed.
        give = max(1, round(self._last_price * self.decider.settings.orders.market_spread))
        return max(1, self._last_price + side * give)

    def _unwant(self, intent: Intent) -> None:
        name = self._by_core.get(intent.order_id)
        record = self._open.get(name) if name is not None else None
        if record is None:
            return
        if self._is_venue:
            self._put(replace(record, cancel_wanted=True), tell=False)
        else:
            self._put(replace(record, state=OrderState.CANCELLED, cancel_wanted=True))

    def _follow_core(self) -> None:
        # A late fill may have shrunk, or ended, an order that was planned and not sent.
        slots = self.decider.state.slots
        for record in [one for one in self._open.values() if one.is_planned and not one.cancel_wanted]:
            slot = slots[record.slot]
            if int(slot.order_id) != record.core_id:
                self._put(replace(record, cancel_wanted=True), tell=False)
            elif int(slot.lots) != record.lots:
                self._put(replace(record, lots=int(slot.lots)), tell=False)

    def _book_own(self, fill: CoreFill) -> None:
        record = self._open[self._by_core[fill.order_id]]
        market = self.market
        in_base = Decimal(fill.fee_microlots) / MICROLOTS * market.lot_size
        trade = VenueFill(
            trade_id=f"{record.client_id}-{record.filled_lots}",
            exchange_id=record.exchange_id or "",
            client_id=record.client_id,
            symbol=market.symbol,
            side=fill.side,
            price=market.price(fill.price_ticks),
            quantity=market.quantity(fill.lots),
            fee=in_base if fill.fee_microlots else market.money(fill.fee_units),
            fee_asset=market.base if fill.fee_microlots else market.quote,
            time_ms=fill.timestamp,
            is_maker=not record.taker,
        )
        self._add_trade(record, trade, fill.price_ticks, fill.lots, fill.fee_units, fill.fee_microlots)

    def _book_trade(self, record: OrderRecord, trade: VenueFill) -> None:
        market = self.market
        lots, price = trade.quantity / market.lot_size, trade.price / market.tick_size
        if lots != int(lots) or price != int(price) or trade.side != record.side:
            raise StateCorrupt(
                f"trade {trade.trade_id} of {trade.quantity} at {trade.price} does not fit {market.symbol}'s lot "
                f"{market.lot_size} and tick {market.tick_size}, or order {record.client_id}; look at it at the venue"
            )
        owner = self.journal.order_of_trade(trade)
        if owner == record.client_id:
            return
        self._check_room(record, trade, int(lots), owner)
        fee_units, fee_microlots = self._fee(trade)
        booked = (int(lots), int(price), fee_units, fee_microlots)
        outcome = self._apply(OrderFilled(record.core_id, record.slot, record.side, *booked, record.why))
        with self.journal.transaction():
            self._add_trade(record, trade, int(price), int(lots), fee_units, fee_microlots)
            self._keep(outcome)
        self._publish()

    def _check_room(self, record: OrderRecord, trade: VenueFill, lots: int, owner: str | None) -> None:
        # before the core is told: what it has booked it cannot take back
        if owner is not None:
            raise StateCorrupt(
                f"trade {trade.trade_id} is told as one of order {record.client_id} and is booked for {owner}; "
                "look at both orders at the venue"
            )
        left = record.lots - record.filled_lots
        if lots > left:
            raise StateCorrupt(
                f"trade {trade.trade_id} of {trade.quantity} is more than the {self.market.quantity(left)} that order "
                f"{record.client_id} has left of {self.market.quantity(record.lots)}; look at the order at the venue"
            )

    def _fee(self, trade: VenueFill) -> tuple[int, int]:
        market = self.market
        if trade.fee_asset == market.quote:
            return int(trade.fee.scaleb(market.cash_decimals).to_integral_value(ROUND_CEILING)), 0
        if trade.fee_asset == market.base and trade.side > 0:
            return 0, int((trade.fee / market.lot_size * MICROLOTS).to_integral_value(ROUND_CEILING))
        if trade.fee_asset == market.base:
            # a sale's fee in base, which few venues take, is booked at its value
            value = trade.fee * trade.price
            return int(value.scaleb(market.cash_decimals).to_integral_value(ROUND_CEILING)), 0
        return 0, 0

    def _add_trade(
        self, record: OrderRecord, trade: VenueFill, price: int, lots: int, fee_units: int, fee_microlots: int
    ) -> None:
        self.journal.add_fill(
            record.client_id,
            trade,
            side=record.side,
            price_ticks=price,
            lots=lots,
            fee_units=fee_units,
            fee_microlots=fee_microlots,
            candle=int(self.decider.state.core.candle),
        )
        filled = record.filled_lots + lots
        self._put(replace(record, filled_lots=filled, state=state_after(record, filled)))
        self._news.append(SessionEvent("fill", self._name, self._clock.now_ms(), fill_data(record, trade)))

    def _put(self, record: OrderRecord, *, tell: bool = True) -> None:
        self.journal.update_order(record)
        self._remember(record)
        if tell:
            self._news.append(self._order_event(record))

    def _remember(self, record: OrderRecord) -> None:
        if record.is_final:
            self._open.pop(record.client_id, None)
            self._by_core.pop(record.core_id, None)
        else:
            self._open[record.client_id] = record
            self._by_core[record.core_id] = record.client_id

    def _order_event(self, record: OrderRecord) -> SessionEvent:
        return SessionEvent("order", self._name, self._clock.now_ms(), order_data(record, self.market))
