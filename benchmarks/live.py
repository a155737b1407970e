"""Speed of a session: decisions, the journal, orders on loopback, and recovery; prints one JSON line.

``python -m benchmarks.live`` takes about two minutes; ``--quick`` measures less of everything. Everything is warm:
what numba compiles, and the interpreter's start, are not counted.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import logging
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from time import perf_counter_ns, thread_time_ns
from typing import Any

import aiohttp
import numpy as np

from tests.trading.sessions.long_run import HISTORY, SYMBOL, exchange_process, plan_on, write_market
from trading import __version__
from trading.brokers.ccxt_broker import CcxtBroker
from trading.brokers.exchange_server.config import TEST_KEY, TEST_SECRET
from trading.exchange.account import open_account
from trading.exchange.clock import SystemClock
from trading.exchange.credentials import Credentials
from trading.exchange.venue_client import VenueClient
from trading.market.candles import Candles
from trading.market.rule_tables import market_for
from trading.market.synthetic import synthetic_candles
from trading.orders.journal import Journal
from trading.orders.journal_rows import SessionFacts
from trading.orders.records import OrderRecord
from trading.orders.states import CommandState, OrderState
from trading.orders.venue import NewOrder, VenueFill
from trading.sessions.books import market_json, market_of
from trading.sessions.catalog import SessionCatalog
from trading.sessions.control import StopRequest
from trading.sessions.decider import Decider, Exchange, past_candles
from trading.sessions.events import SessionEvent
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

Call = Callable[..., Awaitable[object]]


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
        market = write_market(home / "BTCUSDT_1m.csv", HISTORY + 20_000)
        report |= asyncio.run(order_round_trips(home, market, orders=500 // part))
        _tell("recovery")
        report |= recovery(home / "recovery", orders=100_000 // part, history=20_000 // part)
    print(json.dumps(report))


def decisions(candles: int) -> dict[str, object]:
    """Time the core from a closed candle, signals of all default agents included, to its intents; and from a price."""
    history = 2_000
    market = synthetic_candles(SYMBOL, "1m", candles=history + _WARM + candles, seed=5, start_price=30_000.0)
    decider = Decider(SETTINGS, market_for(SYMBOL, market[:history], SETTINGS.market), "1m", Exchange.TICKS)
    decider.see_history(market[:history])
    times: dict[str, list[int]] = {name: [] for name in ("candle", "candle_cpu", "price", "price_cpu")}
    intents, noise, block = 0, list[int](), bytes(150_000)

    def timed(item: NewCandle | Price, name: str) -> None:
        nonlocal intents
        began, began_cpu = perf_counter_ns(), thread_time_ns()
        outcome = decider.apply(item)
        took_cpu, took = thread_time_ns() - began_cpu, perf_counter_ns() - began
        intents += len(outcome.intents)
        times[name].append(took)
        times[f"{name}_cpu"].append(took_cpu)

    for candle, prices in _inputs(decider, market[history:]):
        for price in prices:
            timed(price, "price")
        timed(candle, "candle")
        began = thread_time_ns()
        hashlib.sha256(block).digest()
        noise.append(thread_time_ns() - began)
    if intents < candles // 400:
        raise SystemExit(f"not a fair session: {intents} intents in {candles} candles")
    return {
        "candle_to_intents": _spread(times["candle"][_WARM:]),
        # without what other programs of the machine take from it
        "candle_to_intents.cpu": _spread(times["candle_cpu"][_WARM:]),
        "price_to_intents": _spread(times["price"][4 * _WARM :]),
        "price_to_intents.cpu": _spread(times["price_cpu"][4 * _WARM :]),
        # the same work each time: what its times differ by is the machine's doing
        "machine.cpu": _spread(noise[_WARM:]),
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


class Stopwatch:
    """Where the time of one order goes: in ccxt, in waiting for the order's turn, on the wire and in the exchange."""

    def __init__(self) -> None:
        self._spent: dict[str, int] = {}

    def taken(self) -> dict[str, int]:
        """Return nanoseconds by part since the last question."""
        spent, self._spent = self._spent, {}
        return spent

    def around(self, part: str, call: Call) -> Call:
        """Return an asynchronous function that times another one."""

        async def timed(*values: object, **named: object) -> object:
            began = perf_counter_ns()
            try:
                return await call(*values, **named)
            finally:
                self._add(part, began)

        return timed

    def trace(self) -> aiohttp.TraceConfig:
        """Return what times each request from its start to its answer's headers."""
        began = 0

        async def start(*_: object) -> None:
            nonlocal began
            began = perf_counter_ns()

        async def end(*_: object) -> None:
            self._add("wire", began)

        config = aiohttp.TraceConfig()
        config.on_request_start.append(start)
        config.on_request_end.append(end)
        return config

    def _add(self, part: str, began: int) -> None:
        self._spent[part] = self._spent.get(part, 0) + perf_counter_ns() - began


