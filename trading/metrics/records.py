"""What a finished run left behind, and the metrics that are computed from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal

from trading.errors import DataError
from trading.metrics.attribution import AgentVotes
from trading.metrics.returns import Floats, Ints
from trading.orders import Fills, Trades


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
