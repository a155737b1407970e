"""The candles that a stream has seen: columns that grow by doubling."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trading.errors import DataError
from trading.market.candles import PRICE_COLUMNS, Candles
from trading.market.times import iso

FIRST_CAPACITY = 1_024
_VALUES = (*PRICE_COLUMNS, "volume")


class CandleHistory:
    """Growing columns of closed candles.

    Parameters
    ----------
    symbol : str
        ``BASE/QUOTE``.
    timeframe : str
        Candle length.
    """

    def __init__(self, symbol: str, timeframe: str) -> None:
        # An empty series refuses what is no timeframe.
        self._empty = Candles.empty(symbol, timeframe)
        self._step_ms = self._empty.step_ms
        self.count = 0
        self.regular = True
        """Whether no two candles were closer to each other than their length."""
        self.timestamp: NDArray[np.int64] = np.zeros(FIRST_CAPACITY, np.int64)
        """Open times, ms UTC; the first `count` are valid."""
        self.values: NDArray[np.float64] = np.zeros((len(_VALUES) + 1, FIRST_CAPACITY))
        """Rows: open, high, low, close, volume, and the typical price of the three middle ones."""
        self.filled: NDArray[np.bool_] = np.zeros(FIRST_CAPACITY, np.bool_)
        """True where a candle was made up."""

    def extend(self, candles: Candles) -> None:
        """Take many candles.

        Raises
        ------
        DataError
            When they are of another series, or do not come after those that are here.
        """
        own = self._empty
        if (candles.symbol, candles.step_ms) != (own.symbol, own.step_ms):
            raise DataError(
                f"{candles.symbol} {candles.timeframe} cannot extend the signals of {own.symbol} {own.timeframe}; "
                "give candles of the same series"
            )
        if len(candles) == 0:
            return
        self._require_later(int(candles.timestamp[0]))
        self._reserve(len(candles))
        new = slice(self.count, self.count + len(candles))
        self.timestamp[new] = candles.timestamp
        for row, name in enumerate(_VALUES):
            self.values[row, new] = getattr(candles, name)
        self.values[-1, new] = (candles.high + candles.low + candles.close) / 3.0
        self.regular &= bool((np.diff(candles.timestamp) >= self._step_ms).all())
        self.filled[new] = False if candles.filled is None else candles.filled
        self.count = new.stop

    def append(self, timestamp: int, values: tuple[float, float, float, float, float], filled: bool) -> None:
        """Take one candle: its open time, ms UTC, then open, high, low, close and volume.

        Raises
        ------
        DataError
            When it is not later than the last.
        """
        self._require_later(timestamp)
        self._reserve(1)
        at = self.count
        self.timestamp[at] = timestamp
        self.values[:-1, at] = values
        self.values[-1, at] = (values[1] + values[2] + values[3]) / 3.0
        self.filled[at] = filled
        self.count = at + 1

    def forget_last(self, count: int = 1) -> None:
        """Drop the latest candles again."""
        self.count -= count

    def candles(self) -> Candles:
        """Return all candles as views; they stay valid while the history grows."""
        n = self.count
        columns = {name: self.values[row, :n] for row, name in enumerate(_VALUES)}
        filled = self.filled[:n]
        return Candles(
            self._empty.symbol,
            self._empty.timeframe,
            timestamp=self.timestamp[:n],
            **columns,
            filled=filled if filled.any() else None,
        )

    def _require_later(self, timestamp: int) -> None:
        if self.count == 0:
            return
        last = int(self.timestamp[self.count - 1])
        if timestamp <= last:
            raise DataError(
                f"{self._empty.symbol} {self._empty.timeframe}: the candle of {iso(timestamp)} is not later than the "
                f"last one, of {iso(last)}; append each closed candle once, in order"
            )
        self.regular &= timestamp - last >= self._step_ms

    def _reserve(self, more: int) -> None:
        capacity = len(self.timestamp)
        if self.count + more <= capacity:
            return
        while capacity < self.count + more:
            capacity *= 2
        kept = slice(0, self.count)
        timestamp, values, filled = self.timestamp, self.values, self.filled
        self.timestamp = np.zeros(capacity, np.int64)
        self.values = np.zeros((len(_VALUES) + 1, capacity))
        self.filled = np.zeros(capacity, np.bool_)
        self.timestamp[kept], self.values[:, kept], self.filled[kept] = timestamp[kept], values[:, kept], filled[kept]
