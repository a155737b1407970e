"""Finding agents by name: the built-in ones, and those that installed packages announce as ``gridbot.agents``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from trading.errors import AgentFailed, UsageError
from trading.signals.agents.base import Agent
from trading.signals.agents.market_structure import MarketStructureAgent
from trading.signals.agents.momentum import MomentumAgent
from trading.signals.agents.regime import RegimeAgent
from trading.signals.agents.volatility import VolatilityAgent
from trading.signals.agents.volume_profile import VolumeProfileAgent

ENTRY_POINT_GROUP = "gridbot.agents"
BUILT_IN: dict[str, type[Agent]] = {
    agent.name: agent
    for agent in (VolatilityAgent, MomentumAgent, VolumeProfileAgent, MarketStructureAgent, RegimeAgent)
}


@dataclass(frozen=True, slots=True)
class FoundAgent:
    """An agent that was found under a name, or why it cannot be used.

    Parameters
    ----------
    name : str
        Its name in settings.
    source : str
        ``"gridbot"``, or the distribution that brings it.
    agent : Agent or None
        None when it could not be loaded.
    broken : str or None
        Why it could not be loaded.
    """

    name: str
    source: str
    agent: Agent | None
    broken: str | None = None


def installed_agents() -> tuple[FoundAgent, ...]:
    """Return all agents, built-in ones first; one that cannot be loaded is among them with its reason."""
    found = [FoundAgent(name, "gridbot", agent()) for name, agent in BUILT_IN.items()]
    taken = set(BUILT_IN)
    for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda one: (one.name, one.value)):
        found.append(_load(point, taken))
        taken.add(point.name)
    return tuple(found)


def find_agents(names: Iterable[str]) -> tuple[FoundAgent, ...]:
    """Return agents by name, in the given order; packages are searched only for names that are not built in.

    Raises
    ------
    UsageError
        When a name is unknown or given twice, with the known names.
    """
    names = tuple(names)
    known = {name: FoundAgent(name, "gridbot", agent()) for name, agent in BUILT_IN.items() if name in names}
    if any(name not in BUILT_IN for name in names):
        # Of two plug-ins of one name the first keeps it, as in the list of installed agents.
        known = {one.name: one for one in reversed(installed_agents())}
    for position, name in enumerate(names):
        if name not in known:
            raise UsageError(f"there is no agent {name!r}; signals.agents takes {', '.join(sorted(known))}")
        if name in names[:position]:
            raise UsageError(f"agent {name!r} stands twice in signals.agents; name it once")
    return tuple(known[name] for name in names)


def _load(point: EntryPoint, taken: set[str]) -> FoundAgent:
    source = point.dist.name if point.dist is not None else point.value
    if point.name in taken:
        return FoundAgent(point.name, source, None, "another agent has this name")
    try:
        return FoundAgent(point.name, source, _agent(point))
    except AgentFailed as failure:
        return FoundAgent(point.name, source, None, str(failure))


def _agent(point: EntryPoint) -> Agent:
    try:
        loaded = point.load()
    # Whatever a foreign package raises at import must not stop the others.
    except Exception as error:
        raise AgentFailed(f"{point.value} cannot be imported: {type(error).__name__}: {error}") from error
    if not (isinstance(loaded, type) and issubclass(loaded, Agent)):
        raise AgentFailed(f"{point.value} is no subclass of trading.signals.Agent")
    if loaded.name != point.name:
        raise AgentFailed(f"{point.value} calls itself {loaded.name!r}, its entry point says {point.name!r}")
    try:
        return loaded()
    except Exception as error:
        raise AgentFailed(f"{point.value} cannot be made: {type(error).__name__}: {error}") from error
