"""A broker on the built-in exchange: real ccxt, real HTTP and WebSocket on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

from tests.trading.exchange.venue_server import SteppingClock
from trading.brokers.ccxt_broker import BrokerPolicy, CcxtBroker
from trading.brokers.codecs import client_id
from trading.brokers.exchange_server.config import TEST_KEY, TEST_SECRET, AccountConfig, ExchangeConfig
from trading.brokers.exchange_server.server import ExchangeServer
from trading.brokers.protocol import Hint
from trading.exchange.account import AccountOptions, open_account
from trading.exchange.circuit import CircuitBreaker
from trading.exchange.credentials import Credentials
from trading.orders.venue import NewOrder

SYMBOL = "BTC/USDT"
KEYS = Credentials(TEST_KEY, TEST_SECRET)


def new(number: int, side: int = 1, quantity: str = "0.01", price: str | None = "20000") -> NewOrder:
    limit = None if price is None else Decimal(price)
    return NewOrder(client_id("test", number), SYMBOL, side, Decimal(quantity), limit)


class StreamClock(SteppingClock):
    """A clock that does not wait, but lets others go on."""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        await asyncio.sleep(0)


@dataclass
class AtHand:
    """A broker, the exchange that it talks to, and what its streams have told."""

    broker: CcxtBroker
    server: ExchangeServer
    clock: StreamClock
    hints: list[Hint]
    told: asyncio.Condition

    async def heard(self, count: int = 1) -> list[Hint]:
        """Wait until so many hints have come."""
        async with asyncio.timeout(20), self.told:
            await self.told.wait_for(lambda: len(self.hints) >= count)
        return list(self.hints)

    async def heard_that(self, meets: Callable[[Hint], bool], since: int = 0) -> Hint:
        """Wait for a hint that meets a condition, from a number of hints on."""
        async with asyncio.timeout(20), self.told:
            await self.told.wait_for(lambda: any(meets(hint) for hint in self.hints[since:]))
        return next(hint for hint in self.hints[since:] if meets(hint))

    def faults(self, **changes: object) -> None:
        """Set faults of the exchange."""
        self.server.faults.change(dict(changes))

    def sends(self) -> int:
        """How many orders the exchange was sent."""
        received = self.server.exchange.audit_log.received
        return sum(one.kind == "place" for one in received)


@asynccontextmanager
async def at_hand(
    config: ExchangeConfig | None = None,
    *,
    streams: bool = False,
    listen: bool = True,
    breaker_failures: int = 1_000,
    policy: BrokerPolicy | None = None,
) -> AsyncIterator[AtHand]:
    """Open the exchange and a broker on it; without streams it is not even told where they are."""
    account = AccountConfig(balances={"USDT": Decimal(10_000), "BTC": Decimal(1)})
    config = config or ExchangeConfig(flow="still", history=60, accounts=(account,))
    async with ExchangeServer(config) as server:
        clock = StreamClock()
        client = open_account(
            "binance",
            KEYS,
            rest_url=server.url,
            ws_url=server.ws_url if streams else None,
            clock=clock,
            options=AccountOptions(timeout_ms=2_000),
        )
        broker = CcxtBroker(
            "binance", SYMBOL, client, clock, policy, CircuitBreaker(clock, breaker_failures), jitter=lambda: 0.5
        )
        hand = AtHand(broker, server, clock, [], asyncio.Condition())
        listener = asyncio.create_task(_listen(hand) if listen else asyncio.sleep(0))
        try:
            await broker.open()
            if streams and listen:
                # the first hint says that the streams are open
                assert (await hand.heard())[0].reconnected
            yield hand
        finally:
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)
            await broker.close()


async def _listen(hand: AtHand) -> None:
    async for hint in hand.broker.hints():
        async with hand.told:
            hand.hints.append(hint)
            hand.told.notify_all()
