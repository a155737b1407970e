"""Levels around a centre, and which slot works which pair of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trading.engine.codes import PPM, SlotState
from trading.engine.compiling import compiled, entry_point
from trading.engine.money import share_of
from trading.engine.slots import cancel
from trading.engine.state import Book


@compiled
def derived_spacing(book: Book) -> int:
    """Return the spacing in parts per million: pinned, or a share of the average swing within its bounds.

    A derived spacing never falls under twice the round-trip fee; before the first swing is known it is the mean of
    its bounds.
    """
    core, params = book.core, book.params
    if params.spacing_ppm > 0:
        return params.spacing_ppm
    least = max(params.min_spacing_ppm, params.fee_floor_ppm)
    most = max(params.max_spacing_ppm, least)
    if core.swing_ppm <= 0:
        return (least + most) // 2
    return min(max(share_of(core.swing_ppm, params.swing_share_ppm), least), most)


@compiled
def recentre(book: Book, price: int) -> None:
    """Lay a new grid around a price.

    A slot that holds inventory keeps its own pair of prices until it has sold; every other slot moves to the new grid.
    """
    core, params = book.core, book.params
    core.grid_id += 1
    core.centre = price
    core.spacing_ppm = derived_spacing(book)
    core.margin_ppm = share_of(max(core.spacing_ppm - 2 * params.taker_fee_ppm, 0), params.sell_margin_ppm)
    core.round_step = _round_step(price)
    core.beyond = 0
    core.dirty = 1
    assign_pairs(book, price)
    grid = book.out.grids[book.out.grid_count]
    grid.candle, grid.centre, grid.spacing_ppm = core.candle, price, core.spacing_ppm
    book.out.grid_count += 1


@compiled
def _round_step(price: int) -> int:
    # two leading digits make a round number: 43,000 at 43,210 and 0.69 at 0.6912
    step = 1
    while step * 100 <= price:
        step *= 10
    return step


@entry_point
def lay_levels(levels: NDArray[np.int64], count: int, centre: int, spacing_ppm: int, below: int) -> None:
    """Fill in ``count`` level prices in ticks, rising, with ``below`` of them under the centre.

    Off-tick prices are rounded inward, and neighbours are a tick apart at least.
    """
    levels[below] = centre
    for i in range(below + 1, count):
        levels[i] = levels[i - 1] + max(share_of(levels[i - 1], spacing_ppm), 1)
    for i in range(below - 1, -1, -1):
        inward = -(-levels[i + 1] * PPM // (PPM + spacing_ppm))
        levels[i] = max(min(inward, levels[i + 1] - 1), 0)


@compiled
def assign_pairs(book: Book, price: int) -> None:
    """Give free pairs to free slots, nearest first; a pair whose inventory is still held stays with its slot."""
    core, params = book.core, book.params
    pairs = params.pairs
    levels, taken = book.out.levels, book.out.taken
    lay_levels(levels, pairs + 1, core.centre, core.spacing_ppm, params.buy_levels)
    core.plan_low = levels[0] - share_of(levels[0], params.recentre_margin_ppm)
    core.plan_high = levels[pairs] + share_of(levels[pairs], params.recentre_margin_ppm)
    for pair in range(pairs):
        taken[pair] = 0
    for i in range(pairs):
        _free_or_take(book, i, levels, taken)
    slot_index = 0
    for step in range(2 * max(params.buy_levels, params.sell_levels)):
        # from the centre outwards: -1, 0, -2, 1, …
        pair = params.buy_levels + (step // 2 if step % 2 else -1 - step // 2)
        if pair < 0 or pair >= pairs or taken[pair] == 1 or levels[pair] <= 0:
            continue
        while slot_index < pairs and not _is_free(book, slot_index):
            slot_index += 1
        if slot_index == pairs:
            break
        _give_pair(book, slot_index, pair, levels, price)


@compiled
def _free_or_take(book: Book, index: int, levels: NDArray[np.int64], taken: NDArray[np.int64]) -> None:
    core, slot = book.core, book.core.slots[index]
    if slot.grid_id != core.grid_id and slot.state in (SlotState.BUYING, SlotState.PARTIAL):
        cancel(book, index)
    if slot.held == 0 and slot.grid_id != core.grid_id:
        slot.state, slot.grid_id, slot.reason = SlotState.FLAT, -1, 0
        return
    if slot.grid_id == core.grid_id:
        taken[slot.pair + book.params.buy_levels] = 1
    elif levels[0] <= slot.buy < levels[book.params.pairs]:
        for pair in range(book.params.pairs):
            if levels[pair] <= slot.buy < levels[pair + 1]:
                taken[pair] = 1


@compiled
def _is_free(book: Book, index: int) -> bool:
    return book.core.slots[index].grid_id == -1


@compiled
def _give_pair(book: Book, index: int, pair: int, levels: NDArray[np.int64], price: int) -> None:
    core, params, slot = book.core, book.params, book.core.slots[index]
    slot.grid_id = core.grid_id
    slot.pair = pair - params.buy_levels
    slot.buy, slot.sell = levels[pair], levels[pair + 1]
    slot.cap = slot.buy + share_of(slot.sell - slot.buy, params.buy_cap_ppm)
    slot.margin_ppm = core.margin_ppm
    slot.primed = 1 if price > slot.buy else 0
    slot.state = SlotState.FLAT
