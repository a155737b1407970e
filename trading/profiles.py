"""The three risk profiles: what each risk tolerance means in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from trading.settings import RiskProfile


@dataclass(frozen=True, slots=True)
class ProfileDefaults:
    """What a risk profile sets wherever the user pins nothing.

    Parameters
    ----------
    max_drawdown : float
        Fall from the equity peak that halts trading, share of the peak.
    min_confidence : float
        Least confidence of a signal that acts, 0 to 1.
    base_trail : float
        Trail distance without signals, fraction of the price.
    daily_loss : float
        Loss within a UTC day that halts trading until the next, share of equity.
    max_exposure : float
        Greatest share of equity in all symbols.
    stop_loss, take_profit : float
        Fall and rise from a level's buy price that sell it, shares of that price.
    buy_levels, sell_levels : int
        Level pairs below and above the grid's centre.
    """

    max_drawdown: float
    min_confidence: float
    base_trail: float
    daily_loss: float
    max_exposure: float
    stop_loss: float
    take_profit: float
    buy_levels: int
    sell_levels: int


PROFILES = MappingProxyType(
    {
        RiskProfile.CONSERVATIVE: ProfileDefaults(0.10, 0.70, 0.02, 0.03, 0.5, 0.10, 0.05, 12, 8),
        RiskProfile.MODERATE: ProfileDefaults(0.15, 0.60, 0.015, 0.05, 0.7, 0.15, 0.08, 12, 8),
        RiskProfile.AGGRESSIVE: ProfileDefaults(0.25, 0.50, 0.01, 0.08, 0.9, 0.20, 0.12, 12, 8),
    }
)
