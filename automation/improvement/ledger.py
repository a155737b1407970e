"""The improvement ledger: every repair run in one SQLite file that survives crashes and concurrent readers."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Self

from automation.databases import open_database, transaction
from automation.improvement.records import (
    DAY_MS,
    ProposerShare,
    RepairRecord,
    Status,
    Success,
    proposer_shares,
    success_by_kind,
    success_over_time,
)
from trading.errors import Refused, StateCorrupt
from trading.setting_sources import data_home

FILE_NAME = "improvement.db"
# One script for each schema version: a file of version n runs the scripts from n on.
_MIGRATIONS = (
    """
    CREATE TABLE runs (
        run_id TEXT PRIMARY KEY,
        started_ms INTEGER NOT NULL,
        target TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        kind TEXT NOT NULL,
        title TEXT NOT NULL,
        status TEXT NOT NULL,
        proposer TEXT NOT NULL,
        plausible INTEGER NOT NULL,
        model TEXT NOT NULL,
        model_calls INTEGER NOT NULL,
        model_tokens INTEGER NOT NULL,
        commit_hash TEXT NOT NULL,
        branch TEXT NOT NULL
    ) STRICT;
    CREATE INDEX runs_by_time ON runs (started_ms);
    CREATE INDEX runs_by_incident ON runs (fingerprint);
    CREATE TABLE candidates (
        run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
        proposer TEXT NOT NULL,
        count INTEGER NOT NULL,
        PRIMARY KEY (run_id, proposer)
    ) STRICT;
    CREATE TABLE stages (
        run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
        stage TEXT NOT NULL,
        seconds REAL NOT NULL,
        PRIMARY KEY (run_id, stage)
    ) STRICT;
    """,
)
_COLUMNS = (
    "run_id, started_ms, target, fingerprint, kind, title, status, proposer, plausible, model, model_calls, "
    "model_tokens, commit_hash, branch"
)
_INSERT = f"INSERT OR REPLACE INTO runs ({_COLUMNS}) VALUES ({', '.join('?' * 14)})"  # noqa: S608 - our own names
_SELECT = f"SELECT {_COLUMNS} FROM runs WHERE started_ms >= ? AND (? IS NULL OR kind = ?) ORDER BY started_ms, run_id"  # noqa: S608


def ledger_path(home: Path | None = None) -> Path:
    """Return where the ledger is; the file need not exist yet."""
    return data_home(home) / FILE_NAME


class Ledger:
    """Every repair run, one row a run; many may read while one writes.

    Parameters
    ----------
    path : Path
        The SQLite file; made with its folder when missing.

    Raises
    ------
    Refused
        When a newer GridBot wrote the file.
    StateCorrupt
        When the file is not a ledger.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._connection = open_database(path, durable=True)
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise
        except sqlite3.DatabaseError as error:
            raise StateCorrupt(f"{path} is not a readable ledger ({error}); move it away to begin a new one") from None

    def __enter__(self) -> Self:
        """Return the ledger."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def record(self, record: RepairRecord) -> None:
        """Write a run down, or replace what was written of it before; durable when this returns."""
        row = (
            record.run_id, record.started_ms, record.target, record.fingerprint, record.kind, record.title,
            record.status.value, record.proposer, record.plausible, record.model, record.model_calls,
            record.model_tokens, record.commit, record.branch,
        )  # fmt: skip
        with transaction(self._connection) as connection:
            connection.execute(_INSERT, row)
            connection.executemany(
                "INSERT INTO candidates VALUES (?, ?, ?)",
                [(record.run_id, proposer, count) for proposer, count in record.candidates.items()],
            )
            connection.executemany(
                "INSERT INTO stages VALUES (?, ?, ?)",
                [(record.run_id, stage, seconds) for stage, seconds in record.seconds.items()],
            )

    def records(self, since_ms: int = 0, kind: str | None = None) -> tuple[RepairRecord, ...]:
        """Return runs, oldest first.

        Parameters
        ----------
        since_ms : int
            Runs that started at this time or later, milliseconds UTC.
        kind : str, optional
            Of the incident; None takes every kind.
        """
        # One snapshot for several queries, so that a run written meanwhile is seen whole or not at all.
        with transaction(self._connection, writing=False) as connection:
            rows = connection.execute(_SELECT, (since_ms, kind, kind)).fetchall()
            candidates = self._by_run("SELECT run_id, proposer, count FROM candidates ORDER BY rowid")
            stages = self._by_run("SELECT run_id, stage, seconds FROM stages ORDER BY rowid")
        return tuple(_record_of(row, candidates.get(row[0], {}), stages.get(row[0], {})) for row in rows)

    def success_by_kind(self, since_ms: int = 0) -> dict[str, Success]:
        """Return the success of each kind of incident, kinds with most runs first."""
        return success_by_kind(self.records(since_ms))

    def success_over_time(self, bucket_ms: int = DAY_MS, since_ms: int = 0) -> dict[int, Success]:
        """Return the success of each stretch of time that has runs, by its begin in milliseconds UTC."""
        return success_over_time(self.records(since_ms), bucket_ms)

    def proposers(self, since_ms: int = 0) -> dict[str, ProposerShare]:
        """Return what each proposer contributed, those with most repairs first."""
        return proposer_shares(self.records(since_ms))

    def _prepare(self) -> None:
        connection = self._connection
        # who only reads takes no lock, and waits for nobody who writes
        if connection.execute("PRAGMA user_version").fetchone() == (len(_MIGRATIONS),):
            return
        with transaction(connection):
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > len(_MIGRATIONS):
                raise Refused(
                    f"{self._path} has schema version {version}, newer than {len(_MIGRATIONS)} which this GridBot "
                    "knows; update GridBot"
                )
            for script in _MIGRATIONS[version:]:
                for statement in filter(str.strip, script.split(";")):
                    connection.execute(statement)
            if version < len(_MIGRATIONS):
                connection.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")

    def _by_run(self, query: str) -> dict[str, dict[str, int | float]]:
        found: dict[str, dict[str, int | float]] = {}
        for run_id, name, value in self._connection.execute(query):
            found.setdefault(run_id, {})[name] = value
        return found


def _record_of(
    row: tuple[str | int, ...], candidates: dict[str, int | float], seconds: dict[str, int | float]
) -> RepairRecord:
    run_id, started_ms, target, fingerprint, kind, title, status, proposer, plausible, model, *rest = row
    calls, tokens, commit, branch = rest
    return RepairRecord(
        run_id=str(run_id),
        started_ms=int(started_ms),
        target=str(target),
        fingerprint=str(fingerprint),
        kind=str(kind),
        title=str(title),
        status=Status(str(status)),
        proposer=str(proposer),
        candidates={name: int(count) for name, count in candidates.items()},
        plausible=int(plausible),
        seconds={name: float(value) for name, value in seconds.items()},
        model=str(model),
        model_calls=int(calls),
        model_tokens=int(tokens),
        commit=str(commit),
        branch=str(branch),
    )
