"""One candle and its signal in the core's units: what `pack_tape` makes of a whole series, a candle at a time."""

from __future__ import annotations

from math import ceil, floor, isfinite
from typing import Protocol

import numpy as np

from trading.engine.codes import NEVER, PPM
from trading.engine.tape import ON_TICK, Tape
from trading.errors import Refused
from trading.market.rules import Market


class Bar(Protocol):
    """A closed candle: prices in the quote currency, volume in the base currency."""

    @property
    def timestamp(self) -> int:
        """Open time, milliseconds UTC."""
        ...

    @property
    def open(self) -> float:
        """First price."""
        ...

    @property
    def high(self) -> float:
        """Highest price."""
        ...

    @property
    def low(self) -> float:
        """Lowest price."""
        ...

    @property
    def close(self) -> float:
        """Last price."""
        ...

    @property
    def volume(self) -> float:
        """Traded quantity."""
        ...

    @property
    def filled(self) -> bool:
        """Whether it was made up to bridge a gap."""
        ...


class Vote(Protocol):
    """One row of `trading.signals.records.Signals`."""

    @property
    def action(self) -> int:
        """Signal code."""
        ...

    @property
    def confidence(self) -> float:
        """0 to 1."""
        ...

    @property
    def trail(self) -> float:
        """Fraction of the price."""
        ...

    @property
    def regime(self) -> int:
        """Signal code."""
        ...

    @property
    def volatility(self) -> int:
        """Signal code."""
        ...

    @property
    def swing_high(self) -> float:
        """Latest confirmed swing high, NaN while unknown."""
        ...

    @property
    def swing_low(self) -> float:
        """Latest confirmed swing low, NaN while unknown."""
        ...

    @property
    def swing_size(self) -> float:
        """Average swing, fraction of the price, NaN while unknown."""
        ...


class TapeRow:
    """A tape of one row that is written anew for each candle, so that nothing is allocated.

    Parameters
    ----------
    market : Market
        Gives the units.
    volume_share : float
        Share of a candle's volume that may be ours; 0 without limit.
    warmup : int
        First candles; where they have no volume at all, volume is not known and never limits.
    """

    def __init__(self, market: Market, volume_share: float, warmup: int) -> None:
        self._market = market
        self._tick = float(market.tick_size)
        self._lot = float(market.lot_size)
        self._share = volume_share
        self._warmup = warmup
        self._seen = 0
        self._volume_known = False
        self.tape = _empty_tape()

    def pack(self, bar: Bar, vote: Vote) -> Tape:
        """Return the candle and its signal as a tape of shape (1,); the same one each time.

        Raises
        ------
        Refused
            When the price is under one tick.
        """
        self.learn_volume(bar)
        low, high = self._ticks(bar.low, ceil), self._ticks(bar.high, floor)
        between = low > high
        if between:
            low = high = self._nearest(bar.close)
        if low <= 0:
            raise Refused(
                f"{self._market.symbol} has prices under one tick of {self._market.tick_size}; "
                "set a smaller market.tick_size"
            )
        tape = self.tape
        tape.timestamp[0] = bar.timestamp
        tape.open[0] = min(max(self._nearest(bar.open), low), high)
        tape.high[0], tape.low[0] = high, low
        tape.close[0] = min(max(self._nearest(bar.close), low), high)
        tape.volume[0] = 0 if between else self._budget(bar)
        tape.action[0], tape.regime[0], tape.volatility[0] = vote.action, vote.regime, vote.volatility
        tape.confidence[0], tape.trail[0] = _ppm(vote.confidence), _ppm(vote.trail)
        tape.swing_high[0], tape.swing_low[0] = self._known(vote.swing_high), self._known(vote.swing_low)
        tape.swing[0] = _ppm(vote.swing_size)
        return tape

    def learn_volume(self, bar: Bar) -> None:
        """Note whether a warm-up candle tells its volume; later ones are not asked."""
        if self._seen < self._warmup:
            self._seen += 1
            self._volume_known = self._volume_known or bar.volume > 0

    def _nearest(self, price: float) -> int:
        return round(price / self._tick)

    def _ticks(self, price: float, inward: object) -> int:
        count = price / self._tick
        nearest = round(count)
        if abs(count - nearest) <= ON_TICK:
            return nearest
        return int(inward(count))  # type: ignore[operator]

    def _known(self, price: float) -> int:
        return self._nearest(price) if isfinite(price) else 0

    def _budget(self, bar: Bar) -> int:
        if bar.filled:
            return 0
        if not self._volume_known:
            return NEVER
        if self._share == 0:
            return NEVER if bar.volume > 0 else 0
        count = bar.volume * self._share / self._lot
        # A whole number of lots may come out a few units in the last place short; it is still whole.
        return int(min(floor(count + max(1e-9, count * 2e-15)), NEVER))


def _ppm(share: float) -> int:
    # in single precision, as the arrays of a whole series are
    value = np.float32(share)
    return int(np.rint(value * np.float32(PPM))) if isfinite(value) else 0


def _empty_tape() -> Tape:
    names = Tape._fields
    small, part = {"action", "regime", "volatility"}, {"confidence", "trail", "swing"}
    kinds = [np.int8 if name in small else np.int32 if name in part else np.int64 for name in names]
    return Tape._make(np.zeros(1, kind) for kind in kinds)
