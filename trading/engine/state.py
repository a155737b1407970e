"""The core's state: two structured arrays that can be saved and restored bit for bit."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from io import BytesIO
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trading.engine.codes import NEVER, Rule
from trading.errors import StateCorrupt

_I, _F = np.int64, np.float64

CORE = np.dtype(
    [
        # money: cash units, lots, and millionths of a lot
        ("capital", _I), ("cash", _I), ("reserved", _I), ("position_lots", _I), ("dust_microlots", _I),
        ("bought_units", _I), ("sold_units", _I), ("fee_units", _I), ("fee_microlots", _I),
        # lots that no slot could sell alone, and what they cost
        ("carry_lots", _I), ("carry_cost", _I),
        # a portfolio's other symbols: their equity and exposure
        ("external_equity", _I), ("external_exposure", _I),
        # risk
        ("peak_equity", _I), ("day_equity", _I), ("equity_floor", _I), ("halt", _I), ("halted_at", _I), ("halts", _I),
        # grid
        ("started", _I), ("entry_due", _I), ("first_price", _I), ("centre", _I), ("spacing_ppm", _I), ("margin_ppm", _I),
        ("grid_low", _I), ("grid_high", _I), ("beyond", _I), ("recentres", _I), ("round_step", _I), ("grid_id", _I),
        # time: candle counter, last price, next events
        ("candle", _I), ("closing", _I), ("time_ms", _I), ("last_price", _I), ("next_candle_event", _I), ("next_time_event", _I),
        ("base_event", _I), ("day_end_ms", _I), ("blackout", _I),
        # the candle being traded
        ("candle_low", _I), ("candle_high", _I), ("volume_left", _I),
        # the signal that is visible
        ("action", _I), ("confidence_ppm", _I), ("trail_ppm", _I), ("regime", _I), ("volatility", _I),
        ("swing_high", _I), ("swing_low", _I), ("swing_ppm", _I), ("regime_since", _I),
        # prices between which nothing happens
        ("quiet_low", _I), ("quiet_high", _I), ("plan_low", _I), ("plan_high", _I), ("near_low", _I), ("near_high", _I),
        ("dirty", _I), ("stale", _I), ("working", _I),
        # own trade history, decayed
        ("trades", _I), ("wins", _F), ("losses", _F), ("win_sum", _F), ("loss_sum", _F),
        ("next_order_id", _I), ("orders", _I), ("refused", _I, (len(Rule),)),
    ],
    align=True,
)  # fmt: skip

SLOT = np.dtype(
    [
        ("state", _I), ("reason", _I), ("pair", _I), ("grid_id", _I), ("primed", _I),
        # prices in ticks
        ("buy", _I), ("sell", _I), ("cap", _I), ("extreme", _I), ("trigger", _I), ("trail_ppm", _I),
        ("floor", _I), ("stop_at", _I), ("take_at", _I), ("margin_ppm", _I),
        # the working order: limit 0 takes any price, reference 0 takes the next price seen
        ("order_id", _I), ("side", _I), ("lots", _I), ("filled", _I), ("limit", _I), ("taker", _I), ("reference", _I),
        ("why", _I), ("active_from", _I), ("expires", _I), ("reserved", _I),
        # the inventory: lots, cost with fees, proceeds so far, largest lots of this round
        ("held", _I), ("cost", _I), ("proceeds", _I), ("pair_lots", _I), ("opened_at", _I), ("turned_at", _I),
        ("retry_at", _I),
    ],
    align=True,
)  # fmt: skip

INTENT = np.dtype(
    [("kind", _I), ("slot", _I), ("order_id", _I), ("side", _I), ("lots", _I), ("limit", _I), ("taker", _I), ("why", _I)],
    align=True,
)

FILL = np.dtype(
    [
        ("timestamp", _I), ("candle", _I), ("order_id", _I), ("side", _I), ("price_ticks", _I), ("lots", _I),
        ("fee_units", _I), ("fee_microlots", _I), ("reason", _I), ("level", _I), ("cash_units", _I),
        ("position_lots", _I), ("dust_microlots", _I), ("reference_ticks", _I),
    ],
    align=True,
)  # fmt: skip

GRID = np.dtype([("candle", _I), ("centre", _I), ("spacing_ppm", _I)], align=True)

Record = np.record
Records = np.recarray[tuple[int], np.dtype[np.record]]


@dataclass(frozen=True, slots=True)
class State:
    """Everything that the core knows.

    Parameters
    ----------
    core : recarray of CORE, shape (1,)
        Money, risk, grid, signal and time.
    slots : recarray of SLOT, shape (n,)
        One record for each pair of levels.
    bounds : ndarray of int64, shape (3, n)
        By slot: the price at or under which it acts, the price at or over which it acts, and the candle in which it
        looks again. Apart from the slots, so that the loop can scan them at the speed of memory.
    """

    core: Records
    slots: Records
    bounds: NDArray[np.int64]

    def copy(self) -> State:
        """Return an independent copy."""
        return State(self.core.copy(), self.slots.copy(), self.bounds.copy())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, State) and self.to_bytes() == other.to_bytes()

    __hash__ = None  # type: ignore[assignment]

    def to_bytes(self) -> bytes:
        """Return the state as bytes with its layout and a checksum."""
        buffer = BytesIO()
        np.save(buffer, np.asarray(self.core), allow_pickle=False)
        np.save(buffer, np.asarray(self.slots), allow_pickle=False)
        np.save(buffer, self.bounds, allow_pickle=False)
        body = buffer.getvalue()
        return hashlib.sha256(body).digest() + body

    @classmethod
    def from_bytes(cls, saved: bytes) -> State:
        """Restore a saved state.

        Raises
        ------
        StateCorrupt
            When the checksum or the layout does not match.
        """
        checksum, body = saved[:32], saved[32:]
        if hashlib.sha256(body).digest() != checksum:
            raise StateCorrupt("a saved core state fails its checksum; restore an older checkpoint")
        buffer = BytesIO(body)
        core, slots, bounds = (np.load(buffer, allow_pickle=False) for _ in range(3))
        if core.dtype != CORE or slots.dtype != SLOT:
            raise StateCorrupt("a saved core state has another version's layout; restore it with that version")
        return cls(core.view(np.recarray), slots.view(np.recarray), bounds)


def new_state(capital_units: int, pairs: int) -> State:
    """Return the state of a session that has seen nothing.

    Parameters
    ----------
    capital_units : int
        Starting money, cash units.
    pairs : int
        Level pairs of the grid, one slot each.
    """
    core = np.zeros(1, CORE).view(np.recarray)
    for name in ("capital", "cash", "peak_equity", "day_equity"):
        core[name] = capital_units
    core["candle"] = -1
    core["regime"] = -1
    core["next_order_id"] = 1
    core["quiet_low"] = core["plan_low"] = NEVER
    core["near_low"], core["near_high"] = -NEVER, NEVER
    core["next_candle_event"] = core["base_event"] = NEVER
    slots = np.zeros(pairs, SLOT).view(np.recarray)
    slots["grid_id"] = -1
    slots["opened_at"] = slots["turned_at"] = -1
    bounds = np.full((3, pairs), NEVER, np.int64)
    bounds[0] = -NEVER
    return State(core, slots, bounds)


class Book(NamedTuple):
    """What every function of the core is given: the state, the parameters, and room for what it puts out.

    Parameters
    ----------
    core, slots : recarray
        Of a `State`; changed in place.
    below, above, event : ndarray of int64, shape (n,)
        The rows of a state's bounds.
    params : recarray of PARAMS, shape (1,)
        Constant through a session.
    intents : recarray of INTENT
        Orders placed and cancelled since the caller last reset ``counts[0]``.
    fills : recarray of FILL
        Fills since the caller last reset ``counts[1]``.
    grids : recarray of GRID
        Grids laid since the caller last reset ``counts[2]``.
    counts : ndarray of int64, shape (3,)
        How much of ``intents``, ``fills`` and ``grids`` is in use.
    levels, taken : ndarray, shapes (n + 1,) and (n,)
        Room to lay a grid in: the compiled core allocates nothing.
    """

    core: Records
    slots: Records
    below: NDArray[np.int64]
    above: NDArray[np.int64]
    event: NDArray[np.int64]
    params: Records
    intents: Records
    fills: Records
    grids: Records
    counts: NDArray[np.int64]
    levels: NDArray[np.int64]
    taken: NDArray[np.bool_]


INTENTS_PER_SLOT = 16
FILLS_PER_SLOT = 6
"""Bounds on what one slot can put out in one candle: four path points and one decision."""


GRIDS_PER_CANDLE = 2


def open_book(state: State, params: Records, fill_room: int = 0, grid_room: int = 0) -> Book:
    """Return a book on a state, with room for one candle's intents, fills and grids, or for as many as asked."""
    pairs = len(state.slots)
    rooms = (INTENTS_PER_SLOT * pairs, max(fill_room, FILLS_PER_SLOT * pairs), max(grid_room, GRIDS_PER_CANDLE))
    layouts = (INTENT, FILL, GRID)
    out = (np.zeros(room, layout).view(np.recarray) for room, layout in zip(rooms, layouts, strict=True))
    counts, levels, taken = np.zeros(3, np.int64), np.zeros(pairs + 1, np.int64), np.zeros(pairs, np.bool_)
    return Book(state.core, state.slots, *state.bounds, params, *out, counts, levels, taken)
