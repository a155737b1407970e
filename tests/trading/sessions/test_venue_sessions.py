"""Whole sessions on the built-in exchange: money that comes and goes, spreads, and a crash with a position."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from trading.brokers.exchange_server.coinbase_auth import CoinbaseKey
from trading.brokers.exchange_server.config import TEST_KEY, TEST_SECRET, AccountConfig, ExchangeConfig
from trading.brokers.exchange_server.server import ExchangeServer
from trading.engine.codes import FillReason
from trading.errors import ExitCode
from trading.exchange.credentials import Credentials
from trading.market.candles import Candles
from trading.orders.journal_reader import JournalReader
from trading.orders.records import OrderRecord
from trading.sessions.catalog import SessionCatalog
from trading.sessions.control import StopRequest
from trading.sessions.events import SessionEvent
from trading.sessions.launch import Plan, plan_of
from trading.sessions.live_requests import PaperRequest
from trading.sessions.live_session import SessionEnd
from trading.sessions.supervisor import Supervision, run_session

SYMBOL = "BTC/USDT"
START_MS = 1_735_689_600_000
HISTORY = 120
SETTINGS = (
    "grid.order_style=limit",
    "grid.entry_drop=0",
    "grid.spacing=0.004",
    "grid.activation=0.02",
    "limits.max_drawdown=1",
    "limits.daily_loss=1",
    "limits.max_position=1",
    "limits.max_exposure=1",
    "signals.warmup_candles=50",
    'signals.agents=["momentum"]',
)


def swinging(minutes: int, fall_at: int | None = None) -> Candles:
    """A market that swings by 2% within the hour, and from a minute on has lost a tenth."""
    at = np.arange(minutes + 1, dtype=np.float64)
    price = 30_000 * (1 + 0.02 * np.sin(at / 7) + 0.006 * np.sin(at / 2.3))
    if fall_at is not None:
        price[fall_at:] *= 0.9
    price = np.round(price, 2)
    opened, close = price[:-1], price[1:]
    high, low = np.maximum(opened, close) + 10, np.minimum(opened, close) - 10
    times = START_MS + 60_000 * np.arange(minutes, dtype=np.int64)
    return Candles(SYMBOL, "1m", times, opened, high, low, close, np.full(minutes, 5.0))


@dataclass
class Run:
    """A session's account, its exchange, and what the session told."""

    server: ExchangeServer
    plan: Plan
    events: list[SessionEvent] = field(default_factory=list)
    supervision: Supervision | None = None

    async def session(self, on_event: Callable[[SessionEvent], None] = lambda _: None) -> SessionEnd:
        def hear(event: SessionEvent) -> None:
            self.events.append(event)
            on_event(event)

        def started(supervision: Supervision) -> None:
            self.supervision = supervision

        return await run_session(self.plan, hear, started)

    def told(self, kind: str) -> list[SessionEvent]:
        return [event for event in self.events if event.kind == kind]

    def orders(self) -> list[OrderRecord]:
        with self.journal() as journal:
            return journal.orders()

    def journal(self) -> JournalReader:
        return JournalReader.read(SessionCatalog(self.plan.home).files_of(self.plan.name).journal)

    def stop(self, *, flatten: bool = False) -> None:
        assert self.supervision is not None
        self.supervision.request_stop(StopRequest(flatten, flatten, "the test"))


