"""The command ``data download``."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Annotated

from pydantic import Field
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from trading.commands import Progress, Step
from trading.errors import ExitCode, GridBotError, UsageError
from trading.exchange import Clock, Retry, SystemClock, open_exchange
from trading.exchange.background import in_background
from trading.market.download import Download, DownloadJob, JobReport
from trading.market.requests import HomeRequest
from trading.market.sources import home_store
from trading.market.times import iso, time_ms


class DownloadRequest(HomeRequest):
    """Candles to fetch from an exchange."""

    symbols: Annotated[list[str], Field(min_length=1)] = Field(
        description="one or more of BASE/QUOTE", json_schema_extra={"positional": True}
    )
    timeframe: Annotated[list[str], Field(min_length=1)] = Field(
        ["1m"], description="candle length; give it several times for several"
    )
    exchange: str = Field("binance", description="ccxt's name of the exchange")
    start: str | None = Field(
        None, description="oldest open time, ISO; else where the stored candles end, or 30 days ago"
    )
    end: str | None = Field(None, description="open time at which to stop, ISO, itself not included; else now")
    rest_url: str | None = Field(None, description="http://host:port of another server that speaks for the exchange")
    concurrency: Annotated[int, Field(ge=1, le=32)] = Field(4, description="series downloaded at once")
    timeout_s: Annotated[float, Field(gt=0, le=300)] = Field(15, description="patience with one answer, seconds")


@dataclass(frozen=True, slots=True)
class DownloadedSeries:
    """What became of one symbol and timeframe.

    Parameters
    ----------
    symbol, timeframe : str
        The series.
    wanted : int
        Candles that the store lacked.
    stored : int
        Candles that were written to the store.
    first_ms, last_ms : int or None
        Open times of the oldest and newest candle written.
    state : str
        ``"done"``, ``"failed"`` or ``"interrupted"``.
    error : str or None
        Why it failed.
    """

    symbol: str
    timeframe: str
    wanted: int
    stored: int
    first_ms: int | None
    last_ms: int | None
    state: str
    error: str | None

    def sentence(self) -> str:
        """Say what was kept."""
        name = f"{self.symbol} {self.timeframe}"
        if self.first_ms is None or self.last_ms is None:
            return f"{name}: nothing new was stored"
        return f"{name}: {self.stored:,} candles are kept, {iso(self.first_ms)} to {iso(self.last_ms)}"


@dataclass(frozen=True, slots=True)
class DownloadResult:
    """A download that ended, well or early; whatever arrived is in the store."""

    exchange: str
    series: tuple[DownloadedSeries, ...]
    exit_code: ExitCode

    def as_json(self) -> dict[str, object]:
        """Return one object per series."""
        return {
            "exchange": self.exchange,
            "interrupted": self.exit_code is ExitCode.INTERRUPTED,
            "series": [
                {
                    "symbol": one.symbol,
                    "timeframe": one.timeframe,
                    "wanted": one.wanted,
                    "stored": one.stored,
                    "start": None if one.first_ms is None else iso(one.first_ms),
                    "end": None if one.last_ms is None else iso(one.last_ms),
                    "state": one.state,
                    "error": one.error,
                }
                for one in self.series
            ],
        }

    def as_text(self) -> RenderableType:
        """Return a table, and a sentence for each series that ended early."""
        table = Table(box=None, header_style="bold", pad_edge=False)
        for heading in ("symbol", "timeframe", "from", "to"):
            table.add_column(heading)
        table.add_column("stored", justify="right")
        table.add_column("state")
        notes = []
        for one in self.series:
            first, last = ("-" if time is None else iso(time) for time in (one.first_ms, one.last_ms))
            table.add_row(one.symbol, one.timeframe, first, last, f"{one.stored:,}", one.state)
            if one.error is not None:
                notes.append(f"{one.sentence()}; {one.error}")
            elif one.state == "interrupted":
                notes.append(f"{one.sentence()}; the same command goes on from there")
        return Group(table, *(Text(note, style="yellow") for note in notes))


def download(request: DownloadRequest, clock: Clock | None = None) -> Generator[Step, None, DownloadResult]:
    """Download what the store lacks of some symbols and timeframes.

    Parameters
    ----------
    request : DownloadRequest
        What to fetch and from where.
    clock : Clock, optional
        Waits between tries; None is the machine's own.

    Yields
    ------
    Progress
        Candles dealt with, after each page.

    Returns
    -------
    DownloadResult
        What was stored; also after Ctrl-C, when what had arrived is kept.

    Raises
    ------
    UsageError
        When the exchange does not know a symbol or timeframe; nothing is downloaded then.
    GridBotError
        When nothing at all could be stored, and why.
    """
    start_ms, end_ms = (None if text is None else time_ms(text) for text in (request.start, request.end))
    if start_ms is not None and end_ms is not None and end_ms <= start_ms:
        raise UsageError(f"--end {request.end} is not after --start {request.start}")
    jobs = [DownloadJob(symbol, timeframe) for symbol, timeframe in product(request.symbols, request.timeframe)]
    reports = [JobReport(job) for job in dict.fromkeys(jobs)]
    waiting = clock or SystemClock()
    store = home_store(request.home)

    async def work(on_progress: Callable[[Progress], None]) -> None:
        exchange = open_exchange(request.exchange, request.rest_url, int(request.timeout_s * 1000))
        try:
            retry = Retry(exchange.id, waiting)
            fetching = Download(reports, store, exchange, retry, waiting, on_progress, request.concurrency)
            await fetching.run(start_ms, end_ms)
        finally:
            await exchange.close()

    yield Progress(f"asking {request.exchange} for its markets")
    try:
        yield from in_background(work)
    except KeyboardInterrupt:
        return _result(request.exchange, reports, interrupted=True)
    return _result(request.exchange, reports, interrupted=False)


def _result(exchange: str, reports: Sequence[JobReport], *, interrupted: bool) -> DownloadResult:
    errors = [report.error for report in reports if report.error is not None]
    if len(errors) == len(reports) and not any(report.stored for report in reports):
        raise errors[0]
    exit_code = ExitCode.INTERRUPTED if interrupted else _worst(errors)
    return DownloadResult(exchange, tuple(_series(report) for report in reports), exit_code)


def _worst(errors: Sequence[GridBotError]) -> ExitCode:
    return errors[0].exit_code if errors else ExitCode.DONE


def _series(report: JobReport) -> DownloadedSeries:
    state = "done" if report.finished else "interrupted" if report.error is None else "failed"
    return DownloadedSeries(
        report.job.symbol,
        report.job.timeframe,
        report.wanted,
        report.stored,
        report.first_ms,
        report.last_ms,
        state,
        None if report.error is None else str(report.error),
    )
