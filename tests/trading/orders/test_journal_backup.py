"""A backup is made while writing goes on, is whole or is not there, and takes a damaged journal's place."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tests.trading.orders.journal_samples import FACTS, contents, new_journal, order, step
from trading.errors import GridBotError, Refused, StateCorrupt, UsageError
from trading.orders.journal import Journal, JournalFailed
from trading.orders.journal_backup import JournalCheck, restore_backup, verify


def test_a_backup_holds_what_was_committed(tmp_path: Path) -> None:
    with new_journal(tmp_path / "j") as journal:
        for number in range(7):
            step(journal, number)
        expected = contents(journal)
        with journal.transaction():
            journal.add_order(order(99))
            journal.backup(tmp_path / "copies" / "b")
    assert verify(tmp_path / "copies" / "b") == JournalCheck(orders=7, fills=6, inputs=7, checkpoints=2)
    assert [path.name for path in (tmp_path / "copies").iterdir()] == ["b"]
    with Journal.read(tmp_path / "copies" / "b") as copy:
        assert contents(copy) == expected


def test_backups_are_taken_while_the_session_writes(tmp_path: Path) -> None:
    began, failures = threading.Event(), []
    copies = [tmp_path / f"b{number}" for number in range(8)]
    with new_journal(tmp_path / "j") as journal:

        def copy() -> None:
            try:
                for path in copies:
                    journal.backup(path)
                    began.set()
            except GridBotError as error:
                failures.append(error)
            finally:
                began.set()

        step(journal, 0)
        thread = threading.Thread(target=copy)
        thread.start()
        assert began.wait(60)
        number = 1
        while thread.is_alive() or number < 5:
            step(journal, number)
            number += 1
        thread.join()
        everything = contents(journal)
    assert failures == []
    counts = []
    for path in copies:
        counts.append(verify(path).orders)
        with Journal.read(path) as kept:
            found = contents(kept)
        # A moment of the session: each list is a beginning of what it became.
        assert found["events"] == everything["events"][: counts[-1]]
        assert found["inputs"] == everything["inputs"][: counts[-1]]
        assert found["fills"] == everything["fills"][: counts[-1] - 1]
    assert counts == sorted(counts)


def test_a_backup_that_cannot_be_written_leaves_the_one_before(tmp_path: Path) -> None:
    with new_journal(tmp_path / "j") as journal:
        step(journal, 0)
        journal.backup(tmp_path / "b")
        (tmp_path / "b.part").mkdir()
        with pytest.raises(JournalFailed, match="cannot be written"):
            journal.backup(tmp_path / "b")
        step(journal, 1)
    assert verify(tmp_path / "b").orders == 1


def test_a_backup_takes_a_damaged_journals_place_and_ids_go_on_far_ahead(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with new_journal(path) as journal:
        step(journal, 0)
        journal.backup(tmp_path / "b")
        for number in range(1, 4):
            step(journal, number)
    path.write_bytes(b"\x13" * 9000)
    with pytest.raises(StateCorrupt):
        Journal.open(path)
    kept = restore_backup(tmp_path / "b", path)
    assert kept is not None
    assert kept.read_bytes() == b"\x13" * 9000
    with Journal.open(path) as journal:
        assert journal.facts == FACTS
        assert journal.order_count() == 1
        with journal.transaction():
            assert journal.next_client_seq() == 1_000_002
    with Journal.read(tmp_path / "b") as untouched:
        assert untouched.order_count() == 1


def test_a_log_of_the_damaged_journal_is_not_folded_into_the_restored_one(tmp_path: Path) -> None:
    path = tmp_path / "j"
    journal = new_journal(path)
    journal.backup(tmp_path / "b")
    for number in range(4):
        step(journal, number)
    log = (tmp_path / "j-wal").read_bytes()
    journal.close()
    (tmp_path / "j-wal").write_bytes(log)
    restore_backup(tmp_path / "b", path)
    with Journal.open(path) as restored:
        assert restored.order_count() == 0
    assert verify(path).orders == 0


def test_each_damaged_journal_is_kept_under_its_own_name(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with new_journal(path) as journal:
        journal.backup(tmp_path / "b")
    assert restore_backup(tmp_path / "b", path) != restore_backup(tmp_path / "b", path)
    assert restore_backup(tmp_path / "b", tmp_path / "lost") is None
    with Journal.open(tmp_path / "lost") as journal:
        assert journal.facts == FACTS


def test_a_damaged_backup_is_not_put_in_place(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with new_journal(path) as journal:
        step(journal, 0)
        with journal.transaction():
            journal._write("UPDATE orders SET lots = 3")
        journal.backup(tmp_path / "b")
        with journal.transaction():
            journal._write("UPDATE orders SET lots = 10")
    with pytest.raises(StateCorrupt, match="checksum"):
        restore_backup(tmp_path / "b", path)
    assert verify(path).orders == 1
    with pytest.raises(UsageError):
        restore_backup(tmp_path / "none", path)


def test_a_restore_that_was_cut_short_is_not_mistaken_for_a_new_session(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with new_journal(path) as journal:
        step(journal, 0)
        journal.backup(tmp_path / "b")
    # What a kill leaves between moving the damaged journal away and moving the copy in.
    path.replace(tmp_path / "j.damaged-1")
    (tmp_path / "j.restored").write_bytes((tmp_path / "b").read_bytes())
    for opened in (Journal.open, lambda path: Journal.create(path, FACTS)):
        with pytest.raises(Refused, match="cut short"):
            opened(path)
    restore_backup(tmp_path / "b", path)
    with Journal.open(path) as journal:
        assert journal.order_count() == 1


@pytest.mark.skipif(os.name != "posix", reason="folders are synced on POSIX systems")
def test_a_backup_replaces_the_one_before_whole(tmp_path: Path) -> None:
    with new_journal(tmp_path / "j") as journal:
        journal.backup(tmp_path / "b")
        first = (tmp_path / "b").stat().st_ino
        step(journal, 0)
        journal.backup(tmp_path / "b")
    assert (tmp_path / "b").stat().st_ino != first
    assert verify(tmp_path / "b").orders == 1