@asynccontextmanager
async def exchange(
    candles: Candles, home: Path, *settings: str, exchange_id: str = "binance", minutes: int = 150, **config: object
) -> AsyncIterator[Run]:
    account = AccountConfig(balances={"USDT": Decimal(25_000), "BTC": Decimal("0.5")})
    whole = ExchangeConfig.model_validate(
        {"lockstep": True, "history": HISTORY, "accounts": (account,), "fee_asset": "quote", **config}
    )
    keys = Credentials(TEST_KEY, TEST_SECRET)
    if exchange_id == "coinbase":
        derived = CoinbaseKey.derived(TEST_KEY, TEST_SECRET)
        keys = Credentials(derived.name, derived.private_pem)
    async with ExchangeServer(whole, [candles]) as server:
        request = PaperRequest.model_validate(
            {
                "symbol": SYMBOL, "exchange": exchange_id, "rest_url": server.url, "home": home, "session": "there",
                "set": [*SETTINGS, *settings], "history": HISTORY, "poll_s": 15, "max_minutes": minutes,
            }
        )  # fmt: skip
        yield Run(server, replace(plan_of(request), credentials=keys))


def test_a_deposit_makes_later_orders_larger_and_a_withdrawal_smaller(own_home: Path) -> None:
    sizes: tuple[list[Decimal], ...] = ([], [], [])
    moved: list[Decimal] = []

    async def main() -> None:
        async with exchange(swinging(330), own_home) as run:

            def move(amount: int) -> None:
                moved.append(run.server.exchange.deposit("main", "USDT", Decimal(amount)).amount)

            def on_event(event: SessionEvent) -> None:
                booked = len(run.told("funded"))
                if event.kind == "order" and event.data["side"] == "buy" and event.data["command"] == "planned":
                    sizes[booked].append(Decimal(str(event.data["quantity"])) * Decimal(str(event.data["price"])))
                if len(moved) == 0 and len(run.told("fill")) == 3:
                    move(10_000)
                elif len(moved) == booked == 1 and len(sizes[1]) >= 4:
                    # the account has 15,000 beside the session's capital, which go first
                    move(-24_000)
                elif booked == 2 and len(sizes[2]) >= 4:
                    run.stop()

            end = await run.session(on_event)
            assert end.exit_code is ExitCode.DONE, end.reason
            assert [Decimal(str(event.data["amount"])) for event in run.told("funded")] == moved
            assert not run.told("halted")

    asyncio.run(main())
    first, rich, poor = (sum(values) / len(values) for values in sizes)
    assert rich > Decimal("1.25") * first
    assert poor < Decimal("0.7") * rich


def test_money_that_vanishes_at_a_venue_without_a_list_of_transfers_halts_the_session(own_home: Path) -> None:
    async def main() -> None:
        async with exchange(swinging(330), own_home, exchange_id="coinbase") as run:

            def on_event(event: SessionEvent) -> None:
                if event.kind == "fill" and len(run.told("fill")) == 3:
                    run.server.exchange.deposit("main", "USDT", Decimal(-500))

            end = await run.session(on_event)
            assert end.exit_code is ExitCode.HALTED
            assert "-500" in end.reason
            assert len(run.told("halted")) == 1

    asyncio.run(main())


@pytest.mark.parametrize(("spread", "limited"), [(0.0002, False), (0.006, True)])
def test_what_is_sold_at_any_price_goes_with_a_limit_while_the_spread_is_wide(
    own_home: Path, spread: float, limited: bool
) -> None:
    async def main() -> None:
        async with exchange(swinging(330), own_home, spread=spread) as run:

            def on_event(event: SessionEvent) -> None:
                if event.kind == "fill" and event.data["side"] == "buy":
                    run.stop(flatten=True)

            end = await run.session(on_event)
            assert end.exit_code is ExitCode.DONE, end.reason
            out = [order for order in run.orders() if order.why == FillReason.FLATTEN]
            assert out
            assert all((order.limit_ticks > 0) == limited for order in out)
            held = {one.asset: one.free + one.locked for one in run.server.exchange.balances("main")}
            assert held["BTC"] == Decimal("0.5")

    asyncio.run(main())


