"""`gridbot backtest` as other programs call it: processes on files of every kind and on the candle store."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from tests.end_to_end import forked_program
from tests.markets import named, on_tick, random_market, without
from tests.trading.sessions.by_hand import (
    EQUITY_COLUMNS,
    FILL_COLUMNS,
    check_equity,
    check_places,
    hash_of,
    keep_account,
)
from trading import Candles, backtest, load_settings
from trading.errors import ExitCode
from trading.market.readers import read_candles
from trading.market.resampling import resample

ROOT = Path(__file__).resolve().parents[2]
PINS = ("--set", "grid.spacing=0.006", "--set", "signals.warmup_candles=60")
ROWS = 3_000


def start(home: Path, *words: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "automation.cli", *words],
        cwd=home,
        env={**os.environ, "PYTHONPATH": str(ROOT), "GRIDBOT_HOME": str(home / "data"), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def gridbot(home: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return forked_program.gridbot(home, home / "data", *words, **environment)


def answer(done: subprocess.CompletedProcess[str]) -> dict[str, object]:
    """Return the one JSON object that a successful command prints, and nothing beside it."""
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    [line] = done.stdout.splitlines()
    return json.loads(line, parse_constant=pytest.fail)


def market() -> Candles:
    return named(on_tick(random_market(5, ROWS, volatility=0.004)), "SIM/USDT")


def write_files(folder: Path, candles: Candles) -> None:
    """Write the same candles in every form that is read."""
    columns = candles.columns()
    names = ("open", "high", "low", "close", "volume")
    pq.write_table(pa.table(columns), folder / "SIM-USDT-5m.parquet")
    dates = pa.array(candles.timestamp).cast(pa.timestamp("ms", "UTC"))
    table = pa.table({"date": dates, **{name: columns[name] for name in names}})
    pa.feather.write_feather(table, folder / "SIM_USDT-5m.feather")
    rows = list(zip(candles.timestamp.tolist(), *(columns[name].tolist() for name in names), strict=True))
    (folder / "SIM-USDT-5m.json").write_text(json.dumps(rows), encoding="utf-8")
    text = "\n".join(",".join(map(repr, row)) for row in rows)
    (folder / "SIMUSDT_5m.csv").write_text(f"timestamp,open,high,low,close,volume\n{text}\n", encoding="utf-8")
    klines = "\n".join(",".join([*map(repr, row), str(row[0] + 299_999), "0", "7", "0", "0", "0"]) for row in rows)
    (folder / "SIMUSDT-5m-2024-01.csv").write_text(klines + "\n", encoding="utf-8")
    gappy = without(candles, range(1_000, 1_020)).columns()
    pq.write_table(pa.table(gappy), folder / "GAP-USDT-5m.parquet")
    other = on_tick(random_market(6, ROWS, volatility=0.004)).columns()
    pq.write_table(pa.table(other), folder / "OTHER-USDT-5m.parquet")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with candle files; its store is in ``data``."""
    folder = tmp_path_factory.mktemp("trader")
    write_files(folder, market())
    return folder


@pytest.fixture(scope="module")
def main_run(home: Path) -> dict[str, object]:
    """One run with everything that can be written."""
    files = ("--fills", "out/fills.parquet", "--equity", "out/equity.parquet", "--report", "out/report")
    with start(home, "backtest", "--candles", "SIM-USDT-5m.parquet", *PINS, *files, "--json") as process:
        out, err = process.communicate(timeout=280)
    return answer(subprocess.CompletedProcess(process.args, process.returncode, out, err))


@pytest.fixture(scope="module")
def expected() -> str:
    """The trade hash of the same run inside this process."""
    settings = load_settings({"grid.spacing": 0.006, "signals.warmup_candles": 60})
    return backtest(market(), settings).fills.trade_hash()


def test_the_command_and_the_python_call_make_the_same_trades(main_run, expected):
    assert main_run["trade_hash"] == expected
    assert (main_run["symbol"], main_run["timeframe"], main_run["candles"]) == ("SIM/USDT", "5m", ROWS)
    assert main_run["metrics"]["fills"] > 100
    assert main_run["params"]["grid.spacing"] == 0.006
    assert main_run["params"]["signals.warmup_candles"] == 60


