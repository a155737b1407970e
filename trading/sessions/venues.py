"""Where a session trades: a replay, the built-in exchange, or a real venue; each as one ``Venue``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from trading.brokers.protocol import Broker
from trading.errors import DataError
from trading.exchange.clock import Clock
from trading.market.candles import Candles
from trading.market.feeds.protocol import ClosedCandle, Feed, FeedEvent
from trading.market.feeds.replay import ReplayFeed
from trading.market.filling import fill_short_gaps
from trading.market.rule_tables import market_for
from trading.market.rules import Market
from trading.sessions.decider import Exchange
from trading.sessions.live_session import Rhythm
from trading.settings import Settings


@dataclass(frozen=True, slots=True)
class Venue:
    """What a session stands on.

    Parameters
    ----------
    exchange : Exchange
        Who fills its orders.
    feed : Feed
        Its market data.
    broker : Broker or None
        The venue; None where the core plays the exchange.
    clock : Clock
        Its time.
    market : Market
        The market's rules.
    highest_price : float
        Highest price known, to see whether amounts fit.
    rhythm : Rhythm
        How often the session looks around.
    is_alone : callable
        Whether no other session trades on the account.
    """

    exchange: Exchange
    feed: Feed
    broker: Broker | None
    clock: Clock
    market: Market
    highest_price: float
    rhythm: Rhythm
    is_alone: Callable[[], bool] = lambda: True


class CandleClock:
    """The time of a replay: the close of the latest candle."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        """Return the time in milliseconds UTC."""
        return self._now_ms

    async def sleep(self, seconds: float) -> None:
        """Let time pass, and wait for nobody."""
        self._now_ms += round(seconds * 1000)

    def reach(self, time_ms: int) -> None:
        """Move on to a time, never back."""
        self._now_ms = max(self._now_ms, time_ms)


class TimedReplay:
    """A replay that moves its clock along.

    Parameters
    ----------
    feed : ReplayFeed
        The candles.
    clock : CandleClock
        Shows the close of the latest.
    step_ms : int
        Length of a candle.
    """

    def __init__(self, feed: ReplayFeed, clock: CandleClock, step_ms: int) -> None:
        self._feed = feed
        self._clock = clock
        self._step_ms = step_ms
        self._after_ms = 0

    async def history(self, symbol: str, count: int) -> Candles:
        """Return the candles before the first event; a recovered session hears the rest as events."""
        return await self._feed.history(symbol, count)

    async def events(self) -> AsyncIterator[FeedEvent]:
        """Yield the candles."""
        async for event in self._feed.events():
            if isinstance(event, ClosedCandle):
                self._clock.reach(event.timestamp + self._step_ms)
            yield event

    async def close(self) -> None:
        """End it."""
        await self._feed.close()


def replay_venue(candles: Candles, settings: Settings, seen_ms: int = 0) -> Venue:
    """Return a venue that replays candles through the core's own exchange, as a backtest does.

    Parameters
    ----------
    candles : Candles
        What is replayed.
    settings : Settings
        Warm-up and pinned market rules.
    seen_ms : int
        Open time of the last candle that the session has seen; 0 begins after the warm-up.
    """
    whole, warmup = fill_short_gaps(candles), settings.signals.warmup_candles
    if len(whole) <= warmup:
        raise DataError(
            f"{candles.symbol} has {len(candles)} candles and the warm-up takes {warmup}; "
            "use more candles or a smaller signals.warmup_candles"
        )
    # The last candle of the warm-up is the first in which a backtest may decide.
    row = max(warmup - 1, int(whole.timestamp.searchsorted(seen_ms, side="right")))
    clock = CandleClock(int(whole.timestamp[min(row, len(whole) - 1)]))
    return Venue(
        exchange=Exchange.CANDLES,
        feed=TimedReplay(ReplayFeed(whole, row), clock, candles.step_ms),
        broker=None,
        clock=clock,
        market=market_for(candles.symbol, whole[:warmup], settings.market),
        highest_price=float(candles.high.max()),
        rhythm=Rhythm(look_s=0, watch_s=3_600),
    )
