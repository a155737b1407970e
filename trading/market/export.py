"""Candles as CSV files for people and spreadsheets, with the newest N kept."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from trading.errors import DataError, Refused, UsageError
from trading.market.candles import Candles
from trading.market.names import folder_name
from trading.market.timeframes import timeframe_ms, timeframe_of


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export wrote and removed.

    Parameters
    ----------
    file : Path
        The new file.
    candles : int
        Its rows.
    removed : tuple of Path
        Older exports of the same series beyond those to keep.
    """

    file: Path
    candles: int
    removed: tuple[Path, ...]


def export_csv(candles: Candles, folder: Path, keep: int | None = None) -> ExportReport:
    """Write candles to a CSV file named after symbol, timeframe, first and last open time.

    Such as ``BTC-USDT-1h_20240501T000000_20240601T000000.csv``, with a header, epoch milliseconds and every digit of
    every price; it appears whole or not at all.

    Parameters
    ----------
    candles : Candles
        Real candles.
    folder : Path
        Where to write; made when missing.
    keep : int, optional
        How many exports of this symbol and timeframe stay, the newest by time of writing; None keeps all.

    Raises
    ------
    UsageError
        When ``keep`` is under 1.
    DataError
        When there is nothing to write, or candles are made up.
    Refused
        When the folder cannot be written.
    """
    if keep is not None and keep < 1:
        raise UsageError(f"--keep {keep} would remove the export itself; keep 1 or more")
    if len(candles) == 0:
        raise DataError(f"there are no {candles.symbol} {candles.timeframe} candles to export; check the period")
    if candles.filled is not None and candles.filled.any():
        raise DataError(f"{candles.symbol} {candles.timeframe} holds made-up candles; only real ones are exported")
    series = f"{folder_name(candles.symbol)}-{timeframe_of(timeframe_ms(candles.timeframe))}"
    first, last = (_stamp(int(time)) for time in candles.timestamp[[0, -1]])
    file = folder / f"{series}_{first}_{last}.csv"
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        arrow_csv.write_csv(pa.table(candles.columns()), temporary)
        temporary.replace(file)
    except OSError as error:
        raise Refused(f"{file} cannot be written ({error.strerror or error}); choose another folder") from error
    finally:
        with suppress(OSError):
            temporary.unlink()
    return ExportReport(file, len(candles), _retire(folder, series, file, keep))


def _stamp(time_ms: int) -> str:
    return str(np.datetime64(time_ms, "ms").astype("datetime64[s]")).replace("-", "").replace(":", "")


def _retire(folder: Path, series: str, newest: Path, keep: int | None) -> tuple[Path, ...]:
    if keep is None:
        return ()
    ours = re.compile(re.escape(series) + r"_\d{8}T\d{6}_\d{8}T\d{6}\.csv")
    others = [path for path in folder.iterdir() if ours.fullmatch(path.name) and path != newest]
    others.sort(key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)
    removed = others[keep - 1 :]
    for path in removed:
        path.unlink()
    return tuple(sorted(removed))
