"""What every agent is: a name, one line about itself, a view of every candle, and reasons in words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from trading.signals.indicators import IndicatorSet
from trading.signals.records import AgentView

Singles = NDArray[np.float32]

LEAST_CONFIDENCE = 0.5
TRAIL_FLOOR, TRAIL_CEILING = 0.001, 0.10


class Agent(ABC):
    """One opinion on the market; a subclass in another package is found by the entry point group ``gridbot.agents``.

    An agent has no state and no clock: the same candles give the same view, and value t may depend on the candles up
    to and including t only.
    """

    name: ClassVar[str]
    description: ClassVar[str]

    @abstractmethod
    def view(self, indicators: IndicatorSet) -> AgentView:
        """Return the agent's votes.

        Parameters
        ----------
        indicators : IndicatorSet
            Of the candles, n in number.

        Returns
        -------
        AgentView
            Arrays of shape (n,); HOLD and confidence 0 while the agent does not know enough.
        """

    @abstractmethod
    def reasons(self, indicators: IndicatorSet, row: int) -> list[str]:
        """Return, for a person, the numbers behind the vote at one candle.

        Parameters
        ----------
        indicators : IndicatorSet
            The same as for `view`.
        row : int
            Row of the candle, 0 to n - 1.
        """


def vote(buy: Singles, sell: Singles, trail: Singles) -> AgentView:
    """Return a view from how strongly an agent leans either way.

    The stronger side wins, a tie holds. A vote's confidence is 0.5 plus half of the lead over the other side.

    Parameters
    ----------
    buy, sell : ndarray of float32, shape (n,)
        Strengths, 0 (no vote) to 1.
    trail : ndarray of float32, shape (n,)
        Trail distance, fraction of the price; NaN where unknown. Others are kept within 0.1% and 10%.
    """
    lead = buy - sell
    action = np.sign(lead).astype(np.int8)
    confidence = np.abs(lead, out=lead)
    confidence *= np.float32(0.5)
    confidence += np.float32(LEAST_CONFIDENCE)
    confidence *= action != 0
    unknown = np.isnan(trail)
    trail = np.clip(trail, np.float32(TRAIL_FLOOR), np.float32(TRAIL_CEILING))
    trail[unknown] = 0.0
    return AgentView(action, confidence, trail)


def percent(share: float) -> str:
    """Return a fraction in per cent, for a person: ``0.0123`` is ``1.23%``, NaN is ``not known yet``."""
    return number(share, ".2%")


def number(value: float, form: str) -> str:
    """Return a value in a format, for a person; an indicator that is warming up is ``not known yet``."""
    return "not known yet" if np.isnan(value) else format(float(value), form)
