"""Copies of a journal: made while it is written, checked to the last row, and put back in its place."""

from __future__ import annotations

import contextlib
import itertools
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from trading.errors import Refused, StateCorrupt
from trading.orders.journal_connection import JournalFailed, failure, open_reader, open_writer
from trading.orders.journal_reader import JournalReader

_SEQUENCE_JUMP = 1_000_000
_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class JournalCheck:
    """What a journal holds, every row of it checked.

    Parameters
    ----------
    orders, fills, inputs, checkpoints : int
        How many there are; inputs counts single inputs.
    """

    orders: int
    fills: int
    inputs: int
    checkpoints: int


def back_up(source: Path, target: Path) -> None:
    """Copy what is committed in a journal to another file, without keeping its writer waiting.

    Parameters
    ----------
    source : Path
        The journal.
    target : Path
        The copy; one that is there is replaced once the new one is whole.

    Raises
    ------
    JournalFailed
        When the copy cannot be written; what was there before stays.
    StateCorrupt
        When the journal is damaged.
    """
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        _copy(source, part)
        part.replace(target)
        _sync_folder(target.parent)
    except OSError as error:
        raise JournalFailed(
            f"the backup {target} cannot be written ({error.strerror}); choose another place"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def verify(path: Path) -> JournalCheck:
    """Check a journal to the last row: its pages, its links and every checksum.

    Parameters
    ----------
    path : Path
        A journal or a backup; it may be in use.

    Returns
    -------
    JournalCheck
        What it holds.

    Raises
    ------
    StateCorrupt
        When anything is damaged.
    """
    _check_pages(path)
    with JournalReader.read(path) as journal:
        journal.core()
        journal.events()
        checkpoints = journal.checkpoints()
        for checkpoint in checkpoints:
            journal.checkpoint_state(checkpoint)
        # Page by page: a journal may be larger than the memory.
        orders = sum(len(journal.orders(_PAGE, offset)) for offset in range(0, journal.order_count(), _PAGE))
        fills = sum(len(journal.fills(limit=_PAGE, offset=offset)) for offset in range(0, journal.fill_count(), _PAGE))
        inputs = sum(batch.count for batch in journal.inputs())
        return JournalCheck(orders, fills, inputs, len(checkpoints))


def restore_backup(backup: Path, path: Path) -> Path | None:
    """Put a backup in a journal's place; the damaged journal is kept beside it.

    The sequence of client ids jumps ahead, because ids given since the backup are known to the venue.

    Parameters
    ----------
    backup : Path
        Made by `back_up`; checked first.
    path : Path
        The journal, not in use; it may be missing.

    Returns
    -------
    Path or None
        Where the damaged journal is now; None when there was none.

    Raises
    ------
    StateCorrupt
        When the backup itself is damaged.
    JournalFailed
        When the files cannot be written.
    """
    verify(backup)
    restored = _half_restored(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        restored.unlink(missing_ok=True)
        _copy(backup, restored)
        _jump_ahead(restored)
        kept = _set_aside(path)
        restored.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise JournalFailed(f"{path} cannot be restored ({error.strerror}); see to the folder and try again") from error
    return kept


def refuse_half_restored(path: Path) -> None:
    """Refuse a journal whose restoring from a backup was cut short.

    Parameters
    ----------
    path : Path
        The journal.

    Raises
    ------
    Refused
        When the restored copy was not yet put in its place.
    """
    if _half_restored(path).exists():
        raise Refused(f"restoring {path} from a backup was cut short; restore it once more before it is used")


def _half_restored(path: Path) -> Path:
    return path.with_name(path.name + ".restored")


def _check_pages(path: Path) -> None:
    connection = open_reader(path)
    try:
        found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        orphan = connection.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.Error as error:
        raise failure(error, path) from error
    finally:
        connection.close()
    if found != "ok" or orphan is not None:
        reason = "a fill has no order" if found == "ok" else str(found).replace("\n", " ")
        raise StateCorrupt(f"the journal {path} is damaged ({reason}); restore a backup of it")


def _copy(source: Path, target: Path) -> None:
    reader = open_reader(source)
    try:
        writer = sqlite3.connect(target, isolation_level=None)
        try:
            # All in one step: a reader's snapshot, which the writer does not wait for and cannot restart.
            reader.backup(writer, pages=-1)
            writer.execute("PRAGMA journal_mode = DELETE")
        finally:
            writer.close()
    except sqlite3.Error as error:
        raise failure(error, target) from error
    finally:
        reader.close()
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _jump_ahead(path: Path) -> None:
    connection = open_writer(path)
    try:
        connection.execute("UPDATE counters SET value = value + ? WHERE name = 'client_seq'", (_SEQUENCE_JUMP,))
        connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise failure(error, path) from error
    finally:
        connection.close()


def _set_aside(path: Path) -> Path | None:
    number = next(n for n in itertools.count(1) if not path.with_name(f"{path.name}.damaged-{n}").exists())
    kept = path.with_name(f"{path.name}.damaged-{number}")
    existed = path.exists()
    # The log goes with its file: left behind, it would be folded into the restored one.
    for ending in ("", "-wal", "-shm"):
        file = path.with_name(path.name + ending)
        if file.exists():
            file.replace(kept.with_name(kept.name + ending))
    return kept if existed else None


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
