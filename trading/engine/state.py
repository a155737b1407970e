"""The core's state: two structured arrays that can be saved and restored bit for bit."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import NamedTuple, cast

import numpy as np

from trading.engine.codes import NEVER
from trading.engine.records import CORE, OUTPUT, Core, Output, Params
from trading.errors import StateCorrupt

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
    def core(self) -> Core:
        """The record; changed in place by the core's functions."""
        return cast("Core", self.records[0])

    @property
    def slots(self) -> Records:
        """The slots in use, one for each pair of levels; a view, shape (n,)."""
        return _used(self.core.slots, self.core.pairs)

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

    core: Core
    params: Params
    out: Output

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


def _used(rows: Sequence[object], count: int) -> Records:
    return cast("Records", rows[:count]).view(np.recarray)


def open_book(state: State, params: Records) -> Book:
    """Return a book on a state."""
    out = np.zeros(1, OUTPUT).view(np.recarray)
    return Book(state.core, cast("Params", params[0]), cast("Output", out[0]))
