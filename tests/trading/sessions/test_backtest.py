"""A backtest's result: the JSON contract, the files, and the same bytes for the same input."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from decimal import ROUND_CEILING, Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract import CONTRACT, MAYBE, METRICS, NUMBER
from tests.markets import on_tick, random_market
from tests.trading.engine.tapes import settings_with
from tests.trading.sessions.by_hand import (
    EQUITY_COLUMNS,
    FILL_COLUMNS,
    check_equity,
    check_places,
    exact,
    hash_of,
    keep_account,
    money_unit,
)
from tests.trading.sessions.strategies import steady
from trading import BacktestResult, Candles, Settings, backtest
from trading.report.html import render_report
from trading.signals.records import Action

ROOT = Path(__file__).resolve().parents[3]


def market() -> Candles:
    """A market of two weeks in which the grid buys, sells, stops out and recentres."""
    return on_tick(random_market(5, 4_000, volatility=0.003))


def trading() -> Settings:
    return settings_with(grid={"spacing": 0.006}, limits={"stop_loss": 0.03})


@pytest.fixture(scope="module")
def result() -> BacktestResult:
    return backtest(market(), trading())


@pytest.fixture(scope="module")
def answer(result: BacktestResult) -> dict[str, object]:
    return json.loads(json.dumps(result.as_json(), allow_nan=False))


def check_types(content: dict[str, object], wanted: dict[str, type | tuple[type, ...]]) -> None:
    for name, kind in wanted.items():
        assert isinstance(content[name], kind), name
        assert not isinstance(content[name], bool), name


def test_every_key_of_the_contract_has_its_type(answer):
    check_types(answer, CONTRACT)
    check_types(answer["metrics"], METRICS)
    check_types(answer["timing"], dict.fromkeys(("load_s", "signals_s", "core_s", "total_s"), NUMBER))
    check_types(answer["fill_rules"], dict.fromkeys(("touch", "penetration"), NUMBER))
    assert len(answer["agents"]) == 5
    for agent in answer["agents"]:
        check_types(agent, {"name": str, "signals": int, "mean_confidence": float, "hit_rate": (float, MAYBE)})


def test_the_answer_is_about_the_candles_and_the_money_given(answer, result):
    candles = market()
    assert (answer["symbol"], answer["timeframe"], answer["currency"]) == ("TEST/USDT", "5m", "USDT")
    assert answer["candles"] == len(candles)
    assert (answer["start"], answer["end"]) == ("2024-01-01T00:00:00Z", "2024-01-14T21:20:00Z")
    assert answer["capital"] == 10_000
    assert answer["final_equity"] == result.equity[-1]
    metrics = answer["metrics"]
    assert metrics["total_return"] == answer["final_equity"] / 10_000 - 1
    assert metrics["buy_and_hold_return"] == pytest.approx(candles.close[-1] / candles.close[0] - 1, rel=1e-12)
    assert metrics["fills"] == len(result.fills) > 100
    assert metrics["trades"] == len(result.trades) > 50
    assert list(answer["monthly_returns"]) == ["2024-01"]


def test_the_return_under_its_own_fill_rule_is_the_return(answer):
    assert answer["fill_rules"]["penetration"] == answer["metrics"]["total_return"]
    touch = backtest(
        market(), settings_with(grid={"spacing": 0.006}, limits={"stop_loss": 0.03}, fills={"rule": "touch"})
    )
    assert touch.fill_rules["touch"] == touch.metrics.total_return
    assert touch.fill_rules["penetration"] == answer["fill_rules"]["penetration"]


def test_every_parameter_has_a_value(answer):
    params = answer["params"]
    assert [name for name, value in params.items() if value is None] == []
    for name in ("grid.spacing", "limits.stop_loss", "limits.take_profit", "limits.min_confidence", "trail.base"):
        assert params[name] > 0
    assert params["grid.spacing"] == 0.006
    assert params["limits.stop_loss"] == 0.03


def test_a_run_that_never_started_has_every_value_but_the_spacing_of_a_grid_that_was_never_laid():
    settings = settings_with(grid={"entry_drop": 0.9, "entry_confidence": 1.0})
    result = backtest(market(), settings, strategy=steady(Action.HOLD))
    assert len(result.fills) == len(result.grids) == 0
    assert result.halted is None
    assert [name for name, value in result.as_json()["params"].items() if value is None] == ["grid.spacing"]


def test_a_derived_spacing_is_the_first_grid_s_and_lies_within_its_bounds():
    result = backtest(market(), settings_with())
    spacing = result.as_json()["params"]["grid.spacing"]
    assert 0.005 <= spacing <= 0.05
    first = result.grids[0]
    above = np.searchsorted(first.prices, first.centre)
    assert first.prices[above + 1] / first.prices[above] - 1 == pytest.approx(spacing, abs=0.01 / first.centre)


def test_the_files_have_exactly_their_columns_and_agree_with_an_account_kept_by_hand(result, answer, tmp_path):
    fills = pq.read_table(result.write_fills(tmp_path / "fills.parquet"))
    equity = pq.read_table(result.write_equity(tmp_path / "equity.parquet"))
    assert dict(zip(fills.schema.names, fills.schema.types, strict=True)) == FILL_COLUMNS
    assert dict(zip(equity.schema.names, equity.schema.types, strict=True)) == EQUITY_COLUMNS
    columns = market().columns()
    _, _, fees = keep_account(fills, answer["params"], Decimal(10_000))
    assert answer["metrics"]["fees"] == float(fees)
    check_places(fills, columns)
    check_equity(equity, fills, columns, 10_000.0)
    assert equity["equity"][-1].as_py() == answer["final_equity"]
    assert min(equity["drawdown"].to_pylist()) == answer["metrics"]["max_drawdown"]
    assert hash_of(fills, answer["params"]) == answer["trade_hash"]


def test_the_trade_hash_sees_every_part_of_a_fill(result, answer, tmp_path):
    fills = pq.read_table(result.write_fills(tmp_path / "fills.parquet")).to_pylist()
    other_side = {"buy": "sell", "sell": "buy"}[fills[3]["side"]]
    changes = {"timestamp": 1, "price": 0.01, "quantity": 1.0, "fee": 0.01}
    changed = [{"side": other_side}] + [{name: round(fills[3][name] + by, 8)} for name, by in changes.items()]
    for change in changed:
        rows = [*fills[:3], fills[3] | change, *fills[4:]]
        assert hash_of(pa.Table.from_pylist(rows), answer["params"]) != answer["trade_hash"]


@given(st.integers(0, 2**32), st.sampled_from(["trailing", "limit"]), st.sampled_from(["touch", "penetration"]),
       st.sampled_from([0, 1]), st.sampled_from([0.0, 0.1]))  # fmt: skip
def test_any_run_keeps_its_account_and_stays_within_its_candles(tmp_path_factory, seed, style, rule, latency, share):
    candles = on_tick(random_market(seed, 800, volatility=0.004))
    settings = settings_with(
        grid={"order_style": style, "spacing": 0.006},
        fills={"rule": rule, "latency_candles": latency, "volume_share": share},
        limits={"stop_loss": 0.02},
    )
    run = backtest(candles, settings)
    fills, params = run.fills.table(), run.as_json()["params"]
    _, _, fees = keep_account(fills, params, Decimal(10_000))
    assert exact(run.metrics.fees, money_unit(params)) == fees
    check_places(fills, candles.columns())
    assert hash_of(fills, params) == run.fills.trade_hash()
    path = run.write_equity(tmp_path_factory.mktemp("run") / "equity.parquet")
    check_equity(pq.read_table(path), fills, candles.columns(), 10_000.0)


@given(st.integers(0, 2**32), st.sampled_from([None, "0.1", "1"]))
def test_no_fill_leaves_its_candle_when_prices_are_off_the_tick(seed, tick):
    candles = random_market(seed, 800, volatility=0.004)
    run = backtest(candles, settings_with(grid={"spacing": 0.006}, market={"tick_size": tick} if tick else {}))
    check_places(run.fills.table(), candles.columns())


@given(st.integers(0, 2**32), st.sampled_from(["trailing", "limit"]))
def test_fees_in_the_base_asset_come_out_of_what_is_bought_and_of_nothing_else(seed, style):
    candles = on_tick(random_market(seed, 800, volatility=0.004))
    settings = settings_with(grid={"order_style": style, "spacing": 0.006}, market={"fee_in_base": True})
    run = backtest(candles, settings)
    fills, params = run.fills.table(), run.as_json()["params"]
    check_places(fills, candles.columns())
    unit, rate = money_unit(params), Decimal("0.001")
    grain = Decimal(repr(params["market.lot_size"])) / 1_000_000
    cash, position, fees = Decimal(10_000), Decimal(0), Decimal(0)
    for fill in fills.to_pylist():
        price, quantity = Decimal(repr(fill["price"])), Decimal(repr(fill["quantity"]))
        fee = exact(fill["fee"], unit)
        assert fee == (price * quantity * rate).quantize(unit, ROUND_CEILING)
        if fill["side"] == "buy":
            cash, position = cash - price * quantity, position + quantity * (1 - rate)
        else:
            cash, position = cash + price * quantity - fee, position - quantity
        fees += fee
        assert cash >= 0
        assert position >= 0
        assert exact(fill["cash"], unit) == cash
        assert exact(fill["position"], grain) == position.quantize(grain)
    assert run.metrics.fees == float(fees)
    worth = float(cash + position * Decimal(repr(float(candles.close[-1]))))
    assert run.final_equity == pytest.approx(worth, rel=1e-12)


FRESH = """
import hashlib, json, os, pathlib, sys
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from tests.trading.sessions.test_backtest import digests, market, trading
from trading import backtest
print(json.dumps(digests(backtest(market(), trading()), pathlib.Path(sys.argv[1]))))
"""


def digests(result: BacktestResult, folder: Path) -> dict[str, str]:
    """Return a hash of everything that a run puts out."""
    answer = {name: value for name, value in result.as_json().items() if name != "timing"}
    outputs = {
        "json": json.dumps(answer).encode(),
        "fills": result.write_fills(folder / "fills.parquet").read_bytes(),
        "equity": result.write_equity(folder / "equity.parquet").read_bytes(),
        "report": render_report(result).encode(),
    }
    return {name: hashlib.sha256(content).hexdigest() for name, content in outputs.items()}


def test_the_same_input_gives_the_same_bytes_again_and_in_other_processes(result, tmp_path):
    expected = digests(result, tmp_path)
    assert digests(backtest(market(), trading()), tmp_path) == expected
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    for seed in ("1", "4711"):
        done = subprocess.run(
            [sys.executable, "-c", FRESH, str(tmp_path)],
            env={**environment, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == expected


def test_the_memory_layout_of_the_input_changes_nothing_and_the_input_stays_as_it_was(result):
    candles = market()
    columns = {name: np.repeat(column, 2)[::2] for name, column in candles.columns().items()}
    strided = Candles.from_columns(candles.symbol, candles.timeframe, columns)
    before = {name: column.copy() for name, column in candles.columns().items()}
    again = backtest(strided, trading())
    assert again.fills.trade_hash() == result.fills.trade_hash()
    assert all((column == before[name]).all() for name, column in strided.columns().items())
