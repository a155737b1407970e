"""The store keeps what it is given once, in order, whole, and inside its folder."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.market.series import START_MS, candles_at, equal, gappy, steady, tree
from trading.errors import DataError, Refused, UsageError
from trading.market.candles import COLUMNS
from trading.market.filling import fill_short_gaps
from trading.market.resampling import resample
from trading.market.store import CandleStore

DAY_MS = 86_400_000


@given(candles=gappy("4h", most=400), data=st.data())
def test_disjoint_parts_may_arrive_in_any_order_and_more_than_once(candles, data, tmp_path_factory):
    cuts = sorted(data.draw(st.sets(st.integers(1, len(candles) - 1), max_size=4)))
    parts = [candles[first:last] for first, last in zip([0, *cuts], [*cuts, len(candles)], strict=True)]
    store = CandleStore(tmp_path_factory.mktemp("store"))
    for part in data.draw(st.permutations(parts)):
        assert store.append(part).added == len(part)
    before = tree(store.root)
    again = store.append(candles)
    assert (again.added, again.replaced, again.unchanged) == (0, 0, len(candles))
    assert tree(store.root) == before
    assert equal(store.read("BTC/USDT", "4h"), candles)


@given(candles=gappy(), rows=st.sets(st.integers(0, 5), min_size=1))
def test_later_candle_of_a_time_wins(candles, rows, tmp_path_factory):
    store = CandleStore(tmp_path_factory.mktemp("store"))
    store.append(candles)
    changed = replace(candles, volume=candles.volume + np.isin(np.arange(len(candles)), list(rows)))
    report = store.append(changed[: max(rows) + 1])
    assert (report.added, report.replaced) == (0, len(rows))
    assert equal(store.read("BTC/USDT", "5m"), changed)


def test_each_month_has_its_own_file(tmp_path):
    store = CandleStore(tmp_path)
    store.append(steady(4 * 30, "12h"))
    names = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.parquet"))
    assert names == [
        str(Path("candles", "BTC-USDT", "12h", f"{month}.parquet")) for month in ("2023-11", "2023-12", "2024-01")
    ]


@given(candles=gappy("4h", most=300), start=st.integers(-10, 310), length=st.integers(0, 300))
def test_period_is_closed_on_the_left_and_open_on_the_right(candles, start, length, tmp_path_factory):
    store = CandleStore(tmp_path_factory.mktemp("store"))
    store.append(candles)
    first = int(candles.timestamp[0]) + start * candles.step_ms
    last = first + length * candles.step_ms
    assert equal(store.read("BTC/USDT", "4h", first, last), candles.between(first, last))


@given(candles=gappy("1h", most=300), start=st.integers(-5, 300), length=st.integers(0, 120))
def test_longer_timeframe_is_made_from_a_stored_one_whatever_the_period(candles, start, length, tmp_path_factory):
    store = CandleStore(tmp_path_factory.mktemp("store"))
    store.append(candles)
    first = int(candles.timestamp[0]) + start * candles.step_ms
    last = first + length * candles.step_ms
    whole = resample(candles, "4h")
    assert equal(store.read("BTC/USDT", "4h"), whole)
    assert equal(store.read("BTC/USDT", "4h", first, last), whole.between(first, last))


def test_longest_stored_timeframe_that_divides_is_taken(tmp_path):
    store = CandleStore(tmp_path)
    store.append(steady(2_000, "1m"))
    hours = steady(48, "1h", seed=3)
    store.append(hours)
    assert equal(store.read("BTC/USDT", "2h"), resample(hours, "2h"))
    assert equal(store.read("BTC/USDT", "15m"), resample(steady(2_000, "1m"), "15m"))


def test_list_says_what_is_there_and_what_is_missing(tmp_path):
    store = CandleStore(tmp_path)
    assert store.contents() == []
    times = np.delete(steady(100).timestamp, [10, 11, 40])
    store.append(candles_at(times))
    store.append(steady(10, "1h", symbol="ADA/USDT"))
    ada, btc = store.contents()
    assert (ada.symbol, ada.timeframe, ada.candles, ada.missing) == ("ADA/USDT", "1h", 10, 0)
    assert (btc.candles, btc.missing, btc.first_ms, btc.last_ms) == (97, 3, int(times[0]), int(times[-1]))
    assert btc.bytes == sum(path.stat().st_size for path in tmp_path.glob("candles/BTC-USDT/5m/*.parquet"))
    assert store.last_timestamp("BTC/USDT", "5m") == times[-1]
    assert store.last_timestamp("ETH/USDT", "5m") is None


def test_unknown_symbol_and_unreachable_timeframe_are_refused(tmp_path):
    store = CandleStore(tmp_path)
    store.append(steady(10, "1h"))
    with pytest.raises(DataError, match="no candles of ETH/USDT"):
        store.read("ETH/USDT", "1h")
    with pytest.raises(DataError, match="only 1h of BTC/USDT, which cannot give 5m"):
        store.read("BTC/USDT", "5m")


def test_lesson_23_made_up_candles_are_never_stored(tmp_path):
    store = CandleStore(tmp_path)
    filled = fill_short_gaps(candles_at(np.delete(steady(100).timestamp, [50])))
    with pytest.raises(DataError, match="1 candles were made up to bridge gaps; only real candles are stored"):
        store.append(filled)
    assert tree(tmp_path) == {}


@pytest.mark.parametrize("column", COLUMNS[1:])
@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
def test_bad_value_is_refused_before_anything_is_written(column, value, tmp_path):
    store = CandleStore(tmp_path)
    store.append(steady(400, "12h"))
    before = tree(tmp_path)
    candles = steady(400, "12h", seed=9)
    bad = np.array(getattr(candles, column))
    bad[-1] = value
    with pytest.raises(DataError, match=f"row 400 .*column '{column}'"):
        store.append(replace(candles, **{column: bad}))
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    "symbol",
    ["../../etc/USDT", "..", "BTC/../..", "/etc/passwd", "BTC", "BTC\\USDT", "BTC/USDT\0", "a-b/C", "", "./USDT"],
)
def test_symbol_that_could_leave_the_folder_is_refused(symbol, tmp_path):
    store = CandleStore(tmp_path / "store")
    with pytest.raises(UsageError, match="cannot be stored"):
        store.append(steady(3, symbol=symbol))
    with pytest.raises(UsageError, match="cannot be stored"):
        store.read(symbol, "5m")
    assert tree(tmp_path) == {}


@pytest.mark.parametrize("symbol", ["BTC/USDT", "BTC/USDT:USDT", "1000SHIB/USDT", "BTC/USDT:USDT-240628"])
def test_symbol_comes_back_as_it_was_stored(symbol, tmp_path):
    store = CandleStore(tmp_path)
    store.append(steady(3, symbol=symbol))
    assert [series.symbol for series in store.contents()] == [symbol]


def test_folder_with_the_signs_of_a_pattern_is_only_a_folder(tmp_path):
    store = CandleStore(tmp_path / "a[1]b*c?")
    store.append(steady(5))
    assert equal(store.read("BTC/USDT", "5m"), steady(5))


def test_damaged_file_is_named(tmp_path):
    store = CandleStore(tmp_path)
    store.append(steady(5))
    file = next(tmp_path.rglob("*.parquet"))
    file.write_bytes(file.read_bytes()[:100])
    for use in (lambda: store.read("BTC/USDT", "5m"), store.contents, lambda: store.append(steady(6))):
        with pytest.raises(DataError, match=r"2023-11\.parquet is damaged"):
            use()


def test_writers_of_one_series_take_turns(tmp_path):
    store = CandleStore(tmp_path)
    candles = steady(240, "4h")
    parts = [candles[first::1][:40] for first in range(0, 240, 40)]
    writers = [threading.Thread(target=CandleStore(tmp_path).append, args=(part,)) for part in parts]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert equal(store.read("BTC/USDT", "4h"), candles)


def test_writer_gives_up_when_the_series_stays_locked(tmp_path):
    store = CandleStore(tmp_path, lock_timeout_s=0.05)
    (tmp_path / "locks").mkdir()
    with FileLock(tmp_path / "locks" / "BTC-USDT.5m.lock"), pytest.raises(Refused, match="another process has been"):
        store.append(steady(3))


_WRITER = """
import sys
import numpy as np
from pathlib import Path
from tests.trading.market.series import START_MS, candles_at
from trading.market.store import CandleStore

