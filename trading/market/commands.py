"""The commands on candle files: import, export, check and list."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from trading.commands import Progress
from trading.market.export import export_csv
from trading.market.names import symbol_for
from trading.market.quality import inspect
from trading.market.quality_report import QualityLimits, QualityReport
from trading.market.readers import candles_of, read_rows
from trading.market.requests import CheckRequest, ExportRequest, ImportRequest, ListRequest
from trading.market.results import CheckResult, ExportResult, ImportedFile, ImportResult, ListResult
from trading.market.sources import home_store, is_file, read_stored, stored_symbol
from trading.market.store import CandleStore
from trading.market.times import time_ms


def import_files(request: ImportRequest) -> Generator[Progress, None, ImportResult]:
    """Read files into the store: all of them are read and checked before the first candle is stored.

    Rows out of order are sorted, and of rows with the same time the later one stays; the result says how many.

    Parameters
    ----------
    request : ImportRequest
        Files, and what their names do not say.

    Yields
    ------
    Progress
        Files read, then stored.

    Returns
    -------
    ImportResult
        What became of each file.

    Raises
    ------
    DataError
        At the first thing that is wrong in any file; nothing is stored then.
    """
    total = 2 * len(request.files)
    ready = []
    for done, path in enumerate(request.files):
        yield Progress(f"reading {path.name}", done, total, "files")
        rows, tidying = read_rows(path).tidied()
        candles = candles_of(rows, symbol_for(path, request.symbol), request.timeframe)
        ready.append((path, candles, tidying, inspect(candles)))
    store = home_store(request.home)
    imported = []
    for done, (path, candles, tidying, quality) in enumerate(ready, len(ready)):
        yield Progress(f"storing {path.name}", done, total, "files")
        imported.append(ImportedFile(str(path), store.append(candles), tidying, quality))
    return ImportResult(tuple(imported))


def export(request: ExportRequest) -> Generator[Progress, None, ExportResult]:
    """Write stored candles to a CSV file, and remove older exports beyond those to keep.

    Parameters
    ----------
    request : ExportRequest
        Which candles, where to, and how many exports stay.

    Yields
    ------
    Progress
        Before reading and before writing.

    Returns
    -------
    ExportResult
        The new file and what was removed.

    Raises
    ------
    DataError
        When no such candles are stored.
    """
    start, end = (None if text is None else time_ms(text) for text in (request.start, request.end))
    yield Progress(f"reading {request.symbol}", 0, 2, "steps")
    candles = read_stored(request.symbol, home_store(request.home), request.timeframe, start, end)
    yield Progress(f"writing {len(candles)} candles", 1, 2, "steps")
    return ExportResult(candles.symbol, candles.timeframe, export_csv(candles, request.out, request.keep))


def check(request: CheckRequest) -> Generator[Progress, None, CheckResult]:
    """Check files and stored symbols.

    Parameters
    ----------
    request : CheckRequest
        What to check and what counts as odd.

    Yields
    ------
    Progress
        One for each file or symbol.

    Returns
    -------
    CheckResult
        A report for each series.

    Raises
    ------
    DataError
        When a file cannot be read at all, or there is neither such a file nor such a stored symbol.
    """
    limits = QualityLimits(
        outlier_move=request.outlier_move, outlier_range=request.outlier_range, stuck_run=request.stuck_run
    )
    store = home_store(request.home)
    reports: list[QualityReport] = []
    for done, target in enumerate(request.targets):
        yield Progress(f"checking {Path(target).name}", done, len(request.targets), "series")
        if is_file(target):
            reports.append(inspect(read_rows(target), request.timeframe, limits))
        else:
            reports.extend(_check_stored(target, store, request.timeframe, limits))
    return CheckResult(tuple(reports))


def _check_stored(target: str, store: CandleStore, timeframe: str | None, limits: QualityLimits) -> list[QualityReport]:
    symbol = stored_symbol(target, store)
    wanted = store.timeframes(symbol) if timeframe is None else [timeframe]
    return [inspect(store.read(symbol, name), limits=limits) for name in wanted]


def list_store(request: ListRequest) -> Generator[Progress, None, ListResult]:
    """List what the store holds.

    Parameters
    ----------
    request : ListRequest
        Which store.

    Yields
    ------
    Progress
        Before looking.

    Returns
    -------
    ListResult
        A row for each symbol and timeframe.
    """
    yield Progress("looking into the store")
    return ListResult(tuple(home_store(request.home).contents()))
