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
def judge(voted: Bytes, move: float, recent: Floats, counts: Counts, start: Floats, weights: Floats) -> None:
    """Judge one candle's votes by the move that followed, and renew the weights of those who voted.

    Parameters
    ----------
    voted : ndarray of int8, shape (agents,)
        `Action` values.
    move : float
        Close after the horizon less the close at the vote, quote currency.
    recent : ndarray of float64, shape (agents, 2)
        Decayed hits and judged votes; renewed.
    counts : ndarray of int64, shape (agents, 2)
        All hits and judged votes; renewed.
    start, weights : ndarray of float64, shape (agents,)
        Starting weights, and the weights earned; the latter renewed.
    """
    for i in range(len(voted)):
        if voted[i] != 0 and move != 0.0:
            hit = 1 if voted[i] * move > 0.0 else 0
            counts[i, 0] += hit
            counts[i, 1] += 1
            recent[i, 0] = recent[i, 0] * DECAY + hit
            recent[i, 1] = recent[i, 1] * DECAY + 1.0
            rate = (recent[i, 0] + 0.5 * PRIOR_VOTES) / (recent[i, 1] + PRIOR_VOTES)
            factor = 1.0 + WEIGHT_SLOPE * (rate - 0.5)
            weights[i] = start[i] * min(max(factor, LEAST_FACTOR), GREATEST_FACTOR)


@njit(cache=True, nogil=True)
def poll(action: Bytes, confidence: Singles, weights: Floats) -> tuple[float, float]:
    """Return the winner's confidence with the winner's sign, and the disagreement; arrays have shape (agents,)."""
    balance, voting, total, votes = 0.0, 0.0, 0.0, 0.0
    for i in range(len(action)):
        w = weights[i]
        total += w
        if action[i] != 0:
            voting += w
            votes += w * action[i]
            balance += w * action[i] * confidence[i]
    if voting == 0.0:
        return 0.0, 0.0
    sure = abs(balance) / (voting + HOLD_SHARE * (total - voting))
    if votes * balance > 0.0:
        sure += (1.0 - sure) * AGREEMENT * abs(votes) / total
    mean = votes / total
    return np.sign(balance) * min(sure, 1.0), min(max(voting / total - mean * mean, 0.0), 1.0)


@njit(cache=True, nogil=True)
def acts(lead: float, min_confidence: float) -> int:
    """Return the `Action` of a signed confidence: HOLD under the minimum."""
    # A hair of room, or a confidence that equals the minimum could fall under it by rounding.
    if lead != 0.0 and abs(lead) + 1e-6 >= min_confidence:
        return 1 if lead > 0.0 else -1
    return 0


@njit(cache=True, nogil=True)
def follow(trail: Singles, weights: Floats, base_trail: float, regime: int, volatility: int) -> float:
    """Return one candle's trail, fraction of the price; arrays have shape (agents,), 0 where one has no opinion."""
    distance, heard = 0.0, 0.0
    for i in range(len(trail)):
        if trail[i] > 0.0:
            heard += weights[i]
            distance += weights[i] * trail[i]
    wanted = (distance / heard if heard > 0.0 else base_trail) * REGIME_MULTIPLIERS[regime]
    trimmed: float = min(max(wanted, TRAIL_BOUNDS[volatility, 0]), TRAIL_BOUNDS[volatility, 1])
    return trimmed


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
) -> tuple[Bytes, Singles, Singles, Singles, Floats, Counts]:
    """Return action, confidence, trail, disagreement, final weights, and hits and judged votes; agents are rows."""
    agents, n = actions.shape
    action = np.zeros(n, dtype=np.int8)
    confidence, disagreement = np.zeros(n, dtype=np.float32), np.zeros(n, dtype=np.float32)
    trail = np.empty(n, dtype=np.float32)
    recent, counts = np.zeros((agents, 2)), np.zeros((agents, 2), dtype=np.int64)
    earned = start.copy()
    weights = earned if adapt else start
    for t in range(n):
        if t >= HORIZON_CANDLES:
            past = t - HORIZON_CANDLES
            judge(actions[:, past], close[t] - close[past], recent, counts, start, earned)
        lead, disagreement[t] = poll(actions[:, t], confidences[:, t], weights)
        confidence[t] = abs(lead)
        action[t] = acts(lead, min_confidence)
        trail[t] = follow(trails[:, t], weights, base_trail, regime[t], volatility[t])
    return action, confidence, trail, disagreement, weights, counts
