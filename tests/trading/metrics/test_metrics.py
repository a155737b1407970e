"""Metrics by hand: drawdowns, trades, clocks, costs, agents; and what is undefined is None."""

from __future__ import annotations

import json
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given

from tests.trading.orders.account import HOUR_MS, START_MS, Account, accounts, market
from trading.errors import DataError
from trading.metrics import AgentVotes, Metrics, Run, compute_metrics, monthly_returns, profit_by_agent
from trading.metrics.returns import DAY_MS, annualised, drawdown, longest_drawdown_ms
from trading.orders import pair_trades


def measure(
    equity: list[float],
    account: Account | None = None,
    *,
    step_ms: int = HOUR_MS,
    votes: AgentVotes | None = None,
    close: list[float] | None = None,
    rejected: int = 0,
) -> Metrics:
    fills = (account or Account(market())).fills()
    values = np.array(equity, np.float64)
    return compute_metrics(
        Run(
            START_MS + np.arange(len(equity)) * step_ms, np.array(close or [100.0] * len(equity)), values,
            np.full(len(equity), 0.25), fills, pair_trades(fills), step_ms, Decimal(10_000), rejected, votes,
        )
    )  # fmt: skip


def two_trades() -> Account:
    account = Account(market())
    account.trade(1, 1_000_000, 100, level=0, candle=0, reference=999_000)
    account.trade(-1, 1_020_000, 100, level=0, candle=5)
    account.trade(1, 1_000_000, 100, level=1, candle=6)
    account.trade(-1, 990_000, 100, level=1, candle=30)
    return account


def test_trades_by_hand() -> None:
    # +2 - 0.202 = 1.798 closed at 05:00 on a Wednesday, -1 - 0.199 = -1.199 at 06:00 the next day.
    metrics = measure([10_000.0] * 40 + [10_000.599], two_trades(), rejected=3)
    assert (metrics.trades, metrics.fills, metrics.win_rate) == (2, 4, 0.5)
    assert (metrics.avg_win, metrics.largest_win) == (1.798, 1.798)
    assert (metrics.avg_loss, metrics.largest_loss) == (-1.199, -1.199)
    assert metrics.profit_factor == pytest.approx(1.798 / 1.199)
    assert metrics.expectancy == pytest.approx(0.2995)
    assert (metrics.best_hour, metrics.worst_hour, metrics.best_weekday) == (5, 6, "wednesday")
    assert (metrics.avg_holding_ms, metrics.longest_holding_ms) == (14.5 * HOUR_MS, 24 * HOUR_MS)
    assert metrics.fees == pytest.approx(0.1 + 0.102 + 0.1 + 0.099)
    assert metrics.fees_share_of_gross == pytest.approx(0.401 / 1.0)
    assert metrics.turnover == pytest.approx(401 / 10_000)
    assert metrics.average_slippage == pytest.approx(1 / 999)
    assert (metrics.exposure, metrics.rejected_orders) == (0.25, 3)


def test_drawdown_by_hand() -> None:
    equity = np.array([9_900.0, 10_100, 10_000, 10_100, 9_090, 9_500])
    depth = drawdown(equity, 10_000)
    assert depth.min() == pytest.approx(-0.1)
    assert depth[0] == pytest.approx(-0.01)
    time = np.arange(6) * HOUR_MS
    assert longest_drawdown_ms(time, depth, HOUR_MS) == 2 * HOUR_MS
    assert longest_drawdown_ms(np.append(time[:-1], 9 * HOUR_MS), depth, HOUR_MS) == 6 * HOUR_MS


def test_drawdown_from_the_first_candle_counts_from_the_capital() -> None:
    depth = drawdown(np.array([9_000.0, 9_500]), 10_000)
    assert longest_drawdown_ms(np.array([0, HOUR_MS]), depth, HOUR_MS) == 2 * HOUR_MS


def test_rising_equity_has_no_drawdown_and_no_calmar() -> None:
    metrics = measure([10_000.0 + day * day for day in range(10)], step_ms=DAY_MS)
    assert (metrics.max_drawdown, metrics.max_drawdown_duration_ms) == (0, 0)
    assert metrics.calmar is None
    assert metrics.sortino is None


def test_what_is_undefined_is_none_and_json_has_no_nan() -> None:
    metrics = measure([10_000.0])
    undefined = {name for name, value in metrics.as_json().items() if value is None}
    assert undefined == {
        "annualized_return", "sharpe", "sortino", "calmar", "volatility", "win_rate", "profit_factor", "expectancy",
        "avg_win", "avg_loss", "largest_win", "largest_loss", "avg_holding_ms", "fees_share_of_gross", "best_hour",
        "worst_hour", "best_weekday", "beta", "correlation", "longest_holding_ms", "average_slippage",
    }  # fmt: skip
    assert json.loads(json.dumps(metrics.as_json(), allow_nan=False))["rolling_returns"] == dict.fromkeys(
        ("30d", "90d", "180d")
    )


