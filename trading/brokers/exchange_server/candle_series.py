"""Klines of one symbol: kept at the shortest timeframe, made of its trades, aggregated to longer ones when asked."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from trading.brokers.exchange_server.markets import MarketRules
from trading.brokers.exchange_server.records import Kline
from trading.market.candles import Candles
from trading.market.resampling import bucket_opens
from trading.market.timeframes import timeframe_ms

# Old rows are let go in one piece: a list forgets its head slowly.
_SLACK = 1_000


class Bar(NamedTuple):
    """A candle in ticks, lots and units of the quote currency."""

    open_ms: int
    open: int
    high: int
    low: int
    close: int
    lots: int
    units: int
    trades: int
    taker_lots: int
    taker_units: int
    first_id: int
    last_id: int


def flat_bar(open_ms: int, price: int) -> Bar:
    """Return a candle in which nothing was traded."""
    return Bar(open_ms, price, price, price, price, 0, 0, 0, 0, 0, -1, -1)


def joined(bars: Sequence[Bar], open_ms: int) -> Bar:
    """Return several candles as one.

    Parameters
    ----------
    bars : sequence of Bar
        At least one, oldest first.
    open_ms : int
        Of the whole.
    """
    if len(bars) == 1:
        return bars[0]._replace(open_ms=open_ms)
    traded = [bar for bar in bars if bar.first_id >= 0]
    return Bar(
        open_ms,
        bars[0].open,
        max(bar.high for bar in bars),
        min(bar.low for bar in bars),
        bars[-1].close,
        sum(bar.lots for bar in bars),
        sum(bar.units for bar in bars),
        sum(bar.trades for bar in bars),
        sum(bar.taker_lots for bar in bars),
        sum(bar.taker_units for bar in bars),
        traded[0].first_id if traded else -1,
        traded[-1].last_id if traded else -1,
    )


class CandleSeries:
    """The candles of one symbol, the open one among them.

    Parameters
    ----------
    history : Candles
        Closed candles before the start.
    rules : MarketRules
        Gives ticks and lots.
    quote_units : int
        Units of the quote currency in one lot at one tick.
    start_ms : int
        Open time of the first candle that is not history.
    keep : int
        Newest candles that stay.
    """

    def __init__(self, history: Candles, rules: MarketRules, quote_units: int, start_ms: int, keep: int) -> None:
        self.step_ms = history.step_ms
        self._rules = rules
        self.quote_units = quote_units
        self._unit = rules.tick_size * rules.lot_size / quote_units
        self._keep = keep
        self._closed = _bars(history, rules, quote_units)
        self._joined: tuple[tuple[int, int], Bar] | None = None
        self._fresh(start_ms, self._closed[-1].close)

    @property
    def open_ms(self) -> int:
        """Open time of the candle that is open."""
        return self._open_ms

    @property
    def end_ms(self) -> int:
        """When the open candle closes."""
        return self._open_ms + self.step_ms

    @property
    def last_price(self) -> int:
        """Ticks of the latest trade."""
        return self._close

    def add(self, trade_id: int, price: int, lots: int, *, buyer_takes: bool) -> None:
        """Put a trade into the open candle."""
        units = price * lots * self.quote_units
        if self._trades == 0:
            self._open = self._high = self._low = price
            self._first_id = trade_id
        elif price > self._high:
            self._high = price
        elif price < self._low:
            self._low = price
        self._close = price
        self._last_id = trade_id
        self._trades += 1
        self._lots += lots
        self._units += units
        if buyer_takes:
            self._taker_lots += lots
            self._taker_units += units

    def close_candle(self) -> Bar:
        """Close the open candle, open the next one flat at its close, and return the closed one."""
        bar = self.current()
        self._closed.append(bar)
        if len(self._closed) > self._keep + _SLACK:
            del self._closed[:_SLACK]
        self._fresh(self.end_ms, bar.close)
        return bar

    def current(self) -> Bar:
        """Return the open candle."""
        return Bar(
            self._open_ms,
            self._open,
            self._high,
            self._low,
            self._close,
            self._lots,
            self._units,
            self._trades,
            self._taker_lots,
            self._taker_units,
            self._first_id,
            self._last_id,
        )

    def bars(self, timeframe: str, start_ms: int | None, end_ms: int | None, limit: int) -> list[Bar]:
        """Return candles of a timeframe, oldest first, the open one last.

        Parameters
        ----------
        timeframe : str
            A multiple of the shortest.
        start_ms, end_ms : int or None
            Open times, both included. With a start the oldest ``limit`` of them, else the newest.
        limit : int
            How many at most.
        """
        step = timeframe_ms(timeframe)
        parts = step // self.step_ms
        count = len(self._closed) + 1
        first = 0 if start_ms is None else self._position(start_ms - step + 1)
        last = count if end_ms is None else self._position(end_ms + step)
        if start_ms is None:
            first = max(first, last - (limit + 1) * parts)
        else:
            last = min(last, first + (limit + 2) * parts)
        rows = self._closed[first:last]
        if first < count == last:
            rows.append(self.current())
        made = self._aggregated(rows, step)
        wanted = [
            bar
            for bar in made
            if (start_ms is None or bar.open_ms >= start_ms) and (end_ms is None or bar.open_ms <= end_ms)
        ]
        return wanted[:limit] if start_ms is not None else wanted[-limit:]

    def since(self, start_ms: int) -> list[Bar]:
        """Return the shortest candles that open then or later, the open one last."""
        rows = self._closed[bisect_left(self._closed, start_ms, key=_open_of) :]
        return [*rows, self.current()]

    def joined_since(self, start_ms: int) -> Bar | None:
        """Return the shortest closed candles that open then or later as one, or None when there is none."""
        first = bisect_left(self._closed, start_ms, key=_open_of)
        if first == len(self._closed):
            return None
        key = (self._closed[first].open_ms, self._open_ms)
        if self._joined is None or self._joined[0] != key:
            self._joined = (key, joined(self._closed[first:], key[0]))
        return self._joined[1]

    def kline(self, bar: Bar, step_ms: int) -> Kline:
        """Return a candle in decimals.

        Parameters
        ----------
        bar : Bar
            It.
        step_ms : int
            Its length.
        """
        price, quantity = self._rules.price, self._rules.quantity
        unit = self._unit
        return Kline(
            bar.open_ms,
            bar.open_ms + step_ms - 1,
            price(bar.open),
            price(bar.high),
            price(bar.low),
            price(bar.close),
            quantity(bar.lots),
            unit * bar.units,
            bar.trades,
            quantity(bar.taker_lots),
            unit * bar.taker_units,
            bar.first_id,
            bar.last_id,
        )

    def _position(self, open_ms: int) -> int:
        # among all candles, the open one among them, the first that opens then or later
        found = bisect_left(self._closed, open_ms, key=_open_of)
        return found + 1 if found == len(self._closed) and self._open_ms < open_ms else found

    def _fresh(self, open_ms: int, price: int) -> None:
        self._open_ms = open_ms
        self._open = self._high = self._low = self._close = price
        self._lots: int = 0
        self._units: int = 0
        self._trades: int = 0
        self._taker_lots: int = 0
        self._taker_units: int = 0
        self._first_id = -1
        self._last_id = -1

    def _aggregated(self, rows: list[Bar], step_ms: int) -> list[Bar]:
        if step_ms == self.step_ms or not rows:
            return rows
        opens = bucket_opens(np.fromiter((bar.open_ms for bar in rows), np.int64, len(rows)), step_ms)
        starts = np.flatnonzero(np.diff(opens, prepend=opens[0] - 1)).tolist()
        ends = [*starts[1:], len(rows)]
        return [joined(rows[first:last], int(opens[first])) for first, last in zip(starts, ends, strict=True)]


def _open_of(bar: Bar) -> int:
    return bar.open_ms


def _bars(history: Candles, rules: MarketRules, quote_units: int) -> list[Bar]:
    tick, lot = float(rules.tick_size), float(rules.lot_size)
    prices = [
        np.maximum(1, np.rint(getattr(history, name) / tick)).astype(np.int64).tolist()
        for name in ("open", "high", "low", "close")
    ]
    lots = np.floor(history.volume / lot + 1e-9).astype(np.int64).tolist()
    bars = []
    for open_ms, opened, high, low, close, count in zip(history.timestamp.tolist(), *prices, lots, strict=True):
        # Who took and at which prices is not known of candles; their middle and a half are as good as any guess.
        units = (opened + high + low + close) * count * quote_units // 4
        bars.append(Bar(open_ms, opened, high, low, close, count, units, 1, count // 2, units // 2, -1, -1))
    return bars
