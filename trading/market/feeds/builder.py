"""``CandleBuilder``: candles from single trades, in whatever order and how often these are told."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from trading.errors import DataError
from trading.market.feeds.protocol import ClosedCandle
from trading.market.feeds.sanity import number
from trading.market.timeframes import timeframe_ms

_DAY_MS = 86_400_000
_LONGEST_ID = 40
_REMEMBERED_IDS = 50_000
# Weeks begin on Mondays; the epoch was a Thursday.
_MONDAY_MS = 4 * _DAY_MS


@dataclass(frozen=True, slots=True)
class Trade:
    """One trade of a market.

    Parameters
    ----------
    id : str
        The venue's id.
    time_ms : int
        When, milliseconds UTC.
    price : Decimal
        Quote currency.
    amount : Decimal
        Base currency.
    """

    id: str
    time_ms: int
    price: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class BuiltCandle:
    """A candle made of trades.

    Parameters
    ----------
    candle : ClosedCandle
        Its values.
    complete : bool
        True when the venue counts its trades and none is missing from the one before the candle to the one after it,
        so that the values are certain.
    """

    candle: ClosedCandle
    complete: bool


def trade_of(told: object) -> Trade | None:
    """Return the trade that a ccxt trade tells (``id``, ``timestamp``, ``price``, ``amount``), or None for nonsense."""
    if not isinstance(told, dict):
        return None
    time_ms = number(told.get("timestamp"))
    price, amount = _positive(told.get("price")), _positive(told.get("amount"))
    name = told.get("id")
    if time_ms is None or price is None or amount is None or not 0 < time_ms < 2**62:
        return None
    if not isinstance(name, str | int) or isinstance(name, bool) or not 0 < len(str(name)) <= _LONGEST_ID:
        return None
    return Trade(str(name), int(time_ms), price, amount)


class CandleBuilder:
    """Collects the trades of one symbol and gives each candle out once, when later trades or the time have closed it.

    The first interval is given out only when it is known to have been seen from its beginning. Intervals without
    trades have no candle. Order inside an interval is by time, then by id.

    Parameters
    ----------
    symbol : str
        ``BASE/QUOTE``.
    timeframe : str
        Candle length.
    lateness_ms : int
        How long after the end of an interval its trades are waited for, by the time of trades; milliseconds.
    """

    def __init__(self, symbol: str, timeframe: str, lateness_ms: int = 0) -> None:
        self.symbol = symbol
        self.step_ms = timeframe_ms(timeframe)
        self.late_trades = 0
        self.duplicate_trades = 0
        self._lateness_ms = lateness_ms
        self._intervals: dict[int, _Interval] = {}
        self._closed_to_ms: int | None = None
        self._seen = _Seen()

    @property
    def open_intervals(self) -> int:
        """How many intervals are being collected."""
        return len(self._intervals)

    def start(self, from_ms: int) -> None:
        """Say from when on all trades are told: earlier intervals are not given out, the one at that time is."""
        if self._closed_to_ms is not None and from_ms < self._closed_to_ms:
            raise DataError(f"candles of {self.symbol} are given out to {self._closed_to_ms} already, past {from_ms}")
        self._closed_to_ms = self._open_of(from_ms + self.step_ms - 1)
        self._intervals = {time_ms: one for time_ms, one in self._intervals.items() if time_ms >= self._closed_to_ms}

    def add(self, trade: Trade) -> list[BuiltCandle]:
        """Take one trade and return the candles that it closes, oldest first.

        Parameters
        ----------
        trade : Trade
            Told again, it changes nothing; of an interval that has been given out, it changes nothing and is counted.
        """
        opened = self._open_of(trade.time_ms)
        if self._closed_to_ms is None:
            self._closed_to_ms = opened + self.step_ms
        if not self._seen.add(trade.id):
            self.duplicate_trades += 1
            return []
        if opened >= self._closed_to_ms:
            self._intervals.setdefault(opened, _Interval()).add(trade)
        else:
            self.late_trades += 1
        return self.advance(trade.time_ms)

    def advance(self, time_ms: int) -> list[BuiltCandle]:
        """Return the candles that are closed at a time, oldest first; milliseconds UTC."""
        ended = self._open_of(time_ms - self._lateness_ms)
        if self._closed_to_ms is None or ended <= self._closed_to_ms:
            return []
        self._closed_to_ms = ended
        due = sorted(opened for opened in self._intervals if opened < ended)
        return [self._built(opened, self._intervals.pop(opened)) for opened in due]

    def _built(self, opened: int, interval: _Interval) -> BuiltCandle:
        return BuiltCandle(interval.candle(self.symbol, opened), self._seen.without_holes(interval.ids))

    def _open_of(self, time_ms: int) -> int:
        origin = 0 if _DAY_MS % self.step_ms == 0 else _MONDAY_MS
        return (time_ms - origin) // self.step_ms * self.step_ms + origin


@dataclass(slots=True)
class _Interval:
    first: tuple[int, int, str] | None = None
    last: tuple[int, int, str] | None = None
    open: Decimal = Decimal(0)
    high: Decimal = Decimal(0)
    low: Decimal = Decimal(0)
    close: Decimal = Decimal(0)
    # A sum of decimals does not depend on the order of the trades.
    volume: Decimal = Decimal(0)
    ids: tuple[int, int] | None = None

    def add(self, trade: Trade) -> None:
        counted = int(trade.id) if _counts(trade.id) else -1
        key = (trade.time_ms, counted, trade.id)
        if self.first is None or key < self.first:
            self.first, self.open = key, trade.price
        if self.last is None or key > self.last:
            self.last, self.close = key, trade.price
        self.high = max(self.high, trade.price)
        self.low = min(self.low, trade.price) if self.low else trade.price
        self.volume += trade.amount
        low, high = self.ids or (counted, counted)
        self.ids = (min(low, counted), max(high, counted))

    def candle(self, symbol: str, opened: int) -> ClosedCandle:
        high, low = float(self.high), float(self.low)
        return ClosedCandle(symbol, opened, float(self.open), high, low, float(self.close), float(self.volume))


@dataclass(slots=True)
class _Seen:
    """Ids that have been told: counted ones as runs without holes, others one by one up to a bound."""

    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    names: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def add(self, name: str) -> bool:
        if _counts(name):
            return self._add_counted(int(name))
        if name in self.names:
            return False
        self.names[name] = None
        if len(self.names) > _REMEMBERED_IDS:
            self.names.popitem(last=False)
        return True

    def without_holes(self, ids: tuple[int, int] | None) -> bool:
        if ids is None or ids[0] < 1:
            return False
        run = bisect_right(self.starts, ids[0]) - 1
        return run >= 0 and self.starts[run] < ids[0] and self.ends[run] > ids[1]

    def _add_counted(self, counted: int) -> bool:
        run = bisect_right(self.starts, counted) - 1
        if run >= 0 and counted <= self.ends[run]:
            return False
        after = run + 1
        joins_before = run >= 0 and self.ends[run] == counted - 1
        joins_after = after < len(self.starts) and self.starts[after] == counted + 1
        if joins_before and joins_after:
            self.ends[run] = self.ends.pop(after)
            self.starts.pop(after)
        elif joins_before:
            self.ends[run] = counted
        elif joins_after:
            self.starts[after] = counted
        else:
            self.starts.insert(after, counted)
            self.ends.insert(after, counted)
        if len(self.starts) > _REMEMBERED_IDS:
            del self.starts[0], self.ends[0]
        return True


def _counts(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) < 19 and (name == "0" or name[0] != "0")


def _positive(value: object) -> Decimal | None:
    if number(value) is None:
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() and found > 0 else None
