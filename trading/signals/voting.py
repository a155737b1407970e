"""The compiled vote: one pass over the candles that judges past votes, weighs agents and makes the consensus."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Bytes = NDArray[np.int8]
Counts = NDArray[np.int64]

HORIZON_CANDLES = 24
"""A vote is a hit when the close so many candles later lies on its side; an unchanged close judges nothing."""
DECAY = 0.995
"""What each newly judged vote leaves of the weight of those before: about 200 votes count."""
PRIOR_VOTES = 40.0
"""Votes of even luck that every agent starts with."""
WEIGHT_SLOPE, LEAST_FACTOR, GREATEST_FACTOR = 4.0, 0.25, 2.0
"""Weight = starting weight x (1 + 4 x (hit rate - 0.5)), within 0.25 and 2 times."""
HOLD_SHARE = 0.25
"""Share of a holding agent's weight that counts against the side that wins."""
AGREEMENT = 0.5
"""Part of the missing confidence that a unanimous vote of all agents adds; agreement is evidence of its own."""
REGIME_MULTIPLIERS = np.array([0.7, 1.5, 2.0, 0.5])
"""On the trail, by `Regime`: ranging, trending, volatile, calm."""
TRAIL_BOUNDS = np.array([[0.005, 0.02], [0.01, 0.03], [0.02, 0.05]])
"""Least and greatest trail by `VolatilityClass`, fraction of the price: calm, normal, volatile."""


@njit(cache=True, nogil=True)
def tally(
    actions: NDArray[np.int8],
    confidences: NDArray[np.float32],
    trails: NDArray[np.float32],
    close: Floats,
    regime: Bytes,
    volatility: Bytes,
    start: Floats,
    adapt: bool,
    min_confidence: float,
    base_trail: float,
    multipliers: Floats,
    bounds: Floats,
) -> tuple[Bytes, Singles, Singles, Singles, Floats, Counts, Counts]:
    """Return action, confidence, trail, disagreement, final weights, hits and judged votes; agents are rows."""
    agents, n = actions.shape
    action = np.zeros(n, dtype=np.int8)
    confidence = np.zeros(n, dtype=np.float32)
    trail = np.empty(n, dtype=np.float32)
    disagreement = np.zeros(n, dtype=np.float32)
    weights = start.copy()
    recent_hits, recent_judged = np.zeros(agents), np.zeros(agents)
    hits, judged = np.zeros(agents, dtype=np.int64), np.zeros(agents, dtype=np.int64)
    for t in range(n):
        if t >= HORIZON_CANDLES:
            move = close[t] - close[t - HORIZON_CANDLES]
            for i in range(agents):
                voted = actions[i, t - HORIZON_CANDLES]
                if voted != 0 and move != 0.0:
                    hit = 1 if voted * move > 0.0 else 0
                    hits[i] += hit
                    judged[i] += 1
                    recent_hits[i] = recent_hits[i] * DECAY + hit
                    recent_judged[i] = recent_judged[i] * DECAY + 1.0
                    if adapt:
                        rate = (recent_hits[i] + 0.5 * PRIOR_VOTES) / (recent_judged[i] + PRIOR_VOTES)
                        factor = 1.0 + WEIGHT_SLOPE * (rate - 0.5)
                        weights[i] = start[i] * min(max(factor, LEAST_FACTOR), GREATEST_FACTOR)
        balance, voting, holding, votes = 0.0, 0.0, 0.0, 0.0
        distance, heard = 0.0, 0.0
        for i in range(agents):
            w = weights[i]
            a = actions[i, t]
            if a == 0:
                holding += w
            else:
                voting += w
                votes += w * a
                balance += w * a * confidences[i, t]
            if trails[i, t] > 0.0:
                heard += w
                distance += w * trails[i, t]
        if voting > 0.0:
            sure = abs(balance) / (voting + HOLD_SHARE * holding)
            if votes * balance > 0.0:
                sure += (1.0 - sure) * AGREEMENT * abs(votes) / (voting + holding)
            confidence[t] = min(sure, 1.0)
            # A hair of room, or a confidence that equals the minimum could fall under it by rounding.
            if balance != 0.0 and sure + 1e-6 >= min_confidence:
                action[t] = 1 if balance > 0.0 else -1
            mean = votes / (voting + holding)
            disagreement[t] = min(max(voting / (voting + holding) - mean * mean, 0.0), 1.0)
        follow = distance / heard if heard > 0.0 else base_trail
        follow *= multipliers[regime[t]]
        trail[t] = min(max(follow, bounds[volatility[t], 0]), bounds[volatility[t], 1])
    return action, confidence, trail, disagreement, weights, hits, judged
