"""Metrics against empyrical, an independent implementation, on random daily series."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.trading.orders.account import START_MS, market
from trading.metrics import Metrics, Run, compute_metrics, monthly_returns
from trading.metrics.returns import DAY_MS
from trading.orders import empty_fills, pair_trades

empyrical = pytest.importorskip("empyrical", reason="empyrical-reloaded, the oracle, is a development dependency")
pandas = pytest.importorskip("pandas")

Floats = NDArray[np.float64]
CAPITAL = 10_000.0


@pytest.fixture(autouse=True)
def _numpy_1_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the oracle the one name that it still asks of numpy and numpy 2 dropped."""
    monkeypatch.setattr(np, "NINF", -np.inf, raising=False)


def daily_metrics(account: Floats, moves: Floats) -> Metrics:
    days = np.arange(len(account)) * DAY_MS + START_MS
    equity, close = CAPITAL * np.cumprod(1 + account), 100 * np.cumprod(1 + moves)
    fills = empty_fills(market())
    return compute_metrics(
        Run(days, close, equity, np.zeros(len(days)), fills, pair_trades(fills), DAY_MS, Decimal(int(CAPITAL)))
    )


def random_series(seed: int) -> tuple[Floats, Floats]:
    generator = np.random.default_rng(seed)
    length = int(generator.integers(5, 900))
    moves = generator.normal(generator.normal(0, 0.002), generator.uniform(0.001, 0.08), length).clip(-0.6, 1.5)
    account = 0.4 * moves + generator.normal(0, 0.01, length)
    moves[0] = 0.0  # the market's first close is where its returns begin
    return account, moves


ORACLES = {
    "total_return": lambda r, _: empyrical.cum_returns_final(r),
    "annualized_return": lambda r, _: empyrical.annual_return(r, annualization=365),
    "sharpe": lambda r, _: empyrical.sharpe_ratio(r, annualization=365),
    "sortino": lambda r, _: empyrical.sortino_ratio(r, annualization=365),
    "calmar": lambda r, _: empyrical.calmar_ratio(r, annualization=365),
    "max_drawdown": lambda r, _: empyrical.max_drawdown(r),
    "volatility": lambda r, _: empyrical.annual_volatility(r, annualization=365),
    "downside_deviation": lambda r, _: empyrical.downside_risk(r, annualization=365),
    "value_at_risk_95": lambda r, _: empyrical.value_at_risk(r, 0.05),
    "conditional_var_95": lambda r, _: empyrical.conditional_value_at_risk(r, 0.05),
    "beta": empyrical.beta,
    "correlation": lambda r, m: np.corrcoef(r, m)[0, 1],
    "buy_and_hold_return": lambda _, m: empyrical.cum_returns_final(m),
}


@pytest.mark.parametrize("seed", range(25))
def test_metrics_equal_empyrical(seed: int) -> None:
    account, moves = random_series(seed)
    metrics = daily_metrics(account, moves)
    wrong = {
        name: (getattr(metrics, name), oracle(account, moves))
        for name, oracle in ORACLES.items()
        if getattr(metrics, name) != pytest.approx(oracle(account, moves), rel=1e-9, abs=1e-12)
    }
    assert not wrong


@pytest.mark.parametrize("seed", range(5))
def test_monthly_returns_equal_empyrical(seed: int) -> None:
    account, _ = random_series(seed)
    index = pandas.date_range("2025-01-01", periods=len(account), freq="D")
    oracle = empyrical.aggregate_returns(pandas.Series(account, index=index), "monthly")
    days = np.arange(len(account)) * DAY_MS + START_MS
    months = monthly_returns(days, CAPITAL * np.cumprod(1 + account), Decimal(int(CAPITAL)))
    assert list(months) == [f"{year}-{month:02d}" for year, month in oracle.index]
    assert list(months.values()) == pytest.approx(oracle.tolist(), abs=1e-12)