def test_lesson_02_after_a_crash_the_grid_is_there_and_its_position_keeps_its_stop(own_home: Path) -> None:
    async def main() -> None:
        async with exchange(swinging(330, fall_at=190), own_home, "limits.stop_loss=0.03", minutes=80) as run:
            crashed = asyncio.Event()

            def on_event(event: SessionEvent) -> None:
                held = sum(1 if fill.data["side"] == "buy" else -1 for fill in run.told("fill"))
                if event.kind == "fill" and held > 1 and len(run.told("fill")) > 4:
                    crashed.set()

            running = asyncio.create_task(run.session(on_event))
            await asyncio.wait({running, asyncio.create_task(crashed.wait())}, return_when=asyncio.FIRST_COMPLETED)
            # nothing is settled, nothing is cancelled: the session is gone
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            before = {record.client_id: record for record in run.orders()}
            bought = sum(record.side * record.filled_lots for record in before.values())
            assert bought > 0
            run.events.clear()
            end = await run.session()
            assert end.exit_code is ExitCode.DONE, end.reason
            (started,) = run.told("started")
            assert started.data["recovered"] is True
            after = {record.client_id: record for record in run.orders()}
            assert before.keys() <= after.keys()
            stops = [record for record in after.values() if record.why == FillReason.STOP]
            assert sum(record.filled_lots for record in stops) > 0
            audit = run.server.exchange.audit()
            assert audit["repeated_client_ids"] == []

    asyncio.run(main())


def test_the_status_tells_each_coded_error_with_what_is_done_about_it(own_home: Path) -> None:
    statuses: list[dict[str, object]] = []

    async def main() -> None:
        async with exchange(swinging(330), own_home) as run:

            def on_event(event: SessionEvent) -> None:
                if event.kind == "fill" and len(run.told("fill")) == 2:
                    run.server.faults.change({"drop_after": 0.2, "insufficient_funds": 0.3})
                elif event.kind == "order" and event.data["command"] == "rejected":
                    assert run.supervision is not None
                    assert run.supervision.session is not None
                    statuses.append(dict(run.supervision.session.status()))
                    # which of the two comes first is chance
                    if {"E001", "E002"} <= {one["code"] for one in statuses[-1]["errors"]}:  # type: ignore[attr-defined]
                        run.server.faults.change({"drop_after": 0, "insufficient_funds": 0})
                        run.stop()

            await run.session(on_event)

    asyncio.run(main())
    errors = {one["code"]: one for one in statuses[-1]["errors"]}  # type: ignore[attr-defined]
    assert errors["E001"]["action"] == "reconnect"
    assert errors["E002"]["action"] == "reduce_size"
    assert errors["E002"]["count"] >= 1
    assert "funds" in errors["E002"]["reason"] or "balance" in errors["E002"]["reason"]
    assert statuses[-1]["refused"]["venue_funds"] >= 1  # type: ignore[index]
    log = SessionCatalog(own_home).files_of("there").folder / "log"
    records = [json.loads(line) for path in log.iterdir() for line in path.read_text().splitlines()]
    assert {("E001", "reconnect"), ("E002", "reduce_size")} <= {(one["code"], one["action"]) for one in records}


def test_a_feed_that_breaks_stands_in_the_status_with_what_is_done_about_it(own_home: Path) -> None:
    statuses: list[dict[str, object]] = []

    async def main() -> None:
        async with exchange(swinging(330), own_home) as run:

            def on_event(event: SessionEvent) -> None:
                if event.kind == "fill" and len(run.told("fill")) == 2:
                    run.server.faults.change({"maintenance": 1.0, "maintenance_s": 600})
                elif event.kind == "feed" and event.data["state"] == "stale":
                    run.server.faults.change({"maintenance": 0.0})
                elif event.kind == "reconciled" and any(one.data["state"] == "stale" for one in run.told("feed")):
                    assert run.supervision is not None
                    assert run.supervision.session is not None
                    statuses.append(dict(run.supervision.session.status()))
                    run.stop()

            await run.session(on_event)

    asyncio.run(main())
    errors = {one["code"]: one for one in statuses[-1]["errors"]}  # type: ignore[attr-defined]
    assert errors["E004"]["action"] == "fall_back"
