"""What is read from a journal: by its session, and by whoever looks on while it trades."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, cast

from trading.errors import StateCorrupt
from trading.orders.journal_connection import PATIENCE_S, failure, open_reader
from trading.orders.journal_rows import (
    FACT_COLUMNS,
    FILL_COLUMNS,
    ORDER_COLUMNS,
    CheckpointInfo,
    EquityPoint,
    InputBatch,
    JournalEvent,
    JournalFill,
    SessionFacts,
    Value,
    batch_of,
    event_of,
    facts_of,
    fill_of_row,
    order_of_row,
    unpacked_state,
)
from trading.orders.journal_schema import check_version, version_of
from trading.orders.records import OrderRecord
from trading.orders.venue import VenueFill

_PAGE = 500
# Only names of columns are put into statements, never a value.
_ORDERS = f"SELECT {', '.join(ORDER_COLUMNS)}, crc FROM orders"  # noqa: S608
_FILLS = f"SELECT {', '.join(FILL_COLUMNS)}, crc FROM fills"  # noqa: S608
_FACTS = f"SELECT {', '.join(FACT_COLUMNS)}, crc FROM session"  # noqa: S608

Row = tuple[Value, ...]


class JournalReader:
    """A journal as others see it: what is committed, at any time, without keeping its writer waiting.

    Parameters
    ----------
    path : Path
        The journal's file.
    connection : sqlite3.Connection
        Opened on it; closed by `close`.

    Raises
    ------
    StateCorrupt
        When the file is damaged or is not a journal.
    Refused
        When a newer GridBot wrote it.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        try:
            check_version(connection, str(path))
            self._facts = self._read_facts()
        except sqlite3.Error as error:
            connection.close()
            raise failure(error, path) from error
        except BaseException:
            connection.close()
            raise

    @classmethod
    def read(cls, path: Path, *, patience_s: float = PATIENCE_S) -> JournalReader:
        """Open a journal for reading only.

        Parameters
        ----------
        path : Path
            The journal's file.
        patience_s : float
            How long to wait while the file is being recovered.

        Returns
        -------
        JournalReader
            To be closed, or used in a ``with`` block.

        Raises
        ------
        UsageError
            When there is no such file.
        StateCorrupt
            When the file is damaged or is not a journal.
        Refused
            When a newer GridBot wrote it.
        """
        return JournalReader(path, open_reader(path, patience_s))

    @property
    def facts(self) -> SessionFacts:
        """What the session is."""
        return self._facts

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def meta(self, key: str) -> str | None:
        """Return what was kept under a key; None when nothing was."""
        row = self._row("SELECT value FROM meta WHERE key = ?", (key,))
        return None if row is None else str(row[0])

    def order(self, client_id: str) -> OrderRecord | None:
        """Return the order with our id; None when there is none."""
        return self._order("client_id = ?", client_id)

    def order_of(self, exchange_id: str) -> OrderRecord | None:
        """Return the newest order with the venue's id; None when there is none."""
        return self._order("exchange_id = ?", exchange_id)

    def order_of_core(self, core_id: int) -> OrderRecord | None:
        """Return the order with the core's number; None when there is none."""
        return self._order("core_id = ? AND core_id >= 0", core_id)

    def open_records(self) -> list[OrderRecord]:
        """Return the orders that are not final, oldest first; fast however many are."""
        return self._orders(f"{_ORDERS} INDEXED BY open_orders WHERE is_open = 1 ORDER BY seq", ())

    def orders(self, limit: int | None = None, offset: int = 0, *, newest_first: bool = False) -> list[OrderRecord]:
        """Return orders in the order in which they were decided.

        Parameters
        ----------
        limit : int, optional
            At most so many.
        offset : int
            Leave out so many first.
        newest_first : bool
            Begin with the newest.

        Returns
        -------
        list of OrderRecord
            Oldest first unless asked otherwise.
        """
        direction = "DESC" if newest_first else "ASC"
        sql = f"{_ORDERS} ORDER BY seq {direction} LIMIT ? OFFSET ?"
        return self._orders(sql, (-1 if limit is None else limit, offset))

    def order_count(self) -> int:
        """Return how many orders there are."""
        return self._number("SELECT count(*) FROM orders")

    def fills(self, client_id: str | None = None, *, limit: int | None = None, offset: int = 0) -> list[JournalFill]:
        """Return fills in the order in which they were booked.

        Parameters
        ----------
        client_id : str, optional
            Only those of this order.
        limit : int, optional
            At most so many.
        offset : int
            Leave out so many first.

        Returns
        -------
        list of JournalFill
            Oldest first.
        """
        span = (-1 if limit is None else limit, offset)
        if client_id is None:
            rows = self._rows(f"{_FILLS} ORDER BY seq LIMIT ? OFFSET ?", span)
        else:
            rows = self._rows(f"{_FILLS} WHERE client_id = ? ORDER BY seq LIMIT ? OFFSET ?", (client_id, *span))
        return [fill_of_row(row, str(self.path)) for row in rows]

    def order_of_trade(self, trade: VenueFill) -> str | None:
        """Return our id of the order that a trade was booked for; None when that side of it was not booked yet."""
        sql = "SELECT client_id FROM fills WHERE symbol = ? AND trade_id = ? AND side = ?"
        row = self._row(sql, (trade.symbol, trade.trade_id, trade.side))
        return None if row is None else str(row[0])

    def fill_count(self) -> int:
        """Return how many fills there are."""
        return self._number("SELECT count(*) FROM fills")

    def filled_lots(self, client_id: str) -> int:
        """Return the lots that were booked for an order, from its fills."""
        return self._number("SELECT coalesce(sum(lots), 0) FROM fills WHERE client_id = ?", (client_id,))

    def last_fill_ms(self) -> int:
        """Return the venue's time of the newest fill; 0 when there is none."""
        return self._number("SELECT coalesce(max(time_ms), 0) FROM fills")

    def has_core(self) -> bool:
        """Return whether a state of the core was ever saved."""
        return self._number("SELECT count(*) FROM core") + self._number("SELECT count(*) FROM checkpoints") > 0

    def core(self) -> tuple[bytes, int] | None:
        """Return the core's current state and the count of inputs it has taken; None before the first.

        Raises
        ------
        StateCorrupt
            When it fails its checksum; `Journal.restore` then takes the newest valid checkpoint.
        """
        row = self._row("SELECT state, sha256, inputs_done FROM core")
        return None if row is None else self._state(row, f"the core's state in {self.path}")

    def inputs(self, first: int = 0) -> Iterator[InputBatch]:
        """Yield the recording from the stretch that holds an input, to the end.

        Parameters
        ----------
        first : int
            Number of the input.

        Yields
        ------
        InputBatch
            Whole stretches: the first may begin before ``first``.

        Raises
        ------
        StateCorrupt
            When a stretch fails its checksum.
        """
        start = self._number("SELECT coalesce(max(first), 0) FROM inputs WHERE first <= ?", (first,))
        while True:
            # In pages, so that a long look never keeps the write-ahead log from being folded in.
            rows = self._rows("SELECT * FROM inputs WHERE first >= ? ORDER BY first LIMIT ?", (start, _PAGE))
            for row in rows:
                batch = batch_of(row, str(self.path))
                start = batch.first + batch.count
                if start > first:
                    yield batch
            if len(rows) < _PAGE:
                return

    def inputs_recorded(self) -> int:
        """Return the number that the next recorded input will have; 0 before the first."""
        return self._number(
            "SELECT coalesce(max(first + count), 0) FROM (SELECT * FROM inputs ORDER BY first DESC LIMIT 1)"
        )

    def checkpoints(self) -> list[CheckpointInfo]:
        """Return the checkpoints that are kept, newest first."""
        rows = self._rows("SELECT id, time_ms, candle, inputs_done FROM checkpoints ORDER BY id DESC")
        return [CheckpointInfo(*cast("tuple[int, int, int, int]", row)) for row in rows]

    def checkpoint_state(self, checkpoint: CheckpointInfo) -> tuple[bytes, int]:
        """Return a checkpoint's state and the count of inputs it has taken.

        Raises
        ------
        StateCorrupt
            When it fails its checksum, or is no longer kept.
        """
        what = f"checkpoint {checkpoint.id} in {self.path}"
        row = self._row("SELECT state, sha256, inputs_done FROM checkpoints WHERE id = ?", (checkpoint.id,))
        if row is None:
            raise StateCorrupt(f"{what} is no longer kept; ask for the list again")
        return self._state(row, what)

    def events(self, after: int = 0, *, limit: int | None = None) -> list[JournalEvent]:
        """Return what happened, oldest first.

        Parameters
        ----------
        after : int
            Only events with a higher number.
        limit : int, optional
            At most so many.

        Returns
        -------
        list of JournalEvent
            Oldest first.
        """
        sql = "SELECT id, time_ms, kind, data FROM events WHERE id > ? ORDER BY id LIMIT ?"
        rows = self._rows(sql, (after, -1 if limit is None else limit))
        return [event_of(row, str(self.path)) for row in rows]

    def equity(self, since_ms: int = 0) -> list[EquityPoint]:
        """Return the account at each candle's close, oldest first.

        Parameters
        ----------
        since_ms : int
            Only candles that closed then or later.

        Returns
        -------
        list of EquityPoint
            Oldest first.
        """
        rows = self._rows("SELECT * FROM equity WHERE time_ms >= ? ORDER BY time_ms", (since_ms,))
        return [EquityPoint(*cast("tuple[int, int, int, int, int]", row)) for row in rows]

    def last_equity(self) -> EquityPoint | None:
        """Return the account at the newest candle's close; None before the first."""
        row = self._row("SELECT * FROM equity ORDER BY time_ms DESC LIMIT 1")
        return None if row is None else EquityPoint(*cast("tuple[int, int, int, int, int]", row))

    def _read_facts(self) -> SessionFacts:
        row = self._row(_FACTS) if version_of(self._connection) else None
        if row is None:
            raise StateCorrupt(f"{self.path} holds no session; its first write was cut short, so start it again")
        return facts_of(row, str(self.path))

    def _order(self, condition: str, value: str | int) -> OrderRecord | None:
        row = self._row(f"{_ORDERS} WHERE {condition} ORDER BY seq DESC LIMIT 1", (value,))
        return None if row is None else order_of_row(row, str(self.path))

    def _orders(self, sql: str, values: Sequence[Value]) -> list[OrderRecord]:
        where = str(self.path)
        return [order_of_row(row, where) for row in self._rows(sql, values)]

    def _state(self, row: Row, what: str) -> tuple[bytes, int]:
        state, sha256, inputs_done = cast("tuple[bytes, bytes, int]", row)
        return unpacked_state(state, sha256, inputs_done, what), inputs_done

    def _number(self, sql: str, values: Sequence[Value] = ()) -> int:
        row = self._row(sql, values)
        return 0 if row is None else cast("int", row[0])

    def _row(self, sql: str, values: Sequence[Value] = ()) -> Row | None:
        rows = self._rows(sql, values)
        return rows[0] if rows else None

    def _rows(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise failure(error, self.path) from error