store = CandleStore(Path(sys.argv[1]))
step, count = 4 * 3_600_000, 400
for turn in range(1, 10**9):
    candles = candles_at(START_MS + np.arange(count) * step, "4h")
    marked = candles.volume * 0 + turn
    store.append(type(candles).from_columns(candles.symbol, "4h", {**candles.columns(), "volume": marked}))
    print(turn, flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
def test_store_survives_kill_9_in_the_middle_of_a_write(tmp_path):
    root = Path(__file__).resolve().parents[3]
    clean = steady(400, "4h")
    chance = random.Random(7)
    kills = leftovers = 0
    while kills < 5 or (leftovers == 0 and kills < 40):
        child = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE, cwd=root, text=True
        )
        for _ in range(chance.randint(1, 8)):
            assert child.stdout.readline()
        # Kill at the moment at which a file of an unfinished write is seen, or after a number of looks.
        for _ in range(chance.randint(1, 4_000)):
            if any(tmp_path.glob("candles/*/*/.*.tmp")):
                break
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
        kills += 1
        leftovers += any(tmp_path.glob("candles/*/*/.*.tmp"))
        stored = CandleStore(tmp_path).read("BTC/USDT", "4h")
        assert np.array_equal(stored.timestamp, clean.timestamp)
        assert np.array_equal(stored.close, clean.close)
        months = stored.timestamp.astype("datetime64[ms]").astype("datetime64[M]")
        for month in np.unique(months):
            assert len(np.unique(stored.volume[months == month])) == 1, "a file holds two writes"
    store = CandleStore(tmp_path)
    store.append(clean)
    assert equal(store.read("BTC/USDT", "4h"), clean)
    assert [path.name for path in tmp_path.rglob("*") if path.name.endswith(".tmp")] == []
    assert leftovers > 0, "no child was killed in the middle of a write"


