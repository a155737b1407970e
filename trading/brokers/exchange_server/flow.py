"""What moves the market: each candle becomes a few trades along the house's path, the same for the same seed."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trading.brokers.exchange_server.markets import MarketRules
from trading.errors import DataError
from trading.market.candles import Candles
from trading.market.synthetic import synthetic_candles
from trading.market.timeframes import timeframe_ms

_CHUNK = 2_048
_PATH_POINTS = 4


@dataclass(frozen=True, slots=True)
class Step:
    """The flow brings the price somewhere.

    Parameters
    ----------
    time_ms : int
        Market time.
    price : int
        Ticks.
    lots : int
        That takers trade.
    buys : bool
        Whether the takers buy, where no order of an account says otherwise.
    through : bool
        Whether whatever rests on the way is filled whole; a first visit stops there when the lots are used up.
    """

    time_ms: int
    price: int
    lots: int
    buys: bool
    through: bool = False


class CandleSource(Protocol):
    """Candles of one symbol: those before the start, then one block after the other."""

    timeframe: str
    history: Candles

    def blocks(self) -> Iterator[Candles]:
        """Yield the candles from the start on, oldest first."""
        ...


class SyntheticSource:
    """A seeded synthetic market that never ends.

    Parameters
    ----------
    symbol, timeframe : str
        The series.
    seed : int
        Not negative.
    start_ms : int
        Open time of the first candle that is not history.
    start_price : float
        Open of the first candle of the history.
    history : int
        Candles before the start.
    """

    def __init__(self, symbol: str, timeframe: str, seed: int, start_ms: int, start_price: float, history: int) -> None:
        self.timeframe = timeframe
        self._symbol, self._seed, self._start_price = symbol, seed, start_price
        self._count = history
        self._first_ms = start_ms - history * timeframe_ms(timeframe)
        self.history = self._make(history)

    def blocks(self) -> Iterator[Candles]:
        """Yield one block after the other, without end."""
        done, size = self._count, self._count + _CHUNK
        while True:
            made = self._make(size)
            yield made[done:]
            # The generator begins a longer market with the shorter one, so asking for twice as many is cheap enough.
            done, size = size, size * 2

    def _make(self, candles: int) -> Candles:
        return synthetic_candles(self._symbol, self.timeframe, candles, self._seed, self._first_ms, self._start_price)


class ReplaySource:
    """Candles that happened.

    Parameters
    ----------
    candles : Candles
        All of them.
    history : int
        How many of the first are history.

    Raises
    ------
    DataError
        When nothing is left to replay.
    """

    def __init__(self, candles: Candles, history: int) -> None:
        if len(candles) <= history:
            raise DataError(
                f"{candles.symbol} has {len(candles)} candles, which the {history} of the history use up; "
                "give more candles or a shorter history"
            )
        self.timeframe = candles.timeframe
        self.history, self._rest = candles[:history], candles[history:]

    def blocks(self) -> Iterator[Candles]:
        """Yield all candles after the history."""
        yield self._rest


class StillSource:
    """A market that moves only when it is pushed; its history is flat.

    Parameters
    ----------
    symbol, timeframe : str
        The series.
    start_ms : int
        End of the history.
    price : float
        Where it stands.
    history : int
        Candles before the start.
    """

    def __init__(self, symbol: str, timeframe: str, start_ms: int, price: float, history: int) -> None:
        self.timeframe = timeframe
        step = timeframe_ms(timeframe)
        opens = start_ms + step * np.arange(-history, 0, dtype=np.int64)
        flat, volume = np.full(history, price), np.ones(history)
        self.history = Candles(symbol, timeframe, opens, flat, flat, flat, flat, volume)

    def blocks(self) -> Iterator[Candles]:
        """Yield nothing."""
        return iter(())


class Flow:
    """The steps of one symbol, candle by candle.

    Parameters
    ----------
    source : CandleSource
        Where the candles come from.
    rules : MarketRules
        Gives ticks and lots.
    seed : int
        Of how the volume spreads over the path.
    trades_per_candle : int
        Steps in a candle, 4 at least.
    volume_scale : float
        Factor on all volume.
    """

    def __init__(
        self, source: CandleSource, rules: MarketRules, seed: int, trades_per_candle: int, volume_scale: float
    ) -> None:
        self._rules = rules
        self._step_ms = timeframe_ms(source.timeframe)
        self._count = trades_per_candle
        self._volume_scale = volume_scale
        self._random = np.random.default_rng([seed, zlib.crc32(rules.symbol.encode())])
        self._volume_known = bool(source.history.volume.any())
        self._plans = self._all_plans(source)
        self._next: tuple[int, list[Step]] | None = next(self._plans, None)

    @property
    def ended(self) -> bool:
        """Whether no further candle will come."""
        return self._next is None

    @property
    def next_open_ms(self) -> int | None:
        """Open time of the next candle, or None at the end."""
        return None if self._next is None else self._next[0]

    def steps(self, open_ms: int) -> list[Step]:
        """Return the steps of the candle that opens then, none where the source has no such candle."""
        while self._next is not None and self._next[0] < open_ms:
            self._next = next(self._plans, None)
        if self._next is None or self._next[0] != open_ms:
            return []
        steps = self._next[1]
        self._next = next(self._plans, None)
        return steps

    def _all_plans(self, source: CandleSource) -> Iterator[tuple[int, list[Step]]]:
        for block in source.blocks():
            for first in range(0, len(block), _CHUNK):
                yield from self._plans_of(block[first : first + _CHUNK])

    def _plans_of(self, candles: Candles) -> Iterator[tuple[int, list[Step]]]:
        prices = _path(candles, self._rules, self._count)
        lots = self._lots(candles, _places(self._count))
        coins = self._random.random(prices.shape) < 0.5
        rises = np.diff(prices, axis=1, prepend=prices[:, :1])
        buys = np.where(rises == 0, coins, rises > 0)
        offsets = [self._step_ms * number // self._count for number in range(self._count)]
        rows = zip(candles.timestamp.tolist(), prices.tolist(), lots.tolist(), buys.tolist(), strict=True)
        for open_ms, row_prices, row_lots, row_buys in rows:
            yield (
                open_ms,
                [
                    Step(open_ms + offset, price, count, buy)
                    for offset, price, count, buy in zip(offsets, row_prices, row_lots, row_buys, strict=True)
                    if count
                ],
            )

    def _lots(self, candles: Candles, places: Sequence[int]) -> NDArray[np.int64]:
        volume = candles.volume if self._volume_known else np.ones(len(candles))
        total = np.floor(volume * self._volume_scale / float(self._rules.lot_size) + 1e-9).astype(np.int64)
        weights = self._random.exponential(size=(len(candles), self._count))
        weights /= weights.sum(axis=1, keepdims=True)
        lots = np.floor(weights * total[:, None]).astype(np.int64)
        lots[:, -1] += total - lots.sum(axis=1)
        alive = (volume > 0) | (candles.high > candles.low)
        # Each of the four prices is traded, or the candle would lose it; a candle of too few lots gets a few more.
        for place in places:
            lots[:, place] = np.maximum(lots[:, place], 1)
        lots[~alive] = 0
        return lots


def _places(count: int) -> list[int]:
    # Where on a path of so many steps the open, the two extremes and the close stand.
    return [round(leg * (count - 1) / 3) for leg in range(_PATH_POINTS)]


def _path(candles: Candles, rules: MarketRules, count: int) -> NDArray[np.int64]:
    tick = float(rules.tick_size)
    opened, high, low, close = (
        np.maximum(1, np.rint(column / tick)) for column in (candles.open, candles.high, candles.low, candles.close)
    )
    rising = close >= opened
    first, second = np.where(rising, high, low), np.where(rising, low, high)
    points = np.stack([opened, first, second, close], axis=1)
    places = _places(count)
    path = np.empty((len(candles), count))
    for number in range(count):
        leg = min(int(np.searchsorted(places, number, side="right")) - 1, _PATH_POINTS - 2)
        share = (number - places[leg]) / (places[leg + 1] - places[leg])
        path[:, number] = points[:, leg] + share * (points[:, leg + 1] - points[:, leg])
    return np.rint(path).astype(np.int64)
