"""``Feed``: where a session's market data comes from; the same form for replay, REST polling and streams."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from trading.market.candles import Candles


@dataclass(frozen=True, slots=True)
class ClosedCandle:
    """One closed candle.

    Parameters
    ----------
    symbol : str
        ``BASE/QUOTE``.
    timestamp : int
        Open time, milliseconds UTC.
    open, high, low, close : float
        Prices, quote currency.
    volume : float
        Base currency.
    filled : bool
        True when it was made up to bridge a short gap.
    """

    symbol: str
    timestamp: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    filled: bool = False


@dataclass(frozen=True, slots=True)
class Tick:
    """The market's latest price.

    Parameters
    ----------
    symbol : str
        ``BASE/QUOTE``.
    time_ms : int
        When, by the venue's clock; milliseconds UTC.
    price : float
        Last trade, or the middle of bid and ask where no trade is told; quote currency.
    bid, ask : float or None
        Best quotes where they are known.
    """

    symbol: str
    time_ms: int
    price: float
    bid: float | None = None
    ask: float | None = None


class FeedState(StrEnum):
    """What a feed says about itself."""

    LIVE = "live"
    FALLBACK = "fallback"
    STALE = "stale"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class FeedNews:
    """A change in how data arrives.

    Parameters
    ----------
    state : FeedState
        How it arrives now.
    reason : str
        Why, in words.
    """

    state: FeedState
    reason: str


FeedEvent = ClosedCandle | Tick | FeedNews


class Feed(Protocol):
    """Market data of one or several symbols.

    For each symbol, closed candles come in time order, each once, none before it is closed, none missing unless the
    venue itself has none; ticks come with times that do not fall.
    """

    async def history(self, symbol: str, count: int) -> Candles:
        """Return the latest closed candles, at most ``count``, oldest first; events go on after the last of them."""
        ...

    def events(self) -> AsyncIterator[FeedEvent]:
        """Yield events until the data ends (replay) or the feed is closed."""
        ...

    async def close(self) -> None:
        """Let go of all connections; ``events`` ends."""
        ...
