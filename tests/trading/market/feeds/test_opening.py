"""Which feed is opened, and where it asks."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.trading.live.virtual_clock import VirtualClock
from trading.errors import Refused, UsageError
from trading.exchange.clock import LockstepClock
from trading.market.feeds import FailoverFeed, RestFeed
from trading.market.feeds.opening import open_feed
from trading.market.feeds.stream_client import open_streams

REAL = ("api.binance.com", "stream.binance.com")


def test_a_test_networks_feed_asks_the_test_network_and_nobody_else() -> None:
    async def main() -> None:
        client = open_streams("binance", VirtualClock(), testnet=True)
        told = json.dumps(client.urls["api"])  # type: ignore[attr-defined]
        await client.close()
        assert "testnet.binance.vision" in told
        assert not [name for name in REAL if f"//{name}" in told]
        feed = open_feed("binance", ["BTC/USDT"], "1m", VirtualClock(), testnet=True)
        assert isinstance(feed, FailoverFeed)
        await feed.close()

    asyncio.run(main())


def test_a_venue_without_a_test_network_or_with_two_addresses_is_refused() -> None:
    with pytest.raises(Refused, match="no test network"):
        open_feed("coinbase", ["BTC/USD"], "1m", VirtualClock(), testnet=True)
    with pytest.raises(UsageError, match="own addresses"):
        open_feed("binance", ["BTC/USDT"], "1m", VirtualClock(), "http://127.0.0.1:9", testnet=True)


@pytest.mark.parametrize("lockstep", [True, False])
def test_without_a_stream_address_or_in_lock_step_rest_is_all(lockstep: bool) -> None:
    async def advance(milliseconds: int) -> int:
        return milliseconds

    async def main() -> None:
        clock = LockstepClock(0, advance) if lockstep else VirtualClock()
        ws_url = "ws://127.0.0.1:9" if lockstep else None
        feed = open_feed("binance", ["BTC/USDT"], "1m", clock, "http://127.0.0.1:9", ws_url)
        assert isinstance(feed, RestFeed)
        await feed.close()

    asyncio.run(main())
