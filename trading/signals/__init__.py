"""Signals: indicators, the agents that read them, and the consensus of their votes; names load on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trading.lazy import on_first_use

if TYPE_CHECKING:
    from trading.signals.agents.base import Agent
    from trading.signals.consensus import compute_signals
    from trading.signals.indicators import IndicatorSet
    from trading.signals.records import Action, AgentReport, AgentView, Regime, Signals, VolatilityClass
    from trading.signals.streaming import SignalStream
    from trading.signals.streaming_records import AgentVote, SignalRow

__all__ = [
    "Action",
    "Agent",
    "AgentReport",
    "AgentView",
    "AgentVote",
    "IndicatorSet",
    "Regime",
    "SignalRow",
    "SignalStream",
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
        "AgentVote": "streaming_records",
        "IndicatorSet": "indicators",
        "Regime": "records",
        "SignalRow": "streaming_records",
        "SignalStream": "streaming",
        "Signals": "records",
        "VolatilityClass": "records",
        "compute_signals": "consensus",
    },
)
