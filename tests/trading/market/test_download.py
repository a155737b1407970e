"""Downloads from a real server of Binance's own format, into the real store: the same candles whatever goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.klines_server import (
    BROKEN_OFF,
    HANG,
    HTML,
    RESET,
    TRUNCATED_JSON,
    Call,
    Fault,
    KlinesServer,
    RecordingClock,
    Row,
    impatient,
    rows_changed,
    status,
)
from tests.markets import START_MS, random_market
from trading.commands import Progress
from trading.errors import ConnectionLost, FeedFailed, RateLimited, UsageError
from trading.exchange import Retry
from trading.market.candles import COLUMNS, Candles
from trading.market.download import Download, DownloadJob, JobReport
from trading.market.download_pages import Span, missing_spans
from trading.market.store import CandleStore

MINUTE = 60_000
DAY_MS = 86_400_000
JOB = DownloadJob("TEST/USDT", "1m")
CANDLES = random_market(1, 3_500, "1m")
END_MS = START_MS + 3_500 * MINUTE


@pytest.fixture
def server() -> Iterator[KlinesServer]:
    with KlinesServer(END_MS) as market:
        market.serve(CANDLES)
        yield market


@pytest.fixture
def store(tmp_path: Path) -> CandleStore:
    return CandleStore(tmp_path / "store")


class Fetched:
    """What a download did: its reports, progress and pauses."""

    def __init__(self, reports: Sequence[JobReport], progress: list[Progress], sleeps: list[float]) -> None:
        self.reports, self.progress, self.sleeps = reports, progress, sleeps

    @property
    def only(self) -> JobReport:
        (report,) = self.reports
        return report


def fetch(
    server: KlinesServer,
    store: CandleStore,
    jobs: Sequence[DownloadJob] = (JOB,),
    start_ms: int | None = START_MS,
    end_ms: int | None = None,
    timeout_ms: int = 2_000,
) -> Fetched:
    reports = [JobReport(job) for job in jobs]
    progress: list[Progress] = []
    clock = RecordingClock(server.now_ms)

    async def main() -> None:
        exchange = impatient(server, timeout_ms)
        retry = Retry(exchange.id, clock)
        try:
            await Download(reports, store, exchange, retry, clock, progress.append).run(start_ms, end_ms)
        finally:
            await exchange.close()

    asyncio.run(main())
    return Fetched(reports, progress, clock.sleeps)


def assert_stored(store: CandleStore, expected: Candles) -> None:
    stored = store.read(expected.symbol, expected.timeframe)
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(stored, name), getattr(expected, name), err_msg=name)


def asked_from(server: KlinesServer) -> list[tuple[int, int]]:
    """First candle and number of candles of each call, counted from the start of the market."""
    return [((call.start_ms - START_MS) // MINUTE, int(call.query["limit"])) for call in server.klines_calls]


def test_pages_fit_the_period_and_all_candles_are_stored(server: KlinesServer, store: CandleStore) -> None:
    fetched = fetch(server, store)
    assert_stored(store, CANDLES)
    assert asked_from(server) == [(0, 1000), (1000, 1000), (2000, 1000), (3000, 500)]
    assert [(step.done, step.total) for step in fetched.progress] == [(n, 3500) for n in (1000, 2000, 3000, 3500)]
    assert fetched.progress[0].unit == "candles"
    assert (fetched.only.stored, fetched.only.finished) == (3500, True)
    assert fetched.sleeps == []


def twice(rows: list[Row]) -> list[Row]:
    return [row for row in rows for _ in range(2)]


FAULTS: dict[str, list[Fault | None]] = {
    "429": [status(429, "3"), None, status(429, "3")],
    "429 without a pause": [None, status(429)],
    "5xx": [status(500), status(502), status(503), None, status(504)],
    "timeout": [None, HANG],
    "reset": [RESET, None, RESET, RESET],
    "broken off": [None, BROKEN_OFF],
    "truncated": [TRUNCATED_JSON, TRUNCATED_JSON, None, TRUNCATED_JSON],
    "html": [HTML],
    "rows twice": [rows_changed(twice), rows_changed(twice)],
    "newest first": [rows_changed(lambda rows: rows[::-1])],
    "short pages": [rows_changed(lambda rows: rows[:7]), rows_changed(lambda rows: rows[:1])],
    "bad candle once": [rows_changed(lambda rows: [[rows[0][0], "9", "1", "5", "9", "1"], *rows[1:]])],
    "same page once": [None, rows_changed(lambda _: [[START_MS, "1", "1", "1", "1", "1"]])],
    "all of it": [status(429, "1"), TRUNCATED_JSON, HANG, RESET, None, status(503), rows_changed(twice), BROKEN_OFF],
}


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
def test_the_store_is_the_same_under_every_fault(
    server: KlinesServer, store: CandleStore, faults: list[Fault | None]
) -> None:
    server.faults = list(faults)
    fetched = fetch(server, store, timeout_ms=250)
    assert fetched.only.error is None
    assert_stored(store, CANDLES)
    assert server.faults == []


def test_the_open_candle_is_never_stored_by_the_exchanges_clock(server: KlinesServer, store: CandleStore) -> None:
    # The server serves all rows; by its own time the last 100 have not closed, the newest of them is under way.
    server.now_ms = END_MS - 100 * MINUTE - 1
    fetch(server, store)
    assert_stored(store, CANDLES[:3_399])
    server.now_ms += 1
    fetch(server, store, start_ms=None)
    assert_stored(store, CANDLES[:3_400])


def test_times_between_candles_round_inwards(server: KlinesServer, store: CandleStore) -> None:
    fetch(server, store, start_ms=START_MS + 1, end_ms=START_MS + 10 * MINUTE + 1)
    assert_stored(store, CANDLES[1:11])
    fetch(server, store, start_ms=START_MS + 1, end_ms=START_MS + 11 * MINUTE + 1)
    assert_stored(store, CANDLES[1:12])
    assert asked_from(server) == [(1, 10), (11, 1)]


def test_weeks_open_where_the_exchange_wants(store: CandleStore) -> None:
    weeks = random_market(5, 20, "1w")  # on Mondays, where the epoch was a Thursday
    with KlinesServer(int(weeks.timestamp[-1]) + 3 * DAY_MS) as server:
        server.serve(weeks)
        fetch(server, store, [DownloadJob("TEST/USDT", "1w")])
        assert_stored(store, weeks[:19])
        server.calls = []
        fetch(server, store, [DownloadJob("TEST/USDT", "1w")])
        assert server.klines_calls == []
        server.now_ms += 4 * DAY_MS
        fetch(server, store, [DownloadJob("TEST/USDT", "1w")])
    assert_stored(store, weeks)


def test_a_download_goes_on_where_the_last_one_ended(server: KlinesServer, store: CandleStore) -> None:
    server.now_ms = START_MS + 1_200 * MINUTE
    fetch(server, store)
    server.now_ms, server.calls = END_MS, []
    fetched = fetch(server, store, start_ms=None)
    assert asked_from(server) == [(1200, 1000), (2200, 1000), (3200, 300)]
    assert fetched.progress[-1].total == 2_300
    assert_stored(store, CANDLES)


def test_nothing_is_asked_when_nothing_is_missing(server: KlinesServer, store: CandleStore) -> None:
    fetch(server, store)
    server.calls = []
    fetched = fetch(server, store)
    assert asked_from(server) == []
    assert (fetched.only.finished, fetched.only.wanted, fetched.progress) == (True, 0, [])


def test_an_earlier_start_fills_in_before_what_is_stored(server: KlinesServer, store: CandleStore) -> None:
    fetch(server, store, start_ms=START_MS + 2_000 * MINUTE)
    server.calls = []
    fetch(server, store)
    assert asked_from(server) == [(0, 1000), (1000, 1000)]
    assert_stored(store, CANDLES)


def test_holes_are_filled_without_asking_for_the_rest(server: KlinesServer, store: CandleStore) -> None:
    for first, last in ((0, 700), (705, 720), (730, 2_900)):
        store.append(CANDLES[first:last])
    fetch(server, store)
    assert asked_from(server) == [(700, 30), (2900, 600)]
    assert_stored(store, CANDLES)


def test_only_the_period_asked_for_is_stored(server: KlinesServer, store: CandleStore) -> None:
    fetch(server, store, start_ms=START_MS + 100 * MINUTE, end_ms=START_MS + 1_150 * MINUTE)
    assert_stored(store, CANDLES[100:1_150])
    assert asked_from(server) == [(100, 1000), (1100, 50)]


def test_a_server_that_answers_beyond_the_end_is_cut(server: KlinesServer, store: CandleStore) -> None:
    everything = server.rows_of("TEST/USDT", "1m")
    server.always = rows_changed(lambda _: everything)
    fetch(server, store, end_ms=START_MS + 50 * MINUTE)
    assert_stored(store, CANDLES[:50])
    assert len(server.klines_calls) == 1


def interrupted_at(server: KlinesServer, store: CandleStore, page: int) -> JobReport:
    """Cancel a download while the server holds its answer to a page back."""
    report = JobReport(JOB)

    async def main() -> None:
        exchange, clock = impatient(server), RecordingClock(server.now_ms)
        asked, loop = asyncio.Event(), asyncio.get_running_loop()

        def on_call(call: Call) -> None:
            if len(server.klines_calls) == page:
                loop.call_soon_threadsafe(asked.set)

        server.on_call = on_call
        work = Download([report], store, exchange, Retry("binance", clock), clock, lambda _: None)
        task = asyncio.create_task(work.run(START_MS))
        try:
            await asked.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        finally:
            server.on_call = None
            await exchange.close()

    asyncio.run(main())
    return report


@pytest.mark.parametrize("page", [1, 2, 4])
def test_an_interrupted_download_keeps_its_pages_and_asks_for_the_rest_only(
    server: KlinesServer, store: CandleStore, page: int
) -> None:
    server.faults = [None] * (page - 1) + [HANG]
    report = interrupted_at(server, store, page)
    kept = (page - 1) * 1_000
    assert (report.stored, report.finished, report.error) == (kept, False, None)
    if kept:
        assert_stored(store, CANDLES[:kept])
    server.calls = []
    fetch(server, store)
    assert asked_from(server) == [(0, 1000), (1000, 1000), (2000, 1000), (3000, 500)][page - 1 :]
    assert_stored(store, CANDLES)


def test_several_series_are_fetched_at_once(server: KlinesServer, store: CandleStore) -> None:
    # Nobody gets a page before all four have asked: one after the other, this would never end.
    series = [random_market(seed, 300, "1m") for seed in range(4)]
    named = [Candles.from_columns(f"T{seed}/USDT", "1m", one.columns()) for seed, one in enumerate(series)]
    for one in named:
        server.serve(one)
    together = server.barrier(4)
    fetched = fetch(server, store, [DownloadJob(one.symbol, "1m") for one in named])
    assert not together.broken
    assert all(report.finished for report in fetched.reports)
    for one in named:
        assert_stored(store, one)
    assert fetched.progress[-1] == Progress(fetched.progress[-1].label, 4 * 3_500, 4 * 3_500, "candles")


def test_timeframes_of_one_symbol_are_series_of_their_own(server: KlinesServer, store: CandleStore) -> None:
    hours = random_market(2, 58, "1h")
    server.serve(hours)
    fetch(server, store, [JOB, DownloadJob("TEST/USDT", "1h")])
    assert_stored(store, CANDLES)
    assert_stored(store, hours)


def test_a_failing_series_does_not_stop_the_others(server: KlinesServer, store: CandleStore) -> None:
    server.serve(Candles.from_columns("BAD/USDT", "1m", CANDLES.columns()))
    server.always_for = {"BADUSDT": status(503)}
    fetched = fetch(server, store, [DownloadJob("BAD/USDT", "1m"), JOB])
    bad, good = fetched.reports
    assert isinstance(bad.error, ConnectionLost)
    assert (bad.finished, bad.stored) == (False, 0)
    assert (good.finished, good.error) == (True, None)
    assert_stored(store, CANDLES)


def test_lesson_16_a_ban_stops_every_series(server: KlinesServer, store: CandleStore) -> None:
    server.serve(Candles.from_columns("B/USDT", "1m", CANDLES.columns()))
    server.always = status(418, "600")
    fetched = fetch(server, store, [JOB, DownloadJob("B/USDT", "1m")])
    assert [type(report.error) for report in fetched.reports] == [RateLimited, RateLimited]
    assert len(server.klines_calls) <= 2
    assert fetched.sleeps == []


@pytest.mark.parametrize("bounded", [False, True], ids=["answers from the listing", "answers nothing before it"])
def test_a_late_listing_costs_few_calls(store: CandleStore, bounded: bool) -> None:
    listed = START_MS + 700 * DAY_MS + 123 * MINUTE
    candles = Candles.from_columns(
        "TEST/USDT", "1m", CANDLES.columns() | {"timestamp": CANDLES.timestamp - START_MS + listed}
    )
    days = Candles.from_columns(
        "TEST/USDT",
        "1d",
        random_market(3, 4, "1d").columns() | {"timestamp": listed - listed % DAY_MS + DAY_MS * np.arange(4)},
    )
    with KlinesServer(int(candles.timestamp[-1]) + MINUTE, bounded=bounded) as server:
        server.serve(candles)
        server.serve(days)
        fetched = fetch(server, store)
        assert_stored(store, candles)
        assert fetched.only.finished
        assert len(server.klines_calls) <= 10
        assert fetched.progress[-1].done == fetched.progress[-1].total


def test_a_silence_in_the_middle_is_crossed(store: CandleStore) -> None:
    # Three days without a trade, at a venue that answers nothing for them.
    later = CANDLES.timestamp + np.where(np.arange(3_500) >= 1_300, 3 * DAY_MS, 0)
    candles = Candles.from_columns("TEST/USDT", "1m", CANDLES.columns() | {"timestamp": later})
    days = random_market(3, 6, "1d")
    traded = np.isin(days.timestamp, later - later % DAY_MS)
    days = Candles.from_columns("TEST/USDT", "1d", {name: column[traded] for name, column in days.columns().items()})
    with KlinesServer(int(later[-1]) + MINUTE, bounded=True) as server:
        server.serve(candles)
        server.serve(days)
        assert fetch(server, store).only.finished
    assert_stored(store, candles)


def test_a_symbol_listed_today_is_found(store: CandleStore) -> None:
    listed = START_MS + 700 * DAY_MS + 300 * MINUTE
    candles = Candles.from_columns(
        "TEST/USDT", "1m", CANDLES[:200].columns() | {"timestamp": listed + MINUTE * np.arange(200)}
    )
    today = random_market(3, 1, "1d").columns() | {"timestamp": np.array([listed - listed % DAY_MS])}
    with KlinesServer(listed + 200 * MINUTE, bounded=True) as server:
        server.serve(candles)
        server.serve(Candles.from_columns("TEST/USDT", "1d", today))
        fetch(server, store)
    assert_stored(store, candles)


def row(minute: int, *values: str) -> Row:
    return [START_MS + minute * MINUTE, *values]


NONSENSE: dict[str, tuple[Callable[[list[Row]], list[Row]], str]] = {
    "same page for ever": (lambda rows: [row(0, "1", "1", "1", "1", "1")], "older than the time asked for"),
    "not a number": (lambda rows: [*rows[:-1], row(1_999, "1", "1", "1", "NaN", "1")], "no number"),
    "zero price": (lambda rows: [row(1_000, "0", "1", "0", "1", "1"), *rows[1:]], "is impossible"),
    "negative volume": (lambda rows: [row(1_000, "1", "1", "1", "1", "-1"), *rows[1:]], "is impossible"),
    "low above close": (lambda rows: [row(1_000, "5", "6", "4", "3", "1"), *rows[1:]], "is impossible"),
    "off the grid": (lambda rows: [[START_MS + 1_000 * MINUTE + 7, "1", "1", "1", "1", "1"]], "is impossible"),
    "future": (lambda rows: [*rows, row(9_999, "1", "1", "1", "1", "1")], "opens in the future"),
    "two truths": (lambda rows: [row(1_000, "1", "1", "1", "1", "1"), *rows], "two different candles"),
}


@pytest.mark.parametrize(("change", "words"), NONSENSE.values(), ids=NONSENSE)
def test_nonsense_ends_the_series_and_what_came_before_is_kept(
    server: KlinesServer, store: CandleStore, change: Callable[[list[Row]], list[Row]], words: str
) -> None:
    server.faults = [None] + [rows_changed(change)] * 3
    fetched = fetch(server, store)
    assert isinstance(fetched.only.error, FeedFailed)
    assert words in str(fetched.only.error)
    assert "\n" not in str(fetched.only.error)
    assert_stored(store, CANDLES[:1_000])
    assert len(fetched.sleeps) == 2


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (DownloadJob("TSET/USDT", "1m"), "binance does not list 'TSET/USDT'; did you mean TEST/USDT"),
        (DownloadJob("nonsense", "1m"), "symbols are written BASE/QUOTE"),
        (DownloadJob("TEST/USDT", "7m"), "binance has no candles of 7m; choose one of 1s, 1m, 3m"),
        (DownloadJob("TEST/USDT", "soon"), "is not a timeframe"),
    ],
)
def test_an_unknown_series_is_refused_before_anything_is_fetched(
    server: KlinesServer, store: CandleStore, job: DownloadJob, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        fetch(server, store, [JOB, job])
    assert server.klines_calls == []
    assert store.last_timestamp("TEST/USDT", "1m") is None


def test_without_stored_candles_and_start_the_last_thirty_days_are_fetched(store: CandleStore) -> None:
    days = random_market(4, 50, "1d")
    with KlinesServer(START_MS + 50 * DAY_MS) as server:
        server.serve(days)
        fetch(server, store, [DownloadJob("TEST/USDT", "1d")], start_ms=None)
    assert_stored(store, days[20:])


@given(stored=st.sets(st.integers(0, 60)), first=st.integers(0, 60), length=st.integers(0, 60), page=st.integers(1, 12))
def test_missing_spans_hold_all_that_is_missing_and_end_at_missing_candles(
    stored: set[int], first: int, length: int, page: int
) -> None:
    inside = np.array(sorted(open_ for open_ in stored if first <= open_ < first + length), dtype=np.int64)
    spans = missing_spans(inside * 10, Span(first * 10, (first + length) * 10), 10, page)
    missing = set(range(first, first + length)) - stored
    covered = [open_ for span in spans for open_ in range(span.start_ms // 10, span.end_ms // 10)]
    assert missing <= set(covered)
    assert len(covered) == len(set(covered))
    assert covered == sorted(covered)
    assert all({span.start_ms // 10, span.end_ms // 10 - 1} <= missing for span in spans)
    for span in spans:
        if set(range(span.start_ms // 10, span.end_ms // 10)) & stored:
            assert span.end_ms - span.start_ms <= page * 10
