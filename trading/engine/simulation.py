"""A whole tape traded at once: the compiled loop, with room for as many fills as it makes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trading.engine.loop import run
from trading.engine.state import Records, State, new_state, open_book
from trading.engine.tape import Tape


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """What a simulated session left behind.

    Parameters
    ----------
    state : State
        The core after the last candle.
    fills : recarray of FILL
        Every fill, oldest first.
    grids : recarray of GRID
        Every grid laid, oldest first.
    equity : ndarray of int64, shape (n,)
        Equity at each close, cash units.
    """

    state: State
    fills: Records
    grids: Records
    equity: NDArray[np.int64]


def simulate(tape: Tape, params: Records, capital_units: int, state: State | None = None) -> Simulation:
    """Trade a tape from its first candle to its last.

    Parameters
    ----------
    tape : Tape
        Candles and signals, shape (n,).
    params : recarray of PARAMS, shape (1,)
        From `derive_parameters`.
    capital_units : int
        Starting money, cash units.
    state : State, optional
        A saved state to go on from; it is changed.
    """
    state = state or new_state(capital_units, int(params[0].pairs))
    book = open_book(state, params)
    equity = np.zeros(len(tape.timestamp), np.int64)
    fills, grids, candle = [book.fills.copy()], [book.grids.copy()], 0
    while candle < len(equity):
        candle = run(book, tape, equity, candle, True)
        fills.append(book.fills.copy())
        grids.append(book.grids.copy())
        book.out.fill_count = book.out.grid_count = 0
    return Simulation(state, _join(fills), _join(grids), equity)


def _join(parts: list[Records]) -> Records:
    return np.concatenate(parts).view(np.recarray)