def check_files(run: Mapping[str, object], folder: Path, candles: Candles, capital: int = 10_000) -> None:
    """Audit the files of a run from the outside."""
    fills, equity = pq.read_table(folder / "fills.parquet"), pq.read_table(folder / "equity.parquet")
    assert dict(zip(fills.schema.names, fills.schema.types, strict=True)) == FILL_COLUMNS
    assert dict(zip(equity.schema.names, equity.schema.types, strict=True)) == EQUITY_COLUMNS
    assert fills.num_rows == run["metrics"]["fills"] > 0
    cash, position, fees = keep_account(fills, run["params"], Decimal(capital))
    assert float(fees) == run["metrics"]["fees"]
    columns = candles.columns()
    check_places(fills, columns)
    check_equity(equity, fills, columns, float(capital), run["params"]["market.tick_size"])
    worth = float(cash + position * Decimal(repr(float(candles.close[-1]))))
    tick = run["params"]["market.tick_size"]
    assert run["final_equity"] == pytest.approx(worth, rel=1e-12, abs=float(position) * tick / 2)
    assert run["metrics"]["total_return"] == run["final_equity"] / capital - 1
    assert hash_of(fills, run["params"]) == run["trade_hash"]


def test_the_files_stand_where_they_were_asked_for_and_pass_an_audit_from_outside(home, main_run):
    check_files(main_run, home / "out", market())
    assert main_run["report"] == str(Path("out/report/report.html"))
    page = (home / main_run["report"]).read_text(encoding="utf-8")
    assert main_run["trade_hash"] in page
    assert not list(home.rglob("*.part"))


@pytest.mark.parametrize(
    "file", ["SIM_USDT-5m.feather", "SIM-USDT-5m.json", "SIMUSDT_5m.csv", "SIMUSDT-5m-2024-01.csv"]
)
def test_every_kind_of_file_gives_the_same_trades(home, file, expected):
    assert answer(gridbot(home, "backtest", "--candles", file, *PINS, "--json"))["trade_hash"] == expected


@pytest.mark.slow
def test_imported_candles_give_the_same_trades_and_a_symbol_of_one_s_choice(home, expected):
    words = ("data", "import", "SIMUSDT_5m.csv", "--symbol", "NEW/USDT", "--json")
    answer(gridbot(home, *words))
    run = answer(gridbot(home, "backtest", "--candles", "NEW/USDT", *PINS, "--json"))
    assert (run["symbol"], run["trade_hash"]) == ("NEW/USDT", expected)


def test_a_period_a_longer_timeframe_and_a_symbol_are_what_was_asked_for(home):
    period = ("--start", "2024-01-02", "--end", "2024-01-09T12:00:00+00:00")
    words = (
        "--candles",
        "SIM-USDT-5m.parquet",
        *period,
        "--timeframe",
        "15m",
        "--symbol",
        "ABC/EUR",
        "--capital",
        "2500",
    )
    run = answer(gridbot(home, "backtest", *words, *PINS, "--json"))
    assert (run["start"], run["end"]) == ("2024-01-02T00:00:00Z", "2024-01-09T12:00:00Z")
    assert (run["symbol"], run["timeframe"], run["currency"], run["capital"]) == ("ABC/EUR", "15m", "EUR", 2_500)
    longer = named(resample(market(), "15m"), "ABC/EUR").between(1_704_153_600_000, 1_704_801_600_000)
    assert run["candles"] == len(longer) == 720
    settings = load_settings({"grid.spacing": 0.006, "signals.warmup_candles": 60}, capital=2_500)
    assert run["trade_hash"] == backtest(longer, settings).fills.trade_hash()


