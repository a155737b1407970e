"""Measures of a series of returns and of an equity curve; what is undefined is None, never a made-up number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DAY_MS = 86_400_000
YEAR_DAYS = 365
_MIN_DAYS = 3
_ZERO_DEVIATION = 1e-14


@dataclass(frozen=True, slots=True, eq=False)
class PeriodReturns:
    """Returns of the account and of the market over the same periods.

    Parameters
    ----------
    account, market : ndarray of float64, shape (p,)
        Simple returns; the first is against the capital, or against the first close.
    per_year : float
        Periods in a year of 365 days.
    """

    account: Floats
    market: Floats
    per_year: float


@dataclass(frozen=True, slots=True, eq=False)
class DailyEquity:
    """The last equity of each UTC day, after the capital the run began with.

    Parameters
    ----------
    day : ndarray of int64, shape (d + 1,)
        Days since 1970-01-01; the first is the day before the run.
    equity : ndarray of float64, shape (d + 1,)
        Quote currency; the first is the capital.
    row : ndarray of int64, shape (d,)
        Candle that closes each day.
    """

    day: Ints
    equity: Floats
    row: Ints


def daily_equity(timestamp: Ints, equity: Floats, capital: float) -> DailyEquity:
    """Return the last equity of each UTC day.

    Parameters
    ----------
    timestamp : ndarray of int64, shape (n,), n >= 1
        Candle open times, milliseconds UTC, rising.
    equity : ndarray of float64, shape (n,)
        Equity at each candle's close.
    capital : float
        Equity before the first candle.
    """
    day = timestamp // DAY_MS
    row = np.append(np.flatnonzero(day[1:] != day[:-1]), len(day) - 1)
    days = day[row]
    return DailyEquity(np.append(days[:1] - 1, days), np.append(capital, equity[row]), row)


def period_returns(daily: DailyEquity, equity: Floats, close: Floats, capital: float, step_ms: int) -> PeriodReturns:
    """Return daily returns, or candle returns when the run is shorter than three days.

    Parameters
    ----------
    daily : DailyEquity
        From `daily_equity`.
    equity, close : ndarray of float64, shape (n,)
        Equity and close of each candle.
    capital : float
        Equity before the first candle.
    step_ms : int
        Candle length.
    """
    if len(daily.row) >= _MIN_DAYS:
        return PeriodReturns(_changes(daily.equity), _changes(np.append(close[0], close[daily.row])), YEAR_DAYS)
    account, market = _changes(np.append(capital, equity)), _changes(np.append(close[0], close))
    return PeriodReturns(account, market, YEAR_DAYS * DAY_MS / step_ms)


def _changes(values: Floats) -> Floats:
    before = values[:-1]
    return np.divide(values[1:], before, out=np.ones(len(before)), where=before > 0) - 1


def _deviation(returns: Floats) -> float | None:
    if len(returns) < 2:
        return None
    deviation = float(returns.std(ddof=1))
    return deviation if deviation > _ZERO_DEVIATION else 0.0


def volatility(returns: Floats, per_year: float) -> float | None:
    """Return the annualised sample standard deviation; None under two returns."""
    deviation = _deviation(returns)
    return None if deviation is None else deviation * per_year**0.5


def sharpe(returns: Floats, per_year: float) -> float | None:
    """Return mean over sample standard deviation, annualised, risk-free rate 0 (Sharpe 1994); None without spread."""
    deviation = _deviation(returns)
    return float(returns.mean()) / deviation * per_year**0.5 if deviation else None


def downside_deviation(returns: Floats, per_year: float) -> float | None:
    """Return the annualised root mean square of the negative returns, zeros counted (Sortino and van der Meer 1991)."""
    if not len(returns):
        return None
    return float(np.sqrt(np.mean(np.minimum(returns, 0.0) ** 2)) * per_year**0.5)


def sortino(returns: Floats, per_year: float) -> float | None:
    """Return the annualised mean over the downside deviation; None when nothing was ever lost."""
    downside = downside_deviation(returns, per_year)
    return float(returns.mean()) * per_year / downside if downside and downside > _ZERO_DEVIATION else None


def value_at_risk(returns: Floats, cutoff: float = 0.05) -> float | None:
    """Return the return that only a share ``cutoff`` of the periods stays under (a loss is negative)."""
    return float(np.quantile(returns, cutoff)) if len(returns) else None


def conditional_value_at_risk(returns: Floats, cutoff: float = 0.05) -> float | None:
    """Return the mean of the worst share ``cutoff`` of the periods, at least one of them."""
    if not len(returns):
        return None
    last = int((len(returns) - 1) * cutoff)
    return float(np.partition(returns, last)[: last + 1].mean())


def beta(account: Floats, market: Floats) -> float | None:
    """Return the slope of the account's returns over the market's; None when the market stands still."""
    spread = _deviation(market)
    if not spread:
        return None
    return float(np.mean((account - account.mean()) * (market - market.mean())) / market.var())


def correlation(account: Floats, market: Floats) -> float | None:
    """Return Pearson's correlation of the account with the market; None when either stands still."""
    if not _deviation(account) or not _deviation(market):
        return None
    return float(np.mean((account - account.mean()) * (market - market.mean())) / (account.std() * market.std()))


def drawdown(equity: Floats, capital: float) -> Floats:
    """Return each candle's fall from the highest equity so far, the capital included; shape (n,), 0 or negative."""
    peak = np.maximum(np.maximum.accumulate(equity), capital)
    return equity / peak - 1


def longest_drawdown_ms(timestamp: Ints, depth: Floats, step_ms: int) -> int:
    """Return the longest time from a peak to the candle that reached it again, or to the end.

    Parameters
    ----------
    timestamp : ndarray of int64, shape (n,)
        Candle open times, milliseconds.
    depth : ndarray of float64, shape (n,)
        From `drawdown`.
    step_ms : int
        Candle length; the capital counts as a peak one candle before the first.
    """
    under = depth < 0
    if not under.any():
        return 0
    time = np.append(timestamp[0] - step_ms, timestamp)
    peaks = np.append(0, np.flatnonzero(~under) + 1)
    ends = np.append(peaks[1:], len(timestamp))
    fell = ends - peaks > 1
    fell[-1] = peaks[-1] < len(timestamp)
    return int((time[ends] - time[peaks])[fell].max(initial=0))


def annualised(total_return: float, duration_ms: int) -> float | None:
    """Return the yearly growth that compounds to ``total_return``; None under a day, or where no float holds it."""
    if duration_ms < DAY_MS:
        return None
    if total_return <= -1:
        return -1.0
    growth = np.log1p(total_return) * YEAR_DAYS * DAY_MS / duration_ms
    return float(np.expm1(growth)) if growth < 700 else None
