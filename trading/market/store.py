"""The candle store: one parquet file per symbol, timeframe and month, queried through DuckDB."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from trading.errors import DataError, Refused
from trading.market.candles import COLUMNS, Candles
from trading.market.names import folder_name, symbol_of_folder
from trading.market.resampling import bucket_opens, resample
from trading.market.rows import require_values
from trading.market.store_files import merge, read_month, remove_leftovers, split_months, write_months
from trading.market.timeframes import is_timeframe, timeframe_ms, timeframe_of

if TYPE_CHECKING:
    import duckdb

_MONTH_FILE = re.compile(r"\d{4}-\d{2}\.parquet")
_GLOB = re.compile(r"([*?\[])")


@dataclass(frozen=True, slots=True)
class AppendReport:
    """What an append changed.

    Parameters
    ----------
    symbol, timeframe : str
        The series.
    added, replaced, unchanged : int
        Candles that are new, that took the place of different ones of the same time, that were there already.
    """

    symbol: str
    timeframe: str
    added: int
    replaced: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class StoredSeries:
    """One symbol and timeframe in the store.

    Parameters
    ----------
    symbol, timeframe : str
        The series.
    first_ms, last_ms : int
        Open times of its first and last candle, ms UTC.
    candles, missing : int
        Candles that are there, and that are not there between first and last.
    bytes : int
        Size on disk.
    """

    symbol: str
    timeframe: str
    first_ms: int
    last_ms: int
    candles: int
    missing: int
    bytes: int


class CandleStore:
    """Candles on disk, under ``<root>/candles/BTC-USDT/1m/2024-05.parquet``.

    Each file is replaced as a whole, so a reader or a crash at any instant sees the old months or the new ones, never
    part of one; writers of one series take turns, across processes. An append that is cut off between two months is
    made whole by appending again.

    Parameters
    ----------
    root : Path
        The store's folder; made when the first candle is stored.
    lock_timeout_s : float
        How long a writer waits for another one of the same series.
    """

    def __init__(self, root: Path, lock_timeout_s: float = 60.0) -> None:
        self.root = Path(root)
        self._lock_timeout_s = lock_timeout_s

    def append(self, candles: Candles) -> AppendReport:
        """Store candles; one of a time that is stored already takes its place.

        Parameters
        ----------
        candles : Candles
            Real candles with sound values, in any relation to what is stored.

        Returns
        -------
        AppendReport
            What changed; files in which nothing changes are not touched.

        Raises
        ------
        DataError
            When a candle is made up or holds a value that no candle may have; nothing is stored then.
        Refused
            When another process keeps the series locked, or the store's folder cannot be written.
        """
        folder = self._folder(candles.symbol, candles.timeframe)
        timeframe = folder.name
        if candles.filled is not None and candles.filled.any():
            raise DataError(
                f"{candles.symbol} {timeframe}: {int(candles.filled.sum())} candles were made up to bridge gaps; "
                "only real candles are stored"
            )
        require_values(candles)
        if len(candles) == 0:
            return AppendReport(candles.symbol, timeframe, 0, 0, 0)
        try:
            with self._locked(candles.symbol, timeframe):
                remove_leftovers(folder)
                return self._append_locked(candles, folder, timeframe)
        except OSError as error:
            raise Refused(
                f"the candle store {self.root} cannot be written ({error.strerror or error}); "
                "make room there or choose another --home"
            ) from error

    def _append_locked(self, candles: Candles, folder: Path, timeframe: str) -> AppendReport:
        changed: dict[Path, dict[str, NDArray[np.generic]]] = {}
        added = replaced = 0
        for month, rows in split_months(candles.timestamp):
            file = folder / f"{month}.parquet"
            new = candles[rows].columns()
            merged, more, others = merge(read_month(file) if file.exists() else None, new)
            added, replaced = added + more, replaced + others
            if more or others:
                changed[file] = merged
        write_months(changed)
        return AppendReport(candles.symbol, timeframe, added, replaced, len(candles) - added - replaced)

    def read(self, symbol: str, timeframe: str, start_ms: int | None = None, end_ms: int | None = None) -> Candles:
        """Return the stored candles that open in ``[start_ms, end_ms)``; only the months needed are read.

        Parameters
        ----------
        symbol : str
            ``BASE/QUOTE``.
        timeframe : str
            When it is not stored itself, it is made from the longest stored one that divides it.
        start_ms, end_ms : int, optional
            Times, ms UTC; None leaves that side open.

        Returns
        -------
        Candles
            None of them when the period holds none.

        Raises
        ------
        DataError
            When neither is stored, or a file of the store is damaged.
        """
        source = self._source(symbol, timeframe)
        name = timeframe_of(timeframe_ms(timeframe))
        if source == name:
            candles = self._query(symbol, name, start_ms, end_ms)
        else:
            first, last = self._around(symbol, source, timeframe_ms(name), start_ms, end_ms)
            candles = resample(self._query(symbol, source, first, last), name).between(start_ms, end_ms)
        return candles

    def last_timestamp(self, symbol: str, timeframe: str) -> int | None:
        """Return the open time of the last stored candle in ms UTC, or None when there is none."""
        files = self._files(symbol, timeframe)
        if not files:
            return None
        times = self._run("SELECT max(timestamp) FROM read_parquet($files)", files[-1:]).fetchone()
        return None if times is None else int(times[0])

    def timeframes(self, symbol: str) -> list[str]:
        """Return the stored timeframes of a symbol, shortest first."""
        folder = self.root / "candles" / folder_name(symbol)
        names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
        return sorted((name for name in names if is_timeframe(name) and self._files(symbol, name)), key=timeframe_ms)

    def contents(self) -> list[StoredSeries]:
        """Return what is stored, by symbol and timeframe.

        Raises
        ------
        DataError
            When a file is damaged.
        """
        folder = self.root / "candles"
        names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
        symbols = [symbol for symbol in map(symbol_of_folder, names) if symbol is not None]
        return [self._describe(symbol, timeframe) for symbol in symbols for timeframe in self.timeframes(symbol)]

    def _describe(self, symbol: str, timeframe: str) -> StoredSeries:
        files = self._files(symbol, timeframe)
        row = self._run("SELECT min(timestamp), max(timestamp), count(*) FROM read_parquet($files)", files).fetchone()
        first, last, count = (int(value) for value in row or (0, 0, 0))
        expected = (last - first) // timeframe_ms(timeframe) + 1
        size = sum(file.stat().st_size for file in files)
        return StoredSeries(symbol, timeframe, first, last, count, max(0, expected - count), size)

    def _query(self, symbol: str, timeframe: str, start_ms: int | None, end_ms: int | None) -> Candles:
        files = _months_between(self._files(symbol, timeframe), start_ms, end_ms)
        if not files:
            return Candles.empty(symbol, timeframe)
        low = -(2**62) if start_ms is None else start_ms
        high = 2**62 if end_ms is None else end_ms
        result = self._run(
            f"SELECT {', '.join(COLUMNS)} FROM read_parquet($files) "  # noqa: S608 - names of our own
            "WHERE timestamp >= $low AND timestamp < $high ORDER BY timestamp",
            files,
            low=low,
            high=high,
        ).fetchnumpy()
        return Candles.from_columns(symbol, timeframe, {name: np.asarray(result[name]) for name in COLUMNS})

    def _run(self, query: str, files: list[Path], **values: int) -> duckdb.DuckDBPyConnection:
        import duckdb  # here, so that reading a file does not wait for it

        # DuckDB reads * ? [ in a path as a pattern; in brackets they stand for themselves.
        paths = [_GLOB.sub(r"[\1]", str(file)) for file in files]
        try:
            return duckdb.connect().execute(query, {"files": paths, **values})
        except duckdb.Error:
            for file in files:
                read_month(file)
            raise

    def _around(
        self, symbol: str, source: str, step: int, start_ms: int | None, end_ms: int | None
    ) -> tuple[int | None, int | None]:
        # One stored candle more on each side shows that history goes on there, so that what is made at the edges of
        # the period is the same as in the middle of all of it.
        first, last = (None if time is None else _bucket_open(time, step) for time in (start_ms, end_ms))
        if first is not None:
            first = self._neighbour(symbol, source, "max(timestamp)", "timestamp < $time", first)
        if last is not None:
            after = self._neighbour(symbol, source, "min(timestamp)", "timestamp >= $time", last + step)
            last = None if after is None else after + 1
        return first, last

    def _neighbour(self, symbol: str, source: str, what: str, where: str, time: int) -> int | None:
        query = f"SELECT {what} FROM read_parquet($files) WHERE {where}"  # noqa: S608 - words of our own
        row = self._run(query, self._files(symbol, source), time=time).fetchone()
        return None if row is None or row[0] is None else int(row[0])

    def _source(self, symbol: str, timeframe: str) -> str:
        step = timeframe_ms(timeframe)
        stored = self.timeframes(symbol)
        fitting = [name for name in stored if step % timeframe_ms(name) == 0]
        if fitting:
            return fitting[-1]
        has = f"only {', '.join(stored)}" if stored else "no candles"
        raise DataError(
            f"the store has {has} of {symbol}, which cannot give {timeframe}; "
            "`gridbot data import` or `gridbot data download` them first"
        )

    def _folder(self, symbol: str, timeframe: str) -> Path:
        return self.root / "candles" / folder_name(symbol) / timeframe_of(timeframe_ms(timeframe))

    def _files(self, symbol: str, timeframe: str) -> list[Path]:
        folder = self._folder(symbol, timeframe)
        if not folder.is_dir():
            return []
        return sorted(path for path in folder.iterdir() if _MONTH_FILE.fullmatch(path.name))

    @contextmanager
    def _locked(self, symbol: str, timeframe: str) -> Iterator[None]:
        folder = self.root / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(folder / f"{folder_name(symbol)}.{timeframe}.lock", timeout=self._lock_timeout_s):
                yield
        except Timeout:
            raise Refused(
                f"another process has been writing {symbol} {timeframe} for {self._lock_timeout_s:g} s; try again later"
            ) from None


def _months_between(files: list[Path], start_ms: int | None, end_ms: int | None) -> list[Path]:
    first = "" if start_ms is None else _month(start_ms)
    last = "9999-99" if end_ms is None else _month(end_ms)
    return [file for file in files if first <= file.stem <= last]


def _bucket_open(time_ms: int, step: int) -> int:
    return int(bucket_opens(np.array([time_ms]), step)[0])


def _month(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1_000, tz=UTC).strftime("%Y-%m")
