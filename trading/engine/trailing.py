"""All trailing and all triggers: what a slot does when the price moves."""

from __future__ import annotations

from trading.engine.codes import BUY, FillReason, Policy, SlotState
from trading.engine.compiling import compiled, entry_point
from trading.engine.money import share_of, share_up
from trading.engine.records import Slot
from trading.engine.risk import check_equity
from trading.engine.sizing import order_lots
from trading.engine.slots import (
    arm_price,
    block,
    cancel,
    may_open,
    place,
    refresh_quiet,
    refresh_slot,
    sell_held,
    sell_policy,
    trail_of,
    triggerable_cap,
    triggerable_floor,
)
from trading.engine.state import Book


@entry_point
def on_price(book: Book, price: int, jump: bool) -> None:
    """Tell the core the next price: it arms, follows and triggers, and checks equity; it never fills.

    Parameters
    ----------
    price : int
        Ticks. A backtest feeds the four path points of a candle, paper and live feed ticks.
    jump : bool
        True when the market may have skipped the prices in between (a tick, a candle's open); False along a candle's
        path, where a trigger is met at its own price.
    """
    core = book.core
    before = price if jump else core.last_price
    core.last_price = price
    if price <= core.quiet_low or price >= core.quiet_high:
        for i in range(book.params.pairs):
            if price <= book.core.below[i]:
                _fall(book, i, before, price)
                refresh_slot(book, i)
            elif price >= book.core.above[i]:
                _rise(book, i, before, price)
                refresh_slot(book, i)
        if core.stale == 1:
            refresh_quiet(book)
    check_equity(book, price)


@compiled
def _fall(book: Book, index: int, before: int, price: int) -> None:
    core, slot = book.core, book.core.slots[index]
    state = slot.state
    if slot.held > 0 and price <= slot.stop_at:
        if slot.opened_at < core.candle and slot.why not in (FillReason.STOP, FillReason.FLATTEN):
            _stop_out(book, index, max(min(before, slot.stop_at), price))
    elif state == SlotState.FLAT:
        if slot.turned_at < core.candle:
            _arm_buy(book, slot, price)
    elif state == SlotState.ARMED_BUY:
        _follow_low(book, slot, price)
    elif state == SlotState.ARMED_SELL and price <= slot.trigger:
        _trigger_sell(book, index, max(min(before, slot.trigger), price))


@compiled
def _rise(book: Book, index: int, before: int, price: int) -> None:
    core, slot = book.core, book.core.slots[index]
    state = slot.state
    if state == SlotState.FLAT:
        slot.primed = 1
        core.dirty = 1
    elif state == SlotState.ARMED_BUY:
        _trigger_buy(book, index, min(max(before, slot.trigger), price))
    elif slot.opened_at < core.candle and state in (SlotState.HELD, SlotState.ARMED_SELL):
        if slot.take_at > 0 and price >= slot.take_at:
            _take_profit(book, index, min(max(before, slot.take_at), price))
        elif state == SlotState.ARMED_SELL:
            _follow_high(book, slot, price)
        elif sell_policy(book) == Policy.ARMED:
            _arm_sell(book, slot, price)


@compiled
def _arm_buy(book: Book, slot: Slot, price: int) -> None:
    slot.state = SlotState.ARMED_BUY
    slot.trail_ppm = trail_of(book)
    slot.trigger = triggerable_cap(book, slot)
    _follow_low(book, slot, price)


@compiled
def _follow_low(book: Book, slot: Slot, price: int) -> None:
    # the trigger follows the low down and never moves back up
    slot.extreme = price
    trigger = away_from_clusters(book, price + share_up(price, slot.trail_ppm), BUY)
    slot.trigger = min(slot.trigger, max(trigger, price + 1))


@compiled
def _arm_sell(book: Book, slot: Slot, price: int) -> None:
    slot.state = SlotState.ARMED_SELL
    slot.trail_ppm = trail_of(book)
    slot.trigger = triggerable_floor(book, slot)
    _follow_high(book, slot, max(price, arm_price(book, slot)))


@compiled
def _follow_high(book: Book, slot: Slot, price: int) -> None:
    # the trigger follows the high up and never moves back down
    slot.extreme = price
    trigger = away_from_clusters(book, price - share_up(price, slot.trail_ppm), -BUY)
    slot.trigger = max(slot.trigger, min(trigger, price - 1))


@compiled
def away_from_clusters(book: Book, trigger: int, side: int) -> int:
    """Return a trigger moved away from where stops crowd: round numbers and the latest swing points.

    A trigger nearer than ``cluster_window`` to one of them moves by ``cluster_shift``, a buy's up and a sell's down.
    """
    core, params = book.core, book.params
    window = share_of(trigger, params.cluster_window_ppm)
    step = max(core.round_step, 1)
    beyond_round = trigger % step
    crowded = min(beyond_round, step - beyond_round) <= window
    crowded = crowded or abs(trigger - core.swing_high) <= window or abs(trigger - core.swing_low) <= window
    return trigger + side * share_of(trigger, params.cluster_shift_ppm) if crowded else trigger


@compiled
def _trigger_buy(book: Book, index: int, reference: int) -> None:
    core, params, slot = book.core, book.params, book.core.slots[index]
    if core.blackout == 1 or not may_open(core):
        return
    lots, rule = order_lots(book, slot.cap)
    if lots == 0:
        block(book, slot, rule)
        return
    limit = slot.cap if params.take_market == 1 else min(slot.cap, reference)
    place(book, index, BUY, lots, limit, params.take_market, reference, FillReason.TRAIL)


@compiled
def _trigger_sell(book: Book, index: int, reference: int) -> None:
    slot = book.core.slots[index]
    if book.core.blackout == 1:
        return
    if reference < triggerable_floor(book, slot):
        # the price jumped under the floor: hold on and arm again higher up
        slot.state = SlotState.HELD
        return
    params = book.params
    limit = slot.floor if params.take_market == 1 else max(slot.floor, reference)
    sell_held(book, index, limit, params.take_market, reference, FillReason.TRAIL)


@compiled
def _take_profit(book: Book, index: int, reference: int) -> None:
    if book.core.blackout == 0:
        sell_held(book, index, book.core.slots[index].floor, 1, reference, FillReason.TAKE_PROFIT)


@compiled
def _stop_out(book: Book, index: int, reference: int) -> None:
    if book.core.slots[index].order_id > 0:
        cancel(book, index)
    sell_held(book, index, 0, 1, reference, FillReason.STOP)