async def order_round_trips(home: Path, market: Path, orders: int) -> dict[str, object]:
    """Time resting orders through broker and ccxt to an exchange in another process; each is cancelled afterwards."""
    # fast, so that the exchange's limits of orders in ten seconds are no limits
    watch, times = Stopwatch(), list[dict[str, int]]()
    with exchange_process(home, market, speed=1_000) as exchange:
        clock = SystemClock()
        client = open_account("binance", Credentials(TEST_KEY, TEST_SECRET), rest_url=exchange.url, clock=clock)
        broker = CcxtBroker("binance", SYMBOL, client, clock)
        async with _timed(client, watch):
            await broker.open()
            price = (await broker.market()).tick_size * 2_500_000
            for number in range(_WARM // 10 + orders):
                order = NewOrder(f"gb-bench-{number}", SYMBOL, 1, Decimal("0.001"), price)
                watch.taken()
                began = perf_counter_ns()
                placed = await broker.place(order)
                times.append({"total": perf_counter_ns() - began} | watch.taken())
                await broker.cancel(order.client_id, placed.exchange_id)
            await broker.close()
    total, ccxt, pace, wire = (
        np.array([one[part] for one in times[-orders:]]) for part in ("total", "ccxt", "pace", "wire")
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
async def _timed(client: VenueClient, watch: Stopwatch) -> AsyncIterator[None]:
    async with aiohttp.ClientSession(trace_configs=[watch.trace()]) as session:
        timed: Any = client
        timed.session, timed.own_session = session, False
        timed.create_order = watch.around("ccxt", timed.create_order)
        timed.pace = watch.around("pace", timed.pace)
        yield


def recovery(home: Path, orders: int, history: int) -> dict[str, object]:
    """Time a session's return to an exchange: from its journal's opening to books that agree with the venue's.

    The session has a long history behind it and trades for an hour; its journal then gets the orders of its past, each
    with its trade, as it would have written them.
    """
    home.mkdir()
    market = write_market(home / "BTCUSDT_1m.csv", history + 240)
    with exchange_process(home, market, history=history) as exchange:
        plan = plan_on(exchange.url, home, 60, history=history)
        plan = replace(plan, request=plan.request.model_copy(update={"cancel_orders": False}))
        asyncio.run(run_session(plan, lambda event: None))
        path = SessionCatalog(home).files_of(plan.name).journal
        _add_past(path, orders)
        orderly = min((asyncio.run(_recovered(plan)) for _ in range(3)), key=lambda found: found["s"])
        times = []
        for _ in range(3):
            _undo_the_closing(path)
            times.append(asyncio.run(_recovered(plan)))
        size = path.stat().st_size
    after_a_kill = min(times, key=lambda found: found["s"])
    sizes = {"journalled_orders": orders, "candles": history, "journal_mb": size / 1e6}
    return {"recovery": {**after_a_kill, "after_an_orderly_end_s": orderly["s"], **sizes}}


def _add_past(path: Path, orders: int) -> None:
    journal = Journal.open(path)
    market, began_ms, name = market_of(journal.facts), journal.facts.created_ms, journal.facts.name
    with journal.transaction():
        for number in range(orders):
            client_id, side, at_ms = (
                f"gb-{name}-past{number}",
                1 - 2 * (number % 2),
                began_ms - 1_000 * (orders - number),
            )
            record = OrderRecord(
                client_id=client_id,
                core_id=10_000_000 + number,
                slot=number % 20,
                side=side,
                lots=100,
                limit_ticks=3_000_000,
                taker=False,
                why=0,
                created_ms=at_ms,
                state=OrderState.FILLED,
                command=CommandState.CONFIRMED,
                exchange_id=f"past-{number}",
                filled_lots=100,
                sends=1,
                sent_ms=at_ms,
            )
            fill = VenueFill(
                trade_id=f"past-{number}",
                exchange_id=f"past-{number}",
                client_id=client_id,
                symbol=SYMBOL,
                side=side,
                price=market.price(record.limit_ticks),
                quantity=market.quantity(record.lots),
                fee=Decimal(0),
                fee_asset=market.quote,
                time_ms=at_ms,
                is_maker=True,
            )
            journal.add_order(record)
            journal.add_fill(
                client_id, fill, side=side, price_ticks=3_000_000, lots=100, fee_units=0, fee_microlots=0, candle=0
            )
    journal.close()


def _undo_the_closing(path: Path) -> None:
    # as a kill leaves it: nobody said that the file is whole, so that it is read through
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE meta SET value = '0' WHERE key = 'closed'")


async def _recovered(plan: Plan) -> dict[str, float]:
    heard: dict[str, float] = {}
    began = perf_counter_ns()

    def hear(event: SessionEvent) -> None:
        heard.setdefault(event.kind, (perf_counter_ns() - began) / 1e9)
        if event.kind == "reconciled":
            session.request_stop(StopRequest(cancel_orders=False, flatten=False, source="the benchmark"))

    async with opened(plan, hear) as session:
        books_s = (perf_counter_ns() - began) / 1e9
        await session.run()
    return {"s": heard["reconciled"], "books_s": books_s, "candles_s": heard["started"] - books_s}


def _spread(times_ns: Sequence[int] | np.ndarray) -> dict[str, float]:
    found = np.percentile(np.asarray(times_ns), [50, 99, 99.9])
    return {
        name: round(float(value) / 1_000, 1)
        for name, value in zip(("p50_us", "p99_us", "p99.9_us"), found, strict=True)
    }


def _tell(what: str) -> None:
    print(f"measuring {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