def test_leftover_of_a_killed_writer_goes_with_the_next_append(tmp_path):
    store = CandleStore(tmp_path)
    store.append(steady(5))
    leftover = next(tmp_path.rglob("*.parquet")).with_name(".2023-11.parquet.1.tmp")
    leftover.write_bytes(b"half")
    assert equal(store.read("BTC/USDT", "5m"), steady(5))
    store.append(steady(5))
    assert not leftover.exists()


def test_damaged_month_stops_an_append_before_any_month_is_written(tmp_path):
    store = CandleStore(tmp_path)
    store.append(steady(200, "12h"))
    folder = tmp_path / "candles" / "BTC-USDT" / "12h"
    (folder / "2024-02.parquet").write_bytes(b"PAR1 and nothing else")
    before = tree(folder)
    with pytest.raises(DataError, match=r"2024-02\.parquet is damaged"):
        store.append(steady(200, "12h", seed=5))
    assert tree(folder) == before


def test_no_candles_change_nothing(tmp_path):
    assert CandleStore(tmp_path).append(steady(0)).added == 0
    assert tree(tmp_path) == {}


def test_period_without_candles_is_empty(tmp_path):
    store = CandleStore(tmp_path)
    store.append(steady(10))
    assert len(store.read("BTC/USDT", "5m", START_MS + 400 * DAY_MS)) == 0
    assert len(store.read("BTC/USDT", "1h", START_MS - 400 * DAY_MS, START_MS - DAY_MS)) == 0


def test_foreign_files_and_folders_are_left_alone(tmp_path):
    store = CandleStore(tmp_path)
    store.append(steady(5))
    for foreign in (".DS_Store", "notes-to-self", "BTC-USDT/readme.txt", "BTC-USDT/5m/2023.parquet"):
        (tmp_path / "candles" / foreign).write_text("mine")
    (tmp_path / "candles" / "BTC-USDT" / "drafts").mkdir()
    assert [series.timeframe for series in store.contents()] == ["5m"]
    assert equal(store.read("BTC/USDT", "5m"), steady(5))


def test_store_that_cannot_be_written_is_refused_in_one_sentence(tmp_path):
    (tmp_path / "home").write_text("a file, not a folder")
    with pytest.raises(Refused, match=r"home/store cannot be written \(Not a directory\)"):
        CandleStore(tmp_path / "home" / "store").append(steady(20))
