"""The journal of a session: everything is written down before it is done, and survives a kill at any instant.

One process writes it. What belongs together is written in one transaction, which is on the disk when it ends.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from trading.errors import Refused, StateCorrupt, UsageError
from trading.orders.journal_backup import back_up, refuse_half_restored
from trading.orders.journal_connection import (
    PATIENCE_S,
    CommitHook,
    JournalFailed,
    failure,
    make_folder,
    open_reader,
    open_writer,
)
from trading.orders.journal_reader import JournalReader
from trading.orders.journal_rows import FACT_COLUMNS, SessionFacts, fact_row
from trading.orders.journal_schema import MIGRATIONS, migrate, version_of
from trading.orders.journal_writer import JournalWriter, no_hook, transaction

__all__ = ["Journal", "JournalFailed", "JournalReader", "SessionFacts", "holds_session"]

_QUICK_CHECK_BYTES = 64 * 2**20
_SMALL_TABLES = ("session", "meta", "counters", "core", "checkpoints")
_FACT_MARKS = ", ".join("?" * (len(FACT_COLUMNS) + 1))
# Only names of columns are put into statements, never a value.
_ADD_FACTS = f"INSERT INTO session (id, {', '.join(FACT_COLUMNS)}, crc) VALUES (1, {_FACT_MARKS})"  # noqa: S608


class Journal(JournalWriter):
    """The one writer of a session's journal.

    Parameters
    ----------
    path : Path
        The journal's file.
    connection : sqlite3.Connection
        Opened by `open_writer`.
    on_commit : callable, optional
        Called with ``begin``, ``write``, ``before`` and ``after``: at each statement and around each commit.

    Raises
    ------
    StateCorrupt
        When the file is damaged or holds no session.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, on_commit: CommitHook | None = None) -> None:
        self._closed = False
        self.restored_since = ""
        """Why `restore` had to take a checkpoint; empty when the state was whole."""
        super().__init__(path, connection, on_commit)

    @classmethod
    def create(
        cls, path: Path, facts: SessionFacts, *, on_commit: CommitHook | None = None, patience_s: float = PATIENCE_S
    ) -> Journal:
        """Begin the journal of a new session.

        Parameters
        ----------
        path : Path
            A file that is not there yet; its folder is made.
        facts : SessionFacts
            What the session is.
        on_commit : callable, optional
            Called at each statement and around each commit.
        patience_s : float
            How long to wait for a file that another process holds.

        Returns
        -------
        Journal
            Open, to be closed.

        Raises
        ------
        Refused
            When the file holds a session already.
        JournalFailed
            When it cannot be written.
        """
        refuse_half_restored(path)
        make_folder(path.parent)
        connection = open_writer(path, patience_s)
        hook = on_commit or no_hook
        try:
            with transaction(connection, path, hook):
                _refuse_used(connection, path)
                migrate(connection, str(path))
                connection.execute(_ADD_FACTS, fact_row(facts))
                connection.execute("INSERT INTO meta VALUES ('closed', '0')")
        except BaseException:
            connection.close()
            raise
        return cls(path, connection, on_commit)

    @classmethod
    def open(cls, path: Path, *, on_commit: CommitHook | None = None, patience_s: float = PATIENCE_S) -> Journal:
        """Open the journal of a session that ran before; after a crash, look for damage first.

        Parameters
        ----------
        path : Path
            The journal's file.
        on_commit : callable, optional
            Called at each statement and around each commit.
        patience_s : float
            How long to wait for a file that another process holds.

        Returns
        -------
        Journal
            Open, to be closed.

        Raises
        ------
        UsageError
            When there is no such file.
        StateCorrupt
            When the file is damaged or holds no session.
        Refused
            When a newer GridBot wrote it.
        """
        refuse_half_restored(path)
        if not path.is_file():
            raise UsageError(f"there is no journal {path}; `gridbot sessions` lists those there are")
        connection = open_writer(path, patience_s)
        try:
            if 0 < version_of(connection) < len(MIGRATIONS):
                with transaction(connection, path, on_commit or no_hook):
                    migrate(connection, str(path))
            journal = cls(path, connection, on_commit)
            journal._look_for_damage()
            with journal.transaction():
                journal.set_meta("closed", "0")
        except sqlite3.Error as error:
            connection.close()
            raise failure(error, path) from error
        except BaseException:
            connection.close()
            raise
        return journal

    def close(self) -> None:
        """Mark the journal as closed in order, and let the file go."""
        if self._closed:
            return
        self._closed = True
        try:
            if not self._inside:
                with self.transaction():
                    self.set_meta("closed", "1")
        finally:
            self._connection.close()

    def restore(self, time_ms: int = 0) -> tuple[bytes, int]:
        """Return the newest state of the core that holds its checksum, and the count of inputs it has taken.

        When the current state is damaged, the newest valid checkpoint takes its place, and an event says so.

        Parameters
        ----------
        time_ms : int
            The session's clock, for the event; 0 takes the checkpoint's.

        Returns
        -------
        tuple of bytes and int
            The state, and from which recorded input on the core has to go on.

        Raises
        ------
        StateCorrupt
            When no state holds its checksum, or none was ever saved.
        """
        reason = "it is missing"
        try:
            current = self.core()
            if current is not None:
                return current
        except StateCorrupt as error:
            reason = str(error)
        for info in self.checkpoints():
            try:
                state, inputs_done = self.checkpoint_state(info)
            except StateCorrupt:
                continue
            event = {"code": "E007", "checkpoint": info.id, "candle": info.candle, "inputs": inputs_done}
            with self.transaction():
                self.save_core(state, inputs_done)
                self.note(time_ms or info.time_ms, "restored", {**event, "reason": reason})
            self.restored_since = reason
            return state, inputs_done
        raise StateCorrupt(
            f"no state of the core in {self.path} holds its checksum; restore a backup of the journal, "
            "or start a session of another name"
        )

    def backup(self, path: Path) -> None:
        """Copy what is committed to another file, while writing goes on; may run in another thread.

        Parameters
        ----------
        path : Path
            The copy; one that is there is replaced once the new one is whole.

        Raises
        ------
        JournalFailed
            When the copy cannot be written; what was there before stays.
        """
        back_up(self.path, path)

    def _look_for_damage(self) -> None:
        # A file that was closed in order is as it was written; only after a crash is it worth reading all of it.
        if self.meta("closed") == "1":
            return
        size = self.path.stat().st_size
        checks: Sequence[str] = ["PRAGMA quick_check(1)"]
        if size > _QUICK_CHECK_BYTES:
            checks = [f"PRAGMA quick_check({table})" for table in _SMALL_TABLES]
        for check in checks:
            row = self._row(check)
            if row is None or row[0] != "ok":
                found = "nothing" if row is None else str(row[0]).replace("\n", " ")
                raise StateCorrupt(f"the journal {self.path} is damaged ({found}); restore a backup of it")
        self.open_records()


def holds_session(path: Path) -> bool:
    """Return whether a session was begun in a file; a crash in the middle of `Journal.create` leaves one without.

    Parameters
    ----------
    path : Path
        The journal's file; it may be missing.

    Returns
    -------
    bool
        False when `Journal.create` may begin it; True for a damaged file too, so that opening it tells what is wrong.
    """
    if not path.is_file():
        return False
    try:
        with closing(open_reader(path)) as connection:
            return bool(version_of(connection)) or bool(_tables(connection))
    except (sqlite3.Error, JournalFailed):
        return True


def _tables(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0])


def _refuse_used(connection: sqlite3.Connection, path: Path) -> None:
    if version_of(connection):
        raise Refused(f"{path} holds a session already; open it, or choose another name")
