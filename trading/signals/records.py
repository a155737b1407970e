"""What signals are made of: actions, regimes, an agent's view, the consensus."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Action(IntEnum):
    """What an agent, or the consensus, wants done."""

    TRAIL_SELL = -1
    HOLD = 0
    TRAIL_BUY = 1


class Regime(IntEnum):
    """What kind of market it is."""

    RANGING = 0
    TRENDING = 1
    VOLATILE = 2
    CALM = 3


class VolatilityClass(IntEnum):
    """How volatile a market is against its own recent past."""

    CALM = 0
    NORMAL = 1
    VOLATILE = 2


@dataclass(frozen=True, slots=True, eq=False)
class AgentView:
    """What an agent thinks at every candle.

    Parameters
    ----------
    action : ndarray of int8, shape (n,)
        `Action` values.
    confidence : ndarray of float32, shape (n,)
        0 to 1; 0 where the action is HOLD.
    trail : ndarray of float32, shape (n,)
        Trail distance, fraction of the price, at least 0 and under 1; 0 where the agent has no opinion.
    """

    action: NDArray[np.int8]
    confidence: NDArray[np.float32]
    trail: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class AgentReport:
    """How one agent did over a run.

    Parameters
    ----------
    name : str
        The agent's name.
    signals : int
        Candles at which it did not say HOLD.
    hit_rate : float or None
        Share of its judged signals after which the price moved its way; None while none is judged.
    mean_confidence : float
        Mean confidence of its signals; 0 without signals.
    weight : float
        Its weight in the vote after the last candle.
    skipped : str or None
        Why it did not take part; None when it did.
    view : AgentView or None
        Its votes, for attribution; None when it was skipped.
    """

    name: str
    signals: int
    hit_rate: float | None
    mean_confidence: float
    weight: float
    skipped: str | None
    view: AgentView | None


@dataclass(frozen=True, slots=True, eq=False)
class Signals:
    """The consensus of the agents at every candle; value t knows the candles up to and including t.

    Parameters
    ----------
    action : ndarray of int8, shape (n,)
        `Action` values; HOLD where the confidence is under the minimum.
    confidence : ndarray of float32, shape (n,)
        0 to 1.
    trail : ndarray of float32, shape (n,)
        Trail distance, fraction of the price.
    regime, volatility : ndarray of int8, shape (n,)
        `Regime` and `VolatilityClass` values.
    swing_high, swing_low : ndarray of float64, shape (n,)
        Latest confirmed swing levels, quote currency; NaN while there is none.
    swing_size : ndarray of float32, shape (n,)
        Average swing on candles of 1h or 4h, fraction of the price; NaN while unknown.
    disagreement : ndarray of float32, shape (n,)
        0 when all agents vote alike, 1 when half of the weight votes against the other half.
    origin_ms : int
        Open time of the first candle that went in; recursive indicators and weights depend on it.
    agents : tuple of AgentReport
        One for each agent that was asked for, in that order.
    """

    action: NDArray[np.int8]
    confidence: NDArray[np.float32]
    trail: NDArray[np.float32]
    regime: NDArray[np.int8]
    volatility: NDArray[np.int8]
    swing_high: NDArray[np.float64]
    swing_low: NDArray[np.float64]
    swing_size: NDArray[np.float32]
    disagreement: NDArray[np.float32]
    origin_ms: int
    agents: tuple[AgentReport, ...]

    def __len__(self) -> int:
        return len(self.action)
