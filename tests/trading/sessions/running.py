"""Sessions that run in a test: the built-in exchange in this process, a plan on it, and what the session tells."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import numpy as np

from trading.brokers.exchange_server.config import TEST_KEY, TEST_SECRET, AccountConfig, ExchangeConfig
from trading.brokers.exchange_server.server import ExchangeServer
from trading.exchange.clock import Clock
from trading.exchange.credentials import Credentials
from trading.market.candles import Candles
from trading.market.feeds.protocol import FeedState
from trading.orders.journal import JournalReader
from trading.sessions.catalog import SessionCatalog
from trading.sessions.control import StopRequest
from trading.sessions.events import SessionEvent
from trading.sessions.launch import Plan, plan_of
from trading.sessions.live_requests import PaperRequest
from trading.sessions.live_session import LiveSession
from trading.sessions.rhythm import SessionEnd
from trading.sessions.supervisor import Supervision, run_session

SYMBOL = "BTC/USDT"
KEYS = Credentials(TEST_KEY, TEST_SECRET)
HISTORY = 120
# two hours of history later it is half past eleven in the evening, UTC
FIRST_MS = 1_699_997_400_000
MINUTE_MS = 60_000
SETTINGS = (
    "grid.order_style=limit",
    "grid.entry_drop=0",
    "grid.spacing=0.004",
    "grid.activation=0.02",
    "grid.recentre_margin=0",
    "limits.max_position=1",
    "limits.max_exposure=1",
    "signals.warmup_candles=50",
    'signals.agents=["momentum"]',
)
# a busy machine takes its time; short of the suite's own limit, so that what was waited for is told
PATIENCE_S = 240
ROOMY = ("limits.max_drawdown=1", "limits.daily_loss=1")


def candles_of(closes: list[float], symbol: str = SYMBOL) -> Candles:
    """Candles that go from close to close in a straight line, with a little volume."""
    close = np.array(closes)
    opened = np.concatenate([close[:1], close[:-1]])
    times = FIRST_MS + MINUTE_MS * np.arange(len(close), dtype=np.int64)
    high, low = np.maximum(opened, close) + 8, np.minimum(opened, close) - 8
    return Candles(symbol, "1m", times, opened, high, low, close, np.full(len(close), 0.4))


def restless(count: int = HISTORY + 600, seed: int = 5) -> list[float]:
    """Closes of a price that swings by some percent within the hour."""
    rng = random.Random(seed)
    return [
        round(30_000 * (1 + 0.02 * math.sin(n / 7) + 0.01 * math.sin(n / 2.3)) + rng.gauss(0, 20), 2)
        for n in range(count)
    ]


def market(
    closes: list[float] | None = None,
    *,
    usdt: str = "20000",
    lockstep: bool = True,
    can_withdraw: bool = False,
    speed: float = 1.0,
) -> ExchangeServer:
    """An exchange that replays closes; it is open within ``async with``."""
    account = AccountConfig(
        balances={"USDT": Decimal(usdt), "BTC": Decimal("0.5"), "ETH": Decimal(1)}, can_withdraw=can_withdraw
    )
    config = ExchangeConfig(history=HISTORY, accounts=(account,), lockstep=lockstep, speed=speed)
    return ExchangeServer(config, [candles_of(closes or restless())])


def plan_at(
    url: str,
    home: Path,
    name: str = "one",
    *settings: str,
    minutes: float | None = None,
    capital: str | None = "10000",
    keys: Credentials = KEYS,
    **more: object,
) -> Plan:
    """A session at an exchange, which ends in order after so many minutes of the market."""
    request = PaperRequest(
        symbol=str(more.pop("symbol", SYMBOL)), exchange="binance", rest_url=url, home=home, session=name,
        max_minutes=minutes, history=HISTORY, poll_s=15, capital=None if capital is None else Decimal(capital),
        set=[*SETTINGS, *(settings or ROOMY)], **more,
    )  # fmt: skip
    return replace(plan_of(request), credentials=keys)


@dataclass
class Running:
    """A session that runs, and what it has told."""

    plan: Plan
    events: list[SessionEvent] = field(default_factory=list)
    supervision: Supervision | None = None
    listeners: list[Callable[[SessionEvent], None]] = field(default_factory=list)
    _told: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, event: SessionEvent) -> None:
        self.events.append(event)
        self._told.set()
        for listener in self.listeners:
            listener(event)

    @property
    def session(self) -> LiveSession:
        assert self.supervision is not None
        assert self.supervision.session is not None
        return self.supervision.session

    def stop(self, *, cancel_orders: bool = False, flatten: bool = False) -> None:
        assert self.supervision is not None
        self.supervision.request_stop(StopRequest(cancel_orders, flatten, "the test"))

    def of(self, kind: str) -> list[SessionEvent]:
        return [event for event in self.events if event.kind == kind]

    async def until(self, meets: Callable[[], object]) -> None:
        """Wait until a condition holds; it is looked at after each event, and now and then."""
        async with asyncio.timeout(PATIENCE_S):
            while not meets():
                self._told.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._told.wait(), 0.05)

    async def until_feed(self, state: FeedState, after_ms: int = 0) -> SessionEvent:
        """Wait until the feed says how it is, later than a time."""

        def found() -> list[SessionEvent]:
            told = [event for event in self.of("feed") if event.time_ms > after_ms]
            return [event for event in told if event.data["state"] == state.value]

        await self.until(found)
        return found()[0]

    async def heard(self, kind: str, count: int = 1) -> SessionEvent:
        """Wait for so many events of a kind, and return the last of them."""
        await self.until(lambda: len(self.of(kind)) >= count)
        return self.of(kind)[count - 1]

    async def alerted(self, kind: str) -> SessionEvent:
        """Wait for an alert of a kind; a busy machine has others of its own, such as a loop that lags."""

        def told() -> list[SessionEvent]:
            return [event for event in self.of("alert") if event.data["kind"] == kind]

        await self.until(told)
        return told()[0]


@asynccontextmanager
async def running(plan: Plan, clock: Clock | None = None) -> AsyncIterator[tuple[Running, asyncio.Task[SessionEnd]]]:
    """Start a session, and make sure that it has ended when the block does."""
    run = Running(plan)
    task = asyncio.create_task(run_session(plan, run.hear, lambda supervision: _started(run, supervision), clock))
    try:
        await asyncio.sleep(0)
        yield run, task
        if not task.done():
            run.stop()
            await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def played(plan: Plan, clock: Clock | None = None) -> tuple[SessionEnd, Running]:
    """Run a session to its own end."""
    async with running(plan, clock) as (run, task):
        async with asyncio.timeout(PATIENCE_S):
            return await task, run


def journal(plan: Plan) -> JournalReader:
    """Open a session's journal for reading."""
    return SessionCatalog(plan.home).read(plan.name)


