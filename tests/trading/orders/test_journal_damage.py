"""A journal that is damaged, full, locked or not one says so in one sentence, and gives back what is whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.trading.orders.journal_samples import FACTS, book, contents, crash, new_journal, rests, step, trade
from trading.errors import Refused, StateCorrupt, UsageError
from trading.orders.journal import Journal, JournalFailed, holds_session
from trading.orders.journal_backup import verify
from trading.orders.journal_rows import packed_state
from trading.orders.journal_schema import APPLICATION_ID, MIGRATIONS, migrate


def _with_states(path: Path, *states: bytes) -> None:
    with new_journal(path) as journal:
        for number, state in enumerate(states):
            with journal.transaction():
                journal.save_core(state, number)
                if number < len(states) - 1:
                    journal.checkpoint(1000 + number, number)


def _flip(path: Path, needle: bytes) -> None:
    """Change one bit of the last place in the file that holds some bytes."""
    raw = bytearray(path.read_bytes())
    where = raw.rindex(needle)
    raw[where + len(needle) // 2] ^= 0x10
    path.write_bytes(raw)


def _noise(seed: int) -> bytes:
    # Does not compress, so that what is on the disk is as long as what was saved.
    return bytes((seed * 37 + i * i * 31 + (i >> 3) * 7) % 256 for i in range(600))


def test_a_flipped_bit_in_the_core_falls_back_to_the_newest_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "j"
    _with_states(path, _noise(1), _noise(2), _noise(3))
    _flip(path, packed_state(_noise(3), 2)[0])
    with Journal.open(path) as journal:
        with pytest.raises(StateCorrupt, match="fails its checksum") as caught:
            journal.core()
        assert caught.value.code == "E007"
        assert journal.restore() == (_noise(2), 1)
        (event,) = journal.events()
        assert (event.kind, event.data["code"], event.time_ms) == ("restored", "E007", 1001)
        assert journal.core() == (_noise(2), 1)
        assert journal.restore(5) == (_noise(2), 1)
        assert len(journal.events()) == 1


def test_a_damaged_checkpoint_is_passed_over_for_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "j"
    _with_states(path, _noise(1), _noise(2), _noise(3))
    _flip(path, packed_state(_noise(3), 2)[0])
    _flip(path, packed_state(_noise(2), 1)[0])
    with Journal.open(path) as journal:
        assert journal.restore(77) == (_noise(1), 0)
        assert journal.events()[0].time_ms == 77


def test_with_no_valid_state_left_nothing_is_guessed(tmp_path: Path) -> None:
    path = tmp_path / "j"
    _with_states(path, _noise(1))
    _flip(path, packed_state(_noise(1), 0)[0])
    with Journal.open(path) as journal, pytest.raises(StateCorrupt, match="no state of the core"):
        journal.restore()


def test_a_new_session_has_nothing_to_restore(tmp_path: Path) -> None:
    with new_journal(tmp_path / "j") as journal:
        assert not journal.has_core()
        with pytest.raises(StateCorrupt):
            journal.restore()


def test_the_count_of_inputs_is_part_of_the_checksum(tmp_path: Path) -> None:
    with new_journal(tmp_path / "j") as journal:
        with journal.transaction():
            journal.save_core(b"state", 5)
            journal._write("UPDATE core SET inputs_done = 6")
        with pytest.raises(StateCorrupt):
            journal.core()


@pytest.mark.parametrize(
    ("change", "look"),
    [
        ("UPDATE orders SET lots = lots + 1", lambda journal: journal.orders()),
        ("UPDATE orders SET note = 'x'", lambda journal: journal.order("s-1")),
        ("UPDATE orders SET limit_ticks = 0", lambda journal: journal.open_records()),
        ("UPDATE fills SET price = '11.01'", lambda journal: journal.fills()),
        ("UPDATE inputs SET frames = x'00'", lambda journal: list(journal.inputs())),
        ("UPDATE inputs SET outputs = x'00'", lambda journal: list(journal.inputs())),
        ("UPDATE events SET data = '{'", lambda journal: journal.events()),
    ],
)
def test_a_changed_row_is_noticed_when_it_is_read(
    tmp_path: Path, change: str, look: Callable[[Journal], object]
) -> None:
    path = tmp_path / "j"
    with new_journal(path) as journal:
        with journal.transaction():
            journal.add_order(rests(1))
            book(journal, trade(1))
            journal.add_inputs(0, 1, b"frames", b"outputs")
            journal.note(1, "x", {})
        look(journal)
        verify(path)
        with journal.transaction():
            journal._write(change)
        with pytest.raises(StateCorrupt, match=r"checksum|damaged"):
            look(journal)
    with pytest.raises(StateCorrupt):
        verify(path)


def test_changed_facts_stop_a_session_from_starting(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with new_journal(path) as journal, journal.transaction():
        journal._write("UPDATE session SET capital = '9999'")
    for opened in (Journal.open, Journal.read):
        with pytest.raises(StateCorrupt, match="facts of the session"):
            opened(path)


def _with_damaged_pages_of(table: str, path: Path) -> None:
    with new_journal(path) as journal:
        for number in range(200):
            step(journal, number)
    marked = sqlite3.connect(path)
    with marked:
        marked.execute("UPDATE meta SET value = '0' WHERE key = 'closed'")
    (number,) = marked.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    (size,) = marked.execute("PRAGMA page_size").fetchone()
    marked.close()
    raw = bytearray(path.read_bytes())
    raw[size * (number - 1) : size * number] = b"\xff" * size
    path.write_bytes(raw)


def test_damaged_pages_are_found_after_a_crash(tmp_path: Path) -> None:
    _with_damaged_pages_of("orders", tmp_path / "j")
    with pytest.raises(StateCorrupt, match="damaged") as caught:
        Journal.open(tmp_path / "j")
    assert "\n" not in str(caught.value)


def test_of_a_large_file_the_tables_that_a_start_needs_are_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trading.orders.journal._QUICK_CHECK_BYTES", 0)
    _with_damaged_pages_of("checkpoints", tmp_path / "j")
    with pytest.raises(StateCorrupt, match="damaged"):
        Journal.open(tmp_path / "j")
    _with_damaged_pages_of("equity", tmp_path / "k")
    with Journal.open(tmp_path / "k") as journal:
        assert journal.restore()[1] == 200
        with pytest.raises(StateCorrupt, match="damaged"):
            journal.equity()
    with pytest.raises(StateCorrupt, match="damaged"):
        verify(tmp_path / "k")


@pytest.mark.parametrize("content", [b"not a database at all, just some text " * 30, b"\x00" * 5000])
def test_what_is_no_journal_is_not_taken_for_one(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "j"
    path.write_bytes(content)
    for opened in (Journal.open, Journal.read, verify, lambda path: Journal.create(path, FACTS)):
        with pytest.raises(StateCorrupt):
            opened(path)
    assert path.read_bytes() == content


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "j"
    other = sqlite3.connect(path)
    other.execute("PRAGMA application_id = 77")
    other.execute("CREATE TABLE theirs (x)")
    other.commit()
    other.close()
    for opened in (Journal.open, lambda path: Journal.create(path, FACTS)):
        with pytest.raises(StateCorrupt, match="another program"):
            opened(path)
    other = sqlite3.connect(path)
    assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]
    other.close()


def test_an_empty_file_holds_no_session_and_may_become_one(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.touch()
    with pytest.raises(StateCorrupt, match="holds no session"):
        Journal.open(path)
    with new_journal(path) as journal:
        assert journal.facts == FACTS


def test_a_journal_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "j"
    new_journal(path).close()
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    for opened in (Journal.open, Journal.read):
        with pytest.raises(Refused, match="version 99 and this GridBot knows versions up to"):
            opened(path)


_OLD = (
    ("CREATE TABLE session (name TEXT)", "CREATE TABLE orders (client_id TEXT)"),
    ("ALTER TABLE orders ADD COLUMN lots INTEGER NOT NULL DEFAULT 0", "UPDATE orders SET lots = 7"),
    ("CREATE INDEX big_orders ON orders (lots)",),
)


def _old_file(path: Path, version: int) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in _OLD[0]:
        connection.execute(statement)
    connection.execute("INSERT INTO orders VALUES ('s-1'), ('s-2')")
    connection.execute(f"PRAGMA user_version = {version}")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    return connection


def test_an_old_journal_takes_every_step_to_the_newest_version(tmp_path: Path) -> None:
    connection = _old_file(tmp_path / "j", version=1)
    connection.execute("BEGIN IMMEDIATE")
    assert migrate(connection, "here", _OLD) == (1, 3)
    connection.execute("COMMIT")
    assert connection.execute("SELECT * FROM orders").fetchall() == [("s-1", 7), ("s-2", 7)]
    assert connection.execute("PRAGMA user_version").fetchone() == (3,)
    connection.execute("BEGIN IMMEDIATE")
    assert migrate(connection, "here", _OLD) == (3, 3)
    connection.execute("COMMIT")
    connection.close()


def test_a_step_that_fails_leaves_the_version_that_was_there(tmp_path: Path) -> None:
    connection = _old_file(tmp_path / "j", version=1)
    connection.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, "here", (*_OLD[:2], ("CREATE INDEX x ON nothing (y)",)))
    connection.execute("ROLLBACK")
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert connection.execute("SELECT * FROM orders").fetchall() == [("s-1",), ("s-2",)]
    connection.close()


def test_a_file_of_version_0_becomes_a_journal(tmp_path: Path) -> None:
    path = tmp_path / "j"
    handmade = sqlite3.connect(path, isolation_level=None)
    handmade.execute("PRAGMA journal_mode = WAL")
    handmade.execute("BEGIN IMMEDIATE")
    assert migrate(handmade, "here") == (0, len(MIGRATIONS))
    handmade.execute("COMMIT")
    handmade.close()
    with pytest.raises(StateCorrupt, match="holds no session"):
        Journal.open(path)


def _add_many(journal: Journal) -> None:
    with journal.transaction():
        for number in range(5, 500):
            journal.add_order(rests(number, note="x" * 500))


def test_a_full_disk_is_said_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "j"
    journal = new_journal(path)
    step(journal, 0)
    before = contents(journal)
    pages = journal._row("PRAGMA page_count")[0]
    journal._row(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(JournalFailed, match="no room on its disk"):
        _add_many(journal)
    assert contents(journal) == before
    journal._row("PRAGMA max_page_count = 1000000")
    step(journal, 1)
    assert journal.order_count() == 2
    crash(journal)
    with Journal.open(path) as again:
        assert again.order_count() == 2


def test_a_read_only_file_is_said(tmp_path: Path) -> None:
    with new_journal(tmp_path / "j") as journal:
        journal._row("PRAGMA query_only = ON")
        with pytest.raises(JournalFailed, match="read-only"), journal.transaction():
            journal.set_meta("a", "b")
        journal._row("PRAGMA query_only = OFF")
        assert journal.meta("a") is None


def test_a_file_held_by_another_writer_is_said_after_the_patience_ends(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with new_journal(path):
        pass
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(JournalFailed, match="held by another process"):
        Journal.open(path, patience_s=0.01)
    other.execute("ROLLBACK")
    other.close()
    with Journal.open(path, patience_s=0.01) as journal:
        step(journal, 0)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalFailed, match="cannot be made"):
        new_journal(tmp_path / "file" / "s" / "j")


def test_a_name_with_odd_characters_is_opened_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "50% of a?b#c" / "j"
    new_journal(path).close()
    with Journal.read(path) as journal:
        assert journal.facts == FACTS
    with pytest.raises(UsageError):
        Journal.read(path.with_name("none"))


def test_a_missing_or_unbegun_file_holds_no_session_and_a_damaged_one_is_left_to_open(tmp_path: Path) -> None:
    missing, empty, noise, begun = (tmp_path / name for name in ("missing", "empty", "noise", "begun"))
    empty.touch()
    noise.write_bytes(_noise(1) * 20)
    new_journal(begun).close()
    assert [holds_session(path) for path in (missing, empty, noise, begun)] == [False, False, True, True]
    Journal.create(empty, FACTS).close()
    assert holds_session(empty)
