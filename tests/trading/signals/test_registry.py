"""Agents are found by name, those of installed packages included; a broken one stops nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.markets import random_market
from trading.errors import UsageError
from trading.settings import Settings, SignalSettings
from trading.signals import compute_signals
from trading.signals.registry import BUILT_IN, find_agents, installed_agents

PLUGIN = """
import numpy as np
from trading.signals import Agent, AgentView

class Contrarian(Agent):
    name = "contrarian"
    description = "always buys"

    def view(self, indicators):
        n = len(indicators)
        return AgentView(np.ones(n, np.int8), np.full(n, 0.9, np.float32), np.full(n, 0.02, np.float32))

    def reasons(self, indicators, row):
        return ["it always buys"]

class Misnamed(Contrarian):
    name = "other"

class Unmakeable(Contrarian):
    name = "unmakeable"

    def __init__(self):
        raise RuntimeError("no licence key")

def function():
    return None
"""


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install a package with agents, as pip would leave it: a module, metadata and entry points on the path."""
    site = tmp_path / "site"
    info = site / "contrarian_agents-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "contrarian_agents.py").write_text(PLUGIN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: contrarian-agents\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[gridbot.agents]\n"
        "contrarian = contrarian_agents:Contrarian\n"
        "misnamed = contrarian_agents:Misnamed\n"
        "unmakeable = contrarian_agents:Unmakeable\n"
        "function = contrarian_agents:function\n"
        "absent = contrarian_agents:Absent\n"
        "broken = broken_agents:Broken\n"
        "momentum = contrarian_agents:Contrarian\n"
    )
    (site / "broken_agents.py").write_text("raise ImportError('needs a library that is not there')\n")
    monkeypatch.syspath_prepend(str(site))
    return site


def test_the_five_agents_of_the_design_are_built_in() -> None:
    assert list(BUILT_IN) == list(Settings().signals.agents)
    assert all(agent.name == name and agent.description for name, agent in BUILT_IN.items())


def test_an_unknown_agent_is_refused_with_the_known_names() -> None:
    with pytest.raises(UsageError, match=r"no agent 'momentom'.*market_structure, momentum, regime"):
        find_agents(["momentum", "momentom"])


def test_an_agent_votes_once() -> None:
    with pytest.raises(UsageError, match="stands twice"):
        find_agents(["momentum", "regime", "momentum"])


@pytest.mark.usefixtures("distribution")
def test_an_agent_of_an_installed_package_votes_with_the_others() -> None:
    settings = Settings(signals=SignalSettings(agents=("contrarian", "regime"), adapt=False))
    signals = compute_signals(random_market(1, 300), settings)
    assert [agent.name for agent in signals.agents] == ["contrarian", "regime"]
    assert signals.agents[0].signals == 300
    assert (signals.action == 1).any()


@pytest.mark.usefixtures("distribution")
def test_agents_that_cannot_be_loaded_are_listed_with_the_reason() -> None:
    broken = {one.name: one.broken for one in installed_agents() if one.agent is None and one.broken}
    assert "needs a library that is not there" in broken["broken"]
    assert "no subclass" in broken["function"]
    assert "calls itself 'other'" in broken["misnamed"]
    assert "no licence key" in broken["unmakeable"]
    assert "Absent" in broken["absent"]
    assert broken["momentum"] == "another agent has this name"
    sources = {one.source for one in installed_agents()}
    assert sources == {"gridbot", "contrarian-agents"}


@pytest.mark.usefixtures("distribution")
def test_a_broken_plug_in_is_skipped_and_reported_and_the_others_decide() -> None:
    candles = random_market(1, 600, volatility=0.004)
    with_broken = compute_signals(candles, Settings(signals=SignalSettings(agents=("broken", "momentum", "regime"))))
    without = compute_signals(candles, Settings(signals=SignalSettings(agents=("momentum", "regime"))))
    assert with_broken.agents[0].skipped is not None
    assert "needs a library" in with_broken.agents[0].skipped
    assert (with_broken.confidence == without.confidence).all()


@pytest.mark.usefixtures("distribution")
def test_a_plug_in_cannot_take_a_built_in_name() -> None:
    (found,) = find_agents(["momentum"])
    assert type(found.agent) is BUILT_IN["momentum"]
    by_search = {one.name: one for one in find_agents(["momentum", "contrarian"])}
    assert type(by_search["momentum"].agent) is BUILT_IN["momentum"]
