"""The candles of a symbol that somebody watches: the shortest and longer ones, kept up without counting anew."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trading.brokers.exchange_server.candle_series import Bar, CandleSeries, joined
from trading.market.resampling import bucket_opens
from trading.market.timeframes import timeframe_ms


class Watched(NamedTuple):
    """A candle to tell of.

    Parameters
    ----------
    timeframe : str
        Its length.
    step_ms : int
        The same in milliseconds.
    bar : Bar
        It.
    closed : bool
        Whether it has just closed.
    """

    timeframe: str
    step_ms: int
    bar: Bar
    closed: bool


class KlineWatch:
    """The watched candles of one symbol.

    Parameters
    ----------
    series : CandleSeries
        The shortest candles.
    timeframe : str
        Their length; watched from the beginning.
    """

    def __init__(self, series: CandleSeries, timeframe: str) -> None:
        self._series = series
        self._shortest = timeframe
        self._closed_parts: dict[str, Bar | None] = {}

    def add(self, timeframe: str) -> None:
        """Watch one more timeframe, a multiple of the shortest."""
        step = timeframe_ms(timeframe)
        if step == self._series.step_ms or timeframe in self._closed_parts:
            return
        open_ms = _opens(self._series.open_ms, step)
        parts = self._series.since(open_ms)[:-1]
        self._closed_parts[timeframe] = joined(parts, open_ms) if parts else None

    def open_candles(self) -> list[Watched]:
        """Return all watched candles as they are."""
        current = self._series.current()
        longer = [
            Watched(timeframe, step, self._whole(timeframe, step, current), closed=False)
            for timeframe in self._closed_parts
            for step in (timeframe_ms(timeframe),)
        ]
        return [Watched(self._shortest, self._series.step_ms, current, closed=False), *longer]

    def closed_candles(self, bar: Bar) -> list[Watched]:
        """Return the watched candles that end with a shortest one that has just closed."""
        ended = [Watched(self._shortest, self._series.step_ms, bar, closed=True)]
        for timeframe in self._closed_parts:
            step = timeframe_ms(timeframe)
            whole = self._whole(timeframe, step, bar)
            ends = bar.open_ms + self._series.step_ms >= whole.open_ms + step
            self._closed_parts[timeframe] = None if ends else whole
            if ends:
                ended.append(Watched(timeframe, step, whole, closed=True))
        return ended

    def _whole(self, timeframe: str, step_ms: int, last: Bar) -> Bar:
        parts = self._closed_parts[timeframe]
        return joined([last] if parts is None else [parts, last], _opens(last.open_ms, step_ms))


def _opens(time_ms: int, step_ms: int) -> int:
    return int(bucket_opens(np.array([time_ms], dtype=np.int64), step_ms)[0])
