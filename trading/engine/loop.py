"""The loop of a backtest: one candle after another, quiet ones at memory speed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trading.engine.codes import PPM
from trading.engine.compiling import compiled, entry_point
from trading.engine.decisions import begin_candle, decide, see_signal
from trading.engine.matching import match
from trading.engine.money import equity_at
from trading.engine.records import FILL_ROOM, FILLS_PER_SLOT, GRID_ROOM, GRIDS_PER_CANDLE, MAX_PAIRS
from trading.engine.risk import set_equity_floor
from trading.engine.state import Book
from trading.engine.tape import Tape
from trading.engine.trailing import on_price


@entry_point
def run(book: Book, tape: Tape, equity: NDArray[np.int64], start: int, skip: bool) -> int:
    """Trade the tape from candle ``start`` on, and return the candle at which to go on.

    Parameters
    ----------
    book : Book
        Changed in place; fills are appended, intents are those of the last traded candle.
    equity : ndarray of int64, shape (n,)
        Receives equity at each close, cash units.
    skip : bool
        Pass over candles in which nothing can happen; the outcome is the same to the bit, only later.

    Returns
    -------
    int
        The tape's length, or an earlier candle when the room for fills or grids must be emptied first.
    """
    core, out = book.core, book.out
    candle, n = start, len(tape.timestamp)
    while candle < n:
        if skip:
            candle = pass_quiet(book, tape, equity, candle)
            if candle >= n:
                break
        if out.fill_count > FILL_ROOM - FILLS_PER_SLOT * MAX_PAIRS or out.grid_count > GRID_ROOM - GRIDS_PER_CANDLE:
            return candle
        out.intent_count = 0
        step(book, tape, candle)
        equity[candle] = equity_at(core, book.params.units, tape.close[candle])
        candle += 1
    return n


@entry_point
def step(book: Book, tape: Tape, candle: int) -> None:
    """Trade one candle: open, two extremes, close; then see its signal and decide.

    A rising candle is taken to have gone to its high first, a falling one to its low, and a flat one to its high: the
    longest way through the four prices. A trailing order meets every reversal that the candle can hide, which costs
    it more than the short way would, so a backtest errs on the careful side.
    """
    begin_candle(book, tape.timestamp[candle], tape.low[candle], tape.high[candle], tape.volume[candle])
    first, last = tape.open[candle], tape.close[candle]
    rising = last >= first
    early = tape.high[candle] if rising else tape.low[candle]
    late = tape.low[candle] if rising else tape.high[candle]
    on_price(book, first, True)
    match(book, first, first)
    _move(book, first, early)
    _move(book, early, late)
    _move(book, late, last)
    _see(book, tape, candle)
    decide(book, last)


@compiled
def _move(book: Book, before: int, price: int) -> None:
    if price != before:
        on_price(book, price, False)
        match(book, before, price)


@compiled
def _see(book: Book, tape: Tape, candle: int) -> None:
    see_signal(
        book,
        tape.action[candle],
        tape.confidence[candle],
        tape.trail[candle],
        tape.regime[candle],
        tape.volatility[candle],
        tape.swing_high[candle],
        tape.swing_low[candle],
        tape.swing[candle],
    )


@compiled
def pass_quiet(book: Book, tape: Tape, equity: NDArray[np.int64], start: int) -> int:
    """Pass over candles that stay between the quiet prices, see no new signal class and no event; return the next one.

    Only time, the last price and the equity peak move in such a candle. Everything that the scan needs is held in
    local variables, so that it runs at the speed of memory.
    """
    core, params = book.core, book.params
    if core.dirty == 1 or core.started == 0 or core.beyond > 0:
        return start
    quiet_low, quiet_high = core.quiet_low, core.quiet_high
    action, regime, volatility = core.action, core.regime, core.volatility
    time_limit = core.next_time_event
    unit_value = core.position_lots * params.units
    dust, units, cash = core.dust_microlots, params.units, core.cash
    peak, floor, external = core.peak_equity, core.equity_floor, core.external_equity
    stop = min(len(tape.timestamp), start + max(core.next_candle_event - core.candle - 1, 0))
    candle = start
    while candle < stop:
        low = tape.low[candle]
        if low <= quiet_low or tape.high[candle] >= quiet_high or tape.timestamp[candle] >= time_limit:
            break
        if (
            tape.action[candle] != action
            or tape.regime[candle] != regime
            or tape.volatility[candle] != volatility
            or cash + unit_value * low + dust * (low * units) // PPM + external <= floor
        ):
            break
        close = tape.close[candle]
        value = cash + unit_value * close + dust * (close * units) // PPM
        equity[candle] = value
        if value + external > peak:
            peak = value + external
            core.peak_equity = peak
            set_equity_floor(core, params)
            floor = core.equity_floor
        candle += 1
    if candle > start:
        _arrive(book, tape, candle - 1, candle - start)
    return candle


@compiled
def _arrive(book: Book, tape: Tape, last: int, passed: int) -> None:
    core = book.core
    core.candle += passed
    core.time_ms, core.last_price = tape.timestamp[last], tape.close[last]
    core.candle_low, core.candle_high, core.volume_left = tape.low[last], tape.high[last], tape.volume[last]
    _see(book, tape, last)
