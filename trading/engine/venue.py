"""What a venue tells the core: orders that rest, are refused, end or fill, and money that comes and goes.

In a backtest `trading.engine.matching` plays the exchange; on a clock these functions stand in its place. They decide
nothing: a fill, a refusal or an end changes the slot that it belongs to, and the next price or candle decides.
"""

from __future__ import annotations

from trading.engine.accounting import book_fill, book_purchase, book_sale, write_fill
from trading.engine.codes import BUY, NEVER, FillReason, Halt, SlotState
from trading.engine.compiling import compiled, entry_point
from trading.engine.decisions import begin_candle, plan, see_signal
from trading.engine.money import share_up
from trading.engine.records import Slot
from trading.engine.risk import halt, mark_close, set_equity_floor
from trading.engine.slots import block, cancel, end_order, refresh_quiet, refresh_slot, rest, sell_held, set_floor
from trading.engine.state import Book
from trading.engine.tape import Tape

NOWHERE = -1
"""What `slot_of_order` answers when no slot works an order any more."""


@entry_point
def observe(book: Book, tape: Tape, start: int, stop: int) -> None:
    """See candles that passed before the session: time, signals and prices, and no decision.

    Parameters
    ----------
    tape : Tape
        Shape (n,).
    start, stop : int
        Rows ``[start, stop)``.
    """
    for row in range(start, stop):
        begin_candle(book, tape.timestamp[row], 0, NEVER, NEVER)
        book.core.last_price = tape.close[row]
        see_row(book, tape, row)
        mark_close(book, tape.close[row])


@compiled
def see_row(book: Book, tape: Tape, row: int) -> None:
    """See the signal of a candle that has closed."""
    see_signal(
        book,
        tape.action[row],
        tape.confidence[row],
        tape.trail[row],
        tape.regime[row],
        tape.volatility[row],
        tape.swing_high[row],
        tape.swing_low[row],
        tape.swing[row],
    )


@entry_point
def slot_of_order(book: Book, order_id: int) -> int:
    """Return the slot that works an order now, or `NOWHERE`."""
    for i in range(book.params.pairs):
        if book.core.slots[i].order_id == order_id:
            return i
    return NOWHERE


@entry_point
def order_rests(book: Book, order_id: int) -> None:
    """Note that part of an order waits in the venue's book: it ages from here."""
    index = slot_of_order(book, order_id)
    if index != NOWHERE and book.core.slots[index].taker == 1:
        rest(book, index)
        refresh_quiet(book)


@entry_point
def order_refused(book: Book, order_id: int, rule: int) -> None:
    """Note that an order will never be at the venue: its slot is blocked a while, one candle only if it holds."""
    index = slot_of_order(book, order_id)
    if index == NOWHERE:
        return
    slot = book.core.slots[index]
    end_order(book, index)
    block(book, slot, rule)
    if slot.held > 0:
        slot.retry_at = book.core.candle + 1
    _look_again(book, index)


@entry_point
def order_ended(book: Book, order_id: int) -> None:
    """Note that an order is final at the venue before it filled: cancelled there, or expired."""
    index = slot_of_order(book, order_id)
    if index != NOWHERE:
        end_order(book, index)
        _look_again(book, index)


@entry_point
def order_filled(
    book: Book,
    order_id: int,
    home: int,
    side: int,
    lots: int,
    price: int,
    fee: int,
    fee_microlots: int,
    why: int,
) -> None:
    """Book a fill that the venue told, with the fee it took; one of an order that was given up counts as well.

    Parameters
    ----------
    order_id : int
        The core's number of the order.
    home : int
        The slot that the order was placed for.
    side : int
        ``BUY`` or ``SELL``.
    lots, price : int
        Quantity, and price in ticks.
    fee, fee_microlots : int
        Cash units, and millionths of a lot of the bought quantity.
    why : int
        The `FillReason` that the order was placed for.
    """
    index = slot_of_order(book, order_id)
    if side != BUY:
        short = lots - book.core.slots[home].held
        if short > 0:
            _gather(book, home, short)
    slot = book.core.slots[home]
    if index != NOWHERE and slot.filled + lots <= slot.lots:
        book_fill(book, index, lots, price, fee, fee_microlots)
        refresh_quiet(book)
        return
    if side == BUY:
        book_purchase(book, slot, lots, price, fee, fee_microlots)
    else:
        book_sale(book, slot, lots, price, fee)
    write_fill(book, order_id, side, lots, price, fee, fee_microlots, why, slot.pair, 0)
    _settle_late(book, home, side, lots)
    _look_again(book, home)


@compiled
def _gather(book: Book, home: int, short: int) -> None:
    # More was sold than the slot still has: an order that was given up sold after its slot had sold again. What is
    # missing comes from the carry, then from other slots, so that the sum stays what the venue has.
    core, slot = book.core, book.core.slots[home]
    moved = min(short, core.carry_lots)
    core.carry_lots -= moved
    slot.held += moved
    short -= moved
    for i in range(book.params.pairs):
        other = book.core.slots[i]
        if short > 0 and i != home and other.held > 0:
            moved = min(short, other.held)
            cost = other.cost * moved // other.held
            other.held -= moved
            other.cost -= cost
            slot.held += moved
            slot.cost += cost
            short -= moved
            _shrink_sell(book, i)
            refresh_slot(book, i)


