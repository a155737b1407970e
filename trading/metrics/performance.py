"""Every metric of a run, computed at once from its equity, fills and trades."""

from __future__ import annotations

from decimal import Decimal
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from trading.metrics import returns as measures
from trading.metrics.attribution import AgentVotes, profit_by_agent
from trading.metrics.records import Metrics, RollingReturn, Run
from trading.metrics.returns import DAY_MS, DailyEquity, Floats, Ints
from trading.orders import Trades
from trading.orders.fills import exact_sum

ROLLING_DAYS = (30, 90, 180)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_HOUR_MS = 3_600_000
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday


def compute_metrics(run: Run) -> Metrics:
    """Return every metric of a run.

    Parameters
    ----------
    run : Run
        Equity, fills and trades.

    Returns
    -------
    Metrics
        Undefined ones are None.
    """
    capital = float(run.capital)
    daily = measures.daily_equity(run.timestamp, run.equity, capital)
    period = measures.period_returns(daily, run.equity, run.close, capital, run.step_ms)
    depth = measures.drawdown(run.equity, capital)
    total = float(run.equity[-1]) / capital - 1
    yearly = measures.annualised(total, int(run.timestamp[-1] - run.timestamp[0]) + run.step_ms)
    deepest = min(float(depth.min()), 0.0)
    return Metrics(
        total_return=total,
        annualized_return=yearly,
        buy_and_hold_return=float(run.close[-1] / run.close[0]) - 1 if run.close[0] > 0 else None,
        sharpe=measures.sharpe(period.account, period.per_year),
        sortino=measures.sortino(period.account, period.per_year),
        calmar=yearly / -deepest if yearly is not None and deepest < 0 else None,
        max_drawdown=deepest,
        max_drawdown_duration_ms=measures.longest_drawdown_ms(run.timestamp, depth, run.step_ms),
        volatility=measures.volatility(period.account, period.per_year),
        exposure=float(run.exposure.mean()),
        value_at_risk_95=measures.value_at_risk(period.account),
        conditional_var_95=measures.conditional_value_at_risk(period.account),
        beta=measures.beta(period.account, period.market),
        correlation=measures.correlation(period.account, period.market),
        downside_deviation=measures.downside_deviation(period.account, period.per_year),
        rejected_orders=run.rejected_orders,
        rolling_returns={f"{days}d": _rolling(daily, days) for days in ROLLING_DAYS},
        profit_by_agent=_by_agent(run),
        **_trade_metrics(run.trades),
        **_cost_metrics(run, capital),
        **_clock_metrics(run.trades),
    )


def monthly_returns(timestamp: Ints, equity: Floats, capital: Decimal) -> dict[str, float]:
    """Return the return of each UTC month.

    Parameters
    ----------
    timestamp : ndarray of int64, shape (n,), n >= 1
        Candle open times, milliseconds UTC.
    equity : ndarray of float64, shape (n,)
        Equity at each candle's close.
    capital : Decimal
        What the first month grows from.

    Returns
    -------
    dict of str to float
        By ``"YYYY-MM"``, oldest first; a month without candles is not there.
    """
    daily = measures.daily_equity(timestamp, equity, float(capital))
    months = daily.day[1:].astype("datetime64[D]").astype("datetime64[M]")
    last = np.append(np.flatnonzero(months[1:] != months[:-1]), len(months) - 1)
    ends = np.append(float(capital), daily.equity[1:][last])
    grown = np.divide(ends[1:], ends[:-1], out=np.ones(len(last)), where=ends[:-1] > 0) - 1
    return dict(zip(months[last].astype(str).tolist(), grown.tolist(), strict=True))


def _rolling(daily: DailyEquity, days: int) -> RollingReturn | None:
    start = np.searchsorted(daily.day, daily.day - days, side="right") - 1
    whole = (start >= 0) & (daily.day - days >= daily.day[0])
    base = daily.equity[start[whole]]
    grown = daily.equity[whole][base > 0] / base[base > 0] - 1
    if not len(grown):
        return None
    return RollingReturn(float(grown[-1]), float(grown.max()), float(grown.min()))


def _by_agent(run: Run) -> dict[str, float]:
    votes = run.votes
    if votes is None:
        nothing = np.zeros((0, len(run.timestamp)))
        votes = AgentVotes((), nothing.astype(np.int8), nothing, nothing)
    return profit_by_agent(run.trades, votes)


class _TradeMetrics(TypedDict):
    trades: int
    win_rate: float | None
    profit_factor: float | None
    expectancy: float | None
    avg_win: float | None
    avg_loss: float | None
    largest_win: float | None
    largest_loss: float | None
    avg_holding_ms: int | None
    longest_holding_ms: int | None


class _CostMetrics(TypedDict):
    fills: int
    fees: float
    fees_share_of_gross: float | None
    turnover: float
    average_slippage: float | None


class _ClockMetrics(TypedDict):
    best_hour: int | None
    worst_hour: int | None
    best_weekday: str | None


def _trade_metrics(trades: Trades) -> _TradeMetrics:
    units, money = trades.pnl_units, trades.market.money
    win, loss = units[units > 0], units[units < 0]
    won, lost = float(money(exact_sum(win))), float(money(exact_sum(loss)))
    holding = trades.holding_ms
    count = len(trades)
    return {
        "trades": count,
        "win_rate": len(win) / count if count else None,
        "profit_factor": won / -lost if len(loss) else None,
        "expectancy": float(money(exact_sum(units))) / count if count else None,
        "avg_win": won / len(win) if len(win) else None,
        "avg_loss": lost / len(loss) if len(loss) else None,
        "largest_win": float(money(int(win.max()))) if len(win) else None,
        "largest_loss": float(money(int(loss.min()))) if len(loss) else None,
        "avg_holding_ms": round(exact_sum(holding) / count) if count else None,
        "longest_holding_ms": int(holding.max()) if count else None,
    }


def _cost_metrics(run: Run, capital: float) -> _CostMetrics:
    fills, fees = run.fills, float(run.fills.fees)
    gross = float(run.equity[-1]) - capital + fees
    known = fills.reference_ticks > 0
    reference = fills.reference_ticks[known].astype(np.float64)
    slipped = fills.side[known] * (fills.price_ticks[known] - reference) / reference
    weight = fills.value_units[known].astype(np.float64)
    return {
        "fills": len(fills),
        "fees": fees,
        "fees_share_of_gross": fees / gross if gross > 0 else None,
        "turnover": float(fills.traded) / capital,
        "average_slippage": float(np.average(slipped, weights=weight)) if known.any() else None,
    }


def _clock_metrics(trades: Trades) -> _ClockMetrics:
    if not len(trades):
        return {"best_hour": None, "worst_hour": None, "best_weekday": None}
    hours, by_hour = _profit_by(trades.exit_timestamp // _HOUR_MS % 24, trades.pnl)
    days, by_day = _profit_by((trades.exit_timestamp // DAY_MS + _EPOCH_WEEKDAY) % 7, trades.pnl)
    return {
        "best_hour": int(hours[np.argmax(by_hour)]),
        "worst_hour": int(hours[np.argmin(by_hour)]),
        "best_weekday": WEEKDAYS[int(days[np.argmax(by_day)])],
    }


def _profit_by(clock: Ints, pnl: Floats) -> tuple[NDArray[np.int64], Floats]:
    marks, code = np.unique(clock, return_inverse=True)
    return marks, np.bincount(code, weights=pnl).astype(np.float64, copy=False)
