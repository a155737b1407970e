"""Klines, the day's figures and an account's trades, against the plainest reading of the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trading.brokers.exchange_server.exchanges import BTC, candles, fill_or_kill, still
from trading.brokers.exchange_server.candle_series import Bar, CandleSeries
from trading.brokers.exchange_server.records import Execution, Side
from trading.brokers.exchange_server.venue import SimulatedExchange

MINUTE = 60_000
START_MS = 1_735_689_600_000
HISTORY = 30
TRADES = st.lists(st.tuples(st.integers(1, 500), st.integers(1, 50), st.booleans()), max_size=4)
TIMES = st.none() | st.integers(-5, 80)


def traded(minutes: Sequence[Sequence[tuple[int, int, bool]]], keep: int = 20_000) -> tuple[CandleSeries, list[Bar]]:
    """A series after some minutes of trades, and all its candles, the open one last."""
    history = candles([(100, 101, 99, 100, 5)] * HISTORY)
    rules = still().market(BTC)
    series = CandleSeries(history, rules, 1, START_MS + HISTORY * MINUTE, keep)
    number, rows = 0, series.since(0)[:-1]
    for minute in minutes:
        for price, lots, taken in minute:
            number += 1
            series.add(number, price, lots, buyer_takes=taken)
        rows.append(series.close_candle())
    return series, [*rows, series.current()]


@settings(max_examples=60)
@given(st.lists(TRADES, max_size=40), TIMES, TIMES, st.integers(1, 60))
def test_klines_are_what_reading_every_candle_finds(
    minutes: list[list[tuple[int, int, bool]]], first: int | None, last: int | None, limit: int
) -> None:
    series, rows = traded(minutes)
    start_ms, end_ms = (None if one is None else START_MS + one * MINUTE + 7 for one in (first, last))

    wanted = [bar for bar in rows if (start_ms or 0) <= bar.open_ms and (end_ms is None or bar.open_ms <= end_ms)]
    assert series.bars("1m", start_ms, end_ms, limit) == (wanted[-limit:] if start_ms is None else wanted[:limit])


@settings(max_examples=40)
@given(st.lists(TRADES, min_size=1, max_size=40), st.data())
def test_joined_candles_follow_every_candle_that_closes(
    minutes: list[list[tuple[int, int, bool]]], data: st.DataObject
) -> None:
    series, rows = traded([])
    for number, minute in enumerate(minutes):
        for price, lots, taken in minute:
            series.add(number + 1, price, lots, buyer_takes=taken)
        rows.insert(-1, series.close_candle())
        start_ms = START_MS + data.draw(st.integers(-2, len(rows) + 2)) * MINUTE
        part = [bar for bar in rows[:-1] if bar.open_ms >= start_ms]
        joined = series.joined_since(start_ms)

        assert (joined is None) == (not part)
        if joined is not None:
            assert (joined.open_ms, joined.open, joined.close) == (part[0].open_ms, part[0].open, part[-1].close)
            assert (joined.high, joined.low) == (max(bar.high for bar in part), min(bar.low for bar in part))
            for name in ("lots", "units", "trades", "taker_lots", "taker_units"):
                assert getattr(joined, name) == sum(getattr(bar, name) for bar in part)


def test_old_candles_are_let_go_and_the_day_goes_on_from_those_that_are_kept() -> None:
    series, rows = traded([[(100 + number % 7, 3, True)] for number in range(2_500)], keep=1_000)

    joined = series.joined_since(0)
    assert joined is not None
    kept = series.since(0)[:-1]
    assert 1_000 <= len(kept) <= 2_000
    assert kept == rows[-1 - len(kept) : -1]
    assert joined.lots == sum(bar.lots for bar in kept)


@cache
def busy_account() -> tuple[SimulatedExchange, int, tuple[Execution, ...]]:
    """An exchange on which two customers traded once a second, when that began, and the trades of one."""
    exchange = still(start_price=100.0)
    began_ms = exchange.now_ms
    for number in range(12):
        exchange.advance_to(began_ms + number * 1_000)
        exchange.place("other", fill_or_kill(Side.BUY, "0.1", "101"))
        exchange.place("main", fill_or_kill(Side.BUY, "0.1", "101"))
    return exchange, began_ms, exchange.my_trades("main", BTC)


@settings(max_examples=60, deadline=None)
@given(st.none() | st.integers(0, 30), st.none() | st.integers(0, 30), TIMES, TIMES, st.integers(1, 15))
def test_trades_are_what_reading_all_of_them_finds(
    order: int | None, from_id: int | None, first: int | None, last: int | None, limit: int
) -> None:
    exchange, began_ms, everything = busy_account()
    assert len(everything) >= 12
    start_ms, end_ms = (None if one is None else began_ms + one * 250 for one in (first, last))

    wanted = [
        one
        for one in everything
        if (order is None or one.order_id == order)
        and (from_id is None or one.trade_id >= from_id)
        and (start_ms is None or one.time_ms >= start_ms)
        and (end_ms is None or one.time_ms <= end_ms)
    ]
    page = wanted[-limit:] if from_id is None and start_ms is None else wanted[:limit]
    assert list(exchange.my_trades("main", BTC, order, from_id, start_ms, end_ms, limit)) == page
