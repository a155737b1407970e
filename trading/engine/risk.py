"""When trading stops: drawdown and daily loss, blackouts, and how each halt ends."""

from __future__ import annotations

from trading.engine.codes import NEVER, FillReason, Halt, SlotState
from trading.engine.compiling import compiled, entry_point
from trading.engine.money import equity_at, share_of
from trading.engine.records import Core, Params
from trading.engine.slots import cancel, refresh_quiet, refresh_slot, sell_held
from trading.engine.state import Book

DAY_MS = 86_400_000
MINUTE_MS = 60_000
DAY_MINUTES = 1_440


@compiled
def total_equity(book: Book, price: int) -> int:
    """Return equity at a price in ticks, a portfolio's other symbols included, in cash units."""
    core = book.core
    return equity_at(core, book.params.units, price) + core.external_equity


@compiled
def set_equity_floor(core: Core, params: Params) -> None:
    """Set the equity at or under which trading halts: the higher of the drawdown's and the day's limit."""
    drawdown_floor = core.peak_equity - share_of(core.peak_equity, params.max_drawdown_ppm)
    day_floor = core.day_equity - share_of(core.day_equity, params.daily_loss_ppm)
    if core.halt in (Halt.DRAWDOWN, Halt.ORDERED):
        core.equity_floor = -NEVER
    elif core.halt == Halt.DAILY_LOSS:
        core.equity_floor = drawdown_floor
    else:
        core.equity_floor = max(drawdown_floor, day_floor)


@compiled
def check_equity(book: Book, price: int) -> None:
    """Halt when equity at this price is at or under the floor."""
    core, params = book.core, book.params
    equity = total_equity(book, price)
    if equity > core.equity_floor:
        return
    fell = equity <= core.peak_equity - share_of(core.peak_equity, params.max_drawdown_ppm)
    halt(book, Halt.DRAWDOWN if fell else Halt.DAILY_LOSS)


@compiled
def halt(book: Book, reason: int) -> None:
    """Stop opening: cancel every buy, and on a drawdown sell everything when so configured; exits go on."""
    core, params = book.core, book.params
    core.halt, core.halted_at = reason, core.candle
    core.halts += 1
    core.dirty = 1
    set_equity_floor(core, params)
    flatten = reason == Halt.DRAWDOWN and params.flatten_on_halt == 1
    for i in range(book.params.pairs):
        slot = book.core.slots[i]
        if slot.state in (SlotState.BUYING, SlotState.PARTIAL):
            cancel(book, i)
        if slot.state == SlotState.ARMED_BUY:
            slot.state = SlotState.FLAT
        if flatten and slot.held > 0 and slot.why not in (FillReason.STOP, FillReason.FLATTEN):
            _flatten(book, i)
        refresh_slot(book, i)
    refresh_quiet(book)


@compiled
def _flatten(book: Book, index: int) -> None:
    core, slot = book.core, book.core.slots[index]
    if slot.order_id > 0:
        cancel(book, index)
    sell_held(book, index, 0, 1, 0, FillReason.FLATTEN)
    if slot.opened_at == core.candle:
        slot.active_from = max(slot.active_from, core.candle + 1)


@entry_point
def resume(book: Book) -> None:
    """End a halt: a drawdown's peak starts anew from today's equity."""
    core = book.core
    equity = total_equity(book, core.last_price)
    if core.halt == Halt.DRAWDOWN:
        core.peak_equity = equity
    core.halt = Halt.NONE
    core.day_equity = min(core.day_equity, equity) if core.day_end_ms > core.time_ms else equity
    core.dirty = 1
    set_equity_floor(core, book.params)


@compiled
def cooldown_is_over(book: Book) -> bool:
    """Return whether a drawdown halt has lasted its configured number of candles."""
    core, cooldown = book.core, book.params.cooldown
    return core.halt == Halt.DRAWDOWN and cooldown > 0 and core.candle >= core.halted_at + cooldown


@compiled
def roll_day(book: Book, time_ms: int) -> None:
    """Start a new UTC day: the daily loss counts from here, and a halt for it ends."""
    core = book.core
    core.day_end_ms = (time_ms // DAY_MS + 1) * DAY_MS
    core.day_equity = total_equity(book, core.last_price)
    if core.halt == Halt.DAILY_LOSS:
        core.halt = Halt.NONE
        core.dirty = 1
    set_equity_floor(core, book.params)


@compiled
def mark_close(book: Book, price: int) -> None:
    """Raise the equity peak at a candle's close; peaks inside a candle do not count."""
    core = book.core
    equity = total_equity(book, price)
    if equity > core.peak_equity:
        core.peak_equity = equity
        set_equity_floor(core, book.params)


@compiled
def set_blackout(book: Book, time_ms: int) -> None:
    """Note whether a blackout holds now, and when that or the UTC day changes next."""
    core, params = book.core, book.params
    minute = time_ms % DAY_MS // MINUTE_MS
    midnight = time_ms // DAY_MS * DAY_MS
    was = core.blackout
    core.blackout, next_minute = 0, DAY_MINUTES
    for i in range(params.blackout_count):
        start, end = params.blackout_start[i], params.blackout_end[i]
        if start <= minute < end:
            core.blackout = 1
        if start > minute:
            next_minute = min(next_minute, start)
        if end > minute:
            next_minute = min(next_minute, end)
    if was != core.blackout:
        core.dirty = 1
    core.next_time_event = midnight + next_minute * MINUTE_MS
