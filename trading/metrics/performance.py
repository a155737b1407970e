"""Every metric of a run, computed at once from its equity, fills and trades."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from trading.errors import DataError
from trading.metrics import returns as measures
from trading.metrics.attribution import AgentVotes, profit_by_agent
from trading.metrics.returns import DAY_MS, DailyEquity, Floats, Ints
from trading.orders import Fills, Trades
from trading.orders.fills import exact_sum

ROLLING_DAYS = (30, 90, 180)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_HOUR_MS = 3_600_000
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """What a finished run left behind.

    Parameters
    ----------
    timestamp : ndarray of int64, shape (n,), n >= 1
        Candle open times, milliseconds UTC.
    close, equity : ndarray of float64, shape (n,)
        Close, and equity at the close, quote currency.
    exposure : ndarray of float64, shape (n,)
        Value of the position as a share of the equity.
    fills : Fills
        Every fill.
    trades : Trades
        From `trading.orders.pair_trades`.
    step_ms : int
        Candle length.
    capital : Decimal
        Equity before the first candle, quote currency.
    rejected_orders : int
        Orders that were refused by a risk rule or the market.
    votes : AgentVotes, optional
        What the agents said; None leaves all profit to the grid.
    """

    timestamp: Ints
    close: Floats
    equity: Floats
    exposure: Floats
    fills: Fills
    trades: Trades
    step_ms: int
    capital: Decimal
    rejected_orders: int = 0
    votes: AgentVotes | None = None

    def __post_init__(self) -> None:
        for name in ("close", "equity", "exposure"):
            if getattr(self, name).shape != self.timestamp.shape:
                raise DataError(
                    f"run column {name!r} has shape {getattr(self, name).shape}, timestamp {self.timestamp.shape}"
                )
        if not len(self.timestamp):
            raise DataError("a run without candles has no metrics; choose a period that holds candles")


@dataclass(frozen=True, slots=True)
class RollingReturn:
    """Returns over all windows of one length: the latest, the best and the worst."""

    last: float
    best: float
    worst: float


@dataclass(frozen=True, slots=True)
class Metrics:
    """What a run was worth; shares are fractions, money is quote currency, a loss is negative, None is undefined.

    Ratios rest on daily returns (last equity of each UTC day, 365 days a year), or on candle returns when the run is
    shorter than three days. Trades are closed trades; hours and weekdays are UTC, by when the trade closed.

    Parameters
    ----------
    total_return, annualized_return, buy_and_hold_return : float
        Growth of the capital; the same compounded to a year (None under a day); from the first close to the last.
    sharpe, sortino, calmar : float
        Mean over deviation; mean over downside deviation; annualised return over the maximum drawdown.
    max_drawdown : float
        Deepest fall from an equity peak, 0 or negative.
    max_drawdown_duration_ms : int
        Longest time under a peak.
    volatility, downside_deviation : float
        Annualised.
    value_at_risk_95, conditional_var_95 : float
        Return of a period that 1 in 20 stays under, and the mean of those.
    beta, correlation : float
        Against the market's own returns.
    win_rate, profit_factor, expectancy : float
        Share of trades that earned; their profit over the losers' loss; mean profit of a trade.
    trades, fills, rejected_orders : int
        Counts.
    avg_win, avg_loss, largest_win, largest_loss : float
        Profit of trades after fees.
    avg_holding_ms, longest_holding_ms : int
        From a trade's first buy to its last sale.
    fees, fees_share_of_gross : float
        All fees; their share of the profit before fees (None when there was none).
    turnover : float
        Value traded over the capital.
    exposure : float
        Mean share of the equity in the position.
    average_slippage : float
        Loss against the price at which orders were decided, share of the price, weighted by value.
    best_hour, worst_hour : int
        Hour of the day with the greatest and the least profit.
    best_weekday : str
        Day of the week with the greatest profit.
    rolling_returns : mapping of str to RollingReturn
        By window, ``"30d"``, ``"90d"`` and ``"180d"``; None where the run is shorter.
    profit_by_agent : mapping of str to float
        Profit of closed trades by agent, the rest under ``"grid"``; see `trading.metrics.attribution`.
    """

    total_return: float
    annualized_return: float | None
    buy_and_hold_return: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    max_drawdown: float
    max_drawdown_duration_ms: int
    volatility: float | None
    win_rate: float | None
    profit_factor: float | None
    expectancy: float | None
    trades: int
    fills: int
    avg_win: float | None
    avg_loss: float | None
    largest_win: float | None
    largest_loss: float | None
    avg_holding_ms: int | None
    fees: float
    fees_share_of_gross: float | None
    turnover: float
    exposure: float
    value_at_risk_95: float | None
    conditional_var_95: float | None
    best_hour: int | None
    worst_hour: int | None
    best_weekday: str | None
    beta: float | None
    correlation: float | None
    downside_deviation: float | None
    longest_holding_ms: int | None
    average_slippage: float | None
    rejected_orders: int
    rolling_returns: Mapping[str, RollingReturn | None] = field(default_factory=dict)
    profit_by_agent: Mapping[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """Return the metrics as plain JSON data, in the order of the fields."""
        return asdict(self)


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
