"""Health watches: each trouble is told once when it begins, once when it is over, and never for nothing."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.klines_server import RecordingClock
from trading.errors import Action
from trading.sessions.alerts import Alert, Severity
from trading.sessions.market_watches import ClockWatch, FeedWatch, IdleWatch
from trading.sessions.vitals import disk_free_bytes, monotonic_ms, open_files, open_files_limit, rss_bytes
from trading.sessions.watches import (
    DiskWatch,
    Latch,
    LoopLagWatch,
    MemoryWatch,
    OpenFilesWatch,
    Trouble,
    Watch,
    Watches,
)

MINUTE = 60_000
HOUR = 3_600_000
MB = 1_000_000


class Dial:
    """A reading that the test sets."""

    def __init__(self, value: float) -> None:
        self.value = value

    def __call__(self, *_: object) -> int:
        return int(self.value)


def kinds(alerts: list[Alert]) -> list[tuple[str, str]]:
    return [(alert.kind, alert.severity.value) for alert in alerts]


def run_memory(watch: MemoryWatch, dial: Dial, used_mb: list[float], step_ms: int = MINUTE) -> list[Alert]:
    alerts = []
    for number, used in enumerate(used_mb):
        dial.value = used * MB
        alerts += watch.check(number * step_ms)
    return alerts


def test_lesson_14_memory_that_grows_is_an_alarm_with_its_slope() -> None:
    dial = Dial(0)
    watch = MemoryWatch(dial, slope_mb_h=50)
    alerts = run_memory(watch, dial, [200 + minute * 2 for minute in range(180)])
    assert kinds(alerts) == [("memory_slope", "warning")]
    assert "grows by 120 MB an hour (limit 50)" in alerts[0].sentence


def test_lesson_14_a_warm_up_and_a_saw_tooth_are_no_leak() -> None:
    dial = Dial(0)
    watch = MemoryWatch(dial, slope_mb_h=50)
    warm_up = [100 + minute * 30 for minute in range(10)]
    saw = [400 + (minute % 10) * 3 for minute in range(600)]
    assert run_memory(watch, dial, warm_up + saw) == []


def test_a_slope_is_told_over_when_memory_stands_still() -> None:
    dial = Dial(0)
    watch = MemoryWatch(dial, slope_mb_h=50)
    growing = [200 + minute * 2 for minute in range(120)]
    alerts = run_memory(watch, dial, growing + [growing[-1]] * 90)
    assert kinds(alerts) == [("memory_slope", "warning"), ("memory_slope", "info")]


def test_lesson_19_memory_over_its_limit_is_critical_in_the_warm_up_too() -> None:
    dial = Dial(0)
    watch = MemoryWatch(dial, limit_mb=500)
    alerts = run_memory(watch, dial, [100, 510, 520, 480, 505, 440, 510])
    assert kinds(alerts) == [("memory", "critical"), ("memory", "info"), ("memory", "critical")]


def test_lesson_19_this_process_that_hoards_memory_is_seen_by_the_real_reading() -> None:
    program = (
        "from trading.sessions.watches import MemoryWatch\n"
        "watch, hoard, told = MemoryWatch(slope_mb_h=50), [], []\n"
        "for minute in range(60):\n"
        "    hoard.append(bytearray(b'x') * 2_000_000)\n"
        "    told += watch.check(minute * 60_000)\n"
        "print([alert.kind for alert in told], round(watch.slope_mb_h()))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("['memory_slope'] ")
    assert 100 <= int(done.stdout.split()[-1]) <= 140


@given(
    start=st.floats(1, 1000),
    per_hour=st.floats(-200, 200),
    times=st.lists(st.integers(30_000, 120_000), min_size=40, max_size=100),
)
def test_the_slope_of_a_straight_line_is_its_own(start: float, per_hour: float, times: list[int]) -> None:
    dial, now_ms = Dial(0), 0
    watch = MemoryWatch(dial, warm_up_ms=0)
    for step in times:
        now_ms += step
        dial.value = (start + 1000 + per_hour * now_ms / HOUR) * MB
        watch.check(now_ms)
    slope = watch.slope_mb_h()
    assert slope is None or slope == pytest.approx(per_hour, abs=1e-3)


def test_open_files_near_the_limit_are_told() -> None:
    dial = Dial(10)
    watch = OpenFilesWatch(dial, 100)
    told = []
    for count in (10, 81, 85, 70, 59, 90):
        dial.value = count
        told += watch.check(0)
    assert kinds(told) == [("open_files", "warning"), ("open_files", "info"), ("open_files", "warning")]
    assert OpenFilesWatch(Dial(5_000), 0).check(0) == []


def test_a_disk_that_fills_warns_first_and_forbids_orders_before_it_is_full(tmp_path: Path) -> None:
    dial = Dial(5_000 * MB)
    watch = DiskWatch(tmp_path, dial)
    assert watch.check(0) == []
    dial.value = 900 * MB
    assert kinds(watch.check(1)) == [("disk", "warning")]
    assert watch.forbids_orders is None
    dial.value = 199 * MB
    [full] = watch.check(2)
    assert (full.severity, full.code, full.action) == (Severity.CRITICAL, "E006", Action.REJECT)
    assert watch.forbids_orders == "less than 200 MB of disk are free"
    dial.value = 250 * MB
    assert watch.check(3) == []
    assert watch.forbids_orders is not None
    dial.value = 5_000 * MB
    assert kinds(watch.check(4)) == [("disk_full", "info"), ("disk", "info")]
    assert watch.forbids_orders is None


def test_a_clock_that_jumps_is_told_both_ways() -> None:
    ticking = Dial(0)
    watch = ClockWatch(lambda: None, ticking)
    told = []
    for wall, steady in ((0, 0), (10_000, 10_000), (25_000, 20_000), (35_000, 30_000), (30_000, 40_000)):
        ticking.value = steady
        told += watch.check(wall)
    assert kinds(told) == [("clock_jump", "warning"), ("clock_jump", "info"), ("clock_jump", "warning")]
    assert "+5.0 s" in told[0].sentence
    assert "-15.0 s" in told[2].sentence


@pytest.mark.parametrize("sign", [1, -1])
def test_a_clock_far_from_the_venues_warns_and_beyond_its_window_forbids_orders(sign: int) -> None:
    offset: list[float | None] = [None]
    ticking = Dial(0)
    watch = ClockWatch(lambda: offset[0], ticking)
    assert watch.check(0) == []
    offset[0] = sign * 1_200.0
    assert kinds(watch.check(0)) == [("clock_offset", "warning")]
    assert watch.forbids_orders is None
    offset[0] = sign * 5_001.0
    [beyond] = watch.check(0)
    assert (beyond.kind, beyond.severity) == ("clock", Severity.CRITICAL)
    assert watch.forbids_orders is not None
    offset[0] = sign * 4_500.0
    assert watch.check(0) == []
    assert watch.forbids_orders is not None
    offset[0] = sign * 100.0
    assert kinds(watch.check(0)) == [("clock", "info"), ("clock_offset", "info")]
    assert watch.forbids_orders is None


def test_three_candle_lengths_without_a_candle_are_told_with_their_code() -> None:
    watch = FeedWatch("BTC/USDT", MINUTE)
    watch.candle(0)
    assert watch.check(3 * MINUTE) == []
    [late] = watch.check(3 * MINUTE + 1)
    assert (late.code, late.action, late.severity) == ("E004", Action.FALL_BACK, Severity.CRITICAL)
    assert "180 s ago" in late.sentence or "3 min ago" in late.sentence
    assert watch.check(10 * MINUTE) == []
    watch.candle(11 * MINUTE)
    assert kinds(watch.check(11 * MINUTE)) == [("feed", "info")]


def test_a_feed_that_never_speaks_is_silent_too() -> None:
    watch = FeedWatch("BTC/USDT", MINUTE, tick_limit_ms=10_000)
    assert watch.check(0) == []
    assert kinds(watch.check(11_000)) == [("ticks", "warning")]
    assert kinds(watch.check(4 * MINUTE)) == [("feed", "critical")]


def test_ticks_that_stop_are_told_while_candles_come() -> None:
    watch = FeedWatch("BTC/USDT", MINUTE, tick_limit_ms=10_000)
    watch.candle(0)
    watch.tick(0)
    assert watch.check(10_000) == []
    assert kinds(watch.check(10_001)) == [("ticks", "warning")]
    watch.tick(11_000)
    assert kinds(watch.check(11_001)) == [("ticks", "info")]


def test_lesson_15_no_orders_for_hours_with_the_price_in_range_is_an_alert() -> None:
    watch = IdleWatch("BTC/USDT", limit_ms=4 * HOUR)
    watch.price(0, in_range=True)
    watch.ordered(MINUTE)
    assert watch.check(4 * HOUR) == []
    [idle] = watch.check(4 * HOUR + MINUTE + 1)
    assert (idle.kind, idle.severity) == ("no_orders", Severity.WARNING)
    assert "no order of BTC/USDT for 4.0 h with the price inside the grid" in idle.sentence
    assert watch.check(8 * HOUR) == []
    watch.ordered(8 * HOUR)
    assert kinds(watch.check(8 * HOUR + 1)) == [("no_orders", "info")]


def test_lesson_15_a_dead_stream_does_not_hide_that_nothing_is_ordered() -> None:
    idle, feed = IdleWatch("BTC/USDT", limit_ms=4 * HOUR), FeedWatch("BTC/USDT", MINUTE)
    idle.price(0, in_range=True)
    feed.candle(0)
    told = [alert for minute in range(481) for alert in Watches([idle, feed]).check(minute * MINUTE)]
    assert {alert.kind for alert in told} == {"no_orders", "feed"}


def test_lesson_15_outside_the_grid_nothing_is_expected() -> None:
    watch = IdleWatch("BTC/USDT", limit_ms=HOUR)
    watch.price(0, in_range=True)
    watch.price(30 * MINUTE, in_range=False)
    watch.ordered(40 * MINUTE)
    assert watch.check(10 * HOUR) == []
    watch.price(10 * HOUR, in_range=True)
    assert watch.check(11 * HOUR) == []
    assert kinds(watch.check(11 * HOUR + 1)) == [("no_orders", "warning")]


def test_a_loop_that_stood_still_is_told_with_its_worst_lag() -> None:
    watch = LoopLagWatch(1_000)
    watch.woke(5)
    watch.woke(2_500)
    watch.woke(10)
    [late] = watch.check(0)
    assert "2,500 ms" in late.sentence
    assert kinds(watch.check(1)) == [("loop_lag", "info")]


def test_the_lag_is_measured_on_a_real_loop() -> None:
    class Sleeper(RecordingClock):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds)
            await asyncio.sleep(0)

    times = iter([0.0, 1_000.0, 1_000.0, 4_500.0, 4_500.0])
    watch = LoopLagWatch(1_000)

    async def run() -> None:
        with pytest.raises(RuntimeError):  # the readings run out
            await watch.measure(Sleeper(0), lambda: next(times))

    asyncio.run(run())
    assert "2,500 ms" in watch.check(0)[0].sentence


@given(st.lists(st.sampled_from(["bad", "between", "fine"]), max_size=60), st.integers(1, HOUR))
def test_a_latch_tells_a_beginning_and_an_end_in_turns(states: list[str], step_ms: int) -> None:
    latch = Latch(Trouble("x", Severity.WARNING))
    on, told_ms = False, 0
    for number, state in enumerate(states):
        now_ms = number * step_ms
        alerts = latch.judge(now_ms, "state", "advice", bad=state == "bad", fine=state == "fine")
        begins = state == "bad" and (not on or now_ms - told_ms >= 6 * HOUR)
        ends = state == "fine" and on
        assert kinds(alerts) == [("x", "warning")] * begins + [("x", "info")] * ends
        on = (on or begins) and not ends
        told_ms = now_ms if begins else told_ms
        assert latch.is_on is on


def test_a_trouble_that_lasts_is_told_again_after_six_hours() -> None:
    watch = OpenFilesWatch(Dial(90), 100)
    told = [alert for hour in range(13) for alert in watch.check(hour * HOUR)]
    assert [alert.time_ms for alert in told] == [0, 6 * HOUR, 12 * HOUR]


def test_several_watches_speak_and_forbid_together(tmp_path: Path) -> None:
    disk, clock = DiskWatch(tmp_path, Dial(100 * MB)), ClockWatch(lambda: 9_000.0, Dial(0))
    watches: list[Watch] = [disk, clock, OpenFilesWatch(Dial(1), 100)]
    together = Watches(watches)
    assert together.forbids_orders is None
    assert {alert.kind for alert in together.check(0)} == {"disk", "disk_full", "clock", "clock_offset"}
    assert together.forbids_orders is not None
    assert "disk" in together.forbids_orders
    assert "clock" in together.forbids_orders


def test_the_real_readings_are_of_this_machine(tmp_path: Path) -> None:
    assert 5 * MB < rss_bytes() < 100_000 * MB
    assert disk_free_bytes(tmp_path / "not" / "there" / "yet") > 0
    assert monotonic_ms() <= monotonic_ms()


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="this system does not list open files")
def test_an_opened_file_counts(tmp_path: Path) -> None:
    before = open_files()
    with (tmp_path / "one").open("w"), (tmp_path / "two").open("w"):
        assert open_files() == before + 2
    assert open_files() == before
    assert open_files_limit() == 0 or open_files_limit() >= before


@pytest.mark.skipif(os.name != "posix", reason="needs the resource module")
def test_memory_is_read_without_proc_and_psutil(monkeypatch: pytest.MonkeyPatch) -> None:
    program = (
        "import sys, pathlib\n"
        "pathlib.Path.exists = lambda path, **_: False\n"
        "sys.modules['psutil'] = None\n"
        "import importlib.util, trading.sessions.vitals as vitals\n"
        "vitals.find_spec = lambda name: None\n"
        "print(vitals.rss_bytes())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert 5 * MB < int(done.stdout) < 10_000 * MB
