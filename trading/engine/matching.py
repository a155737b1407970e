"""The exchange of a backtest: fills resting orders along a candle's path, and taking orders at once."""

from __future__ import annotations

from trading.engine.accounting import apply_fill
from trading.engine.codes import BUY, NEVER
from trading.engine.compiling import compiled, entry_point
from trading.engine.money import share_up
from trading.engine.records import Slot
from trading.engine.slots import refresh_quiet, rest
from trading.engine.state import Book


@entry_point
def match(book: Book, before: int, price: int) -> None:
    """Fill what the move from one path point to the next fills.

    A resting limit fills at its own price when the price goes through it by a tick (or reaches it, under the touch
    rule); a taking order fills at its reference, worse by half the spread and the slippage, never outside the candle.
    All fills of a candle together take at most its volume budget.

    Parameters
    ----------
    before, price : int
        The two path points, ticks; equal at a candle's open.
    """
    core = book.core
    if core.working == 0 or (price > core.quiet_low and price < core.quiet_high):
        return
    for i in range(book.params.pairs):
        if price <= book.core.below[i] or price >= book.core.above[i]:
            slot = book.core.slots[i]
            if slot.order_id > 0 and slot.active_from <= core.candle:
                _match_slot(book, i, before, price)
    if core.stale == 1:
        refresh_quiet(book)


@compiled
def _match_slot(book: Book, index: int, before: int, price: int) -> None:
    slot = book.core.slots[index]
    if slot.taker == 1:
        _take(book, index, price)
    elif _is_through(book, slot, price):
        _fill(book, index, _resting_price(slot, before, price), book.params.maker_fee_ppm)


@compiled
def _is_through(book: Book, slot: Slot, price: int) -> bool:
    beyond = 1 - book.params.touch
    if slot.side == BUY:
        return price <= slot.limit - beyond
    return price >= slot.limit + beyond


@compiled
def _resting_price(slot: Slot, before: int, price: int) -> int:
    # at a gap the whole path is beyond the limit: the candle's first price is the nearest there is
    if slot.side == BUY:
        return min(slot.limit, max(before, price))
    return max(slot.limit, min(before, price))


@compiled
def _take(book: Book, index: int, price: int) -> None:
    core, params, slot = book.core, book.params, book.core.slots[index]
    reference = slot.reference if slot.reference > 0 else price
    slot.reference = reference
    if slot.side == BUY:
        paid = max(min(reference + share_up(reference, params.slip_ppm), core.candle_high), core.candle_low)
        misses = paid > slot.limit
    else:
        paid = min(max(reference - share_up(reference, params.slip_ppm), core.candle_low), core.candle_high)
        misses = paid < slot.limit
    if misses:
        rest(book, index)
        return
    _fill(book, index, paid, params.taker_fee_ppm)
    # what the volume did not allow takes the next price
    slot.reference = 0


@compiled
def _fill(book: Book, index: int, price: int, fee_ppm: int) -> None:
    core, slot = book.core, book.core.slots[index]
    lots = min(slot.lots - slot.filled, core.volume_left)
    if lots <= 0:
        return
    if core.volume_left < NEVER:
        core.volume_left -= lots
    apply_fill(book, index, lots, price, fee_ppm)
