"""The compiled step of a signal stream: candles in, rows of the consensus out, the state carried on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trading.signals.streaming_agents import vote
from trading.signals.streaming_compiling import compiled, entry_point
from trading.signals.streaming_indicators import CLOSE, HIGH, LOW, measure
from trading.signals.streaming_series import feed, take
from trading.signals.streaming_state import RECENT, SLOTS, Base, Records, Row
from trading.signals.voting import HORIZON_CANDLES, acts, follow, judge, poll

Floats = NDArray[np.float64]


@compiled
def consent(one: Base, t: int, closes: Floats, row: Row) -> None:
    """Judge the votes that are old enough, and make the consensus of those who are heard."""
    if t >= HORIZON_CANDLES:
        past = t - HORIZON_CANDLES
        judge(one.voted[past % RECENT], closes[t] - closes[past], one.recent, one.judged, one.start, one.earned)
    for slot in range(len(SLOTS)):
        one.voted[t % RECENT, slot] = one.action[slot]
    weights = one.earned if one.adapt else one.start
    heard = 0
    for k in range(one.voters):
        slot = one.order[k]
        if one.heard[slot]:
            one.said[heard], one.sure[heard], one.far[heard] = one.action[slot], one.confidence[slot], one.trail[slot]
            one.weight[heard] = weights[slot]
            heard += 1
    lead, disagreement = poll(one.said[:heard], one.sure[:heard], one.weight[:heard])
    row.disagreement = np.float32(disagreement)
    row.confidence = np.float32(abs(lead))
    row.action = np.int8(acts(lead, one.min_confidence))
    row.trail = np.float32(follow(one.far[:heard], one.weight[:heard], one.base_trail, one.regime, one.storminess))


@entry_point
def advance(
    base: Records,
    series: Records,
    values: Floats,
    timestamp: NDArray[np.int64],
    filled: NDArray[np.bool_],
    first: int,
    rows: Records,
) -> None:
    """Carry the state over some candles.

    Parameters
    ----------
    base, series : records, shape (1,) and (1 to 4,)
        The state, carried on.
    values : ndarray of float64, shape (6, capacity)
        Open, high, low, close, volume, and their typical price.
    timestamp : ndarray of int64, shape (capacity,)
        Open times, ms UTC.
    filled : ndarray of bool, shape (capacity,)
        True where a candle was made up.
    first : int
        Row of the first new candle.
    rows : records, shape (m,)
        Written: the consensus at each of the m new candles.
    """
    one = base[0]
    for k in range(len(rows)):
        t = first + k
        high, low, close = values[HIGH, t], values[LOW, t], values[CLOSE, t]
        take(series[0], high, low, close)
        for j in range(1, len(series)):
            feed(series[j], timestamp[t], one.step_ms, high, low, close, filled[t], t == 0)
        measure(one, series, values, t)
        vote(one, t, values, series[0].rsi, series[0].atr_share)
        row = rows[k]
        consent(one, t, values[CLOSE], row)
        row.regime, row.volatility = one.regime, one.storminess
        row.swing_high, row.swing_low = one.level[0], one.level[1]
        row.swing_size = one.swing_size
