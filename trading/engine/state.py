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

MAX_PAIRS = 128
"""Level pairs that a grid can have; the state has room for that many slots."""

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

CORE = np.dtype(
    [
        # money: cash units, lots, and millionths of a lot
        ("pairs", _I), ("capital", _I), ("cash", _I), ("reserved", _I), ("position_lots", _I), ("dust_microlots", _I),
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
        # by slot: the price at or under which it acts, at or over which it acts, the candle in which it looks again;
        # apart from the slots, so that the loop scans them at the speed of memory
        ("below", _I, (MAX_PAIRS,)), ("above", _I, (MAX_PAIRS,)), ("event", _I, (MAX_PAIRS,)),
        ("slots", SLOT, (MAX_PAIRS,)),
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

INTENTS_PER_SLOT, FILLS_PER_SLOT, GRIDS_PER_CANDLE = 16, 6, 2
"""Bounds on what a slot, or the grid, can put out in one candle: four path points, its open and its close."""
FILL_ROOM, GRID_ROOM = 8_192, 512

OUTPUT = np.dtype(
    [
        ("intent_count", _I), ("fill_count", _I), ("grid_count", _I),
        ("levels", _I, (MAX_PAIRS + 1,)), ("taken", _I, (MAX_PAIRS,)),
        ("intents", INTENT, (INTENTS_PER_SLOT * MAX_PAIRS,)), ("fills", FILL, (FILL_ROOM,)), ("grids", GRID, (GRID_ROOM,)),
    ],
    align=True,
)  # fmt: skip

Record = np.record
Records = np.recarray[tuple[int], np.dtype[np.record]]


@dataclass(frozen=True, slots=True)
class State:
    """Everything that the core knows, in one record: it can be copied, compared, saved and restored as bytes.

    Parameters
    ----------
    records : recarray of CORE, shape (1,)
        Money, risk, grid, signal, time and slots.
    """

    records: Records

    @property
    def core(self) -> Record:
        """The record; changed in place by the core's functions."""
        record: Record = self.records[0]
        return record

    @property
    def slots(self) -> Records:
        """The slots in use, one for each pair of levels; a view, shape (n,)."""
        slots: Records = self.records[0].slots[: self.records[0].pairs].view(np.recarray)
        return slots

    def copy(self) -> State:
        """Return an independent copy."""
        return State(self.records.copy())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, State) and self.records.tobytes() == other.records.tobytes()

    __hash__ = None  # type: ignore[assignment]

    def to_bytes(self) -> bytes:
        """Return the state as bytes with its layout and a checksum."""
        buffer = BytesIO()
        np.save(buffer, np.asarray(self.records), allow_pickle=False)
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
        records = np.load(BytesIO(body), allow_pickle=False)
        if records.dtype != CORE:
            raise StateCorrupt("a saved core state has another version's layout; restore it with that version")
        return cls(records.view(np.recarray))


def new_state(capital_units: int, pairs: int) -> State:
    """Return the state of a session that has seen nothing.

    Parameters
    ----------
    capital_units : int
        Starting money, cash units.
    pairs : int
        Level pairs of the grid, one slot each.
    """
    state = State(np.zeros(1, CORE).view(np.recarray))
    core = state.core
    core.capital = core.cash = core.peak_equity = core.day_equity = capital_units
    core.pairs = pairs
    core.candle = core.regime = -1
    core.next_order_id = 1
    core.quiet_low = core.plan_low = NEVER
    core.near_low, core.near_high = -NEVER, NEVER
    core.next_candle_event = core.base_event = NEVER
    core.below[:], core.above[:], core.event[:] = -NEVER, NEVER, NEVER
    state.slots["grid_id"] = state.slots["opened_at"] = state.slots["turned_at"] = -1
    return state


class Book(NamedTuple):
    """What every function of the core is given: the state, the parameters, and room for what it puts out.

    Parameters
    ----------
    core : record of CORE
        Changed in place.
    params : record of PARAMS
        Constant through a session.
    out : record of OUTPUT
        ``intents`` (orders placed and cancelled), ``fills`` and ``grids`` since the caller last reset their counts;
        and room to lay a grid in, because the compiled core allocates nothing.
    """

    core: Record
    params: Record
    out: Record

    @property
    def intents(self) -> Records:
        """Intents since the count was reset; a view."""
        return _used(self.out.intents, self.out.intent_count)

    @property
    def fills(self) -> Records:
        """Fills since the count was reset; a view."""
        return _used(self.out.fills, self.out.fill_count)

    @property
    def grids(self) -> Records:
        """Grids laid since the count was reset; a view."""
        return _used(self.out.grids, self.out.grid_count)


def _used(rows: NDArray[np.void], count: int) -> Records:
    used: Records = rows[:count].view(np.recarray)
    return used


def open_book(state: State, params: Records) -> Book:
    """Return a book on a state."""
    return Book(state.core, params[0], np.zeros(1, OUTPUT).view(np.recarray)[0])
