"""The commands on agents: which there are, and why they voted as they did."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from trading.commands import Progress
from trading.errors import DataError
from trading.market.candles import Candles
from trading.market.sources import home_store, open_candles
from trading.market.times import iso, time_ms
from trading.profiles import profile_in_force
from trading.setting_sources import load_settings
from trading.signals.agents.base import Agent
from trading.signals.consensus import compute_signals
from trading.signals.indicators import IndicatorSet
from trading.signals.records import Action, AgentReport
from trading.signals.regimes import class_name, regime_name
from trading.signals.registry import find_agents, installed_agents
from trading.signals.requests import AgentsRequest, ExplainRequest
from trading.signals.results import AgentRow, AgentsResult, ExplainedVote, Explanation


def list_agents(request: AgentsRequest) -> Generator[Progress, None, AgentsResult]:
    """List the installed agents.

    Parameters
    ----------
    request : AgentsRequest
        Nothing to choose.

    Yields
    ------
    Progress
        One step.

    Returns
    -------
    AgentsResult
        Built-in agents first, then those of installed packages, broken ones with the reason.
    """
    yield Progress("looking for agents")
    rows = (
        AgentRow(one.name, one.source, one.agent.description if one.agent else "", one.broken)
        for one in installed_agents()
    )
    return AgentsResult(tuple(rows))


def explain(request: ExplainRequest) -> Generator[Progress, None, Explanation]:
    """Say why the agents voted as they did at one candle, as a run over the whole series sees it.

    Parameters
    ----------
    request : ExplainRequest
        Candles, time and settings.

    Yields
    ------
    Progress
        Candles read, then signals computed.

    Returns
    -------
    Explanation
        Each agent's vote with reasons, and the consensus.

    Raises
    ------
    DataError
        When there is no candle at that time.
    """
    settings = load_settings(request.set, risk=request.risk)
    yield Progress("reading candles", 0, 2)
    candles = open_candles(request.candles, home_store(request.home), request.symbol, request.timeframe)
    row = len(candles) - 1 if request.at is None else _row_at(candles, time_ms(request.at))
    # Signals know nothing of later candles, so those are cut, and the weights are those of that moment.
    candles = candles[: row + 1]
    yield Progress("asking the agents", 1, 2)
    signals = compute_signals(candles, settings)
    indicators = IndicatorSet(candles)
    agents = {one.name: one.agent for one in find_agents(settings.signals.agents)}
    votes = []
    for report in signals.agents:
        agent = agents[report.name]
        reasons = _reasons(agent, indicators, row) if agent is not None and report.skipped is None else ()
        votes.append(_explained(report, row, reasons))
    return Explanation(
        symbol=candles.symbol,
        timeframe=candles.timeframe,
        time=iso(int(candles.timestamp[row])),
        close=float(candles.close[row]),
        action=Action(int(signals.action[row])),
        confidence=float(signals.confidence[row]),
        trail=float(signals.trail[row]),
        disagreement=float(signals.disagreement[row]),
        min_confidence=profile_in_force(settings).min_confidence,
        regime=regime_name(signals.regime[row]),
        volatility=class_name(signals.volatility[row]),
        votes=tuple(votes),
    )


def _row_at(candles: Candles, moment_ms: int) -> int:
    row = int(np.searchsorted(candles.timestamp, moment_ms, side="right")) - 1
    if row < 0 or moment_ms >= candles.timestamp[row] + candles.step_ms:
        first, last = iso(int(candles.timestamp[0])), iso(int(candles.timestamp[-1]))
        raise DataError(
            f"{candles.symbol} {candles.timeframe} has no candle at {iso(moment_ms)}; it runs from {first} to {last}"
        )
    return row


def _reasons(agent: Agent, indicators: IndicatorSet, row: int) -> tuple[str, ...]:
    try:
        return tuple(agent.reasons(indicators, row))
    # The vote stands without its words, whatever an agent of another package raises here.
    except Exception as error:  # noqa: BLE001
        return (f"the agent cannot say why: {type(error).__name__}: {error}",)


def _explained(report: AgentReport, row: int, reasons: tuple[str, ...]) -> ExplainedVote:
    if report.view is None:
        return ExplainedVote(report.name, Action.HOLD, 0.0, 0.0, 0.0, (), report.skipped)
    view = report.view
    action = Action(int(view.action[row]))
    confidence, trail = float(view.confidence[row]), float(view.trail[row])
    return ExplainedVote(report.name, action, confidence, trail, report.weight, reasons)
