"""One slot's order and the prices at which it acts."""

from __future__ import annotations

from trading.engine.codes import (
    BUY,
    NEVER,
    PPM,
    SELL,
    FillReason,
    Halt,
    IntentKind,
    Policy,
    Rule,
    SlotState,
)
from trading.engine.compiling import compiled
from trading.engine.money import share_of, share_up
from trading.engine.records import Core, Slot
from trading.engine.state import Book


@compiled
def may_open(core: Core) -> bool:
    """Return whether the session may open positions at all."""
    return core.started == 1 and core.halt == Halt.NONE


@compiled
def buy_policy(book: Book) -> int:
    """Return what the visible signal allows the buy side."""
    return int(book.params.buy_policy[book.core.action + 1])


@compiled
def sell_policy(book: Book) -> int:
    """Return what the visible signal allows the sell side."""
    return int(book.params.sell_policy[book.core.action + 1])


@compiled
def arm_price(book: Book, slot: Slot) -> int:
    """Return the price from which a slot's inventory may be sold: its level, or its floor when that is higher."""
    return max(slot.sell, triggerable_floor(book, slot))


@compiled
def triggerable_floor(book: Book, slot: Slot) -> int:
    """Return the least price at which a taking sell still nets the slot's floor after spread and slippage."""
    return share_up(slot.floor, PPM + book.params.slip_ppm) + 1


@compiled
def triggerable_cap(book: Book, slot: Slot) -> int:
    """Return the greatest price at which a taking buy still pays no more than the slot's cap."""
    return slot.cap - share_up(slot.cap, book.params.slip_ppm) - 1


