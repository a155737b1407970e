"""``Strategy``: the seam between what a run trades and how it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from trading.engine.parameters import derive_parameters
from trading.engine.state import Records
from trading.market.candles import Candles
from trading.market.rules import Market
from trading.settings import Settings
from trading.signals import Signals, compute_signals


@dataclass(frozen=True, slots=True)
class Strategy:
    """Agents that make signals, and parameters of the core.

    Parameters
    ----------
    name : str
        For reports.
    signals : callable
        Maps candles and settings to one signal a candle, causally.
    parameters : callable
        Maps settings and a market's rules to the core's parameters.
    """

    name: str
    signals: Callable[[Candles, Settings], Signals]
    parameters: Callable[[Settings, Market], Records]


TRAILING_GRID = Strategy("trailing_grid", compute_signals, derive_parameters)
"""The strategy of this system: the consensus of the agents over the grid's core."""
