"""What happens at a candle's edges: days and blackouts at its open; orders, recentring and the start at its close."""

from __future__ import annotations

from trading.engine.codes import BUY, NEVER, Action, FillReason, Halt, Policy, Regime, Rule, SlotState
from trading.engine.compiling import compiled, entry_point
from trading.engine.grid import assign_pairs, recentre
from trading.engine.money import share_of
from trading.engine.records import Core, Params, Slot
from trading.engine.risk import cooldown_is_over, mark_close, resume, roll_day, set_blackout
from trading.engine.sizing import order_lots
from trading.engine.slots import (
    block,
    buy_policy,
    cancel,
    may_open,
    place,
    refresh_quiet,
    refresh_slot,
    sell_held,
    sell_policy,
)
from trading.engine.state import Book


@entry_point
def begin_candle(book: Book, time_ms: int, low: int, high: int, volume: int) -> None:
    """Open a candle: count it, roll the UTC day, and note its range and volume budget.

    Parameters
    ----------
    time_ms : int
        Open time, milliseconds UTC.
    low, high : int
        Range in ticks that fills must stay in; a session on a clock passes 0 and ``NEVER``.
    volume : int
        Lots of this candle that may be ours.
    """
    core = book.core
    core.candle += 1
    core.time_ms = time_ms
    core.candle_low, core.candle_high, core.volume_left = low, high, volume
    if time_ms >= core.next_time_event:
        if time_ms >= core.day_end_ms:
            roll_day(book, time_ms)
        set_blackout(book, time_ms)
    if core.dirty == 1:
        plan(book, core.last_price)


@entry_point
def see_signal(
    book: Book, action: int, confidence: int, trail: int, regime: int, volatility: int, high: int, low: int, swing: int
) -> None:
    """Make a closed candle's signal visible; a change of its class asks for a new plan.

    Parameters
    ----------
    action, regime, volatility : int
        Codes of the signal record.
    confidence, trail, swing : int
        Parts per million; ``swing`` is the average swing's size, 0 while unknown.
    high, low : int
        Latest confirmed swing levels in ticks, 0 while unknown.
    """
    core = book.core
    if regime != core.regime:
        core.regime_since = core.candle
    if action != core.action or regime != core.regime or volatility != core.volatility:
        core.dirty = 1
    core.action, core.regime, core.volatility = action, regime, volatility
    core.confidence_ppm, core.trail_ppm = confidence, trail
    core.swing_high, core.swing_low, core.swing_ppm = high, low, swing


@entry_point
def decide(book: Book, close: int) -> None:
    """Decide at a candle's close: peak, resumption, start, recentring, ageing orders, and the plan for every slot."""
    core, params = book.core, book.params
    core.closing = 1
    mark_close(book, close)
    if cooldown_is_over(book):
        resume(book)
    if core.started == 0:
        _start_when_due(book, close)
    elif core.halt == Halt.NONE:
        _recentre_when_due(book, close)
    if core.candle >= core.next_candle_event:
        _age_orders(book, close)
        core.dirty = 1
    if core.dirty == 1 or close <= core.near_low or close >= core.near_high:
        plan(book, close)
    event = _next_base_event(core, params)
    if event != core.base_event or core.stale == 1:
        core.base_event = event
        refresh_quiet(book)
    core.closing = 0


@compiled
def _next_base_event(core: Core, params: Params) -> int:
    event = NEVER
    if core.halt == Halt.DRAWDOWN and params.cooldown > 0:
        event = core.halted_at + params.cooldown
    trend_confirmed = core.regime_since + params.regime_confirm
    if params.regime_confirm > 0 and core.regime == Regime.TRENDING and trend_confirmed > core.candle:
        event = min(event, trend_confirmed)
    return event


@compiled
def _start_when_due(book: Book, close: int) -> None:
    core, params = book.core, book.params
    if core.candle + 1 < params.warmup or core.halt != Halt.NONE:
        return
    if core.first_price == 0:
        core.first_price = close
    fell = close <= core.first_price - share_of(core.first_price, params.entry_drop_ppm)
    told = core.action == Action.TRAIL_BUY and core.confidence_ppm >= params.entry_confidence_ppm
    if not (fell or told):
        return
    core.started = 1
    core.entry_due = 1
    recentre(book, close)


@compiled
def _recentre_when_due(book: Book, close: int) -> None:
    core, params = book.core, book.params
    beyond = close < core.plan_low or close > core.plan_high
    core.beyond = core.beyond + 1 if beyond else 0
    turned = (
        params.regime_confirm > 0
        and core.regime == Regime.TRENDING
        and core.candle == core.regime_since + params.regime_confirm
        and abs(close - core.centre) > 2 * share_of(core.centre, core.spacing_ppm)
    )
    if turned or core.beyond >= params.recentre_confirm:
        core.recentres += 1
        recentre(book, close)


