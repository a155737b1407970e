"""Speed of a session: decisions, the journal, orders on loopback, and recovery; prints one JSON line.

``python benchmarks/live.py`` takes about two minutes; ``--quick`` measures less of everything. Everything is warm:
what numba compiles, and the interpreter's start, are not counted.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import logging
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from time import perf_counter_ns

import aiohttp
import numpy as np

from tests.trading.sessions.long_run import HISTORY, SYMBOL, exchange_process, plan_on, write_market
from trading import __version__
from trading.brokers.ccxt_broker import CcxtBroker
from trading.brokers.exchange_server.config import TEST_KEY, TEST_SECRET
from trading.exchange.account import open_account
from trading.exchange.clock import SystemClock
from trading.exchange.credentials import Credentials
from trading.market.candles import Candles
from trading.market.rule_tables import market_for
from trading.market.synthetic import synthetic_candles
from trading.orders.journal import Journal
from trading.orders.journal_rows import SessionFacts
from trading.orders.records import OrderRecord
from trading.orders.states import CommandState, OrderState
from trading.orders.venue import NewOrder, VenueFill
from trading.sessions.books import decider_of, market_json
from trading.sessions.catalog import SessionCatalog
from trading.sessions.decider import Decider, Exchange, past_candles
from trading.sessions.inputs import NewCandle, Price
from trading.sessions.keeper import SessionKeeper
from trading.sessions.launch import Plan, opened
from trading.sessions.supervisor import run_session
from trading.settings import Settings

GOALS = {"candle_to_intents.p99_us": 300.0, "recovery.s": 2.0}
SETTINGS = Settings(
    symbol=SYMBOL,
    grid={"entry_drop": 0.0},
    # a halted core would be timed standing still
    limits={"max_drawdown": 1.0, "daily_loss": 0.9},
)
_WARM = 500


def main() -> None:
    """Measure everything and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="measure less of everything")
    options = parser.parse_args()
    logging.getLogger().setLevel(logging.CRITICAL)
    part = 10 if options.quick else 1
    report: dict[str, object] = {"benchmark": "live", "goals": GOALS, "quick": options.quick}
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        _tell("decisions")
        report |= decisions(candles=20_000 // part)
        _tell("journal")
        report |= journal_speed(home / "journal", candles=3_000 // part)
        _tell("orders")
        report |= asyncio.run(order_round_trips(home / "orders", orders=500 // part))
        _tell("recovery")
        report |= recovery(home / "recovery", orders=100_000 // part, history=20_000 // part)
    print(json.dumps(report))


def decisions(candles: int) -> dict[str, object]:
    """Time the core from a closed candle, signals of all default agents included, to its intents; and from a price."""
    history = 2_000
    market = synthetic_candles(SYMBOL, "1m", candles=history + _WARM + candles, seed=5, start_price=30_000.0)
    decider = Decider(SETTINGS, market_for(SYMBOL, market[:history], SETTINGS.market), "1m", Exchange.TICKS)
    decider.see_history(market[:history])
    of_candles, of_prices = [], []
    intents = 0
    gc.collect()
    for number, (candle, prices) in enumerate(_inputs(decider, market[history:])):
        for price in prices:
            began = perf_counter_ns()
            outcome = decider.apply(price)
            took = perf_counter_ns() - began
            if number >= _WARM:
                of_prices.append(took)
            intents += len(outcome.intents)
        began = perf_counter_ns()
        outcome = decider.apply(candle)
        took = perf_counter_ns() - began
        intents += len(outcome.intents)
        if number >= _WARM:
            of_candles.append(took)
    if intents < candles // 200:
        raise SystemExit(f"not a fair session: {intents} intents in {candles} candles")
    return {
        "candle_to_intents": _spread(of_candles),
        "price_to_intents": _spread(of_prices),
        "agents": len(SETTINGS.signals.agents),
        "intents": intents,
    }


def journal_speed(home: Path, candles: int) -> dict[str, object]:
    """Time a session's keeper, each candle and each price that leads to something synced to disk; and bare commits."""
    history = 2_000
    market = synthetic_candles(SYMBOL, "1m", candles=history + candles, seed=5, start_price=30_000.0)
    rules = market_for(SYMBOL, market[:history], SETTINGS.market)
    decider = Decider(SETTINGS, rules, "1m", Exchange.TICKS)
    facts = SessionFacts(
        name="journal",
        mode="paper",
        exchange="built-in",
        symbol=SYMBOL,
        timeframe="1m",
        capital=SETTINGS.capital,
        settings_json=SETTINGS.model_dump_json(exclude={"home"}),
        market_json=market_json(rules),
        created_ms=0,
        origin_ms=0,
        version=__version__,
        account="paper-journal",
    )
    journal = Journal.create(home / "journal.sqlite", facts)
    keeper = SessionKeeper(journal, decider, SystemClock(), lambda event: None)
    keeper.begin(decider.see_history(market[:history]))
    kept, commits = [], []
    for candle, prices in _inputs(decider, market[history:]):
        for price in prices:
            keeper.tell(price)
        began = perf_counter_ns()
        keeper.tell(candle)
        kept.append(perf_counter_ns() - began)
    for number in range(candles):
        began = perf_counter_ns()
        with journal.transaction():
            journal.set_meta("benchmark", str(number))
        commits.append(perf_counter_ns() - began)
    journal.close()
    return {
        "candle_to_journal": _spread(kept),
        "journal_commit": _spread(commits),
        "journal_commits_per_s": 1e9 * len(commits) / sum(commits),
    }


def _inputs(decider: Decider, candles: Candles) -> list[tuple[NewCandle, list[Price]]]:
    # what a feed would tell: the path of each candle in four prices, and the candle after its end
    tick, found = float(decider.market.tick_size), []
    for one in past_candles(candles):
        path = (one.open, one.low, one.high, one.close)
        prices = [
            Price(one.timestamp + 15_000 * at, max(1, round(price / tick)), True) for at, price in enumerate(path)
        ]
        candle = NewCandle(one.timestamp, one.open, one.high, one.low, one.close, one.volume, one.filled)
        found.append((candle, prices))
    return found


@dataclass
class Stopwatch:
    """Where the time of one order goes: in all, inside of ccxt, on the wire and in the exchange."""

    total: list[int] = field(default_factory=list)
    ccxt: list[int] = field(default_factory=list)
    wire: list[int] = field(default_factory=list)
    pace: list[int] = field(default_factory=list)

    def around(self, times: list[int], call: Callable[..., object]) -> Callable[..., object]:
        """Return an asynchronous function that times another one."""

        async def timed(*values: object, **named: object) -> object:
            began = perf_counter_ns()
            try:
                return await call(*values, **named)  # type: ignore[misc]
            finally:
                times.append(perf_counter_ns() - began)

        return timed

    def trace(self) -> aiohttp.TraceConfig:
        """Return what tells of the time from a request's start to its answer's headers."""
        began = 0

        async def start(*_: object) -> None:
            nonlocal began
            began = perf_counter_ns()

        async def end(*_: object) -> None:
            self.wire.append(perf_counter_ns() - began)

        config = aiohttp.TraceConfig()
        config.on_request_start.append(start)
        config.on_request_end.append(end)
        return config


async def order_round_trips(home: Path, orders: int) -> dict[str, object]:
    """Time orders through broker and ccxt to an exchange in another process, which rest; they are cancelled after."""
    home.mkdir()
    market = write_market(home / "BTCUSDT_1m.csv", HISTORY + 60)
    watch = Stopwatch()
    with exchange_process(home, market, speed=0.1) as exchange:
        clock = SystemClock()
        client = open_account("binance", Credentials(TEST_KEY, TEST_SECRET), rest_url=exchange.url, clock=clock)
        broker = CcxtBroker("binance", SYMBOL, client, clock)
        # an allowance without end: pauses for the exchange's limits would be timed otherwise
        async with _traced(client, watch):
            await broker.open()
            price = (await broker.market()).tick_size * 2_500_000
            for number in range(orders + 20):
                order = NewOrder(f"gb-bench-{number}", SYMBOL, 1, Decimal("0.001"), price)
                lists = (watch.ccxt, watch.wire, watch.pace)
                counts = [len(times) for times in lists]
                began = perf_counter_ns()
                placed = await broker.place(order)
                took = perf_counter_ns() - began
                for times, count in zip(lists, counts, strict=True):
                    times[count:] = [sum(times[count:])]
                watch.total.append(took)
                await broker.cancel(order.client_id, placed.exchange_id)
                for times, count in zip(lists, counts, strict=True):
                    del times[count + 1 :]
            await broker.close()
    total, ccxt, wire, pace = (
        np.array(times[-orders:]) for times in (watch.total, watch.ccxt, watch.wire, watch.pace)
    )
    return {
        "order_round_trip": {
            "total": _spread(total),
            "ours": _spread(total - ccxt + pace),
            "ccxt": _spread(ccxt - wire - pace),
            "wire_and_exchange": _spread(wire),
        }
    }


@asynccontextmanager
async def _traced(client: object, watch: Stopwatch) -> AsyncIterator[None]:
    async with aiohttp.ClientSession(trace_configs=[watch.trace()]) as session:
        client.session, client.own_session = session, False  # type: ignore[attr-defined]
        client.create_order = watch.around(watch.ccxt, client.create_order)  # type: ignore[attr-defined]
        client.pace = watch.around(watch.pace, client.pace)  # type: ignore[attr-defined]
        yield


def recovery(home: Path, orders: int, history: int) -> dict[str, object]:
    """Time a session's return to an exchange: from its journal's opening to books that were compared with the venue.

    The session traded for some candles after a long history; its journal then gets the orders of its past, each with
    its trade, as it would have written them.
    """
    home.mkdir()
    market = write_market(home / "BTCUSDT_1m.csv", HISTORY + 240)
    settings = ('signals.agents=["momentum"]',) if history < HISTORY else ()
    with exchange_process(home, market) as exchange:
        plan = plan_on(exchange.url, home, 60, settings=settings)
        plan = replace(plan, request=plan.request.model_copy(update={"cancel_orders": False}))
        asyncio.run(run_session(plan, lambda event: None))
        _add_past(SessionCatalog(home).files_of(plan.name).journal, orders)
        seconds = asyncio.run(_recovered(plan))
    return {"recovery": {"journalled_orders": orders, **seconds}}


def _add_past(path: Path, orders: int) -> None:
    journal = Journal.open(path)
    market = decider_of(journal, Exchange.VENUE).market
    now_ms = journal.facts.created_ms
    with journal.transaction():
        for number in range(orders):
            client_id, side, core_id = f"gb-long-past{number}", 1 - 2 * (number % 2), 10_000_000 + number
            journal.add_order(
                OrderRecord(
                    client_id,
                    core_id,
                    slot=number % 20,
                    side=side,
                    lots=100,
                    limit_ticks=3_000_000,
                    taker=False,
                    why=0,
                    created_ms=now_ms - 1_000 * (orders - number),
                    state=OrderState.FILLED,
                    command=CommandState.CONFIRMED,
                    exchange_id=f"past-{number}",
                    filled_lots=100,
                    sends=1,
                    sent_ms=now_ms - 1_000 * (orders - number),
                )
            )
            fill = VenueFill(
                f"past-{number}",
                f"past-{number}",
                client_id,
                SYMBOL,
                side,
                market.price(3_000_000),
                market.quantity(100),
                Decimal(0),
                market.quote,
                now_ms - 1_000 * (orders - number),
                is_maker=True,
            )
            journal.add_fill(
                client_id, fill, side=side, price_ticks=3_000_000, lots=100, fee_units=0, fee_microlots=0, candle=0
            )
    journal.close()


async def _recovered(plan: Plan) -> dict[str, float]:
    began = perf_counter_ns()
    async with opened(plan, lambda event: None) as session:
        books_s = (perf_counter_ns() - began) / 1e9
        events: list[str] = []
        note = session.keeper.note

        def heard(kind: str, data: dict[str, object]) -> None:
            note(kind, data)
            events.append(kind)
            if kind == "reconciled":
                session.request_stop(_STOP)

        session.keeper.note = heard  # type: ignore[assignment,method-assign]
        await session.run()
    return {"s": 0.0, "books_s": books_s}


def _spread(times_ns: Sequence[int] | np.ndarray) -> dict[str, float]:
    found = np.percentile(np.asarray(times_ns), [50, 99, 99.9])
    return {name: round(float(value) / 1_000, 1) for name, value in zip(("p50_us", "p99_us", "p99.9_us"), found, strict=True)}


def _tell(what: str) -> None:
    print(f"measuring {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