@compiled
def _settle_late(book: Book, index: int, side: int, lots: int) -> None:
    core, slot = book.core, book.core.slots[index]
    if side == BUY:
        slot.pair_lots = max(slot.pair_lots, slot.held)
        if slot.held > 0:
            set_floor(book, slot)
        if slot.order_id > 0 and slot.side == BUY:
            _shrink_buy(book, index, lots)
        elif slot.order_id == 0:
            slot.state = SlotState.HELD if slot.held > 0 else SlotState.FLAT
    elif slot.order_id > 0 and slot.side != BUY:
        _shrink_sell(book, index)
    elif slot.order_id == 0 and slot.held == 0 and slot.state != SlotState.BLOCKED:
        slot.state = SlotState.FLAT
    core.dirty = 1


@compiled
def _shrink_buy(book: Book, index: int, lots: int) -> None:
    # what came late is not bought again
    core, slot = book.core, book.core.slots[index]
    less = min(lots, slot.lots - slot.filled)
    value = less * slot.limit * book.params.units
    released = min(slot.reserved, value + share_up(value, book.params.taker_fee_ppm))
    slot.lots -= less
    slot.reserved -= released
    core.reserved -= released
    if slot.lots == slot.filled:
        end_order(book, index)
    else:
        slot.state = SlotState.PARTIAL if slot.held > 0 else SlotState.BUYING


@compiled
def _shrink_sell(book: Book, index: int) -> None:
    # what is gone cannot be sold again
    slot = book.core.slots[index]
    if slot.order_id == 0 or slot.side == BUY:
        if slot.held == 0 and slot.order_id == 0:
            _forget_inventory(book, slot)
        return
    slot.lots = min(slot.lots, slot.filled + slot.held)
    if slot.lots == slot.filled:
        end_order(book, index)


@compiled
def _forget_inventory(book: Book, slot: Slot) -> None:
    slot.cost = slot.proceeds = slot.floor = slot.stop_at = slot.take_at = 0
    slot.state, slot.turned_at = SlotState.FLAT, book.core.candle


@compiled
def _look_again(book: Book, index: int) -> None:
    book.core.dirty = 1
    refresh_slot(book, index)
    refresh_quiet(book)


@entry_point
def settle(book: Book) -> None:
    """Plan at the last price what the venue's news have left to be planned, without waiting for a candle's close."""
    if book.core.dirty == 1:
        plan(book, book.core.last_price)


@entry_point
def fund(book: Book, units: int) -> None:
    """Book a deposit, or a withdrawal when negative, in cash units: no gain, no loss, and orders of another size.

    The equity peak and the day's start move by the same amount, so that money that was taken out is no drawdown.
    """
    core = book.core
    core.cash += units
    core.capital += units
    core.peak_equity += units
    core.day_equity += units
    core.dirty = 1
    set_equity_floor(core, book.params)


@entry_point
def halt_by_order(book: Book, flatten: bool) -> None:
    """Stop opening because a person, or a check outside the core, says so; on request sell everything.

    Parameters
    ----------
    flatten : bool
        Cancel what rests and sell every slot's inventory at any price.
    """
    core = book.core
    if core.halt == Halt.NONE:
        halt(book, Halt.ORDERED)
    if not flatten:
        return
    for i in range(book.params.pairs):
        slot = book.core.slots[i]
        if slot.order_id > 0 and slot.why not in (FillReason.STOP, FillReason.FLATTEN):
            cancel(book, i)
        if slot.held > 0 and slot.order_id == 0:
            sell_held(book, i, 0, 1, 0, FillReason.FLATTEN)
        refresh_slot(book, i)
    refresh_quiet(book)


@entry_point
def first_breach(book: Book) -> int:
    """Return the number of the first invariant that does not hold, or 0.

    1 cash is negative; 2 the position is negative; 3 slots and carry do not add up to the position; 4 reserved money
    does not add up; 5 more filled than ordered; 6 the count of working orders is off; 7 a halted session works a buy.
    """
    core = book.core
    held, reserved, working, breach = core.carry_lots, 0, 0, 0
    for i in range(book.params.pairs):
        slot = book.core.slots[i]
        held += slot.held
        reserved += slot.reserved
        if slot.order_id > 0:
            working += 1
            if slot.filled > slot.lots:
                breach = 5
            elif core.halt != Halt.NONE and slot.side == BUY:
                breach = 7
    if core.cash < 0:
        breach = 1
    elif core.position_lots < 0 or core.dust_microlots < 0:
        breach = 2
    elif held != core.position_lots:
        breach = 3
    elif reserved != core.reserved:
        breach = 4
    elif working != core.working:
        breach = 6
    return breach


BREACHES = (
    "",
    "cash is negative",
    "the position is negative",
    "slots and carry do not add up to the position",
    "reserved money does not add up",
    "an order filled more than was ordered",
    "the count of working orders is off",
    "a halted session works a buy",
)
"""What `first_breach` means, by its number."""