@compiled
def _age_orders(book: Book, close: int) -> None:
    core = book.core
    for i in range(book.params.pairs):
        slot = book.core.slots[i]
        if slot.state == SlotState.BLOCKED and slot.retry_at <= core.candle:
            slot.state, slot.reason = (SlotState.HELD if slot.held > 0 else SlotState.FLAT), Rule.NONE
        elif slot.order_id > 0 and 0 < slot.expires <= core.candle:
            cancel(book, i)
        elif slot.order_id > 0 and slot.taker == 0 and slot.why != FillReason.LIMIT:
            _improve(book, i, close)


@compiled
def _improve(book: Book, index: int, close: int) -> None:
    # an order that waits near the mid follows a price that left it, within its cap or floor
    params, slot = book.params, book.core.slots[index]
    if abs(close - slot.limit) < share_of(slot.limit, params.improvement_ppm) or params.take_market == 1:
        return
    limit = min(slot.cap, close) if slot.side == BUY else max(slot.floor, close)
    if limit == slot.limit:
        return
    rest, side, why, expires = slot.lots - slot.filled, slot.side, slot.why, slot.expires
    cancel(book, index)
    place(book, index, side, rest, limit, 0, 0, why)
    slot.expires = expires


@compiled
def plan(book: Book, close: int) -> None:
    """Bring every slot in line with the visible signal, the halts and the grid."""
    core = book.core
    core.dirty = 0
    _set_near(book, close)
    if core.started == 1 and core.halt == Halt.NONE:
        _adopt_free_slots(book, close)
        if core.entry_due == 1:
            _enter(book, close)
    for i in range(book.params.pairs):
        _plan_slot(book, i, close)
        refresh_slot(book, i)
    refresh_quiet(book)


@compiled
def _set_near(book: Book, close: int) -> None:
    # limit orders rest only near the price: when it has moved a fifth of that distance, look at them again
    core = book.core
    core.near_low, core.near_high = -NEVER, NEVER
    if core.started == 1 and buy_policy(book) == Policy.LIMIT:
        fifth = max(share_of(close, book.params.activation_ppm) // 5, 1)
        core.near_low, core.near_high = close - fifth, close + fifth


@compiled
def _adopt_free_slots(book: Book, close: int) -> None:
    # a slot that kept an old grid's pair and has sold it joins today's grid
    for i in range(book.params.pairs):
        slot = book.core.slots[i]
        if slot.held == 0 and slot.order_id == 0 and slot.grid_id != book.core.grid_id:
            assign_pairs(book, close)
            return


@compiled
def _enter(book: Book, close: int) -> None:
    core, params = book.core, book.params
    if core.blackout == 1 or buy_policy(book) == Policy.BLOCKED:
        return
    core.entry_due = 0
    for i in range(book.params.pairs):
        slot = book.core.slots[i]
        if slot.state == SlotState.FLAT and 0 <= slot.pair < params.entry_levels and slot.grid_id == core.grid_id:
            lots, rule = order_lots(book, slot.cap)
            if lots > 0:
                place(book, i, BUY, lots, slot.cap, 1, 0, FillReason.ENTRY)
            else:
                block(book, slot, rule)


@compiled
def _plan_slot(book: Book, index: int, close: int) -> None:
    slot = book.core.slots[index]
    state = slot.state
    opening = may_open(book.core) and buy_policy(book) != Policy.BLOCKED
    if state in (SlotState.BUYING, SlotState.PARTIAL):
        if not opening or (slot.why == FillReason.LIMIT and _is_far(book, slot, close)):
            cancel(book, index)
    elif state == SlotState.ARMED_BUY:
        if not opening:
            slot.state = SlotState.FLAT
    elif state == SlotState.FLAT:
        if opening and buy_policy(book) == Policy.LIMIT:
            _place_limit_buy(book, index, close)
    elif state == SlotState.HELD and sell_policy(book) == Policy.LIMIT and book.core.blackout == 0:
        sell_held(book, index, max(slot.sell, slot.floor), 0, 0, FillReason.LIMIT)


@compiled
def _is_far(book: Book, slot: Slot, close: int) -> bool:
    # a fifth more than the activation distance, so that an order at the edge is not placed and cancelled in turn
    activation = book.params.activation_ppm
    return abs(close - slot.limit) > share_of(close, activation + activation // 5)


@compiled
def _place_limit_buy(book: Book, index: int, close: int) -> None:
    core, params, slot = book.core, book.params, book.core.slots[index]
    if close <= slot.buy:
        # the price is under the level: it must come back over it first
        slot.primed = 0
    near = close - slot.buy <= share_of(close, params.activation_ppm)
    if slot.grid_id != core.grid_id or slot.primed == 0 or not near or core.blackout == 1:
        return
    lots, rule = order_lots(book, slot.buy)
    if lots == 0:
        block(book, slot, rule)
        return
    place(book, index, BUY, lots, slot.buy, 0, 0, FillReason.LIMIT)
