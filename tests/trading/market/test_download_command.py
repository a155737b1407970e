"""`data download`: what a person sees when it ends well, in errors, and with Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from rich.console import Console

from tests.klines_server import HANG, Call, KlinesServer, RecordingClock, status
from tests.markets import START_MS, random_market
from tests.trading.market.series import watched
from trading.errors import ConnectionLost, ExitCode, RateLimited, UsageError
from trading.market.candles import Candles
from trading.market.download_command import DownloadRequest, DownloadResult, download
from trading.market.sources import home_store
from trading.registered import trading_registry

CANDLES = random_market(1, 2_500, "1m")
END_MS = START_MS + 2_500 * 60_000
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def server() -> Iterator[KlinesServer]:
    with KlinesServer(END_MS) as market:
        market.serve(CANDLES)
        market.serve(Candles.from_columns("OTHER/USDT", "1m", CANDLES.columns()))
        yield market


def request(server: KlinesServer, home: Path, *symbols: str, **values: object) -> DownloadRequest:
    given = {"start": "2024-01-01", "rest_url": server.url, "home": home, "timeout_s": 2} | values
    return DownloadRequest(symbols=list(symbols or ("TEST/USDT",)), **given)


def text(result: DownloadResult) -> str:
    out = StringIO()
    Console(file=out, width=250).print(result.as_text())
    return out.getvalue()


def test_registry_runs_this_command() -> None:
    command = trading_registry()["data download"]
    assert command.load_function() is download
    assert command.load_request() is DownloadRequest


def test_candles_land_in_the_store_of_the_home(server: KlinesServer, tmp_path: Path) -> None:
    result, steps = watched(download(request(server, tmp_path)))
    np.testing.assert_array_equal(home_store(tmp_path).read("TEST/USDT", "1m").close, CANDLES.close)
    assert result.exit_code is ExitCode.DONE
    assert (steps[-1].done, steps[-1].total, steps[-1].unit) == (2_500, 2_500, "candles")
    assert json.loads(json.dumps(result.as_json())) == {
        "exchange": "binance",
        "interrupted": False,
        "series": [
            {
                "symbol": "TEST/USDT",
                "timeframe": "1m",
                "wanted": 2_500,
                "stored": 2_500,
                "start": "2024-01-01T00:00:00Z",
                "end": "2024-01-02T17:39:00Z",
                "state": "done",
                "error": None,
            }
        ],
    }
    assert re.search(r"TEST/USDT +1m +2024-01-01T00:00:00Z +2024-01-02T17:39:00Z +2,500 +done", text(result))


def test_symbols_and_timeframes_are_all_combined(server: KlinesServer, tmp_path: Path) -> None:
    hours = random_market(2, 40, "1h")
    server.serve(hours)
    server.serve(Candles.from_columns("OTHER/USDT", "1h", hours.columns()))
    asked_twice = ("TEST/USDT", "OTHER/USDT", "TEST/USDT")
    result, _ = watched(download(request(server, tmp_path, *asked_twice, timeframe=["1m", "1h"])))
    assert len(result.series) == 4
    stored = {(one.symbol, one.timeframe): one.stored for one in result.series}
    assert stored == {
        (symbol, name): n for symbol in ("TEST/USDT", "OTHER/USDT") for name, n in (("1m", 2_500), ("1h", 40))
    }


def test_an_unknown_symbol_is_one_sentence_and_exit_code_2(server: KlinesServer, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="binance does not list 'TESD/USDT'; did you mean TEST/USDT") as refusal:
        watched(download(request(server, tmp_path, "TESD/USDT")))
    assert refusal.value.exit_code is ExitCode.USAGE
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"exchange": "binanse"}, "there is no exchange 'binanse'"),
        ({"start": "yesterday"}, "'yesterday' is not a time"),
        ({"start": "2024-02-01", "end": "2024-01-01"}, "--end 2024-01-01 is not after --start 2024-02-01"),
        ({"timeframe": ["9m"]}, "binance has no candles of 9m"),
    ],
)
def test_wrong_words_are_one_sentence(
    server: KlinesServer, tmp_path: Path, values: dict[str, object], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        watched(download(request(server, tmp_path, **values)))


@pytest.mark.parametrize("values", [{"symbols": []}, {"concurrency": 0}, {"timeframe": []}, {"colour": "red"}])
def test_requests_out_of_range_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DownloadRequest(**({"symbols": ["A/B"]} | values))


def test_nothing_stored_at_all_is_an_error(server: KlinesServer, tmp_path: Path) -> None:
    server.always = status(503)
    clock = RecordingClock(END_MS)
    with pytest.raises(ConnectionLost, match="binance did not answer candles of TEST/USDT 1m in 8 tries"):
        watched(download(request(server, tmp_path), clock))
    assert len(clock.sleeps) == 7


def test_no_server_at_all_is_an_error(tmp_path: Path) -> None:
    with KlinesServer(END_MS) as gone:
        asked = request(gone, tmp_path)
    with pytest.raises(ConnectionLost, match="binance did not answer the list of markets"):
        watched(download(asked, RecordingClock(END_MS)))


def test_a_failed_series_is_reported_beside_the_others(server: KlinesServer, tmp_path: Path) -> None:
    server.always_for = {"OTHERUSDT": status(429, "86400")}
    result, _ = watched(download(request(server, tmp_path, "TEST/USDT", concurrency=1), RecordingClock(END_MS)))
    assert result.exit_code is ExitCode.DONE
    server.now_ms += 60_000
    server.serve(random_market(1, 2_501, "1m"))
    both = request(server, tmp_path, "TEST/USDT", "OTHER/USDT", concurrency=1)
    result, _ = watched(download(both, RecordingClock(END_MS)))
    assert result.exit_code is ExitCode.FAILED
    assert [one.state for one in result.series] == ["done", "failed"]
    assert "OTHER/USDT 1m: nothing new was stored; binance asks this address to stop (HTTP 429)" in text(result)


def test_a_ban_is_an_error(server: KlinesServer, tmp_path: Path) -> None:
    server.always = status(418, "60")
    with pytest.raises(RateLimited, match="try again in 60 s"):
        watched(download(request(server, tmp_path)))


def test_ctrl_c_keeps_what_came_and_says_so(server: KlinesServer, tmp_path: Path) -> None:
    server.faults = [None, HANG]
    work = download(request(server, tmp_path, timeout_s=60))
    while next(work).done < 1_000:
        pass
    with pytest.raises(StopIteration) as end:
        work.throw(KeyboardInterrupt())
    result: DownloadResult = end.value.value
    assert result.exit_code is ExitCode.INTERRUPTED
    assert result.as_json()["interrupted"] is True
    kept = "TEST/USDT 1m: 1,000 candles are kept, 2024-01-01T00:00:00Z to 2024-01-01T16:39:00Z"
    assert f"{kept}; the same command goes on" in text(result)
    assert len(home_store(tmp_path).read("TEST/USDT", "1m")) == 1_000


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_ctrl_c_on_the_real_command_line_keeps_what_came(server: KlinesServer, tmp_path: Path) -> None:
    second_page = threading.Event()

    def on_call(_: Call) -> None:
        if len(server.klines_calls) == 2:
            second_page.set()

    server.faults, server.on_call = [None, HANG], on_call
    arguments = ["data", "download", "TEST/USDT", "--start", "2024-01-01", "--rest-url", server.url, "--json"]
    with subprocess.Popen(
        [sys.executable, "-m", "automation.cli", *arguments, "--home", str(tmp_path), "--timeout-s", "60"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as process:
        assert second_page.wait(60)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == ExitCode.INTERRUPTED, err
    answer = json.loads(out)
    assert answer["interrupted"] is True
    assert answer["series"][0]["stored"] == 1_000
    assert len(home_store(tmp_path).read("TEST/USDT", "1m")) == 1_000
