"""Recordings of sessions told to the core again, with books kept beside it that must agree after every input.

`gridbot fix --session` puts this file beside the tests that it makes of sessions that failed, and finds the failures
with it: a repair has to satisfy these books, whatever it makes of the core's own checks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING

from trading.engine.codes import BUY, Halt, IntentKind, SlotState
from trading.sessions import decider as deciding
from trading.sessions import inputs as kinds
from trading.sessions.books import market_of_json
from trading.sessions.decider import Decider, Exchange, InvariantBroken
from trading.settings import Settings
from trading.signals.streaming_records import SignalRow

if TYPE_CHECKING:
    from trading.sessions.decider import CoreFill, Intent, Outcome
    from trading.sessions.inputs import Input

MICROLOTS = 1_000_000
HOLDING = (SlotState.PARTIAL, SlotState.HELD, SlotState.ARMED_SELL, SlotState.SELLING)


class ToldSignals:
    """Stands where the core computes its signals, and answers with those that it saw in the session."""

    def __init__(self, *_: object, **__: object) -> None:
        self.row: SignalRow | None = None

    def append(self, *_: object, **__: object) -> SignalRow | None:
        """Return the signal of the candle that is told."""
        return self.row

    def skipped(self) -> frozenset[str]:
        """Return no agent: none votes here, what their votes came to is told."""
        return frozenset()


class Told:
    """What a file of inputs holds.

    Parameters
    ----------
    told : mapping
        ``timeframe``, ``exchange``, ``settings``, ``market`` and ``inputs``: each the name of its kind and its values,
        a candle's perhaps with its signal as a list behind them; ``warmup``, where signals are told, is the candles
        before the core may begin; ``orders`` and ``fills`` are how many there were
        when the core failed.
    """

    def __init__(self, told: Mapping[str, object]) -> None:
        self.timeframe = str(told["timeframe"])
        self.exchange = Exchange(str(told["exchange"]))
        self.settings = Settings.model_validate(told["settings"])
        self.market = market_of_json(json.dumps(told["market"]))
        self.inputs: list[Input] = []
        self.signals: list[SignalRow | None] = []
        self._warmup = told.get("warmup")
        self.orders, self.fills = (int(str(told.get(name, 0))) for name in ("orders", "fills"))
        for name, *values in told["inputs"]:  # type: ignore[attr-defined]
            signal = values.pop() if values and isinstance(values[-1], list) else None
            self.inputs.append(getattr(kinds, name)(*values))
            self.signals.append(None if signal is None else _signal_row(signal))

    def decider(self) -> Decider:
        """Return a core that has been told nothing yet."""
        if not any(self.signals):
            return Decider(self.settings, self.market, self.timeframe, self.exchange)
        names = vars(deciding)
        computed, names["SignalStream"] = names["SignalStream"], ToldSignals
        try:
            decider = Decider(self.settings, self.market, self.timeframe, self.exchange)
        finally:
            names["SignalStream"] = computed
        if isinstance(self._warmup, int):
            decider.book.params.warmup = self._warmup
        return decider

    def tell(self, decider: Decider, books: Books, number: int) -> None:
        """Tell a core one of the inputs, and check its books; what it raises, and what they find, comes through."""
        item, signal = self.inputs[number], self.signals[number]
        signals: object = decider.signals
        if isinstance(signals, ToldSignals):
            signals.row = signal
        try:
            outcome = decider.apply(item)
        except InvariantBroken as broken:
            # where it was noticed says nothing of where it came from
            raise AssertionError(str(broken)) from None
        books.check(item, outcome)


def _signal_row(values: list[float | None]) -> SignalRow:
    return SignalRow(*[nan if value is None else value for value in values])  # type: ignore[arg-type]


def told_again(path: Path, leave_out: int = 0) -> Decider:
    """Tell a new core what a file of inputs holds, check its books after each, and return it.

    Parameters
    ----------
    path : Path
        The file.
    leave_out : int
        So many inputs at the end are not told.
    """
    told = Told(json.loads(path.read_text(encoding="utf-8")))
    decider = told.decider()
    books = Books(decider)
    for number in range(len(told.inputs) - leave_out):
        told.tell(decider, books, number)
    if not leave_out:
        # Books of nothing are always right, so a core that has stopped trading has not been repaired.
        _hold(books.orders or not told.orders, "the core places no order any more")
        _hold(books.fills or not told.fills, "the core's orders do not fill any more")
    return decider


def _hold(agrees: object, otherwise: str) -> None:
    if not agrees:
        raise AssertionError(otherwise)


class Books:
    """Money, position and orders of one core, kept from its fills alone.

    Parameters
    ----------
    decider : Decider
        A core that has been told nothing yet.
    """

    def __init__(self, decider: Decider) -> None:
        self._decider = decider
        self._units = int(decider.book.params.units)
        self._cash = int(decider.state.core.cash)
        self._microlots = self._fills = 0
        self._orders: dict[int, Intent] = {}
        self._filled: dict[int, int] = {}

    @property
    def orders(self) -> int:
        """How many orders were placed, those of an input at which the core failed among them."""
        last = {int(one.order_id) for one in self._decider.book.intents if one.kind == IntentKind.PLACE}
        return len(last | set(self._orders))

    @property
    def fills(self) -> int:
        """How many fills there were at least, those of an input at which the core failed among them."""
        return max(self._fills, len(self._decider.book.fills))

    def check(self, item: Input, outcome: Outcome) -> None:
        """Take in what an input led to; raises AssertionError where the core's books say otherwise."""
        if isinstance(item, kinds.Funded):
            self._cash += item.units
        self._orders.update({one.order_id: one for one in outcome.intents if one.kind == IntentKind.PLACE})
        self._fills += len(outcome.fills)
        for fill in outcome.fills:
            self._book(fill)
            if self._decider.exchange is not Exchange.VENUE:
                self._check_order(fill)
        self._check_money()
        self._check_slots()

    def _book(self, fill: CoreFill) -> None:
        _hold(fill.lots > 0, "a fill has no quantity")
        _hold(fill.price_ticks > 0, "a fill has no price")
        self._cash -= fill.side * fill.lots * fill.price_ticks * self._units + fill.fee_units
        self._microlots += fill.side * fill.lots * MICROLOTS - fill.fee_microlots
        _hold(fill.cash_units == self._cash, "cash after a fill is not what the fills make it")
        position = fill.position_lots * MICROLOTS + fill.dust_microlots
        _hold(position == self._microlots, "the position after a fill is not what the fills make it")

    def _check_order(self, fill: CoreFill) -> None:
        order = self._orders.get(fill.order_id)
        if order is None:
            raise AssertionError("a fill of an order that was never placed")
        _hold(fill.side == order.side, "a fill on the other side of its order")
        filled = self._filled[fill.order_id] = self._filled.get(fill.order_id, 0) + fill.lots
        _hold(filled <= order.lots, "an order filled more than was ordered")
        if order.limit > 0:
            _hold(fill.side * fill.price_ticks <= fill.side * order.limit, "a fill worse than its order's limit")

    def _check_money(self) -> None:
        core = self._decider.state.core
        _hold(int(core.cash) == self._cash, "cash is not what the fills make it")
        position = int(core.position_lots) * MICROLOTS + int(core.dust_microlots)
        _hold(position == self._microlots, "the position is not what the fills make it")
        _hold(core.cash >= 0, "cash is negative")
        _hold(core.position_lots >= 0, "the position is negative")
        _hold(core.dust_microlots >= 0, "the dust is negative")
        _hold(core.cash == core.capital - core.bought_units + core.sold_units - core.fee_units, "money got lost")

    def _check_slots(self) -> None:
        core, pairs = self._decider.state.core, int(self._decider.book.params.pairs)
        slots = self._decider.state.slots[:pairs]
        _hold(core.position_lots == slots["held"].sum() + core.carry_lots, "slots and carry are not the position")
        _hold(core.reserved == slots["reserved"].sum(), "reserved money does not add up")
        working = slots["order_id"] > 0
        _hold(core.working == working.sum(), "the count of working orders is off")
        _hold((slots["filled"] <= slots["lots"])[working].all(), "an order filled more than was ordered")
        _hold(core.halt == Halt.NONE or not (slots["side"] == BUY)[working].any(), "a halted session works a buy")
        if self._decider.exchange is Exchange.VENUE:
            return
        current = slots["pair"][slots["grid_id"] == core.grid_id].tolist()
        _hold(len(set(current)) == len(current), "two slots have one pair of levels")
        for slot in slots[slots["held"] > 0]:
            _hold(slot["state"] in (*HOLDING, SlotState.BLOCKED), "a slot that holds is taken for an empty one")
