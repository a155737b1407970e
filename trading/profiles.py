"""The three risk profiles: what each risk tolerance means in numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType

from trading.settings import RiskProfile, Settings


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
        RiskProfile.CONSERVATIVE: ProfileDefaults(
            max_drawdown=0.10,
            min_confidence=0.70,
            base_trail=0.02,
            daily_loss=0.03,
            max_exposure=0.5,
            stop_loss=0.10,
            take_profit=0.05,
            buy_levels=12,
            sell_levels=8,
        ),
        RiskProfile.MODERATE: ProfileDefaults(
            max_drawdown=0.15,
            min_confidence=0.60,
            base_trail=0.015,
            daily_loss=0.05,
            max_exposure=0.7,
            stop_loss=0.15,
            take_profit=0.08,
            buy_levels=12,
            sell_levels=8,
        ),
        RiskProfile.AGGRESSIVE: ProfileDefaults(
            max_drawdown=0.25,
            min_confidence=0.50,
            base_trail=0.01,
            daily_loss=0.08,
            max_exposure=0.9,
            stop_loss=0.20,
            take_profit=0.12,
            buy_levels=12,
            sell_levels=8,
        ),
    }
)


def profile_in_force(settings: Settings) -> ProfileDefaults:
    """Return the settings' risk profile, with what the user pinned in the place of its own values."""
    grid, limits = settings.grid, settings.limits
    values = {
        "max_drawdown": limits.max_drawdown,
        "min_confidence": limits.min_confidence,
        "base_trail": settings.trail.base,
        "daily_loss": limits.daily_loss,
        "max_exposure": limits.max_exposure,
        "stop_loss": limits.stop_loss,
        "take_profit": limits.take_profit,
        "buy_levels": grid.buy_levels,
        "sell_levels": grid.sell_levels,
    }
    pinned = {name: value for name, value in values.items() if value is not None}
    return replace(PROFILES[settings.risk], **pinned)  # type: ignore[arg-type]  # each has the type of its field
