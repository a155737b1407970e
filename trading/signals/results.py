"""What the commands on agents hand back, as JSON and as text."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from trading.errors import ExitCode
from trading.signals.records import Action


@dataclass(frozen=True, slots=True)
class AgentRow:
    """One installed agent.

    Parameters
    ----------
    name, source, description : str
        Its name in settings, the package that brings it, one line on it.
    broken : str or None
        Why it cannot be loaded.
    """

    name: str
    source: str
    description: str
    broken: str | None


@dataclass(frozen=True, slots=True)
class AgentsResult:
    """The agents that are installed."""

    agents: tuple[AgentRow, ...]
    exit_code: ExitCode = ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        """Return one object per agent."""
        return {
            "agents": [
                {"name": one.name, "source": one.source, "description": one.description, "broken": one.broken}
                for one in self.agents
            ]
        }

    def as_text(self) -> RenderableType:
        """Return a table; a broken agent shows why."""
        table = Table("agent", "from", "what it does")
        for one in self.agents:
            what = Text(one.description) if one.broken is None else Text(f"broken: {one.broken}", "red")
            table.add_row(one.name, one.source, what)
        return table


@dataclass(frozen=True, slots=True)
class ExplainedVote:
    """One agent's vote at one candle.

    Parameters
    ----------
    agent : str
        Its name.
    action : Action
        What it voted for.
    confidence, trail, weight : float
        0 to 1; fraction of the price, 0 for no opinion; weight in the vote at that candle.
    reasons : tuple of str
        The numbers behind it.
    skipped : str or None
        Why it did not vote.
    """

    agent: str
    action: Action
    confidence: float
    trail: float
    weight: float
    reasons: tuple[str, ...]
    skipped: str | None = None

    def as_json(self) -> dict[str, object]:
        """Return the vote as plain data."""
        return {
            "agent": self.agent,
            "action": self.action.name,
            "confidence": round(self.confidence, 4),
            "trail": round(self.trail, 6),
            "weight": round(self.weight, 4),
            "reasons": list(self.reasons),
            "skipped": self.skipped,
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why the agents voted as they did at one candle.

    Parameters
    ----------
    symbol, timeframe, time : str
        The candle; its open time is ISO, UTC.
    close : float
        Its closing price, quote currency.
    action : Action
        The consensus.
    confidence, trail, disagreement, min_confidence : float
        0 to 1; fraction of the price; 0 to 1; what a vote needs to act.
    regime, volatility : str
        In words.
    votes : tuple of ExplainedVote
        One per agent.
    """

    symbol: str
    timeframe: str
    time: str
    close: float
    action: Action
    confidence: float
    trail: float
    disagreement: float
    min_confidence: float
    regime: str
    volatility: str
    votes: tuple[ExplainedVote, ...]
    exit_code: ExitCode = ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        """Return the consensus and each agent's vote."""
        return {
            "symbol": self.symbol,
            "timeframe": self.timeframe,
            "time": self.time,
            "close": self.close,
            "consensus": {
                "action": self.action.name,
                "confidence": round(self.confidence, 4),
                "min_confidence": self.min_confidence,
                "trail": round(self.trail, 6),
                "disagreement": round(self.disagreement, 4),
                "regime": self.regime,
                "volatility": self.volatility,
            },
            "agents": [vote.as_json() for vote in self.votes],
        }

    def as_text(self) -> RenderableType:
        """Return a table of votes and a line on the consensus."""
        title = f"{self.symbol} {self.timeframe} at {self.time}, close {self.close:.8g}"
        # Three columns and not six: the reasons need the room on a narrow terminal.
        table = Table("agent", "vote", "reasons", title=title, show_lines=True)
        for vote in self.votes:
            if vote.skipped is not None:
                table.add_row(vote.agent, "skipped", Text(vote.skipped, "red"))
                continue
            figures = [vote.action.name, f"confidence {vote.confidence:.2f}", f"weight {vote.weight:.2f}"]
            if vote.trail > 0:
                figures.append(f"trail {vote.trail:.2%}")
            table.add_row(vote.agent, Text("\n".join(figures)), Text("\n".join(vote.reasons)))
        line = (
            f"consensus: {self.action.name}, confidence {self.confidence:.2f} (acts from {self.min_confidence:.2f}), "
            f"trail {self.trail:.2%}, disagreement {self.disagreement:.2f}, {self.regime} market, "
            f"{self.volatility} volatility"
        )
        return Group(table, Text(line))