@pytest.mark.slow
def test_several_candles_share_one_capital(home, tmp_path):
    both = ("--candles", "SIM-USDT-5m.parquet", "--candles", "OTHER-USDT-5m.parquet")
    # a symbol in a settings file is not the symbol of every file
    run = answer(gridbot(home, "backtest", *both, *PINS, "--json", GRIDBOT_SYMBOL="ETH/USDT"))
    assert run["symbols"] == ["SIM/USDT", "OTHER/USDT"]
    assert run["capital"] == 10_000
    parts = run["by_symbol"].values()
    assert sum(part["fills"] for part in parts) == run["metrics"]["fills"] > 200
    refused = gridbot(home, "backtest", *both, "--fills", "both.parquet")
    assert refused.returncode == ExitCode.USAGE
    assert "--fills" in refused.stderr


def test_the_command_line_beats_the_environment_and_that_the_settings_file(home, tmp_path):
    (tmp_path / "gridbot.toml").write_text(
        'capital = 500\nrisk = "aggressive"\n[grid]\nspacing = 0.02\n[limits]\nmax_position = 0.4\n', encoding="utf-8"
    )
    file = str(home / "SIM-USDT-5m.parquet")
    environment = {"GRIDBOT_GRID__SPACING": "0.03", "GRIDBOT_CAPITAL": "4000"}
    run = answer(
        gridbot(tmp_path, "backtest", "--candles", file, "--json", "--set", "grid.spacing=0.04", **environment)
    )
    names = ("grid.spacing", "capital", "risk", "limits.max_position")
    assert [run["params"][name] for name in names] == [0.04, 4_000, "aggressive", 0.4]


@pytest.mark.slow
def test_gaps_ask_for_leave_and_are_in_the_result_when_they_have_it(home):
    refused = gridbot(home, "backtest", "--candles", "GAP-USDT-5m.parquet", "--json")
    assert refused.returncode == ExitCode.REFUSED
    [sentence] = refused.stderr.splitlines()
    assert "20 of 3000 candles" in sentence
    assert "--allow-gaps" in sentence
    assert json.loads(refused.stdout)["error"]["exit_code"] == ExitCode.REFUSED
    run = answer(gridbot(home, "backtest", "--candles", "GAP-USDT-5m.parquet", "--allow-gaps", "--json"))
    assert run["data_quality"]["missing"] == 20
    assert any("20 of 3000" in warning for warning in run["warnings"])


