"""Rows as a file holds them, before order, duplicates and values are known to be right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trading.errors import DataError
from trading.market.candles import COLUMNS, PRICE_COLUMNS, Candles
from trading.market.timeframes import timeframe_of
from trading.market.times import iso


@dataclass(frozen=True, slots=True)
class Fault:
    """One value that no candle may have.

    Parameters
    ----------
    row : int
        Row number from 0.
    column : str
        Column name.
    value : float
        What stands there.
    reason : str
        What is wrong with it, to follow the value in a sentence.
    """

    row: int
    column: str
    value: float
    reason: str


@dataclass(frozen=True, slots=True)
class Tidying:
    """What sorting and removing duplicates changed."""

    out_of_order: int
    duplicates: int


@dataclass(frozen=True, slots=True, eq=False)
class RawRows:
    """A file's rows in the file's order.

    Parameters
    ----------
    source : str
        The file's name, for messages.
    timestamp : ndarray of int64, shape (n,)
        Open times, ms UTC, in any order.
    open, high, low, close, volume : ndarray of float64, shape (n,)
        Unchecked; an empty price is NaN.
    lines : sequence of int, shape (n,), optional
        Each row's line in a text file, from 1; None where the file has no lines.
    """

    source: str
    timestamp: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]
    lines: Sequence[int] | NDArray[np.int64] | None = None

    @classmethod
    def empty(cls, source: str) -> RawRows:
        """Return no rows."""
        nothing = np.empty(0)
        return cls(source, np.empty(0, np.int64), nothing, nothing, nothing, nothing, nothing)

    def __len__(self) -> int:
        return len(self.timestamp)

    def place(self, row: int) -> str:
        """Return where a row stands, for a message: its file, and its line or its number from 1."""
        return f"{self.source}, line {self.lines[row]}" if self.lines is not None else f"{self.source}, row {row + 1}"

    def timeframe(self) -> str:
        """Return the timeframe of the most common step between open times.

        Raises
        ------
        DataError
            When there are fewer than two open times, or the step is no timeframe.
        """
        step = common_step_ms(self.timestamp)
        if step is None:
            raise DataError(f"{self.source} holds one candle, which has no timeframe; add --timeframe")
        if step % 1_000:
            raise DataError(
                f"{self.source}: candles are mostly {step} ms apart, which is no timeframe; check its times"
            )
        return timeframe_of(step)

    def tidied(self) -> tuple[RawRows, Tidying]:
        """Return the rows sorted by time without duplicates (the later row wins), and what that changed."""
        steps = np.diff(self.timestamp)
        if (steps > 0).all():
            return self, Tidying(0, 0)
        order = np.argsort(self.timestamp, kind="stable")
        times = self.timestamp[order]
        last_of_its_time = np.append(times[1:] != times[:-1], True)
        kept = order[last_of_its_time]
        lines = None if self.lines is None else np.asarray(self.lines)[kept]
        rows = replace(self, **{name: getattr(self, name)[kept] for name in COLUMNS}, lines=lines)
        return rows, Tidying(int((steps < 0).sum()), len(self) - len(rows))

    def candles(self, symbol: str, timeframe: str) -> Candles:
        """Return the rows as candles.

        Raises
        ------
        DataError
            At the first row whose value no candle may have, or that is not later than the row before.
        """
        require_values(self)
        later = np.diff(self.timestamp) > 0
        if not later.all():
            row = int(np.argmin(later)) + 1
            same = self.timestamp[row] == self.timestamp[row - 1]
            raise DataError(
                f"{self.place(row)}: the candle of {iso(int(self.timestamp[row]))} "
                f"{'stands twice' if same else 'is earlier than the one before'}; "
                "`gridbot data import` sorts and removes duplicates"
            )
        return Candles(symbol, timeframe, **{name: getattr(self, name) for name in COLUMNS})


def common_step_ms(timestamp: NDArray[np.int64]) -> int | None:
    """Return the most common step between distinct times in ms (the shorter of equals), or None without two times."""
    steps = np.diff(timestamp)
    if not (steps > 0).all():
        steps = np.diff(np.unique(timestamp))
    if len(steps) == 0:
        return None
    middle = int(np.median(steps))
    if 2 * int((steps == middle).sum()) > len(steps):
        return middle
    lengths, counts = np.unique(steps, return_counts=True)
    return int(lengths[np.argmax(counts)])


def value_faults(columns: RawRows | Candles) -> dict[str, NDArray[np.bool_]]:
    """Return which rows hold values that no candle may have, by kind of fault.

    Parameters
    ----------
    columns : RawRows or Candles
        Of n rows.

    Returns
    -------
    dict of ndarray of bool, shape (n,)
        ``non_finite``, ``non_positive`` (prices of zero or less, volumes under zero) and ``bad_bracket`` (high or low
        that do not bracket open and close); a row has at most one of them.
    """
    prices = [getattr(columns, name) for name in PRICE_COLUMNS]
    opened, high, low, close = prices
    with np.errstate(all="ignore"):
        non_finite = ~np.isfinite(opened + high + low + close + columns.volume)
    if non_finite.any():  # a sum of finite values may overflow: look again, value by value
        non_finite = ~np.logical_and.reduce([np.isfinite(values) for values in (*prices, columns.volume)])
    least = np.minimum(np.minimum(opened, close), np.minimum(high, low))
    greatest = np.maximum(np.maximum(opened, close), low)
    non_positive = ((least <= 0) | (columns.volume < 0)) & ~non_finite
    bad_bracket = ((high < greatest) | (low > np.minimum(opened, close))) & ~non_finite & ~non_positive
    return {"non_finite": non_finite, "non_positive": non_positive, "bad_bracket": bad_bracket}


def first_fault(columns: RawRows | Candles) -> Fault | None:
    """Return the first value that no candle may have, or None."""
    faults = value_faults(columns)
    firsts = {kind: int(np.argmax(mask)) for kind, mask in faults.items() if mask.any()}
    if not firsts:
        return None
    kind = min(firsts, key=firsts.__getitem__)
    return _describe(columns, kind, firsts[kind])


def _describe(columns: RawRows | Candles, kind: str, row: int) -> Fault:
    values = {name: float(getattr(columns, name)[row]) for name in (*PRICE_COLUMNS, "volume")}
    if kind == "non_finite":
        column = next(name for name, value in values.items() if not np.isfinite(value))
        return Fault(row, column, values[column], "is not a finite number")
    if kind == "non_positive":
        column = next((name for name in PRICE_COLUMNS if values[name] <= 0), "volume")
        return Fault(row, column, values[column], "is below zero" if column == "volume" else "is not above zero")
    if values["high"] < max(values["open"], values["low"], values["close"]):
        greatest = max(("open", "low", "close"), key=values.__getitem__)
        return Fault(row, "high", values["high"], f"is below {greatest} {values[greatest]:.12g}")
    least = min(("open", "close"), key=values.__getitem__)
    return Fault(row, "low", values["low"], f"is above {least} {values[least]:.12g}")


def place_of(columns: RawRows | Candles, row: int) -> str:
    """Return where a row stands, for a message."""
    if isinstance(columns, RawRows):
        return columns.place(row)
    return f"{columns.symbol} {columns.timeframe}, row {row + 1} ({iso(int(columns.timestamp[row]))})"


def fault_sentence(columns: RawRows | Candles, fault: Fault) -> str:
    """Return a fault as a sentence: place, column, value, what is wrong, what to do."""
    where = f"{place_of(columns, fault.row)}, column {fault.column!r}"
    return f"{where}: {fault.value:.12g} {fault.reason}; correct or remove the row"


def require_values(columns: RawRows | Candles) -> None:
    """Refuse columns that hold a value no candle may have.

    Raises
    ------
    DataError
        With place, column and value of the first.
    """
    fault = first_fault(columns)
    if fault is not None:
        raise DataError(fault_sentence(columns, fault))
