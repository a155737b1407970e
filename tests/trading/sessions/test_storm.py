"""A session in a storm of all of the built-in exchange's faults; the long version is ``benchmarks/storm.py``."""

from __future__ import annotations

import pytest

from tests.trading.sessions.long_run import HISTORY, LongRun, Watcher, exchange_process, plan_on, run_long, write_market
from tests.trading.sessions.storm_weather import CALM_CANDLES, STORM, Weather

CANDLES = 100
# Each falls on every request; what falls on stream messages, orders or windows of trouble is rarer.
CERTAIN = ("drop_before", "drop_after", "error_500", "error_502", "error_503", "error_504", "garbage", "too_many")
_MB = 1_000_000


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[LongRun, Weather]:
    home = tmp_path_factory.mktemp("storm")
    minutes = 3 * (CANDLES + CALM_CANDLES)
    market = write_market(home / "BTCUSDT_1m.csv", HISTORY + minutes + 120, seed=3)
    with exchange_process(home, market, faults={"seed": 3}) as exchange:
        weather = Weather(exchange, CANDLES)
        watcher = Watcher(exchange, every=10, on_candle=weather)
        plan = plan_on(exchange.url, home, minutes, ws_url=exchange.ws_url)
        return run_long(plan, watcher, before_audit=weather.calm), weather


def test_every_kind_of_request_failed_many_times(run: tuple[LongRun, Weather]) -> None:
    counts = run[1].counts

    assert all(counts[name] > CANDLES / 5 for name in CERTAIN), counts
    assert all(counts[name] > 0 for name in ("maintenance", "clock_skew", "latency", "stale")), counts
    assert set(counts) <= {name for name in STORM if not name.endswith(("_s", "_ms"))}


def test_no_fill_is_lost_and_orders_and_money_agree_after_a_storm(run: tuple[LongRun, Weather]) -> None:
    storm, _ = run

    assert storm.fills > 0
    assert storm.drift == []


def test_session_lives_to_its_end_and_nothing_went_unhandled_in_a_storm(run: tuple[LongRun, Weather]) -> None:
    storm, _ = run

    assert (storm.end.exit_code, storm.end.unsettled) == (0, ())
    assert storm.errors == []
    assert not [problem for problem in storm.watcher.problems if problem.startswith("halted")]


def test_files_and_memory_stay_bounded_in_a_storm(run: tuple[LongRun, Weather]) -> None:
    watcher = run[0].watcher
    warm, last = watcher.after(CANDLES // 3), watcher.samples[-1]

    assert max(one.files for one in watcher.samples) <= warm.files + 8
    assert last.rss < warm.rss + 40 * _MB
