"""The built-in agents carried on from candle to candle: what holds the compiled step's state."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from trading.settings import Settings
from trading.signals.registry import FoundAgent
from trading.signals.streaming_history import CandleHistory
from trading.signals.streaming_kernel import advance
from trading.signals.streaming_proof import recursions_agree
from trading.signals.streaming_records import AgentVote, SignalRow
from trading.signals.streaming_state import CLASSES, ROW, SLOTS, new_state


def can_carry(agents: Iterable[FoundAgent]) -> bool:
    """Return whether all agents are built-in ones that the compiled step knows, with roundings that are TA-Lib's."""
    known = dict(zip(SLOTS, CLASSES, strict=True))
    return all(type(found.agent) is known.get(found.name) for found in agents) and recursions_agree()


class IncrementalSignals:
    """State of the built-in agents and their consensus, of fixed size.

    Parameters
    ----------
    settings : Settings
        All of whose agents can be carried.
    timeframe : str
        Of the candles.
    """

    def __init__(self, settings: Settings, timeframe: str) -> None:
        self._base, self._series = new_state(settings, timeframe)
        self._row = np.zeros(1, ROW).view(np.recarray)

    def advance(self, history: CandleHistory, count: int, forced_skips: frozenset[str]) -> SignalRow:
        """Take the latest candles of a history and return the last one's row.

        Parameters
        ----------
        history : CandleHistory
            Ending with the new candles.
        count : int
            How many are new, at least one.
        forced_skips : frozenset of str
            Agents that are not heard at them.
        """
        rows = self._row if count == 1 else np.zeros(count, ROW).view(np.recarray)
        if forced_skips:
            self._base[0].heard[:] = [name not in forced_skips for name in SLOTS]
        first = history.count - count
        advance(self._base, self._series, history.values, history.timestamp, history.filled, first, rows)
        if forced_skips:
            self._base[0].heard[:] = 1
        return SignalRow(*rows[-1].item())

    def vote(self, name: str) -> AgentVote:
        """Return an agent's vote on the last candle."""
        one, slot = self._base[0], SLOTS.index(name)
        weights = one.earned if one.adapt else one.start
        return AgentVote(
            name, int(one.action[slot]), float(one.confidence[slot]), float(one.trail[slot]), float(weights[slot]), None
        )
