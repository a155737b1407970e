"""The journal's tables, their versions, and the steps from one version to the next."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from trading.errors import Refused, StateCorrupt

APPLICATION_ID: Final = 0x47524A4C
"""SQLite's mark of a file as a GridBot journal."""

_TABLES_1 = (
    """CREATE TABLE session (
        id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL, mode TEXT NOT NULL, exchange TEXT NOT NULL,
        symbol TEXT NOT NULL, timeframe TEXT NOT NULL, capital TEXT NOT NULL, settings_json TEXT NOT NULL,
        market_json TEXT NOT NULL, created_ms INTEGER NOT NULL, origin_ms INTEGER NOT NULL, version TEXT NOT NULL,
        account TEXT NOT NULL, crc INTEGER NOT NULL)""",
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    "INSERT INTO counters VALUES ('client_seq', 0)",
    """CREATE TABLE orders (
        seq INTEGER PRIMARY KEY, client_id TEXT NOT NULL UNIQUE, core_id INTEGER NOT NULL, slot INTEGER NOT NULL,
        side INTEGER NOT NULL CHECK (side IN (1, -1)), lots INTEGER NOT NULL CHECK (lots > 0),
        limit_ticks INTEGER NOT NULL, taker INTEGER NOT NULL, why INTEGER NOT NULL, created_ms INTEGER NOT NULL,
        state TEXT NOT NULL, command TEXT, cancel_wanted INTEGER NOT NULL, exchange_id TEXT,
        filled_lots INTEGER NOT NULL CHECK (filled_lots >= 0), sends INTEGER NOT NULL, sent_ms INTEGER NOT NULL,
        checks INTEGER NOT NULL, note TEXT NOT NULL, is_open INTEGER NOT NULL, crc INTEGER NOT NULL)""",
    # What needs work is found without a look at what is done, however much that is.
    "CREATE INDEX open_orders ON orders (seq) WHERE is_open = 1",
    "CREATE INDEX venue_orders ON orders (exchange_id) WHERE exchange_id IS NOT NULL",
    "CREATE UNIQUE INDEX core_orders ON orders (core_id) WHERE core_id >= 0",
    """CREATE TABLE fills (
        seq INTEGER PRIMARY KEY, symbol TEXT NOT NULL, trade_id TEXT NOT NULL,
        side INTEGER NOT NULL CHECK (side IN (1, -1)), client_id TEXT NOT NULL REFERENCES orders (client_id),
        exchange_id TEXT NOT NULL, price TEXT NOT NULL, quantity TEXT NOT NULL, fee TEXT NOT NULL,
        fee_asset TEXT NOT NULL, time_ms INTEGER NOT NULL, is_maker INTEGER NOT NULL,
        price_ticks INTEGER NOT NULL, lots INTEGER NOT NULL, fee_units INTEGER NOT NULL,
        fee_microlots INTEGER NOT NULL, candle INTEGER NOT NULL, crc INTEGER NOT NULL)""",
    # A trade of our buy with our own sell has one id and is two fills: the side tells them apart.
    "CREATE UNIQUE INDEX one_fill_a_trade ON fills (symbol, trade_id, side)",
    "CREATE INDEX fills_of_an_order ON fills (client_id, lots)",
    "CREATE INDEX fills_by_time ON fills (time_ms)",
    """CREATE TABLE core (
        id INTEGER PRIMARY KEY CHECK (id = 1), inputs_done INTEGER NOT NULL, sha256 BLOB NOT NULL,
        state BLOB NOT NULL)""",
    """CREATE TABLE checkpoints (
        id INTEGER PRIMARY KEY AUTOINCREMENT, time_ms INTEGER NOT NULL, candle INTEGER NOT NULL,
        inputs_done INTEGER NOT NULL, sha256 BLOB NOT NULL, state BLOB NOT NULL)""",
    """CREATE TABLE inputs (
        first INTEGER PRIMARY KEY, count INTEGER NOT NULL CHECK (count > 0), frames BLOB NOT NULL,
        outputs BLOB NOT NULL, crc INTEGER NOT NULL)""",
    """CREATE TABLE events (
        id INTEGER PRIMARY KEY AUTOINCREMENT, time_ms INTEGER NOT NULL, kind TEXT NOT NULL, data TEXT NOT NULL)""",
    """CREATE TABLE equity (
        time_ms INTEGER PRIMARY KEY, equity_units INTEGER NOT NULL, cash_units INTEGER NOT NULL,
        position_microlots INTEGER NOT NULL, price_ticks INTEGER NOT NULL)""",
)

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (_TABLES_1,)
"""Step n leads from version n to n + 1; version 0 is an empty file."""


def version_of(connection: sqlite3.Connection) -> int:
    """Return the version of a journal's tables; 0 before there are any."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(
    connection: sqlite3.Connection, where: str, migrations: Sequence[Sequence[str]] = MIGRATIONS
) -> tuple[int, int]:
    """Bring the tables up to the newest version, all steps within the transaction that the caller has begun.

    Parameters
    ----------
    connection : sqlite3.Connection
        Inside a transaction, so that a crash leaves the version that was there.
    where : str
        The file, for messages.
    migrations : sequence of sequences of str
        Statements of each step; step n leads from version n to n + 1.

    Returns
    -------
    tuple of int
        The version found and the version left.

    Raises
    ------
    Refused
        When a newer GridBot wrote the file.
    StateCorrupt
        When the file is another program's database.
    """
    found = version_of(connection)
    check_version(connection, where, len(migrations))
    for version, statements in enumerate(migrations[found:], start=found):
        for statement in statements:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {version + 1}")
    if found < len(migrations):
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    return found, len(migrations)


def check_version(connection: sqlite3.Connection, where: str, newest: int = len(MIGRATIONS)) -> None:
    """Refuse a file that a newer GridBot wrote, or that is not a journal.

    Parameters
    ----------
    connection : sqlite3.Connection
        Opened on the file.
    where : str
        The file, for messages.
    newest : int
        Version that this GridBot writes.

    Raises
    ------
    Refused
        When the version is newer than this GridBot knows.
    StateCorrupt
        When the file is another program's database.
    """
    found = version_of(connection)
    mark = int(connection.execute("PRAGMA application_id").fetchone()[0])
    if mark not in (0, APPLICATION_ID):
        raise StateCorrupt(f"{where} is not a GridBot journal but another program's database; name another file")
    if found > newest:
        raise Refused(
            f"{where} has journal version {found} and this GridBot knows versions up to {newest}; "
            "open it with the GridBot that wrote it, or a newer one"
        )
