"""Which agent earned what: each closed trade's profit shared among the agents that wanted its purchase."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trading.orders import Trades

GRID = "grid"
"""The name under which profit goes that no agent voted for."""


@dataclass(frozen=True, slots=True, eq=False)
class AgentVotes:
    """What each agent said at each candle.

    Parameters
    ----------
    names : tuple of str, length a
        Agents.
    action : ndarray of int8, shape (a, n)
        +1 buy, -1 sell, 0 hold.
    confidence : ndarray of float, shape (a, n)
        0 to 1.
    weight : ndarray of float, shape (a, n) or (a, 1)
        Weight of the agent in the vote, not negative.
    """

    names: tuple[str, ...]
    action: NDArray[np.int8]
    confidence: NDArray[np.floating]
    weight: NDArray[np.floating]


def profit_by_agent(trades: Trades, votes: AgentVotes) -> dict[str, float]:
    """Share each closed trade's P&L among the agents.

    At the candle of the trade's first buy, an agent whose action was to buy gets its weight times its confidence,
    over the weights of all agents; the rest goes to the grid. The shares add up to the P&L of all trades.

    Parameters
    ----------
    trades : Trades
        Closed trades; their entry candles are rows of the votes.
    votes : AgentVotes
        What the agents said.

    Returns
    -------
    dict of str to float
        Quote currency by agent, and under ``"grid"`` what no agent earned.
    """
    entry = trades.entry_candle
    weight = np.broadcast_to(votes.weight, votes.action.shape)[:, entry].astype(np.float64)
    agreed = weight * votes.confidence[:, entry] * (votes.action[:, entry] > 0)
    total = weight.sum(axis=0)
    share = np.divide(agreed, total, out=np.zeros_like(agreed), where=total > 0)
    pnl = trades.pnl
    profit = {name: float(earned) for name, earned in zip(votes.names, share @ pnl, strict=True)}
    profit[GRID] = float(((1 - share.sum(axis=0)) * pnl).sum())
    return profit
