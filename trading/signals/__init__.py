"""Signals: indicators, the agents that read them, and the consensus of their votes; names load on first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trading.signals.agents.base import Agent
    from trading.signals.consensus import compute_signals
    from trading.signals.indicators import IndicatorSet
    from trading.signals.records import Action, AgentReport, AgentView, Regime, Signals, VolatilityClass

_HOMES = {
    "Action": "trading.signals.records",
    "Agent": "trading.signals.agents.base",
    "AgentReport": "trading.signals.records",
    "AgentView": "trading.signals.records",
    "IndicatorSet": "trading.signals.indicators",
    "Regime": "trading.signals.records",
    "Signals": "trading.signals.records",
    "VolatilityClass": "trading.signals.records",
    "compute_signals": "trading.signals.consensus",
}

__all__ = [
    "Action",
    "Agent",
    "AgentReport",
    "AgentView",
    "IndicatorSet",
    "Regime",
    "Signals",
    "VolatilityClass",
    "compute_signals",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'trading.signals' has no attribute {name!r}")
    return getattr(import_module(home), name)
