"""What a fill does to money, inventory and history."""

from __future__ import annotations

from trading.engine.codes import BUY, PPM, IntentKind, SlotState
from trading.engine.compiling import compiled, entry_point
from trading.engine.money import share_of, share_up
from trading.engine.records import Core, Slot
from trading.engine.slots import emit, end_order, refresh_slot, set_floor
from trading.engine.state import Book


@entry_point
def apply_fill(book: Book, index: int, lots: int, price: int, fee_ppm: int) -> None:
    """Book a fill of a slot's working order at a fee rate.

    Parameters
    ----------
    index : int
        The slot.
    lots, price : int
        Filled quantity and price in ticks.
    fee_ppm : int
        Maker or taker fee, millionths of the value.
    """
    params = book.params
    if book.core.slots[index].side == BUY and params.fee_in_base == 1:
        book_fill(book, index, lots, price, 0, lots * fee_ppm)
    else:
        book_fill(book, index, lots, price, share_up(lots * price * params.units, fee_ppm), 0)


@compiled
def book_fill(book: Book, index: int, lots: int, price: int, fee: int, fee_microlots: int) -> None:
    """Book a fill of a slot's working order with the fee that was taken.

    Parameters
    ----------
    fee, fee_microlots : int
        Cash units, and millionths of a lot of the bought quantity.
    """
    core, slot = book.core, book.core.slots[index]
    slot.filled += lots
    side, reason, order_id, level, reference = slot.side, slot.why, slot.order_id, slot.pair, slot.reference
    if side == BUY:
        book_purchase(book, slot, lots, price, fee, fee_microlots)
        value = lots * price * book.params.units
        released = min(slot.reserved, value + share_up(value, book.params.taker_fee_ppm))
        slot.reserved -= released
        core.reserved -= released
    else:
        book_sale(book, slot, lots, price, fee)
    write_fill(book, order_id, side, lots, price, fee, fee_microlots, reason, level, reference)
    _after_fill(book, index)


@compiled
def write_fill(
    book: Book,
    order_id: int,
    side: int,
    lots: int,
    price: int,
    fee: int,
    fee_microlots: int,
    reason: int,
    level: int,
    reference: int,
) -> None:
    """Put out the record of a fill that was booked, and the account after it."""
    core = book.core
    fill = book.out.fills[book.out.fill_count]
    fill.timestamp, fill.candle, fill.order_id, fill.side = core.time_ms, core.candle, order_id, side
    fill.price_ticks, fill.lots, fill.fee_units, fill.fee_microlots = price, lots, fee, fee_microlots
    fill.reason, fill.level, fill.reference_ticks = reason, level, reference
    fill.cash_units, fill.position_lots, fill.dust_microlots = core.cash, core.position_lots, core.dust_microlots
    book.out.fill_count += 1


@compiled
def book_purchase(book: Book, slot: Slot, lots: int, price: int, fee: int, fee_microlots: int) -> None:
    """Book what a purchase does to money and to a slot's inventory."""
    core = book.core
    value = lots * price * book.params.units
    core.fee_microlots += fee_microlots
    core.cash -= value + fee
    core.bought_units += value
    core.fee_units += fee
    received = _whole_lots(core, lots * PPM - fee_microlots)
    core.position_lots += received
    slot.held += received
    slot.cost += value + fee
    slot.opened_at = core.candle


@compiled
def _whole_lots(core: Core, microlots: int) -> int:
    # a fee in the base asset leaves fractions of a lot: they wait as dust until they make a whole one
    core.dust_microlots += microlots
    lots = core.dust_microlots // PPM
    core.dust_microlots -= lots * PPM
    return lots


@compiled
def book_sale(book: Book, slot: Slot, lots: int, price: int, fee: int) -> None:
    """Book what a sale does to money and to a slot's inventory, which must be enough."""
    core = book.core
    value = lots * price * book.params.units
    core.cash += value - fee
    core.sold_units += value
    core.fee_units += fee
    core.position_lots -= lots
    slot.held -= lots
    slot.proceeds += value - fee
    if slot.held == 0:
        _close_trade(book, slot)


@compiled
def _close_trade(book: Book, slot: Slot) -> None:
    core, params = book.core, book.params
    gain = (slot.proceeds - slot.cost) / max(slot.cost, 1)
    core.trades += 1
    core.wins *= params.kelly_decay
    core.losses *= params.kelly_decay
    core.win_sum *= params.kelly_decay
    core.loss_sum *= params.kelly_decay
    if gain > 0.0:
        core.wins += 1.0
        core.win_sum += gain
    else:
        core.losses += 1.0
        core.loss_sum -= gain
    slot.cost = slot.proceeds = slot.floor = slot.stop_at = slot.take_at = 0
    slot.turned_at = core.candle
    slot.primed = 1 if core.last_price > slot.buy else 0


@compiled
def _after_fill(book: Book, index: int) -> None:
    core, params, slot = book.core, book.params, book.core.slots[index]
    core.dirty = 1
    bought = slot.side == BUY
    if bought and slot.held > 0:
        set_floor(book, slot)
    if slot.filled == slot.lots:
        end_order(book, index)
    elif bought:
        slot.state = SlotState.PARTIAL if slot.held > 0 else SlotState.BUYING
        if params.cancel_rest_ppm > 0 and slot.filled >= share_of(slot.lots, params.cancel_rest_ppm):
            emit(book, IntentKind.CANCEL, index)
            end_order(book, index)
    refresh_slot(book, index)
