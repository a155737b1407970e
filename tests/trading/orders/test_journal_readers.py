"""Whoever looks on never keeps the writer waiting, and never sees half a transaction."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.trading.orders.journal_samples import contents, crash, new_journal, order, step
from trading.orders.journal import Journal, JournalFailed

_ROOT = Path(__file__).resolve().parents[3]
_LOOKER = """
import sys
from pathlib import Path
from trading.orders.journal import Journal
print("ready", flush=True)
looks = 0
while True:
    with Journal.read(Path(sys.argv[1])) as journal:
        last = int(journal.meta("last") or -1)
        orders, events = journal.order_count(), journal.events()
        journal.open_records(), journal.fills(), journal.equity(), list(journal.inputs())
        assert orders >= last + 1 and len(events) >= orders, (last, orders, len(events))
        looks += 1
        if last == int(sys.argv[2]):
            break
print(looks)
"""


def test_lesson_22_a_reader_never_locks_the_writer_out(tmp_path: Path) -> None:
    path, steps = tmp_path / "j", 300
    with new_journal(path) as journal:
        lookers = [
            subprocess.Popen(
                [sys.executable, "-c", _LOOKER, str(path), str(steps - 1)],
                cwd=_ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        for looker in lookers:
            assert looker.stdout is not None
            assert looker.stdout.readline() == "ready\n"
        # With no patience at all, a single wait for a reader would raise.
        journal._row("PRAGMA busy_timeout = 0")
        for number in range(steps):
            step(journal, number)
        for looker in lookers:
            looks, errors = looker.communicate(timeout=60)
            assert looker.returncode == 0, errors
            assert int(looks) >= 1
    with Journal.open(path) as journal:
        assert journal.order_count() == steps


def test_lesson_22_a_reader_in_the_middle_of_a_long_look_sees_one_moment(tmp_path: Path) -> None:
    with new_journal(tmp_path / "j") as journal, Journal.read(tmp_path / "j") as reader:
        journal._row("PRAGMA busy_timeout = 0")
        step(journal, 0)
        reader._connection.execute("BEGIN")
        before = contents(reader)
        for number in range(1, 50):
            step(journal, number)
        assert contents(reader) == before
        reader._connection.execute("COMMIT")
        assert contents(reader) == contents(journal)


def test_what_is_not_committed_is_not_seen(tmp_path: Path) -> None:
    with new_journal(tmp_path / "j") as journal, Journal.read(tmp_path / "j") as reader:
        with journal.transaction():
            journal.add_order(order(1))
            assert journal.order_count() == 1
            assert reader.order_count() == 0
        assert reader.order_count() == 1


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    with new_journal(tmp_path / "j") as journal, Journal.read(tmp_path / "j") as reader:
        assert not hasattr(reader, "transaction")
        with pytest.raises(JournalFailed, match="read-only"):
            reader._row("DELETE FROM meta")
        assert journal.meta("closed") == "0"


def test_a_killed_sessions_journal_is_read_before_it_is_recovered(tmp_path: Path) -> None:
    journal = new_journal(tmp_path / "j")
    step(journal, 0)
    expected = contents(journal)
    # The log is what a kill leaves: a copy of both files while the writer still has them open.
    for ending in ("", "-wal"):
        (tmp_path / f"killed{ending}").write_bytes((tmp_path / f"j{ending}").read_bytes())
    crash(journal)
    with Journal.read(tmp_path / "killed") as reader:
        assert contents(reader) == expected


def test_a_closed_journal_is_read_without_a_writer(tmp_path: Path) -> None:
    with new_journal(tmp_path / "j") as journal:
        step(journal, 0)
        expected = contents(journal)
    with Journal.read(tmp_path / "j") as reader:
        assert contents(reader) == expected
