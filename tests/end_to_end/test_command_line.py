"""The main job as a user runs it: the real program in a process of its own, from candles to an audited report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.contract import CONTRACT, METRICS
from tests.end_to_end import forked_program
from trading.errors import ExitCode

ROOT = Path(__file__).resolve().parents[2]
FILL_COLUMNS = {
    "timestamp", "candle", "order_id", "side", "price", "quantity", "fee", "reason", "level", "cash", "position",
}  # fmt: skip


def gridbot(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    home.mkdir(parents=True, exist_ok=True)
    return forked_program.gridbot(home, home, *words)


def program(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the program as a shell does."""
    return subprocess.run(
        [sys.executable, "-m", "automation.cli", *words],
        cwd=home,
        env={**os.environ, "PYTHONPATH": str(ROOT), "GRIDBOT_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=280,
    )


def answer(done: subprocess.CompletedProcess[str]) -> dict[str, object]:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout, parse_constant=pytest.fail)


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data home with one synthetic market in its store."""
    home = tmp_path_factory.mktemp("stocked")
    words = ("data", "synthetic", "SIM/USDT", "--timeframe", "1m", "--candles", "20000", "--seed", "7")
    assert program(home, *words).returncode == 0
    return home


def test_a_stored_market_is_listed_and_checked(stocked: Path) -> None:
    listed = gridbot(stocked, "data", "list")
    assert "SIM/USDT" in listed.stdout
    checked = gridbot(stocked, "data", "check", "SIM/USDT")
    assert checked.returncode == 0, checked.stderr


def test_a_backtest_answers_the_whole_contract_and_twice_the_same(stocked: Path) -> None:
    words = ("backtest", "--candles", "SIM/USDT", "--timeframe", "1m", "--set", "grid.spacing=0.006", "--json")
    files = ("--fills", "fills.parquet", "--equity", "equity.parquet", "--report", "report")
    first, second = answer(program(stocked, *words, *files)), answer(gridbot(stocked, *words))
    assert first.keys() >= CONTRACT.keys()
    assert first["metrics"].keys() >= METRICS.keys()
    assert first["timing"].keys() >= {"load_s", "signals_s", "core_s", "total_s"}
    assert first["fill_rules"].keys() >= {"touch", "penetration"}
    assert (first["symbol"], first["timeframe"], first["currency"]) == ("SIM/USDT", "1m", "USDT")
    assert first["trade_hash"] == second["trade_hash"]
    assert first["metrics"] == second["metrics"]

    fills = pq.read_table(stocked / "fills.parquet")
    assert set(fills.column_names) >= FILL_COLUMNS
    assert fills.num_rows == first["metrics"]["fills"] > 0
    equity = pq.read_table(stocked / "equity.parquet")
    assert equity.column_names == ["timestamp", "equity", "cash", "position", "drawdown"]
    assert equity.num_rows == first["candles"]
    assert equity["equity"][-1].as_py() == pytest.approx(first["final_equity"], rel=1e-12)


def test_the_report_is_one_file_that_loads_nothing_from_elsewhere(stocked: Path) -> None:
    done = gridbot(stocked, "backtest", "--candles", "SIM/USDT", "--timeframe", "5m", "--report", "page")
    assert done.returncode == 0, done.stderr
    [page] = (stocked / "page").rglob("*.html")
    assert page.name in done.stdout
    text = page.read_text(encoding="utf-8")
    assert 'src="http' not in text
    assert '<link rel="stylesheet" href="http' not in text


def test_a_real_file_takes_symbol_from_its_name_and_timeframe_from_its_rows(shared_data: Path, tmp_path: Path) -> None:
    result = answer(gridbot(tmp_path, "backtest", "--candles", str(shared_data / "ETHUSDT_5m-sample.csv"), "--json"))
    assert (result["symbol"], result["timeframe"]) == ("ETH/USDT", "5m")


@pytest.mark.parametrize(
    ("words", "code", "part"),
    [
        (["backtest"], ExitCode.USAGE, "--candles"),
        (["backtest", "--candles", "nowhere.parquet"], ExitCode.REFUSED, "nowhere.parquet"),
        (["backtest", "--candles", "SIM/USDT", "--set", "grid.spacng=1"], ExitCode.USAGE, "grid.spacing"),
        (["backtest", "--candles", "SIM/USDT", "--set", "grid.spacing=9"], ExitCode.USAGE, "0.5"),
        (["backtest", "--candles", "SIM/USDT", "--risk", "wild"], ExitCode.USAGE, "conservative"),
        (["backtest", "--candles", "SIM/USDT", "--timeframe", "7q"], ExitCode.USAGE, "7q"),
        (["data", "check", "broken.csv"], ExitCode.REFUSED, "broken.csv"),
        (["data", "import", "broken.csv"], ExitCode.REFUSED, "broken.csv"),
    ],
)
def test_a_mistake_is_one_sentence_and_an_exit_code(stocked: Path, words: list[str], code: ExitCode, part: str) -> None:
    (stocked / "broken.csv").write_text("timestamp,open,high,low,close,volume\n1,2,3\n", encoding="utf-8")
    done = gridbot(stocked, *words)
    assert done.returncode == code, done.stderr
    [sentence] = done.stderr.splitlines()
    assert sentence.startswith("gridbot: ")
    assert part in sentence


def test_a_bad_settings_file_is_named_with_its_line(stocked: Path, tmp_path: Path) -> None:
    (tmp_path / "gridbot.toml").write_text("capital = 5\n[grid]\nspacing = 'wide'\n", encoding="utf-8")
    done = gridbot(tmp_path, "backtest", "--home", str(stocked), "--candles", "SIM/USDT")
    assert done.returncode == ExitCode.USAGE
    assert "gridbot.toml, line 3" in done.stderr


def test_every_setting_is_shown(stocked: Path) -> None:
    shown = json.dumps(answer(gridbot(stocked, "config", "show", "--set", "grid.spacing=0.0123", "--json")))
    for part in ("0.0123", "max_drawdown", "order_share"):
        assert part in shown
