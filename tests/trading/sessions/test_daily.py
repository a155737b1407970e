"""The daily summary: pure figures in, the same page for the same day out."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from trading.errors import DataError
from trading.sessions.daily import (
    DAY_MS,
    DayFigures,
    day_bounds_ms,
    day_of,
    days_ended,
    next_midnight_ms,
    summarise,
)

DAY = DayFigures(
    session="alpha",
    symbol="BTC/USDT",
    mode="paper",
    day=date(2026, 3, 1),
    placed=12,
    confirmed=11,
    cancelled=2,
    rejected=1,
    unresolved=0,
    buys=5,
    sells=4,
    volume=Decimal("900.50"),
    fees=Decimal("0.900500"),
    realised=Decimal("-3.10"),
    equity=[Decimal(1000), Decimal(1100), Decimal(990), Decimal("1050.25")],
    position=Decimal("0.0100"),
    refusals={"daily loss": 3, "spread": 0, "min notional": 7},
    alerts={"feed": 2},
    up_ms=DAY_MS // 2,
    restarts=1,
)
MONEY = st.decimals(-(10**9), 10**9, places=8, allow_nan=False)
TIMES = st.integers(0, 4_000_000_000_000)


def test_a_day_is_summed_up_with_its_fall_from_the_peak() -> None:
    summary = summarise(DAY)
    assert (summary.equity_start, summary.equity_end) == (1000, Decimal("1050.25"))
    assert summary.change == Decimal("50.25")
    assert summary.drawdown == Decimal("0.1")


def test_as_json_everything_is_there_and_money_is_exact_text() -> None:
    data = json.loads(json.dumps(summarise(DAY).as_json()))
    assert data["orders"] == {"placed": 12, "confirmed": 11, "cancelled": 2, "rejected": 1, "unresolved": 0}
    assert data["fills"] == {"buys": 5, "sells": 4, "volume": "900.5"}
    assert data["fees"] == "0.9005"
    assert data["realised"] == "-3.1"
    assert data["equity"] == {"start": "1000", "end": "1050.25", "change": "50.25"}
    assert data["drawdown"] == 0.1
    assert data["position"] == "0.01"
    assert data["refusals"] == {"daily loss": 3, "min notional": 7, "spread": 0}
    assert (data["day"], data["currency"], data["up_s"], data["restarts"]) == ("2026-03-01", "USDT", 43_200, 1)


def test_text_and_page_say_the_same() -> None:
    summary = summarise(DAY)
    screen = io.StringIO()
    Console(file=screen, width=160).print(summary.as_text())
    for words in (
        "12 placed, 11 confirmed, 2 cancelled, 1 rejected, 0 unresolved",
        "5 buys, 4 sells, 900.50 USDT",
        "-3.10 USDT",
        "1,000.00 to 1,050.25 USDT (+50.25)",
        "10.00%",
        "7 min notional, 3 daily loss",
        "2 feed",
        "50.0% of the day, 1 restarts",
    ):
        assert words in screen.getvalue()
        assert words in summary.as_markdown()


def test_the_page_is_written_once_for_each_session_and_day(tmp_path: Path) -> None:
    first = summarise(DAY).write(tmp_path / "reports")
    again = summarise(replace(DAY, placed=13)).write(tmp_path / "reports")
    assert first == again == tmp_path / "reports" / "alpha-2026-03-01.md"
    assert "13 placed" in again.read_text(encoding="utf-8")
    assert [file.name for file in (tmp_path / "reports").iterdir()] == ["alpha-2026-03-01.md"]


def test_a_quiet_day_says_none() -> None:
    page = summarise(replace(DAY, refusals={}, alerts={})).as_markdown()
    assert page.count("| none |") == 2


def test_a_rule_with_a_bar_in_its_name_does_not_break_the_table() -> None:
    page = summarise(replace(DAY, refusals={"a|b\nc": 1})).as_markdown()
    assert "1 a\\|b c" in page


def test_a_day_without_equity_is_refused() -> None:
    with pytest.raises(DataError, match="no equity"):
        summarise(replace(DAY, equity=[]))


@given(st.lists(MONEY.map(abs), min_size=1, max_size=50))
def test_the_drawdown_is_no_less_than_any_fall_from_an_earlier_value(equity: list[Decimal]) -> None:
    summary = summarise(replace(DAY, equity=equity))
    assert summary.drawdown >= 0
    for index, value in enumerate(equity):
        for earlier in equity[:index]:
            if earlier > 0:
                assert summary.drawdown >= (earlier - value) / earlier
    assert summary.equity_start + summary.change == summary.equity_end


@given(MONEY)
def test_money_in_json_is_the_same_number(value: Decimal) -> None:
    data = summarise(replace(DAY, realised=value)).as_json()
    assert Decimal(str(data["realised"])) == value


@given(TIMES, TIMES)
def test_every_midnight_between_two_looks_is_due_once(one: int, other: int) -> None:
    last, now = sorted((one, other))
    days = days_ended(last, min(now, last + 40 * DAY_MS))
    now = min(now, last + 40 * DAY_MS)
    assert days == sorted(set(days))
    assert len(days) == now // DAY_MS - last // DAY_MS
    assert all(last < day_bounds_ms(day)[1] <= now for day in days)
    assert days_ended(now, last) == []


@given(TIMES)
def test_a_day_has_its_bounds(time_ms: int) -> None:
    start, end = day_bounds_ms(day_of(time_ms))
    assert start <= time_ms < end == next_midnight_ms(time_ms)
    assert end - start == DAY_MS
