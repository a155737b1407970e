"""The same candles through a backtest and through a paper session, with everything that a session has around its core.

A session replays a candle file with no latency under its supervisor: journal, lock, control socket and patrol included.
Its journal must have the fills of the backtest, to the tick, the lot and the smallest unit of money.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from trading.errors import ExitCode
from trading.market.candles import Candles
from trading.market.synthetic import synthetic_candles
from trading.orders.journal_reader import JournalReader
from trading.report.result import BacktestResult
from trading.sessions.backtest import backtest
from trading.sessions.catalog import SessionCatalog
from trading.sessions.control import StopRequest
from trading.sessions.events import SessionEvent
from trading.sessions.launch import Plan, plan_of, replayed
from trading.sessions.live_requests import PaperRequest
from trading.sessions.logs import LOG_FILE, LOG_FOLDER
from trading.sessions.supervisor import Supervision, run_session

EAGER = ("grid.entry_drop=0", "grid.spacing=0.005", "signals.warmup_candles=60")


def written(candles: Candles, folder: Path) -> Path:
    """Write candles as a person has them in a file."""
    path = folder / f"{candles.symbol.replace('/', '')}_{candles.timeframe}.csv"
    names = ("timestamp", "open", "high", "low", "close", "volume")
    rows = zip(*(getattr(candles, name).tolist() for name in names), strict=True)
    path.write_text("\n".join([",".join(names), *(",".join(map(repr, row)) for row in rows)]) + "\n")
    return path


def request(path: Path, home: Path, *settings: str, **more: object) -> PaperRequest:
    return PaperRequest.model_validate(
        {"candles": str(path), "home": home, "capital": 10_000, "set": [*EAGER, *settings], "session": "twin", **more}
    )


def run(plan: Plan, *, stop_after: int | None = None) -> list[SessionEvent]:
    """Run a session under its supervisor; with a number, ask it to stop after so many fills."""
    events: list[SessionEvent] = []
    supervisions: list[Supervision] = []

    def hear(event: SessionEvent) -> None:
        events.append(event)
        if stop_after is not None and sum(one.kind == "fill" for one in events) == stop_after:
            supervisions[0].request_stop(StopRequest(False, False, "the test"))

    end = asyncio.run(run_session(plan, hear, supervisions.append))
    assert end.exit_code is ExitCode.DONE, end.reason
    return events


def fills_of_session(plan: Plan) -> list[tuple[int, ...]]:
    with JournalReader.read(SessionCatalog(plan.home).files_of(plan.name).journal) as journal:
        orders = {record.client_id: record for record in journal.orders()}
        return [
            (
                fill.fill.time_ms,
                orders[fill.client_id].side,
                fill.price_ticks,
                fill.lots,
                fill.fee_units,
                fill.fee_microlots,
                orders[fill.client_id].core_id,
            )
            for fill in journal.fills()
        ]


def fills_of_backtest(result: BacktestResult) -> list[tuple[int, ...]]:
    fills = result.fills
    names = ("timestamp", "side", "price_ticks", "lots", "fee_units", "fee_microlots", "order_id")
    return [tuple(map(int, row)) for row in zip(*(getattr(fills, name) for name in names), strict=True)]


def expected(plan: Plan) -> BacktestResult:
    assert isinstance(plan.request, PaperRequest)
    return backtest(replayed(plan.request), plan.settings, allow_gaps=True)


def compare(plan: Plan, least_fills: int) -> None:
    result = expected(plan)
    wanted = fills_of_backtest(result)
    assert len(wanted) >= least_fills
    assert fills_of_session(plan) == wanted
    with JournalReader.read(SessionCatalog(plan.home).files_of(plan.name).journal) as journal:
        last = journal.last_equity()
        assert last is not None
        assert last.cash_units == int(result.fills.cash_units[-1])
        assert last.position_microlots // 1_000_000 == int(result.fills.position_lots[-1])


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param((), id="trailing"),
        pytest.param(("grid.order_style=limit",), id="limits"),
        pytest.param(("market.fee_in_base=true", "market.taker_fee=0.001"), id="fees in base"),
        pytest.param(('orders.blackouts=["08:00-10:00"]', "orders.lifetime_candles=12"), id="blackouts"),
    ],
)
def test_a_replayed_session_fills_as_the_backtest_does(
    tmp_path: Path, own_home: Path, settings: tuple[str, ...]
) -> None:
    path = written(synthetic_candles("SIM/USDT", "5m", candles=800, seed=8), tmp_path)
    plan = plan_of(request(path, own_home, *settings))
    events = run(plan)
    compare(plan, 20)
    assert sum(event.kind == "fill" for event in events) == len(fills_of_session(plan))


def test_a_session_that_is_stopped_and_started_again_fills_as_one_that_was_not(tmp_path: Path, own_home: Path) -> None:
    path = written(synthetic_candles("SIM/USDT", "5m", candles=800, seed=8), tmp_path)
    plan = plan_of(request(path, own_home))
    run(plan, stop_after=7)
    cut = len(fills_of_session(plan))
    run(plan, stop_after=11)
    run(plan)
    assert 7 <= cut < len(fills_of_session(plan))
    compare(plan, 20)


def test_holes_in_the_candles_are_bridged_alike(tmp_path: Path, own_home: Path) -> None:
    whole = synthetic_candles("SIM/USDT", "5m", candles=800, seed=8)
    keep = np.random.default_rng(5).random(len(whole)) > 0.003
    keep[400:404] = False
    keep[:60] = keep[-1] = True
    columns = {name: column[keep] for name, column in whole.columns().items()}
    path = written(Candles.from_columns(whole.symbol, whole.timeframe, columns), tmp_path)
    plan = plan_of(request(path, own_home))
    run(plan)
    compare(plan, 20)
    bought_on = {fill[0] for fill in fills_of_session(plan)}
    assert bought_on <= set(whole.timestamp[keep].tolist())


def test_real_candles_fill_alike(shared_data: Path, own_home: Path) -> None:
    real = request(shared_data / "ETHUSDT_5m-sample.csv", own_home, symbol="ETH/USDT", timeframe="5m", end="2025-04-06")
    plan = plan_of(real)
    run(plan)
    compare(plan, 10)


def test_a_damaged_state_is_replaced_by_a_checkpoint_which_is_told_with_its_code(
    tmp_path: Path, own_home: Path
) -> None:
    path = written(synthetic_candles("SIM/USDT", "5m", candles=800, seed=8), tmp_path)
    plan = plan_of(request(path, own_home))
    run(plan, stop_after=9)
    files = SessionCatalog(plan.home).files_of(plan.name)
    with closing(sqlite3.connect(files.journal)) as connection, connection:
        connection.execute("UPDATE core SET state = substr(state, 2)")
    run(plan)
    compare(plan, 20)
    records = [json.loads(line) for line in (files.folder / LOG_FOLDER / LOG_FILE).read_text().splitlines()]
    assert ("E007", "restore_checkpoint") in {(record["code"], record["action"]) for record in records}
