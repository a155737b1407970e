"""What a session writes into its journal, and the transaction that holds together what belongs together."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from trading.errors import UsageError
from trading.orders.journal_connection import CommitHook, failure
from trading.orders.journal_reader import JournalReader
from trading.orders.journal_rows import (
    FILL_COLUMNS,
    ORDER_COLUMNS,
    InputBatch,
    JournalFill,
    Value,
    batch_row,
    fill_row,
    order_row,
    packed_state,
)
from trading.orders.records import OrderRecord
from trading.orders.venue import VenueFill

CHECKPOINTS_KEPT = 20


def _marks(count: int) -> str:
    return ", ".join("?" * count)


# Only names of columns are put into statements, never a value.
_ORDER_NAMES = (*ORDER_COLUMNS, "is_open", "crc")
_ADD_ORDER = f"INSERT INTO orders ({', '.join(_ORDER_NAMES)}) VALUES ({_marks(len(_ORDER_NAMES))})"  # noqa: S608
_UPDATE_ORDER = f"UPDATE orders SET {', '.join(f'{name} = ?' for name in _ORDER_NAMES)} WHERE client_id = ?"  # noqa: S608
_FILL_NAMES = (*FILL_COLUMNS, "crc")
_ADD_FILL = (
    f"INSERT INTO fills ({', '.join(_FILL_NAMES)}) VALUES ({_marks(len(_FILL_NAMES))}) "  # noqa: S608
    "ON CONFLICT (symbol, trade_id, side) DO NOTHING"
)


class JournalWriter(JournalReader):
    """A journal that is written: each writer wants to be inside `transaction`.

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
        self._hook = on_commit or no_hook
        self._inside = False
        super().__init__(path, connection)

    @contextmanager
    def transaction(self) -> Iterator[Self]:
        """Write what belongs together: all of it is on the disk when the block ends, none of it when the block raises.

        Yields
        ------
        JournalWriter
            This journal.

        Raises
        ------
        UsageError
            When one is open already.
        JournalFailed
            When the disk is full or the file cannot be written; nothing of the block was then written.
        """
        if self._inside:
            raise UsageError(f"a transaction of {self.path} is open already; put both into one block")
        with transaction(self._connection, self.path, self._hook):
            self._inside = True
            try:
                yield self
            finally:
                self._inside = False

    def next_client_seq(self) -> int:
        """Return the next number for a client id: it rises and is never given twice."""
        self._write("UPDATE counters SET value = value + 1 WHERE name = 'client_seq'")
        return self._number("SELECT value FROM counters WHERE name = 'client_seq'")

    def add_order(self, record: OrderRecord) -> None:
        """Write down a new order.

        Raises
        ------
        JournalFailed
            When its client id or its core's number is there already.
        """
        self._write(_ADD_ORDER, order_row(record))

    def update_order(self, record: OrderRecord) -> None:
        """Replace an order by what is now known about it.

        Raises
        ------
        UsageError
            When there is no order with its client id.
        """
        if not self._write(_UPDATE_ORDER, (*order_row(record), record.client_id)):
            raise UsageError(f"{self.path} has no order {record.client_id}; add it before it changes")

    def add_fill(
        self,
        client_id: str,
        fill: VenueFill,
        *,
        side: int,
        price_ticks: int,
        lots: int,
        fee_units: int,
        fee_microlots: int,
        candle: int,
    ) -> bool:
        """Book a trade of an order, once however often it is told.

        Parameters
        ----------
        client_id : str
            Our id of its order.
        fill : VenueFill
            The trade as the venue told it.
        side : int
            +1 bought, -1 sold.
        price_ticks, lots : int
            Price and quantity on the market's grid.
        fee_units, fee_microlots : int
            Fee in cash units, and fee taken from the quantity in millionths of a lot.
        candle : int
            Number of the current candle.

        Returns
        -------
        bool
            False when this side of the trade was booked before: nothing is written then.

        Raises
        ------
        JournalFailed
            When there is no such order.
        """
        booked = JournalFill(client_id, fill, side, price_ticks, lots, fee_units, fee_microlots, candle)
        return self._write(_ADD_FILL, fill_row(booked)) == 1

    def save_core(self, state: bytes, inputs_done: int) -> None:
        """Replace the core's current state.

        Parameters
        ----------
        state : bytes
            All that the core needs to go on.
        inputs_done : int
            How many recorded inputs it has taken.
        """
        packed, sha256 = packed_state(state, inputs_done)
        self._write("INSERT OR REPLACE INTO core VALUES (1, ?, ?, ?)", (inputs_done, sha256, packed))

    def add_inputs(self, first: int, count: int, frames: bytes, outputs: bytes) -> None:
        """Append a stretch to the recording.

        Parameters
        ----------
        first, count : int
            Number of its first input, and how many there are.
        frames : bytes
            The inputs, encoded.
        outputs : bytes
            Running SHA-256 of all outputs after its last input.

        Raises
        ------
        UsageError
            When it does not begin where the recording ends.
        """
        due = self.inputs_recorded()
        if count < 1 or (due and first != due):
            raise UsageError(
                f"{count} inputs from number {first} do not follow on the recording in {self.path}, "
                f"which goes on at {due}; append every input once and in order"
            )
        row = batch_row(InputBatch(first, count, frames, outputs))
        self._write("INSERT INTO inputs (first, count, frames, outputs, crc) VALUES (?, ?, ?, ?, ?)", row)

    def checkpoint(self, time_ms: int, candle: int) -> None:
        """Keep the core's current state as a checkpoint, and drop the oldest beyond twenty.

        Parameters
        ----------
        time_ms : int
            The session's clock.
        candle : int
            Number of the current candle.

        Raises
        ------
        UsageError
            When no state was saved yet.
        """
        copied = self._write(
            "INSERT INTO checkpoints (time_ms, candle, inputs_done, sha256, state) "
            "SELECT ?, ?, inputs_done, sha256, state FROM core",
            (time_ms, candle),
        )
        if not copied:
            raise UsageError(f"{self.path} has no state of the core to keep as a checkpoint; save it first")
        self._write(
            "DELETE FROM checkpoints WHERE id <= (SELECT id FROM checkpoints ORDER BY id DESC LIMIT 1 OFFSET ?)",
            (CHECKPOINTS_KEPT,),
        )

    def note(self, time_ms: int, kind: str, data: Mapping[str, object]) -> None:
        """Write down that something happened.

        Parameters
        ----------
        time_ms : int
            The session's clock.
        kind : str
            Such as ``halted``, ``reconciled``, ``alert``.
        data : mapping
            What belongs to it; what JSON does not have is kept as text.
        """
        text = json.dumps(dict(data), default=str, separators=(",", ":"))
        self._write("INSERT INTO events (time_ms, kind, data) VALUES (?, ?, ?)", (time_ms, kind, text))

    def set_meta(self, key: str, value: str) -> None:
        """Keep a text under a key, in place of what was there."""
        self._write("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def add_equity(
        self, time_ms: int, equity_units: int, cash_units: int, position_microlots: int, price_ticks: int
    ) -> None:
        """Write down the account at a candle's close; the same candle again replaces it.

        Parameters
        ----------
        time_ms : int
            Close of the candle.
        equity_units, cash_units : int
            Cash units of the quote currency.
        position_microlots : int
            Millionths of a lot.
        price_ticks : int
            Price that the position is worth.
        """
        values = (time_ms, equity_units, cash_units, position_microlots, price_ticks)
        self._write("INSERT OR REPLACE INTO equity VALUES (?, ?, ?, ?, ?)", [int(value) for value in values])

    def _write(self, sql: str, values: Sequence[Value] = ()) -> int:
        if not self._inside:
            raise UsageError(f"nothing is written to {self.path} outside a transaction; open one with transaction()")
        self._hook("write")
        try:
            return self._connection.execute(sql, values).rowcount
        except sqlite3.Error as error:
            raise failure(error, self.path) from error
        except OverflowError as error:
            raise UsageError(f"a number is too large for {self.path} (64 bits); check units of {values[:2]}") from error


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path, hook: CommitHook) -> Iterator[None]:
    """Write all of a block or none of it.

    Parameters
    ----------
    connection : sqlite3.Connection
        In autocommit.
    path : Path
        The file, for messages.
    hook : callable
        Called with ``begin``, ``before`` and ``after``.

    Raises
    ------
    JournalFailed
        When the file cannot be written; nothing of the block was then written.
    """
    try:
        hook("begin")
        connection.execute("BEGIN IMMEDIATE")
        yield
        hook("before")
        connection.execute("COMMIT")
    except BaseException as error:
        _roll_back(connection)
        if isinstance(error, sqlite3.Error):
            raise failure(error, path) from error
        raise
    hook("after")


def _roll_back(connection: sqlite3.Connection) -> None:
    # SQLite has rolled back by itself after some errors of the disk.
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def no_hook(point: str) -> None:
    """Let a commit pass; `point` is where it is."""
