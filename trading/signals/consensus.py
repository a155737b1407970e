"""The consensus: every agent votes, weights follow their recent hit rates, one that fails is skipped and reported."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from trading.errors import AgentFailed, DataError, UsageError
from trading.market.candles import Candles
from trading.profiles import profile_in_force
from trading.settings import Settings
from trading.signals.indicators import IndicatorSet
from trading.signals.records import AgentReport, AgentView, Signals
from trading.signals.registry import FoundAgent, find_agents
from trading.signals.voting import tally

_LOG = logging.getLogger(__name__)


def compute_signals(
    candles: Candles,
    settings: Settings,
    *,
    time_budget_s: float | None = None,
    clock: Callable[[], float] = perf_counter,
) -> Signals:
    """Return what the agents of the settings say together at every candle.

    The side with the greater sum of weight x confidence wins; the confidence is that side's lead over the weight of
    all who vote plus a quarter of the weight of those who hold, raised by agreement. Under the minimum confidence the
    action is HOLD. The trail is the weighted mean of the agents' trails (the profile's base trail while none has one),
    times the multiplier of the regime, within the bounds of the volatility class. The numbers stand in
    `trading.signals.voting`.

    Parameters
    ----------
    candles : Candles
        From the signal origin on, n of them; recursive indicators and weights depend on where they begin.
    settings : Settings
        Agents, starting weights, adaptation, minimum confidence, base trail, risk profile.
    time_budget_s : float, optional
        An agent that takes longer is skipped, in paper and live sessions; None in backtests. An indicator's time
        counts for the agent that asks for it first.
    clock : callable
        Answers seconds; read only when there is a budget.

    Returns
    -------
    Signals
        Arrays of shape (n,); value t knows the candles up to and including t.

    Raises
    ------
    DataError
        When there are no candles, or a price or volume is no usable number.
    UsageError
        When an agent is unknown, or a weight names an agent that does not vote.
    """
    if len(candles) == 0:
        raise DataError(f"{candles.symbol} {candles.timeframe} has no candles; signals need at least one")
    found = find_agents(settings.signals.agents)
    _require_known(settings)
    indicators = IndicatorSet(candles)
    ballot = _Ballot.empty(len(found), len(candles))
    for one in found:
        ballot.ask(one, indicators, time_budget_s, clock)
    return _consensus(ballot, indicators, settings, [one.name for one in found])


@dataclass(slots=True)
class _Ballot:
    """Votes by agent, in rows; a row belongs to an agent only once its view has proved sound."""

    actions: NDArray[np.int8]
    confidences: NDArray[np.float32]
    trails: NDArray[np.float32]
    names: list[str]
    skipped: dict[str, str]

    @classmethod
    def empty(cls, agents: int, n: int) -> _Ballot:
        shape = (agents, n)
        return cls(np.zeros(shape, np.int8), np.zeros(shape, np.float32), np.zeros(shape, np.float32), [], {})

    def ask(
        self, found: FoundAgent, indicators: IndicatorSet, budget_s: float | None, clock: Callable[[], float]
    ) -> None:
        try:
            view = _view(found, indicators, budget_s, clock)
        except AgentFailed as failure:
            self.skipped[found.name] = str(failure)
            _LOG.warning("event=agent_skipped code=%s agent=%s reason=%s", failure.code, found.name, failure)
            return
        row = len(self.names)
        self.actions[row], self.confidences[row], self.trails[row] = view.action, view.confidence, view.trail
        self.names.append(found.name)

    def view(self, row: int) -> AgentView:
        return AgentView(self.actions[row], self.confidences[row], self.trails[row])


def _view(found: FoundAgent, indicators: IndicatorSet, budget_s: float | None, clock: Callable[[], float]) -> AgentView:
    if found.agent is None:
        raise AgentFailed(f"agent {found.name!r} of {found.source} could not be loaded: {found.broken}")
    started = clock() if budget_s is not None else 0.0
    try:
        view = found.agent.view(indicators)
    # An agent may come from any package; whatever it raises, the others decide.
    except Exception as error:
        raise AgentFailed(f"agent {found.name!r} raised {type(error).__name__}: {error}") from error
    if budget_s is not None and clock() - started > budget_s:
        raise AgentFailed(f"agent {found.name!r} took longer than its budget of {budget_s:g} s")
    _require_sound(found.name, view, len(indicators))
    return view


def _require_sound(name: str, view: object, n: int) -> None:
    if not isinstance(view, AgentView):
        raise AgentFailed(f"agent {name!r} answered {type(view).__name__}, not AgentView")
    limits = (
        ("action", np.int8, -1, 1),
        ("confidence", np.float32, 0, 1),
        ("trail", np.float32, 0, float(np.nextafter(np.float32(1), np.float32(0)))),
    )
    for field, dtype, least, greatest in limits:
        values = getattr(view, field)
        if not isinstance(values, np.ndarray) or values.dtype != dtype or values.shape != (n,):
            form = (
                f"{values.dtype} of shape {values.shape}" if isinstance(values, np.ndarray) else type(values).__name__
            )
            raise AgentFailed(f"agent {name!r}: {field} is {form}, wanted {np.dtype(dtype)} of shape ({n},)")
        # Written so that NaN, which is neither, fails.
        low, high = values.min(), values.max()
        if not (low >= least and high <= greatest):
            raise AgentFailed(f"agent {name!r}: {field} runs from {low} to {high}, allowed are {least} to {greatest:g}")


def _require_known(settings: Settings) -> None:
    for name in settings.signals.weights:
        if name not in settings.signals.agents:
            raise UsageError(
                f"signals.weights names {name!r}, which does not vote; signals.agents are "
                f"{', '.join(settings.signals.agents)}"
            )


def _consensus(ballot: _Ballot, indicators: IndicatorSet, settings: Settings, names: Iterable[str]) -> Signals:
    profile = profile_in_force(settings)
    count = len(ballot.names)
    starting = settings.signals.weights
    action, confidence, trail, disagreement, weights, counts = tally(
        ballot.actions[:count],
        ballot.confidences[:count],
        ballot.trails[:count],
        indicators.close,
        indicators.regime(),
        indicators.volatility_class(),
        np.array([starting.get(name, 1.0) for name in ballot.names], dtype=np.float64),
        settings.signals.adapt,
        profile.min_confidence,
        profile.base_trail,
    )
    reports = {
        name: _report(name, ballot.view(row), float(weights[row]), int(counts[row, 0]), int(counts[row, 1]))
        for row, name in enumerate(ballot.names)
    }
    reports |= {name: AgentReport(name, 0, None, 0.0, 0.0, reason, None) for name, reason in ballot.skipped.items()}
    return Signals(
        action=action,
        confidence=confidence,
        trail=trail,
        regime=indicators.regime(),
        volatility=indicators.volatility_class(),
        swing_high=indicators.swing_high(),
        swing_low=indicators.swing_low(),
        swing_size=indicators.swing_size(),
        disagreement=disagreement,
        origin_ms=int(indicators.candles.timestamp[0]),
        agents=tuple(reports[name] for name in names),
    )


def _report(name: str, view: AgentView, weight: float, hits: int, judged: int) -> AgentReport:
    signals = int(np.count_nonzero(view.action))
    # Confidence is 0 or ignored where the action is HOLD, so only votes count.
    mean = float(view.confidence[view.action != 0].mean(dtype=np.float64)) if signals else 0.0
    return AgentReport(name, signals, hits / judged if judged else None, mean, weight, None, view)
