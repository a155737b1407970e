"""The files of the candle store: written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from trading.errors import DataError
from trading.market.candles import COLUMNS

_TEMPORARY = ".tmp"
_SCHEMA = pa.schema([(name, pa.int64() if name == "timestamp" else pa.float64()) for name in COLUMNS])


def split_months(timestamp: NDArray[np.int64]) -> list[tuple[str, slice]]:
    """Return each UTC month, such as ``2024-05``, with its rows.

    Parameters
    ----------
    timestamp : ndarray of int64, shape (n,)
        Rising times, ms UTC; at least one.
    """
    months = timestamp.astype("datetime64[ms]").astype("datetime64[M]")
    starts = np.flatnonzero(np.append(True, months[1:] != months[:-1]))
    ends = np.append(starts[1:], len(months))
    return [(str(months[first]), slice(int(first), int(last))) for first, last in zip(starts, ends, strict=True)]


def read_month(file: Path) -> dict[str, NDArray[np.generic]]:
    """Return the columns of one file of the store.

    Raises
    ------
    DataError
        When the file is damaged.
    """
    try:
        table = pq.ParquetFile(file).read(columns=list(COLUMNS)).cast(_SCHEMA)
        return {name: table.column(name).to_numpy() for name in COLUMNS}
    except (pa.ArrowException, OSError, KeyError, ValueError):
        raise DataError(
            f"the store's file {file} is damaged; remove it and import or download that month again"
        ) from None


def merge(
    old: dict[str, NDArray[np.generic]] | None, new: dict[str, NDArray[np.generic]]
) -> tuple[dict[str, NDArray[np.generic]], int, int]:
    """Return the columns of two pieces of one series in order; where both have a time, the new one wins.

    Parameters
    ----------
    old, new : dict of ndarray
        Candle columns, each rising in time; ``old`` may be None.

    Returns
    -------
    tuple
        The columns, the number of added rows, the number of replaced rows.
    """
    if old is None:
        return new, len(new["timestamp"]), 0
    known = np.isin(new["timestamp"], old["timestamp"], assume_unique=True)
    same_rows = np.searchsorted(old["timestamp"], new["timestamp"][known])
    equal = np.logical_and.reduce([old[name][same_rows] == new[name][known] for name in COLUMNS])
    kept = ~np.isin(old["timestamp"], new["timestamp"], assume_unique=True)
    merged = {name: np.concatenate([old[name][kept], new[name]]) for name in COLUMNS}
    order = np.argsort(merged["timestamp"], kind="stable")
    return {name: merged[name][order] for name in COLUMNS}, int((~known).sum()), int((~equal).sum())


def write_months(months: dict[Path, dict[str, NDArray[np.generic]]]) -> None:
    """Write files so that each is replaced as a whole, and none before all are safely on disk.

    Parameters
    ----------
    months : dict
        Columns by file.
    """
    staged: dict[Path, Path] = {}
    try:
        for file, columns in months.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            staged[file] = file.with_name(f".{file.name}.{os.getpid()}{_TEMPORARY}")
            _write(staged[file], columns)
        for file, temporary in staged.items():
            temporary.replace(file)
    finally:
        for temporary in staged.values():
            temporary.unlink(missing_ok=True)
    for folder in {file.parent for file in months}:
        _sync_folder(folder)


def _write(file: Path, columns: dict[str, NDArray[np.generic]]) -> None:
    with file.open("wb") as stream:
        pq.write_table(pa.table(columns, schema=_SCHEMA), stream, compression="zstd")
        stream.flush()
        os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # elsewhere a folder cannot be opened, and the rename itself is durable
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed writer left; call it only under the series' lock."""
    if folder.is_dir():
        for path in folder.iterdir():
            if path.name.endswith(_TEMPORARY):
                path.unlink(missing_ok=True)
