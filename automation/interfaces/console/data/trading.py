"""Sessions as their journals have them, read while they trade: each look reads on from the last one."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from automation.interfaces.console.data.candles import CandleTail
from automation.interfaces.console.data.decisions import DecisionReader
from automation.interfaces.console.data.trading_records import (
    Decision,
    Live,
    Money,
    OwnFill,
    OwnOrder,
    SessionRow,
    SessionView,
    Slot,
    Standing,
)
from trading.engine.codes import BUY, SELL, FillReason, Rule, SlotState
from trading.engine.state import State
from trading.errors import GridBotError
from trading.market.rules import Market
from trading.orders.journal_reader import JournalReader
from trading.orders.journal_rows import EquityPoint, JournalFill
from trading.orders.records import OrderRecord
from trading.orders.states import CommandState
from trading.sessions.books import market_of
from trading.sessions.catalog import SessionCatalog
from trading.sessions.control import ControlRequest
from trading.sessions.control_address import read_address
from trading.sessions.control_client import SessionNotRunning, ask
from trading.sessions.decider import Decider
from trading.sessions.figures import fee_of, holdings, realised
from trading.sessions.recording import exchange_of
from trading.settings import Settings

MOST_BARS = 1_500
MOST_FILLS = 200
_ENDED_ORDERS = 30
_PATIENCE_S = 1.0
# longer ago than this, and the session's clock is not this machine's
_SAME_CLOCK_MS = 3_600_000
_UNCERTAIN = (CommandState.UNRESOLVED, CommandState.CANCEL_PENDING, CommandState.DENIED)
_STANDING = {
    SlotState.FLAT: Standing.FLAT,
    SlotState.ARMED_BUY: Standing.ARMED,
    SlotState.ARMED_SELL: Standing.ARMED,
    SlotState.BUYING: Standing.WORKING,
    SlotState.SELLING: Standing.WORKING,
    SlotState.PARTIAL: Standing.WORKING,
    SlotState.HELD: Standing.HELD,
    SlotState.BLOCKED: Standing.BLOCKED,
}


def session_rows(home: Path) -> tuple[SessionRow, ...]:
    """Return the sessions of a data home, those that run first."""
    rows = []
    for entry in SessionCatalog(home).list():
        facts = entry.facts
        what = "" if facts is None else f"{facts.mode} {facts.symbol} {facts.timeframe} on {facts.exchange}"
        rows.append(SessionRow(entry.name, entry.running, what, entry.problem))
    return tuple(sorted(rows, key=lambda row: (not row.running, row.name)))


@dataclass(slots=True)
class _Known:
    """What was read of a session and need not be read again."""

    created_ms: int
    decider: Decider
    market: Market
    tail: CandleTail
    money_at: tuple[int, EquityPoint | None] | None = None
    money: Money | None = None
    fills: tuple[OwnFill, ...] = ()


class SessionReader:
    """Follows one session; to be used by one thread at a time.

    Parameters
    ----------
    home : Path
        The data home.
    name : str
        The session.
    most_bars : int
        Candles that are kept.
    """

    def __init__(self, home: Path, name: str, most_bars: int = MOST_BARS) -> None:
        self.name = name
        self._catalog = SessionCatalog(home)
        self._most_bars = most_bars
        self._known: _Known | None = None
        self._decisions: DecisionReader | None = None

    def read(self, clock_ms: int) -> SessionView:
        """Return how the session stands.

        Parameters
        ----------
        clock_ms : int
            This machine's time, milliseconds UTC.

        Raises
        ------
        UsageError
            When there is no such session any more.
        StateCorrupt
            When its journal is damaged.
        JournalFailed
            When its journal cannot be read just now.
        """
        running = self._catalog.is_running(self.name)
        live, silence, price = self._asked() if running else (None, self._death(), None)
        with self._catalog.read(self.name) as journal:
            return self._view(journal, clock_ms, running, live, silence, price)

    def decision(self) -> Decision | None:
        """Return what the agents said last; None before the first candle. The first look may take seconds.

        Raises
        ------
        UsageError, StateCorrupt, JournalFailed
            As for `read`.
        """
        with self._catalog.read(self.name) as journal:
            reader, self._decisions = self._decisions, None
            if reader is None or not reader.fits(journal):
                reader = DecisionReader(journal)
            found = reader.read(journal)
        # one that failed half-way through the recording is not gone on with
        self._decisions = reader
        return found

    def _asked(self) -> tuple[Live | None, str, Decimal | None]:
        try:
            answer = ask(self._catalog.path_of(self.name), ControlRequest(command="status"), _PATIENCE_S)
        except SessionNotRunning:
            # it began a moment ago, or has just ended: its journal says the rest
            return None, "", None
        except GridBotError as error:
            return None, str(error), None
        errors = answer.get("errors")
        told = Live(
            feed=str(answer.get("feed") or ""),
            gate=str(answer.get("gate") or ""),
            held=str(answer.get("held") or ""),
            errors=errors if isinstance(errors, dict) else {},
        )
        price = answer.get("price")
        return told, "", Decimal(str(price)) if price is not None else None

    def _death(self) -> str:
        # an orderly end takes the address away
        try:
            died = read_address(self._catalog.path_of(self.name)) is not None
        except GridBotError:
            died = True
        return "it ended without a word; started again under the same name, it recovers" if died else ""

    def _view(
        self,
        journal: JournalReader,
        clock_ms: int,
        running: bool,
        live: Live | None,
        silence: str,
        price: Decimal | None,
    ) -> SessionView:
        known = self._remembered(journal)
        facts, market, last = journal.facts, known.market, journal.last_equity()
        money = self._money(journal, known, last)
        bars = known.tail.read(journal)
        open_records, order_count = journal.open_records(), journal.order_count()
        ended = [one for one in journal.orders(_ENDED_ORDERS, newest_first=True) if one.is_final]
        orders = tuple(_own_order(one, market) for one in [*open_records, *ended])
        newest_ms = max([last.time_ms if last else 0, facts.created_ms, *(one.created_ms for one in orders)])
        same_clock = running and 0 <= clock_ms - newest_ms < _SAME_CLOCK_MS
        slots = _slots(journal, known)
        if price is None and bars:
            price = _rounded(Decimal(repr(bars[-1].close)), market)
        return SessionView(
            name=self.name,
            mode=facts.mode,
            exchange=facts.exchange,
            symbol=facts.symbol,
            timeframe=facts.timeframe,
            base=market.base,
            quote=market.quote,
            running=running,
            price=price or None,
            price_places=_places(market),
            money=money,
            bars=bars,
            slots=slots,
            orders=orders,
            fills=known.fills,
            fill_count=journal.fill_count(),
            order_count=order_count,
            now_ms=clock_ms if same_clock else newest_ms,
            live=live,
            notes=_notes(journal, running, silence, live),
        )

    def _remembered(self, journal: JournalReader) -> _Known:
        facts = journal.facts
        if self._known is None or self._known.created_ms != facts.created_ms:
            market = market_of(facts)
            settings = Settings.model_validate_json(facts.settings_json)
            decider = Decider(settings, market, facts.timeframe, exchange_of(facts.exchange, facts.account))
            self._known = _Known(facts.created_ms, decider, market, CandleTail(self._most_bars))
        return self._known

    def _money(self, journal: JournalReader, known: _Known, last: EquityPoint | None) -> Money:
        at = journal.fill_count(), last
        if known.money is not None and known.money_at == at:
            return known.money
        market = known.market
        has, fills = holdings(journal, market), journal.fills()
        known.money = Money(
            paid_in=has.paid_in,
            equity=has.equity,
            cash=has.cash,
            position=has.position,
            realised=realised(journal.orders(), fills, market),
            fees=sum((fee_of(fill, market) for fill in fills), Decimal(0)),
        )
        known.fills = tuple(_own_fill(fill) for fill in fills[-MOST_FILLS:])
        known.money_at = at
        return known.money


def _own_order(record: OrderRecord, market: Market) -> OwnOrder:
    state = record.state.value
    if record.is_planned:
        state = "planned"
    elif record.command in _UNCERTAIN:
        state = record.command.value.replace("_", " ")
    return OwnOrder(
        client_id=record.client_id,
        side=record.side,
        price=market.price(record.limit_ticks) if record.limit_ticks else None,
        quantity=market.quantity(record.lots),
        filled=market.quantity(record.filled_lots),
        state=state,
        reason=FillReason(record.why).name.lower().replace("_", " "),
        created_ms=record.created_ms,
        is_open=not record.is_final,
        note=record.note,
    )


def _own_fill(fill: JournalFill) -> OwnFill:
    trade = fill.fill
    return OwnFill(trade.trade_id, trade.time_ms, fill.side, trade.price, trade.quantity, trade.fee, trade.fee_asset)


def _slots(journal: JournalReader, known: _Known) -> tuple[Slot, ...]:
    saved = journal.core()
    if saved is None:
        return ()
    known.decider.restore(saved[0])
    state: State = known.decider.state
    market = known.market
    found = []
    for number, row in enumerate(state.slots):
        if not int(row.buy):
            # no grid has been laid yet
            continue
        doing, held = SlotState(int(row.state)), int(row.held)
        found.append(
            Slot(
                number=number,
                standing=_STANDING[doing],
                state=doing.name.lower(),
                reason=Rule(int(row.reason)).name.lower().replace("_", " ") if int(row.reason) else "",
                buy=market.price(int(row.buy)),
                sell=market.price(int(row.sell)),
                held=market.quantity(held),
                paid=market.money(int(row.cost)) / market.quantity(held) if held else None,
                side=_side(doing, held, int(row.side)),
            )
        )
    return tuple(sorted(found, key=lambda slot: (slot.buy, slot.number), reverse=True))


def _side(doing: SlotState, held: int, order_side: int) -> int:
    if doing in (SlotState.BUYING, SlotState.SELLING, SlotState.PARTIAL) and order_side:
        return BUY if order_side > 0 else SELL
    return SELL if held else BUY


def _notes(journal: JournalReader, running: bool, silence: str, live: Live | None) -> tuple[str, ...]:
    notes = []
    halted = journal.meta("halted")
    if halted:
        notes.append(f"halted: {halted}")
    if silence:
        notes.append(silence)
    if live is not None and live.held:
        notes.append(f"entries are held back: {live.held}")
    if not running:
        crash = next((event for event in reversed(journal.events()) if event.kind in ("crashed", "started")), None)
        if crash is not None and crash.kind == "crashed":
            notes.append(f"crashed: {crash.data.get('error')}; `gridbot fix --session {journal.facts.name}` repairs it")
    return tuple(" ".join(note.split()) for note in notes)


def _places(market: Market) -> int:
    exponent = market.tick_size.normalize().as_tuple().exponent
    return max(0, -int(exponent))


def _rounded(price: Decimal, market: Market) -> Decimal:
    return round(price / market.tick_size) * market.tick_size