def test_only_winners_leave_the_profit_factor_undefined() -> None:
    account = Account(market())
    account.trade(1, 1_000_000, 100)
    account.trade(-1, 1_100_000, 100)
    metrics = measure([10_000.0, 10_009.0], account)
    assert metrics.win_rate == 1
    assert metrics.profit_factor is None
    assert metrics.avg_loss is None


def test_flat_equity_has_zero_volatility_and_no_sharpe() -> None:
    metrics = measure([10_000.0] * 200)
    assert metrics.volatility == 0
    assert metrics.sharpe is None


def test_run_under_three_days_uses_candle_returns() -> None:
    equity = [10_000.0, 10_010.0, 9_990.0, 10_020.0]
    changes = np.diff(np.append(10_000.0, equity)) / np.append(10_000.0, equity[:-1])
    assert measure(equity).volatility == pytest.approx(changes.std(ddof=1) * (24 * 365) ** 0.5)


def test_daily_returns_use_the_last_candle_of_each_utc_day() -> None:
    equity = [10_000.0 + (hour * 37) % 11 for hour in range(24 * 5)]
    ends = np.append(10_000.0, equity[23::24])
    changes = ends[1:] / ends[:-1] - 1
    assert measure(equity).volatility == pytest.approx(changes.std(ddof=1) * 365**0.5)


def test_rolling_returns_by_hand() -> None:
    equity = [10_000.0 * 1.001 ** (day + 1) for day in range(40)]
    equity[-1] *= 2
    rolling = measure(equity, step_ms=DAY_MS).rolling_returns
    window = rolling["30d"]
    assert window is not None
    assert window.worst == pytest.approx(1.001**30 - 1)
    assert window.last == window.best == pytest.approx(2 * 1.001**30 - 1)
    assert rolling["90d"] is None


def test_months_grow_from_the_month_before() -> None:
    days = START_MS + np.array([0, 30, 31, 58, 59]) * DAY_MS
    months = monthly_returns(days, np.array([101.0, 110, 100, 121, 60.5]), Decimal(100))
    assert months == pytest.approx({"2025-01": 0.1, "2025-02": 0.1, "2025-03": -0.5})


def test_profit_is_shared_by_weight_and_confidence_and_the_rest_is_the_grids() -> None:
    account = two_trades()
    candles = 31
    action = np.zeros((3, candles), np.int8)
    action[0], action[1, 0], action[2] = 1, 1, -1
    confidence = np.full((3, candles), 0.5)
    votes = AgentVotes(("a", "b", "c"), action, confidence, np.array([[1.0], [2.0], [1.0]]))
    shared = profit_by_agent(pair_trades(account.fills()), votes)
    assert shared == pytest.approx({
        "a": 1.798 * 0.5 / 4 - 1.199 * 0.5 / 4, "b": 1.798 * 1.0 / 4, "c": 0.0,
        "grid": 1.798 * 2.5 / 4 - 1.199 * 3.5 / 4,
    })  # fmt: skip


def test_without_agents_all_profit_is_the_grids() -> None:
    assert measure([10_000.0] * 31, two_trades()).profit_by_agent == pytest.approx({"grid": 0.599})


@given(accounts())
def test_shares_of_agents_add_up_to_the_profit(account: Account) -> None:
    trades = pair_trades(account.fills())
    candles = 2_000
    generator = np.random.default_rng(3)
    votes = AgentVotes(
        ("a", "b"), generator.integers(-1, 2, (2, candles)).astype(np.int8), generator.random((2, candles)),
        generator.random((2, candles)),
    )  # fmt: skip
    assert sum(profit_by_agent(trades, votes).values()) == pytest.approx(float(trades.pnl.sum()), abs=1e-6)


@pytest.mark.parametrize(
    ("total", "days", "expected"),
    [(0.1, 365, 0.1), (0.1, 182.5, 0.21), (-1.0, 10, -1.0), (0.1, 0.5, None), (1e9, 1, None)],
)
def test_annualised_by_hand(total: float, days: float, expected: float | None) -> None:
    assert annualised(total, int(days * DAY_MS)) == (None if expected is None else pytest.approx(expected))


def test_columns_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match="'close'"):
        measure([10_000.0, 10_001.0], close=[1.0])


def test_run_without_candles_is_refused() -> None:
    with pytest.raises(DataError, match="without candles"):
        measure([])
