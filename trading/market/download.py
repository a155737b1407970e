"""Downloading candles: only what the store lacks, page by page, checked, and stored as it arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np

from trading.commands import Progress
from trading.errors import GridBotError, UsageError
from trading.exchange import Clock, Exchange, Retry
from trading.market.candles import COLUMNS, Candles
from trading.market.download_pages import PAGE, Page, Span, aligned, checked_page, missing_spans, slots
from trading.market.store import CandleStore
from trading.market.timeframes import timeframe_ms

_SILENT_STEP = 200
_DAY_MS = 86_400_000
_DEFAULT_PERIOD_MS = 30 * _DAY_MS


@dataclass(frozen=True, slots=True)
class DownloadJob:
    """One symbol and timeframe to download."""

    symbol: str
    timeframe: str


@dataclass(slots=True)
class JobReport:
    """What one job has done so far.

    Parameters
    ----------
    job : DownloadJob
        Symbol and timeframe.
    wanted, passed : int
        Candles that the store lacked, and how many of them have been dealt with.
    stored : int
        Candles written to the store.
    first_ms, last_ms : int or None
        Open times of the oldest and newest candle written.
    error : GridBotError or None
        Why the job stopped early.
    finished : bool
        True when everything that the exchange has is stored.
    """

    job: DownloadJob
    wanted: int = 0
    passed: int = 0
    stored: int = 0
    first_ms: int | None = None
    last_ms: int | None = None
    error: GridBotError | None = None
    finished: bool = False


class Download:
    """Downloads several jobs at once from one exchange into one store.

    Pages are stored as they arrive, so a cancelled run keeps what it has; a later run asks for the rest only. The
    candle that is still open, by the exchange's own clock, is never stored.

    Parameters
    ----------
    reports : sequence of JobReport
        What to download; filled in as it goes, so that they can be read after an interruption.
    store : CandleStore
        Where it goes, and what is there already.
    exchange : Exchange
        An open client; its rate limit is shared by all jobs.
    retry : Retry
        Repeats its calls.
    clock : Clock
        Tells the time where the exchange does not.
    on_progress : callable
        Called with the progress of the whole download after each page.
    concurrency : int
        Jobs at work at once.
    """

    def __init__(
        self,
        reports: Sequence[JobReport],
        store: CandleStore,
        exchange: Exchange,
        retry: Retry,
        clock: Clock,
        on_progress: Callable[[Progress], None],
        concurrency: int = 4,
    ) -> None:
        self._store = store
        self._exchange = exchange
        self._retry = retry
        self._clock = clock
        self._on_progress = on_progress
        self._turns = asyncio.Semaphore(concurrency)
        self._now_ms = 0
        self._reports = reports

    async def run(self, start_ms: int | None = None, end_ms: int | None = None) -> None:
        """Download what the store lacks; a job that fails leaves its error in its report, and the others go on.

        Parameters
        ----------
        start_ms : int, optional
            Oldest open time wanted; None continues each job where its stored candles end, or starts 30 days ago.
        end_ms : int, optional
            Open times from here on are not wanted; None takes all closed candles.

        Raises
        ------
        UsageError
            When the exchange lacks a symbol or timeframe: before anything is downloaded.
        ConnectionLost, RateLimited, FeedFailed, Refused
            When its list of markets cannot be had.
        """
        await self._retry(f"the list of markets of {self._exchange.id}", self._exchange.load_markets)
        for report in self._reports:
            _check_offered(report.job, self._exchange)
        self._now_ms = await self._server_time()
        plans = [(report, self._plan(report, start_ms, end_ms)) for report in self._reports]
        tasks = [asyncio.create_task(self._run_job(report, spans)) for report, spans in plans]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _server_time(self) -> int:
        if not self._exchange.has.get("fetchTime"):
            return self._clock.now_ms()
        time_ms = await self._retry(f"the time of {self._exchange.id}", self._exchange.fetch_time)
        return self._clock.now_ms() if time_ms is None else time_ms

    def _plan(self, report: JobReport, start_ms: int | None, end_ms: int | None) -> list[Span]:
        symbol, timeframe = report.job.symbol, report.job.timeframe
        step_ms = timeframe_ms(timeframe)
        last_ms = self._store.last_timestamp(symbol, timeframe)
        first_ms = self._now_ms - _DEFAULT_PERIOD_MS if last_ms is None else last_ms + step_ms
        if start_ms is not None:
            first_ms = start_ms
        span = aligned(Span(first_ms, self._now_ms if end_ms is None else end_ms), step_ms, self._now_ms)
        if span.end_ms <= span.start_ms:
            return []
        stored = np.empty(0, dtype=np.int64)
        if last_ms is not None and last_ms >= span.start_ms:
            stored = self._store.read(symbol, timeframe, span.start_ms).between(None, span.end_ms).timestamp
        spans = missing_spans(stored, span, step_ms)
        report.wanted = sum(slots(hole, step_ms) for hole in spans)
        return spans

    async def _run_job(self, report: JobReport, spans: list[Span]) -> None:
        async with self._turns:
            try:
                for span in spans:
                    await self._fill(report, span)
            except GridBotError as error:
                report.error = error
            else:
                report.finished = True

    async def _fill(self, report: JobReport, span: Span) -> None:
        job, step_ms = report.job, timeframe_ms(report.job.timeframe)
        cursor = span.start_ms
        while cursor < span.end_ms:
            page = await self._page(job.symbol, job.timeframe, cursor, span.end_ms, self._now_ms)
            if len(page):
                self._keep(report, page[page[:, 0] < span.end_ms])
                reached = int(page[-1, 0]) + step_ms
            else:
                reached = await self._after_silence(job, cursor, span.end_ms)
            reached = min(reached, span.end_ms)
            report.passed += slots(Span(cursor, reached), step_ms)
            cursor = reached
            self._tell(job)

    def _keep(self, report: JobReport, page: Page) -> None:
        if not len(page):
            return
        columns = {name: page[:, column] for column, name in enumerate(COLUMNS)}
        columns["timestamp"] = columns["timestamp"].astype(np.int64)
        self._store.append(Candles.from_columns(report.job.symbol, report.job.timeframe, columns))
        first_ms, last_ms = int(page[0, 0]), int(page[-1, 0])
        report.stored += len(page)
        report.first_ms = first_ms if report.first_ms is None else min(report.first_ms, first_ms)
        report.last_ms = last_ms if report.last_ms is None else max(report.last_ms, last_ms)

    def _tell(self, job: DownloadJob) -> None:
        done, wanted = (sum(getattr(report, name) for report in self._reports) for name in ("passed", "wanted"))
        self._on_progress(Progress(f"{job.symbol} {job.timeframe}", done, wanted, "candles"))

    async def _page(self, symbol: str, timeframe: str, cursor: int, end_ms: int, now_ms: int) -> Page:
        step_ms = timeframe_ms(timeframe)
        limit = min(PAGE, slots(Span(cursor, end_ms), step_ms))

        async def fetch() -> Page:
            rows = await self._exchange.fetch_ohlcv(symbol, timeframe, cursor, limit)
            return checked_page(rows, cursor, step_ms, now_ms)

        return await self._retry(f"candles of {symbol} {timeframe}", fetch)

    # Many exchanges answer nothing for times before a listing; the days of the symbol say where to go on.
    async def _after_silence(self, job: DownloadJob, cursor: int, end_ms: int) -> int:
        step_ms = timeframe_ms(job.timeframe)
        further = cursor + _SILENT_STEP * step_ms
        if step_ms >= _DAY_MS or "1d" not in self._exchange.timeframes:
            return further
        day = cursor - cursor % _DAY_MS
        while day < end_ms:
            # A symbol listed today has but one day, and that is still open.
            days = await self._page(job.symbol, "1d", day, end_ms, self._now_ms + _DAY_MS)
            if len(days):
                return further if days[0, 0] <= cursor else int(days[0, 0])
            day += PAGE * _DAY_MS
        return end_ms


def _check_offered(job: DownloadJob, exchange: Exchange) -> None:
    timeframe_ms(job.timeframe)
    if job.timeframe not in exchange.timeframes:
        offered = ", ".join(exchange.timeframes)
        raise UsageError(f"{exchange.id} has no candles of {job.timeframe}; choose one of {offered}")
    if job.symbol not in exchange.symbols:
        near = get_close_matches(job.symbol.upper(), exchange.symbols, n=3)
        hint = f"did you mean {' or '.join(near)}" if near else "symbols are written BASE/QUOTE, such as BTC/USDT"
        raise UsageError(f"{exchange.id} does not list {job.symbol!r}; {hint}")
