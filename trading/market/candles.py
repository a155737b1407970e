"""``Candles``: one symbol's closed candles as frozen NumPy columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trading.errors import DataError, UsageError
from trading.market.names import base_of, quote_of
from trading.market.timeframes import timeframe_ms

PRICE_COLUMNS = ("open", "high", "low", "close")
COLUMNS = ("timestamp", *PRICE_COLUMNS, "volume")


@dataclass(frozen=True, slots=True, eq=False)
class Candles:
    """Closed candles of one symbol, oldest first.

    Parameters
    ----------
    symbol : str
        ``BASE/QUOTE``, such as ``"BTC/USDT"``.
    timeframe : str
        Candle length, such as ``"5m"``.
    timestamp : ndarray of int64, shape (n,)
        Open times, milliseconds UTC, strictly rising.
    open, high, low, close : ndarray of float64, shape (n,)
        Prices in the quote currency.
    volume : ndarray of float64, shape (n,)
        Traded quantity in the base currency.
    filled : ndarray of bool, shape (n,), optional
        True where a candle was made up to bridge a short gap of one run; such candles are never stored.

    Raises
    ------
    DataError
        When the columns differ in length or time does not rise strictly.
    """

    symbol: str
    timeframe: str
    timestamp: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]
    filled: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        timeframe_ms(self.timeframe)
        for name in COLUMNS:
            dtype = np.int64 if name == "timestamp" else np.float64
            column = np.ascontiguousarray(getattr(self, name), dtype=dtype)
            if column is getattr(self, name) and column.flags.writeable:
                column = column.view()
            column.flags.writeable = False
            object.__setattr__(self, name, column)
            if column.shape != self.timestamp.shape or column.ndim != 1:
                raise DataError(
                    f"column {name!r} of {self.symbol} has shape {column.shape}, timestamp {self.timestamp.shape}"
                )
        if self.filled is not None and self.filled.shape != self.timestamp.shape:
            raise DataError(
                f"column 'filled' of {self.symbol} has shape {self.filled.shape}, timestamp {self.timestamp.shape}"
            )
        later = np.diff(self.timestamp) > 0
        if not later.all():
            row = int(np.argmin(later)) + 1
            raise DataError(
                f"{self.symbol} {self.timeframe}: row {row} is not later than the row before; sort and dedupe first"
            )

    @classmethod
    def from_columns(cls, symbol: str, timeframe: str, columns: Mapping[str, NDArray[np.generic]]) -> Candles:
        """Build candles from a mapping of the six named columns."""
        return cls(symbol, timeframe, **{name: np.asarray(columns[name]) for name in COLUMNS})

    @classmethod
    def empty(cls, symbol: str, timeframe: str) -> Candles:
        """Return a series without candles."""
        nothing = np.empty(0)
        return cls(symbol, timeframe, np.empty(0, np.int64), nothing, nothing, nothing, nothing, nothing)

    def columns(self) -> dict[str, NDArray[np.generic]]:
        """Return the six named columns, read-only."""
        return {name: getattr(self, name) for name in COLUMNS}

    def __len__(self) -> int:
        return len(self.timestamp)

    def __getitem__(self, rows: slice) -> Candles:
        """Return a slice by row number; a view, nothing is copied."""
        if not isinstance(rows, slice):
            raise UsageError("candles are sliced by rows: candles[10:20]")
        changes = {name: getattr(self, name)[rows] for name in COLUMNS}
        filled = None if self.filled is None else self.filled[rows]
        return replace(self, **changes, filled=filled)

    def between(self, start_ms: int | None = None, end_ms: int | None = None) -> Candles:
        """Return the candles that open in ``[start_ms, end_ms)``; None leaves that side open."""
        first = 0 if start_ms is None else int(np.searchsorted(self.timestamp, start_ms))
        last = len(self) if end_ms is None else int(np.searchsorted(self.timestamp, end_ms))
        return self[first : max(first, last)]

    @property
    def step_ms(self) -> int:
        """Candle length in milliseconds."""
        return timeframe_ms(self.timeframe)

    @property
    def base(self) -> str:
        """The traded asset of ``BASE/QUOTE``."""
        return base_of(self.symbol)

    @property
    def quote(self) -> str:
        """The currency that prices are in."""
        return quote_of(self.symbol)