def folder(plan: Plan) -> Path:
    """Where a session keeps its files."""
    return SessionCatalog(plan.home).path_of(plan.name)


def sends(server: ExchangeServer) -> int:
    """How many orders the exchange was sent."""
    return sum(one.kind == "place" for one in server.exchange.audit_log.received)


def differences(server: ExchangeServer, plan: Plan) -> list[str]:
    """What the exchange and a journal do not agree on; nothing, after an orderly end."""
    found = []
    with journal(plan) as books:
        ours = {record.client_id: record for record in books.orders() if record.exchange_id is not None}
        theirs = {one.client_id: one for one in server.exchange.all_orders("main", plan.symbol, limit=1_000)}
        found += [f"{name} is not at the exchange" for name in ours.keys() - theirs.keys()]
        found += [f"{name} is not in the journal" for name in theirs.keys() - ours.keys()]
        trades = {(str(one.trade_id), one.client_id) for one in server.exchange.my_trades("main", plan.symbol)}
        booked = {(fill.fill.trade_id, fill.client_id) for fill in books.fills()}
        found += [f"trade {trade} is only on one side" for trade in trades ^ booked]
        open_there = {one.client_id for one in server.exchange.open_orders("main", plan.symbol)}
        open_here = {record.client_id for record in books.open_records() if not record.is_planned}
        found += [f"{name} is open only on one side" for name in open_there ^ open_here]
    return found


def _started(run: Running, supervision: Supervision) -> None:
    run.supervision = supervision
