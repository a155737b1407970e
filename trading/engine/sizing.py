"""How many lots a buy may have: a share of capital, capped by own history and by every risk limit."""

from __future__ import annotations

from trading.engine.codes import PPM, Action, Rule, SlotState
from trading.engine.compiling import compiled
from trading.engine.money import equity_at, exposure_at, share_of
from trading.engine.records import Core, Params
from trading.engine.state import Book


@compiled
def kelly_share(core: Core, params: Params) -> float:
    """Return the greatest share of capital that own trades justify, or 1 while there are too few.

    Half-Kelly by default: ``multiple * (p - (1 - p) / b)``, p the decayed share of winning trades and b the ratio of
    the mean win to the mean loss, both as returns on cost (Kelly 1956). A floor keeps a bad streak from ending trading.
    """
    if core.trades < params.kelly_min_trades or core.losses <= 0.0 or core.loss_sum <= 0.0:
        return 1.0
    if core.wins <= 0.0:
        return params.kelly_floor * params.order_share_ppm / PPM
    chance = core.wins / (core.wins + core.losses)
    ratio = (core.win_sum / core.wins) / (core.loss_sum / core.losses)
    kelly = params.kelly_multiple * (chance - (1.0 - chance) / ratio) if ratio > 0.0 else 0.0
    return max(kelly, params.kelly_floor * params.order_share_ppm / PPM)


@compiled
def wanted_value(book: Book, equity: int) -> int:
    """Return the value that an order would have without limits: order share x confidence, capped by half-Kelly."""
    core, params = book.core, book.params
    confidence = core.confidence_ppm if core.action == Action.TRAIL_BUY else params.hold_confidence_ppm
    share = share_of(share_of(params.order_share_ppm, confidence), params.size_factor[core.action + 1])
    share = min(share, int(kelly_share(core, params) * PPM))
    return share_of(equity, share)


@compiled
def open_levels(book: Book) -> int:
    """Return how many slots hold inventory or have a working order."""
    count = 0
    for i in range(book.params.pairs):
        state = book.core.slots[i].state
        if state not in (SlotState.FLAT, SlotState.ARMED_BUY, SlotState.BLOCKED):
            count += 1
    return count


@compiled
def order_lots(book: Book, price: int) -> tuple[int, int]:
    """Return the lots of a buy at a price in ticks, and the rule that binds when they are none.

    The wanted value is cut to what position share, exposure and cash leave; an order under the market's least value
    is not placed at all.
    """
    core, params = book.core, book.params
    if core.halt != 0:
        return 0, Rule.HALTED
    if open_levels(book) >= params.max_open_levels:
        return 0, Rule.MAX_OPEN_LEVELS
    equity = equity_at(core, params.units, core.last_price) + core.external_equity
    exposure = exposure_at(core, params.units, core.last_price)
    value, rule = wanted_value(book, equity), Rule.MIN_NOTIONAL
    room = share_of(equity, params.max_position_ppm) - exposure
    if room < value:
        value, rule = room, Rule.MAX_POSITION
    room = share_of(equity, params.max_exposure_ppm) - exposure - core.external_exposure
    if room < value:
        value, rule = room, Rule.MAX_EXPOSURE
    room = _without_fee(core.cash - core.reserved, params.taker_fee_ppm)
    if room < value:
        value, rule = room, Rule.CASH
    unit_value = price * params.units
    lots = value // unit_value if value > 0 else 0
    if lots == 0 or lots * unit_value < params.min_notional:
        return 0, rule
    return lots, Rule.NONE


@compiled
def _without_fee(money: int, fee_ppm: int) -> int:
    # what money buys when the fee comes on top; one unit spare for rounding up
    return money - share_of(money, fee_ppm) - 1
