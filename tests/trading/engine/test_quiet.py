"""Quiet candles are passed over only while nothing can happen: one reason to stop at a time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from tests.trading.engine.tapes import BTC_FEE_IN_BASE, Tape, book_for, path_tape, settings_with
from tests.trading.engine.test_scenarios import FAR, START
from trading.engine.loop import run
from trading.engine.state import Book

CAPITAL = 10_000 * 10**8
WARM = [START] * 60
BOUGHT = [*WARM, 49_650.0, 49_690.0, 49_695.0, 49_695.0]
WIDE = {"spread": 0.003}
LIMIT = {"order_style": "limit", "activation": 0.025, "buy_levels": 5}


def book_of(sections: Mapping[str, Mapping[str, object]], elsewhere: float) -> Book:
    grid = {"spacing": 0.01, "entry_levels": 0, "buy_levels": 1, "sell_levels": 2} | dict(sections.get("grid", {}))
    limits = FAR | dict(sections.get("limits", {}))
    rest = {name: values for name, values in sections.items() if name not in ("grid", "limits")}
    book, state, _ = book_for(settings_with(grid=grid, limits=limits, **rest), BTC_FEE_IN_BASE)
    state.core.external_equity = round(elsewhere * CAPITAL)
    return book


def with_changes(prices: list[float], changes: Mapping[str, Mapping[int, float]]) -> Tape:
    """Return a path of flat candles, some columns changed from a candle on; prices in quote currency."""
    columns = path_tape(prices)._asdict()
    for name, values in changes.items():
        column = columns[name].copy()
        for candle, value in values.items():
            if name in ("low", "high"):
                column[candle] = round(value * 100)
            else:
                column[candle:] = value
        columns[name] = column
    return Tape(**columns)


@pytest.mark.parametrize(
    ("prices", "changes", "sections", "elsewhere"),
    [
        pytest.param([*WARM, *[START] * 20, 49_702.99, 49_690.0, 49_702.0], {}, {}, 0.0, id="a level is reached"),
        pytest.param([*BOUGHT, *[49_800.0] * 20, 50_250.0, 50_300.0, 49_900.0], {}, {}, 0.0, id="a sell arms"),
        pytest.param([*WARM, *[START] * 20], {"action": {70: 1}}, {}, 0.0, id="another action"),
        pytest.param([*WARM, *[START] * 20], {"volatility": {70: 2}}, {}, 0.0, id="another volatility"),
        pytest.param([*WARM, *[START] * 20], {"regime": {70: 2}}, {}, 0.0, id="another regime"),
        pytest.param(
            [*WARM, *[START * 1.015] * 40], {"regime": {70: 1}}, {"grid": {"regime_confirm": 5}}, 0.0, id="a trend"
        ),
        pytest.param(
            [*WARM, *[START * 1.019] * 60],
            {"regime": {70: 1}},
            {"grid": {"regime_confirm": 5, "spacing": 0.009, "sell_levels": 5}},
            0.0,
            id="a trend off the centre",
        ),
        pytest.param(
            [*WARM, START * 1.05, START, *[START] * 5, *[START * 1.05] * 5], {}, {}, 0.0, id="closes beyond the grid"
        ),
        pytest.param(
            [*WARM, *[START] * 20], {}, {"orders": {"blackouts": ["01:05-01:10", "01:15-01:16"]}}, 0.0, id="a blackout"
        ),
        pytest.param(
            [*BOUGHT, *[49_800.0] * 40],
            {"low": {80: 48_000.0}},
            {"limits": {"max_drawdown": 0.0009}},
            0.0,
            id="equity at a low",
        ),
        pytest.param(
            [*BOUGHT, *[50_150.0] * 10, *[48_900.0] * 20],
            {},
            {"limits": {"max_drawdown": 0.0006}, "grid": {"recentre_margin": 0.2}},
            0.0,
            id="equity under a peak raised in a quiet candle",
        ),
        pytest.param(
            [*BOUGHT, *[49_800.0] * 40],
            {"low": {80: 48_000.0}},
            {"limits": {"max_drawdown": 0.0009}},
            0.5,
            id="a portfolio's equity above the limit",
        ),
        pytest.param(
            [*BOUGHT, *[49_800.0] * 40],
            {"low": {80: 48_000.0}},
            {"limits": {"max_drawdown": 0.001}},
            -0.1,
            id="a portfolio's equity at the limit",
        ),
        pytest.param(
            [*BOUGHT, *[47_000.0] * 40],
            {},
            {"limits": {"max_drawdown": 0.001, "cooldown_candles": 15}, "grid": {"recentre_confirm": 90}},
            0.0,
            id="a cooldown",
        ),
        pytest.param(
            [*WARM, 49_650.0, 49_690.0, *[49_690.0] * 30],
            {},
            {"limits": {"max_open_levels": 0}, "orders": {"retry_candles": 7}},
            0.0,
            id="a blocked slot's retry",
        ),
        pytest.param(
            [*WARM, 49_650.0, 49_900.0, *[49_900.0] * 30],
            {},
            {"orders": {"lifetime_candles": 9}},
            0.0,
            id="an order's lifetime",
        ),
        pytest.param(
            [*WARM, 49_000.0, 49_550.0, *[49_650.0] * 5, *[50_000.0] * 20],
            {},
            {"market": WIDE, "trail": {"buy_cap": 0.5}, "orders": {"lifetime_candles": 9}},
            0.0,
            id="an order that is re-priced",
        ),
        pytest.param(
            [*WARM, *[49_990.0] * 5, *[49_860.0] * 5, *[49_790.0] * 5, *[50_700.0] * 5], {}, {"grid": LIMIT}, 0.0,
            id="limits near the price",
        ),
    ],
)  # fmt: skip
def test_quiet_candles_end_where_something_happens(prices, changes, sections, elsewhere):
    tape = with_changes(prices, changes)
    outcomes = []
    for skip in (True, False):
        book = book_of(sections, elsewhere)
        equity = np.zeros(len(prices), np.int64)
        run(book, tape, equity, 0, skip)
        core = book.core
        outcomes.append(
            {name: np.asarray(core[name]).tolist() for name in core.dtype.names}
            | {"fills": book.fills.tolist(), "equity": equity.tolist()}
        )
    quick, slow = outcomes
    assert {name for name in slow if quick[name] != slow[name]} == set()


def test_a_quiet_candle_raises_the_peak_of_a_portfolio_and_keeps_this_symbol_s_equity_apart():
    book = book_of({}, 1.0)
    prices = [*BOUGHT, *[49_800.0] * 5, *[50_150.0] * 20, *[49_900.0] * 5]
    equity = np.zeros(len(prices), np.int64)
    run(book, path_tape(prices), equity, 0, True)
    assert CAPITAL < equity.max() < 1.01 * CAPITAL
    assert book.core.peak_equity == equity.max() + CAPITAL
