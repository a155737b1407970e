"""The result: the exact JSON contract, the same bytes every time, the equity file, and text for people."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from tests.contract import CONTRACT, METRICS
from tests.trading.report.example import example_result
from trading.engine.codes import Halt
from trading.errors import DataError, ExitCode, Refused
from trading.report import BacktestResult
from trading.report.result import plain_json


@pytest.fixture(scope="module")
def result() -> BacktestResult:
    return example_result(2_000)


def test_json_keeps_the_contract(result: BacktestResult) -> None:
    content = json.loads(json.dumps(result.as_json(), allow_nan=False))
    assert content.keys() >= {*CONTRACT, "warnings"}
    assert content["metrics"].keys() >= METRICS.keys()
    assert (content["symbol"], content["timeframe"], content["currency"]) == ("BTC/USDT", "5m", "USDT")
    assert (content["candles"], content["capital"]) == (2_000, 10_000)
    assert (content["start"], content["end"]) == ("2025-01-01T00:00:00Z", "2025-01-07T22:40:00Z")
    assert content["final_equity"] == pytest.approx(10_000 * (1 + content["metrics"]["total_return"]))
    assert content["metrics"]["trades"] > 10
    assert content["halted"] is None
    assert datetime.fromisoformat(content["end"]).tzinfo == UTC


def test_json_is_the_same_bytes_except_timing(result: BacktestResult) -> None:
    again = replace(example_result(2_000), timing={"total_s": 99.0})
    one, two = result.as_json(), again.as_json()
    assert one.pop("timing") != two.pop("timing")
    assert json.dumps(one) == json.dumps(two)


def test_equity_file_has_its_columns_and_agrees_with_the_metrics(result: BacktestResult, tmp_path: Path) -> None:
    table = pq.read_table(result.write_equity(tmp_path / "out" / "equity.parquet"))
    assert table.column_names == ["timestamp", "equity", "cash", "position", "drawdown"]
    columns = {name: table[name].to_numpy() for name in table.column_names}
    np.testing.assert_allclose(columns["equity"], columns["cash"] + columns["position"] * result.candles.close)
    assert columns["drawdown"].min() == pytest.approx(result.metrics.max_drawdown)
    assert columns["timestamp"].dtype == np.int64


def test_fills_file_agrees_with_the_json(result: BacktestResult, tmp_path: Path) -> None:
    table = pq.read_table(result.write_fills(tmp_path / "fills.parquet"))
    assert table.num_rows == result.metrics.fills
    assert table.schema.metadata[b"trade_hash"].decode() == result.as_json()["trade_hash"]


def test_equity_file_that_cannot_be_written_is_refused(result: BacktestResult, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Refused, match="cannot be written"):
        result.write_equity(tmp_path / "file" / "equity.parquet")


def test_text_says_what_matters(result: BacktestResult) -> None:
    told = replace(result, halted="drawdown of 15.2% over the limit of 15%", report_path=Path("reports/report.html"))
    console = Console(width=120, record=True, file=None, force_terminal=False, quiet=True)
    console.quiet = False
    with console.capture() as capture:
        console.print(told.as_text())
    text = capture.get()
    for expected in ("BTC/USDT", "buy & hold", "max drawdown", "win rate", "halted: drawdown", "reports/report.html",
                     "! the sign of the return", "max_position 12"):  # fmt: skip
        assert expected in text


def test_halted_run_is_still_done(result: BacktestResult) -> None:
    assert replace(result, halted="drawdown").exit_code is ExitCode.DONE


def test_columns_that_do_not_fit_are_refused(result: BacktestResult) -> None:
    with pytest.raises(DataError, match="'cash'"):
        replace(result, cash=result.cash[:-1])


@pytest.mark.parametrize(
    ("value", "expected"),
    [(float("nan"), None), (Decimal("0.5"), 0.5), (np.int64(3), 3), (np.array([1.0, np.inf]), [1.0, None]),
     (Path("a/b"), "a/b"), ((1, "x"), [1, "x"]), ({Halt.DRAWDOWN: True}, {"1": True})],
)  # fmt: skip
def test_plain_json_of_what_parameters_hold(value: object, expected: object) -> None:
    assert plain_json(value) == expected
