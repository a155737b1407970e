"""What a run was worth: returns, risk, trades and costs, and who earned them."""

from trading.metrics.attribution import GRID, AgentVotes, profit_by_agent
from trading.metrics.performance import compute_metrics, monthly_returns
from trading.metrics.records import Metrics, RollingReturn, Run
from trading.metrics.returns import drawdown

__all__ = [
    "GRID",
    "AgentVotes",
    "Metrics",
    "RollingReturn",
    "Run",
    "compute_metrics",
    "drawdown",
    "monthly_returns",
    "profit_by_agent",
]
