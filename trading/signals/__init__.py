"""Signals: indicators, the agents that read them, and the consensus of their votes; names load on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trading.lazy import on_first_use

if TYPE_CHECKING:
    from trading.signals.agents.base import Agent
    from trading.signals.consensus import compute_signals
    from trading.signals.indicators import IndicatorSet
    from trading.signals.records import Action, AgentReport, AgentView, Regime, Signals, VolatilityClass

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

__getattr__ = on_first_use(
    __name__,
    {
        "Action": "records",
        "Agent": "agents.base",
        "AgentReport": "records",
        "AgentView": "records",
        "IndicatorSet": "indicators",
        "Regime": "records",
        "Signals": "records",
        "VolatilityClass": "records",
        "compute_signals": "consensus",
    },
)
