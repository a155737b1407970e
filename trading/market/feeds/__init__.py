"""Feeds: closed candles and prices as they come, replayed, polled, streamed, or failing over between these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trading.lazy import on_first_use

if TYPE_CHECKING:
    from trading.market.feeds.builder import CandleBuilder, Trade
    from trading.market.feeds.failover import FailoverFeed
    from trading.market.feeds.gate import Gate, GateCounts
    from trading.market.feeds.opening import open_feed
    from trading.market.feeds.protocol import ClosedCandle, Feed, FeedEvent, FeedNews, FeedState, Tick
    from trading.market.feeds.replay import ReplayFeed
    from trading.market.feeds.rest import RestFeed
    from trading.market.feeds.stream import StreamFeed

__all__ = [
    "CandleBuilder",
    "ClosedCandle",
    "FailoverFeed",
    "Feed",
    "FeedEvent",
    "FeedNews",
    "FeedState",
    "Gate",
    "GateCounts",
    "ReplayFeed",
    "RestFeed",
    "StreamFeed",
    "Tick",
    "Trade",
    "open_feed",
]

__getattr__ = on_first_use(
    __name__,
    {
        "CandleBuilder": "builder",
        "ClosedCandle": "protocol",
        "FailoverFeed": "failover",
        "Feed": "protocol",
        "FeedEvent": "protocol",
        "FeedNews": "protocol",
        "FeedState": "protocol",
        "Gate": "gate",
        "GateCounts": "gate",
        "ReplayFeed": "replay",
        "RestFeed": "rest",
        "StreamFeed": "stream",
        "Tick": "protocol",
        "Trade": "builder",
        "open_feed": "opening",
    },
)