@pytest.mark.parametrize(
    ("words", "code", "part"),
    [
        (["--candles", "SIM-USDT-5m.parquet", "--set", "grid.spacng=1"], ExitCode.USAGE, "mean grid.spacing"),
        (["--candles", "SIM-USDT-5m.parquet", "--capital", "-5"], ExitCode.USAGE, "--capital"),
        (["--candles", "SIM-USDT-5m.parquet", "--capital", "50"], ExitCode.REFUSED, "minimum of 5"),
        (["--candles", "SIM-USDT-5m.parquet", "--timeframe", "1m"], ExitCode.USAGE, "1m"),
        (["--candles", "SIM-USDT-5m.parquet", "--start", "yesterday"], ExitCode.USAGE, "yesterday"),
        (["--candles", "SIM-USDT-5m.parquet", "--start", "2030-01-01"], ExitCode.REFUSED, "--start"),
        (["--candles", "SIM-USDT-5m.parquet", "--end", "2024-01-01T10:00"], ExitCode.REFUSED, "120 candles"),
        (["--candles", "NO/USDT"], ExitCode.REFUSED, "NO/USDT"),
        (["--candles", "SIM-USDT-5m.parquet", "--equity", "never.parquet"], ExitCode.USAGE, "which --fills names"),
        (
            ["--candles", "SIM-USDT-5m.parquet", "--equity", "./SIM-USDT-5m.parquet"],
            ExitCode.USAGE,
            "--equity would overwrite SIM-USDT-5m.parquet, which --candles names",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_an_exit_code_and_no_files(home, words, code, part):
    done = gridbot(home, "backtest", *words, "--fills", "never.parquet", "--report", "never")
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    [sentence] = done.stderr.splitlines()
    assert sentence.startswith("gridbot: ")
    assert part in sentence
    assert not list(home.glob("never*"))


def test_a_place_that_cannot_be_written_is_said_in_one_sentence(home):
    (home / "occupied").write_text("a file, not a folder", encoding="utf-8")
    done = gridbot(home, "backtest", "--candles", "SIM-USDT-5m.parquet", *PINS, "--fills", "occupied/fills.parquet")
    assert done.returncode == ExitCode.REFUSED
    [sentence] = [line for line in done.stderr.splitlines() if line.startswith("gridbot: ")]
    assert "occupied/fills.parquet cannot be written" in sentence
    assert (home / "occupied").read_text(encoding="utf-8") == "a file, not a folder"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a named pipe to hold the command while it reads")
def test_ctrl_c_ends_with_130_and_leaves_older_files_whole_and_no_partial_ones(tmp_path):
    pipe = tmp_path / "SIM-USDT-5m.csv"
    os.mkfifo(pipe)
    (tmp_path / "fills.parquet").write_bytes(b"from an older run")
    words = (
        "backtest",
        "--candles",
        str(pipe),
        "--fills",
        "fills.parquet",
        "--equity",
        "equity.parquet",
        "--report",
        "r",
    )
    with start(tmp_path, *words) as process:
        # the pipe can be opened only once the command reads from it
        writer = None
        while writer is None:
            try:
                writer = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:
                assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGINT)
        os.close(writer)
        out, err = process.communicate(timeout=60)
    assert process.returncode == ExitCode.INTERRUPTED, err
    assert out == ""
    assert err.splitlines()[-1].startswith("gridbot: interrupted")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["SIM-USDT-5m.csv", "fills.parquet"]
    assert (tmp_path / "fills.parquet").read_bytes() == b"from an older run"


REAL_FILES = {
    "ADA-USDT-1m.parquet": ("ADA/USDT", "1m", 10_000),
    "BTC-PERP-1m-2022-01.parquet": ("BTC/PERP", "1m", 10_000),
    "BTC-USDT-1h-2017-2022.parquet": ("BTC/USDT", "1h", 10_000),
    "BTC-USDT-5m.parquet": ("BTC/USDT", "5m", 10_000),
    "ETH-USDT-5m.parquet": ("ETH/USDT", "5m", 10_000),
    "ETHUSDT_5m-sample.csv": ("ETH/USDT", "5m", 10_000),
    "XRP_ETH-5m-sample.feather": ("XRP/ETH", "5m", 5),
}


QUICK = {"ETHUSDT_5m-sample.csv", "XRP_ETH-5m-sample.feather"}


@pytest.mark.parametrize(
    "file", [pytest.param(file, marks=() if file in QUICK else pytest.mark.slow) for file in REAL_FILES]
)
def test_a_real_file_runs_and_its_account_is_right_to_the_last_unit(shared_data, tmp_path, file):
    symbol, timeframe, capital = REAL_FILES[file]
    files = ("--fills", "fills.parquet", "--equity", "equity.parquet")
    words = ("--candles", str(shared_data / file), "--capital", str(capital), *files, "--allow-gaps", "--json")
    run = answer(gridbot(tmp_path, "backtest", *words))
    assert (run["symbol"], run["timeframe"]) == (symbol, timeframe)
    candles = read_candles(shared_data / file)
    assert run["candles"] == len(candles)
    check_files(run, tmp_path, candles, capital)


def test_the_gaps_of_a_real_file_are_shown_and_stop_a_run_that_does_not_allow_them(shared_data, tmp_path):
    file = str(shared_data / "BTC-USDT-1h-2017-2022.parquet")
    checked = gridbot(tmp_path, "data", "check", file, "--json")
    [report] = json.loads(checked.stdout)["reports"]
    assert len(report["gaps"]) == 27
    assert sum(gap["missing"] for gap in report["gaps"]) == report["missing"] == 127
    steps = np.diff(read_candles(file).timestamp)
    assert (steps > 3_600_000).sum() == 27
    refused = gridbot(tmp_path, "backtest", "--candles", file)
    assert refused.returncode == ExitCode.REFUSED
    assert "33 candles" in refused.stderr
    assert "--allow-gaps" in refused.stderr
