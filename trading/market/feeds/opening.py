"""``open_feed``: the live feed of a venue, by streams and REST, or by REST alone."""

from __future__ import annotations

from collections.abc import Sequence

from trading.exchange.clock import Clock, LockstepClock
from trading.market.feeds.connection import StreamLimits
from trading.market.feeds.failover import FailoverFeed
from trading.market.feeds.rest import RestFeed
from trading.market.feeds.stream import StreamFeed
from trading.market.feeds.stream_client import open_streams


def open_feed(
    exchange_id: str,
    symbols: Sequence[str],
    timeframe: str,
    clock: Clock,
    rest_url: str | None = None,
    ws_url: str | None = None,
    streams: bool = True,
    poll_s: float | None = None,
    silent_s: float = 30.0,
    *,
    testnet: bool = False,
) -> RestFeed | FailoverFeed:
    """Open a feed of a venue's public market data.

    Parameters
    ----------
    exchange_id : str
        ccxt's name of the exchange.
    symbols : sequence of str
        ``BASE/QUOTE``.
    timeframe : str
        Candle length, one that the exchange offers.
    clock : Clock
        Tells the time and sleeps.
    rest_url, ws_url : str, optional
        Addresses that replace the exchange's own; with the first alone, or with a clock in lock-step, REST is all
        there is.
    streams : bool
        False asks by REST alone.
    poll_s : float, optional
        Seconds of the clock between REST rounds: of the feed where REST is all, else of the fallback.
    silent_s : float
        Silence after which a stream counts as broken, seconds of the clock.
    testnet : bool
        The exchange's own test network, whose prices are not those of the real market.

    Returns
    -------
    RestFeed or FailoverFeed
        Nothing is sent before its history or events are asked for; close it in the event loop that used it.

    Raises
    ------
    UsageError
        When ccxt does not know the exchange or its streams, or an address is none.
    Refused
        When an address of the client cannot be replaced, or the exchange has no test network.
    """
    exchange = open_streams(exchange_id, clock, rest_url, ws_url, testnet=testnet)
    # In lock-step, the timers of streams would move the market on while the session is at work.
    if not streams or (rest_url is not None and ws_url is None) or isinstance(clock, LockstepClock):
        return RestFeed(exchange, symbols, timeframe, clock, poll_s=poll_s)
    limits = StreamLimits(heartbeat_s=silent_s / 2, silent_s=silent_s)
    # A client of its own: when the stream's is closed to open it anew, no REST answer is lost.
    streaming = open_streams(exchange_id, clock, rest_url, ws_url, testnet=testnet)
    stream = StreamFeed(streaming, symbols, timeframe, clock, limits=limits)
    rest = RestFeed(exchange, symbols, timeframe, clock)
    return FailoverFeed(stream, rest, clock, poll_s=poll_s, silent_s=2 * silent_s)
