"""Incidents of logs: grouped, counted, dated, bounded; and logs that are followed while they are written."""

from __future__ import annotations

import os
import queue
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from automation.errors import RepositoryUnusable
from automation.incidents.log_following import LogFollower, LogReader
from automation.incidents.log_incidents import IncidentGroups, incidents_in
from automation.incidents.log_parsing import LINE_LIMIT
from automation.incidents.records import Kind
from tests.automation.incidents.trees import write_tree

WAIT_S = 30


def _entry(second: int, function: str = "price", error: str = "KeyError: 'count'", level: str = "ERROR") -> str:
    return (
        f"2026-11-21 10:00:{second:02d},500 {level} shop: order failed\n"
        "Traceback (most recent call last):\n"
        f'  File "/app/shop.py", line {second + 1}, in {function}\n'
        "    return order\n"
        f"{error}\n"
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_tree(tmp_path, {"shop.py": "def price(order):\n    return order\n"})


def test_same_fault_is_one_incident_with_its_count_and_times(root: Path) -> None:
    log = root / "a.log"
    text = [_entry(3), _entry(1), _entry(9, level="CRITICAL"), _entry(5, function="total")]
    log.write_text("".join(text), encoding="utf-8")
    first, second = incidents_in(log, root)
    assert (first.count, first.severity, first.kind, first.source) == (3, "critical", Kind.VALUE, "log")
    assert (first.last_seen - first.first_seen, first.first_seen % 1000) == (8000, 500)
    assert "price" in first.title
    assert (second.count, second.severity) == (1, "error")
    assert first.fingerprint != second.fingerprint


def test_outage_of_an_exchange_is_external(root: Path) -> None:
    log = root / "a.log"
    log.write_text(
        _entry(1)
        .replace("/app/shop.py", "/x/site-packages/ccxt/base/exchange.py")
        .replace("KeyError: 'count'", "ccxt.base.errors.ExchangeNotAvailable: binance 503"),
        encoding="utf-8",
    )
    assert [incident.kind for incident in incidents_in(log, root)] == [Kind.EXTERNAL]


def test_groups_are_bounded_and_the_longest_unseen_goes_first(root: Path) -> None:
    groups = IncidentGroups(root, limit=3)
    for name in ("a", "b", "c", "a", "d"):
        for line in _entry(1, function=name).splitlines():
            groups.feed(line)
    groups.finish()
    assert {incident.chain[0].frames[0].function for incident in groups.incidents()} == {"c", "a", "d"}


def test_log_that_is_missing_is_refused(root: Path) -> None:
    with pytest.raises(RepositoryUnusable, match=r"nothing\.log is no file"):
        incidents_in(root / "nothing.log", root)


def test_huge_log_with_huge_lines_is_read_in_bounded_memory(root: Path) -> None:
    log = root / "a.log"
    with log.open("w", encoding="utf-8") as file:
        file.write("x" * (8 << 20) + "\n")
        for number in range(4000):
            file.write(_entry(number % 60, function=f"f{number % 900}"))
    tracemalloc.start()
    found = incidents_in(log, root)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found) == 500
    assert peak < 8 << 20


def test_huge_line_is_cut_and_the_next_one_is_whole(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(b"y" * (3 * LINE_LIMIT) + b"\nnext\r\nlast")
    reader = LogReader(log)
    assert [len(line) for line in reader.read()] == [LINE_LIMIT, 4]
    assert reader.last() == "last"
    reader.close()


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def test_partial_line_is_handed_back_once_it_ends(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    _append(log, "one\ntw")
    reader = LogReader(log)
    assert list(reader.read()) == ["one"]
    _append(log, "o\n")
    assert list(reader.read()) == ["two"]
    reader.close()


def test_renamed_log_is_read_to_its_end_and_the_new_one_from_its_beginning(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    _append(log, "one\n")
    reader = LogReader(log)
    assert list(reader.read()) == ["one"]
    _append(log, "two\n")
    log.rename(tmp_path / "a.log.1")
    _append(tmp_path / "a.log.1", "three\n")
    _append(log, "four\n")
    assert list(reader.read()) == ["two", "three", "four"]
    reader.close()


@pytest.mark.parametrize("after", ["x\n", "longer than what was there before\n"])
def test_emptied_log_is_read_from_its_beginning(tmp_path: Path, after: str) -> None:
    log = tmp_path / "a.log"
    _append(log, "one\ntwo\n")
    reader = LogReader(log)
    assert list(reader.read()) == ["one", "two"]
    os.truncate(log, 0)
    _append(log, after)
    assert list(reader.read()) == [after.strip()]
    reader.close()


def test_reading_can_begin_at_the_end(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    _append(log, "old\n")
    reader = LogReader(log, from_end=True)
    _append(log, "new\n")
    assert list(reader.read()) == ["new"]
    reader.close()


@contextmanager
def _followed(path: Path) -> Iterator[queue.Queue[str]]:
    seen: queue.Queue[str] = queue.Queue()
    with LogFollower(path) as follower:

        def collect() -> None:
            for line in follower.lines():
                seen.put(line)

        thread = threading.Thread(target=collect)
        thread.start()
        try:
            yield seen
        finally:
            follower.stop()
            thread.join(WAIT_S)
            assert not thread.is_alive()


def test_follower_sees_a_file_appear_grow_and_rotate(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    with _followed(log) as seen:
        _append(log, "one\n")
        assert seen.get(timeout=WAIT_S) == "one"
        _append(log, "tw")
        _append(log, "o\n")
        assert seen.get(timeout=WAIT_S) == "two"
        log.rename(tmp_path / "a.log.1")
        _append(log, "three\n")
        assert seen.get(timeout=WAIT_S) == "three"
        os.truncate(log, 0)
        _append(log, "4\n")
        assert seen.get(timeout=WAIT_S) == "4"


def test_follower_hands_back_what_was_written_before_it_is_stopped(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    _append(log, "one\n")
    with LogFollower(log) as follower:
        _append(log, "two\n")
        follower.stop()
        assert list(follower.lines()) == ["one", "two"]


def test_follower_needs_a_folder(tmp_path: Path) -> None:
    with pytest.raises(RepositoryUnusable, match="is no folder"):
        LogFollower(tmp_path / "none" / "a.log")