@compiled
def set_floor(book: Book, slot: Slot) -> None:
    """Set the prices that guard a slot's inventory from what it cost: floor, stop and take profit.

    The floor is the break-even price (fees of the buy are in the cost) plus the taker fee and the margin.
    """
    params = book.params
    units = slot.held * params.units
    even = -(-slot.cost // units)
    slot.floor = even + share_up(even, params.taker_fee_ppm + slot.margin_ppm)
    slot.stop_at = even - share_up(even, params.stop_ppm) if params.stop_ppm > 0 else 0
    slot.take_at = max(even + share_up(even, params.take_ppm), slot.floor) if params.take_ppm > 0 else 0


@compiled
def refresh_slot(book: Book, index: int) -> None:
    """Set the prices at or beyond which a slot acts, and the candle in which it looks again.

    The bounds are what makes quiet candles cheap: between the highest ``below`` and the lowest ``above`` of all slots
    no slot can change, so the loop skips such candles without looking at any slot.
    """
    core, slot = book.core, book.core.slots[index]
    below, above, event = -NEVER, NEVER, NEVER
    if slot.state == SlotState.FLAT:
        below, above = _flat_bounds(book, slot)
    elif slot.state == SlotState.ARMED_BUY:
        below, above = slot.extreme - 1, slot.trigger
    elif slot.state == SlotState.HELD:
        below, above = slot.stop_at, _sell_from(book, slot)
    elif slot.state == SlotState.ARMED_SELL:
        below, above = max(slot.trigger, slot.stop_at), slot.extreme + 1
    elif slot.state == SlotState.BLOCKED:
        event = slot.retry_at
    else:
        below, above, event = _order_bounds(book, slot)
    core.below[index], core.above[index], core.event[index] = below, above, event
    core.stale = 1


@compiled
def _flat_bounds(book: Book, slot: Slot) -> tuple[int, int]:
    core = book.core
    if slot.grid_id != core.grid_id or not may_open(core):
        return -NEVER, NEVER
    if slot.primed == 0:
        return -NEVER, slot.buy + 1
    if buy_policy(book) == Policy.ARMED:
        # near enough under the level that a rise to the trigger is a rise
        return min(slot.buy, triggerable_cap(book, slot) - 1), NEVER
    return -NEVER, NEVER


@compiled
def _sell_from(book: Book, slot: Slot) -> int:
    above = arm_price(book, slot) if sell_policy(book) == Policy.ARMED else NEVER
    return min(above, slot.take_at) if slot.take_at > 0 else above


@compiled
def _order_bounds(book: Book, slot: Slot) -> tuple[int, int, int]:
    params = book.params
    if slot.taker == 1:
        # it acts on the next price, whatever that is
        return NEVER, -NEVER, NEVER
    below, above, event = -NEVER, NEVER, NEVER
    if slot.side == BUY:
        below = slot.limit - 1 + params.touch
    else:
        above = slot.limit + 1 - params.touch
    if slot.held > 0:
        below = max(below, slot.stop_at)
    if slot.why != FillReason.LIMIT:
        # a triggered order that waits near the mid is looked at in every candle, any other when it expires
        event = slot.expires if slot.expires > 0 else NEVER
        event = event if params.take_market == 1 else book.core.candle
    return below, above, event


@compiled
def refresh_quiet(book: Book) -> None:
    """Set the range of prices in which no slot acts, and the next candle in which one looks again."""
    core = book.core
    core.stale = 0
    low, high, event = max(core.plan_low, core.near_low), min(core.plan_high, core.near_high), core.base_event
    for i in range(book.params.pairs):
        low = max(low, book.core.below[i])
        high = min(high, book.core.above[i])
        event = min(event, book.core.event[i])
    core.quiet_low, core.quiet_high, core.next_candle_event = low, high, event


@compiled
def emit(book: Book, kind: int, index: int) -> None:
    """Put out an intent about a slot's working order."""
    slot = book.core.slots[index]
    intent = book.out.intents[book.out.intent_count]
    intent.kind, intent.slot, intent.order_id, intent.side = kind, index, slot.order_id, slot.side
    intent.lots, intent.limit, intent.taker, intent.why = slot.lots - slot.filled, slot.limit, slot.taker, slot.why
    book.out.intent_count += 1


@compiled
def place(book: Book, index: int, side: int, lots: int, limit: int, taker: int, reference: int, why: int) -> None:
    """Give a slot a working order.

    Parameters
    ----------
    side : int
        ``BUY`` or ``SELL``.
    limit : int
        Ticks; 0 takes any price.
    taker : int
        1 for an order that takes what is there, 0 for one that rests.
    reference : int
        Ticks at which a taking order meets the market; 0 when that is the next price seen.
    why : int
        A `FillReason`.
    """
    core, params, slot = book.core, book.params, book.core.slots[index]
    slot.order_id = core.next_order_id
    core.next_order_id += 1
    core.orders += 1
    slot.side, slot.lots, slot.filled, slot.limit, slot.taker, slot.why = side, lots, 0, limit, taker, why
    # an order decided at a candle's close meets the market in the next one
    slot.active_from = core.candle + core.closing + params.latency
    core.working += 1
    slot.reference = reference if params.latency == 0 and core.closing == 0 else 0
    waits = taker == 0 and why != FillReason.LIMIT and params.lifetime > 0
    slot.expires = core.candle + params.lifetime if waits else 0
    if side == BUY:
        value = lots * limit * params.units
        slot.reserved = value + share_up(value, params.taker_fee_ppm)
        core.reserved += slot.reserved
        slot.pair_lots = slot.held + lots
        slot.state = SlotState.PARTIAL if slot.held > 0 else SlotState.BUYING
    else:
        slot.state = SlotState.SELLING
    emit(book, IntentKind.PLACE, index)


@compiled
def cancel(book: Book, index: int) -> None:
    """Cancel a slot's working order; the slot goes back to what it holds."""
    emit(book, IntentKind.CANCEL, index)
    end_order(book, index)


@compiled
def end_order(book: Book, index: int) -> None:
    """Forget a slot's order, which is filled or cancelled, and release its money."""
    core, slot = book.core, book.core.slots[index]
    core.reserved -= slot.reserved
    core.working -= 1
    slot.reserved = slot.order_id = slot.lots = slot.filled = slot.limit = slot.taker = slot.reference = 0
    slot.side = slot.expires = slot.why = 0
    if slot.held == 0 and slot.cost > 0:
        # all that was bought is less than a lot after its fee: the dust keeps its cost
        core.carry_cost += slot.cost
        slot.cost = 0
    slot.state = SlotState.HELD if slot.held > 0 else SlotState.FLAT


@compiled
def rest(book: Book, index: int) -> None:
    """Let a taking order that could not take everything wait at its limit; it ages from here."""
    core, params, slot = book.core, book.params, book.core.slots[index]
    slot.taker = slot.reference = 0
    slot.expires = core.candle + params.lifetime if params.lifetime > 0 else 0
    refresh_slot(book, index)


@compiled
def block(book: Book, slot: Slot, rule: int) -> None:
    """Block a slot whose order was refused: it keeps the reason and tries again later."""
    core = book.core
    core.refused[rule] += 1
    slot.state, slot.reason = SlotState.BLOCKED, rule
    slot.retry_at = core.candle + book.params.retry_candles


@compiled
def sell_held(book: Book, index: int, limit: int, taker: int, reference: int, why: int) -> None:
    """Place a sell of all that a slot holds, with what other slots left over; dust is carried to the next sell.

    A remainder worth less than the market's least order value could never be sold alone: it moves to the core's carry
    and the next sell of any slot takes it along.
    """
    core, params, slot = book.core, book.params, book.core.slots[index]
    price = limit if limit > 0 else core.last_price
    if (slot.held + core.carry_lots) * price * params.units < params.min_notional:
        core.refused[Rule.DUST] += 1
        core.carry_lots += slot.held
        core.carry_cost += slot.cost - slot.proceeds
        slot.held = slot.cost = slot.proceeds = slot.floor = slot.stop_at = slot.take_at = 0
        slot.state, slot.turned_at = SlotState.FLAT, core.candle
        return
    slot.held += core.carry_lots
    slot.cost += core.carry_cost
    core.carry_lots = core.carry_cost = 0
    slot.pair_lots = max(slot.pair_lots, slot.held)
    place(book, index, SELL, slot.held, limit, taker, reference, why)


@compiled
def trail_of(book: Book) -> int:
    """Return the trail distance that a slot arms with, in parts per million."""
    core, params = book.core, book.params
    trail = core.trail_ppm if core.trail_ppm > 0 else params.base_trail_ppm
    trail = share_of(trail, params.trail_factor[core.action + 1])
    return int(min(max(trail, params.trail_min[core.volatility]), params.trail_max[core.volatility]))
