"""``Gate``: the one door that every candle and tick of every feed passes, in order, once, closed and sound."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from trading.market.feeds.protocol import ClosedCandle, Tick
from trading.market.feeds.sanity import Unsound, candle_fault, tick_fault
from trading.market.quality_report import QualityLimits
from trading.market.timeframes import timeframe_ms

_log = logging.getLogger(__name__)
_DEFAULTS = QualityLimits()
# The share of made-up candles is that of about so many latest ones.
_SHARE_WINDOW = 2_000


@dataclass(slots=True)
class GateCounts:
    """What came to the gate, for the status.

    Parameters
    ----------
    candles, ticks : int
        Passed on; ``candles`` with the made-up ones.
    filled : int
        Candles made up to bridge short gaps.
    gap_candles : int
        Candles missing in gaps that were left as they are: too long, or too much was made up already.
    duplicates : int
        Candles of a time that had passed already.
    differing : int
        Those of them that told other values than the one that had passed.
    unclosed : int
        Candles that were still open.
    repeated_ticks, late_ticks : int
        Ticks equal to the one before, and ticks older than it.
    unsound : dict of Unsound to int
        Refused values by reason.
    """

    candles: int = 0
    ticks: int = 0
    filled: int = 0
    gap_candles: int = 0
    duplicates: int = 0
    differing: int = 0
    unclosed: int = 0
    repeated_ticks: int = 0
    late_ticks: int = 0
    unsound: dict[Unsound, int] = field(default_factory=dict)

    def refuse(self, reason: Unsound) -> None:
        """Count one refused value."""
        self.unsound[reason] = self.unsound.get(reason, 0) + 1

    @property
    def refused(self) -> int:
        """All values refused because they were unsound."""
        return sum(self.unsound.values())


@dataclass(slots=True)
class _Place:
    last: ClosedCandle | None = None
    real: int = 0
    made_up: int = 0
    tick: Tick | None = None


class Gate:
    """Lets each closed candle of each symbol pass once, in the order of time, and ticks whose time does not fall.

    Parameters
    ----------
    symbols : sequence of str
        ``BASE/QUOTE``.
    timeframe : str
        Candle length.
    bridge : int
        Longest gap, in candles, that is bridged by flat candles without volume.
    filled_share : float
        Greatest share of candles that may be made up; beyond it, gaps stay gaps.
    """

    def __init__(
        self,
        symbols: Sequence[str],
        timeframe: str,
        bridge: int = _DEFAULTS.gap_candles,
        filled_share: float = _DEFAULTS.filled_share,
    ) -> None:
        self.counts = GateCounts()
        self.step_ms = timeframe_ms(timeframe)
        self._bridge = bridge
        self._filled_share = filled_share
        self._places = {symbol: _Place() for symbol in symbols}

    def begin(self, symbol: str, last: ClosedCandle, real: int = 1, made_up: int = 0) -> None:
        """Go on after a candle that has been handed over by other ways.

        Parameters
        ----------
        symbol : str
            One of the gate's symbols.
        last : ClosedCandle
            The latest candle that was handed over.
        real, made_up : int
            How many candles were handed over, real and made up.
        """
        place = self._places[symbol]
        place.last, place.real, place.made_up = last, real, made_up

    def last(self, symbol: str) -> ClosedCandle | None:
        """Return the latest candle that passed."""
        return self._places[symbol].last

    def passed(self, symbol: str) -> tuple[int, int]:
        """Return how many of the latest candles were real and how many made up, for another gate to begin with."""
        place = self._places[symbol]
        return place.real, place.made_up

    def candles(
        self, symbol: str, candles: Iterable[ClosedCandle], closed_before_ms: int | None = None
    ) -> list[ClosedCandle]:
        """Return what may be handed on, bridged; the caller vouches that the venue has nothing between them.

        Parameters
        ----------
        symbol : str
            One of the gate's symbols.
        candles : iterable of ClosedCandle
            Oldest first, going on after `last`.
        closed_before_ms : int, optional
            Candles that open at this time or later are still open and refused.
        """
        place = self._places[symbol]
        passed: list[ClosedCandle] = []
        for candle in candles:
            fault = candle_fault(candle, self.step_ms)
            if fault is not None:
                # What comes after it would leave a hole; it is asked for again.
                self.counts.refuse(fault)
                break
            if closed_before_ms is not None and candle.timestamp >= closed_before_ms:
                self.counts.unclosed += 1
                break
            if place.last is not None and candle.timestamp <= place.last.timestamp:
                self._count_again(candle, place.last)
                continue
            passed += self._bridged(place, candle)
            passed.append(candle)
            place.last = candle
            self._count_passed(place, candle)
        return passed

    def tick(self, tick: Tick) -> Tick | None:
        """Return the tick when it may be handed on, else None."""
        place = self._places[tick.symbol]
        fault = tick_fault(tick)
        if fault is not None:
            self.counts.refuse(fault)
            return None
        if place.tick is not None and tick.time_ms < place.tick.time_ms:
            self.counts.late_ticks += 1
            return None
        if tick == place.tick:
            self.counts.repeated_ticks += 1
            return None
        place.tick = tick
        self.counts.ticks += 1
        return tick

    def _bridged(self, place: _Place, candle: ClosedCandle) -> list[ClosedCandle]:
        last = place.last
        missing = 0 if last is None else (candle.timestamp - last.timestamp) // self.step_ms - 1
        if last is None or missing <= 0:
            return []
        made_up = place.made_up + missing
        allowed = max(self._bridge, self._filled_share * (place.real + made_up))
        if missing > self._bridge or made_up > allowed:
            self.counts.gap_candles += missing
            return []
        flat = [self._flat(last, n) for n in range(1, missing + 1)]
        for made in flat:
            self._count_passed(place, made)
        return flat

    def _flat(self, last: ClosedCandle, n: int) -> ClosedCandle:
        price = last.close
        return ClosedCandle(last.symbol, last.timestamp + n * self.step_ms, price, price, price, price, 0.0, True)

    def _count_passed(self, place: _Place, candle: ClosedCandle) -> None:
        self.counts.candles += 1
        self.counts.filled += candle.filled
        place.made_up += candle.filled
        place.real += not candle.filled
        if place.real + place.made_up > _SHARE_WINDOW:
            place.real, place.made_up = place.real // 2, place.made_up // 2

    def _count_again(self, candle: ClosedCandle, last: ClosedCandle) -> None:
        self.counts.duplicates += 1
        if candle.timestamp == last.timestamp and not last.filled and candle != last:
            self.counts.differing += 1
            _log.warning("event=candle_differs symbol=%s timestamp=%d", candle.symbol, candle.timestamp)
