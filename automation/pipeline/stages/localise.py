"""Localise: which lines are to be suspected, best first."""

from __future__ import annotations

from dataclasses import asdict

from automation.codebase.workspaces import recent_lines
from automation.pipeline.desk import Desk
from automation.pipeline.state import RunState, Status
from automation.repair.localise import localise as suspicious_places
from automation.repair.records import Place
from trading.commands import Progress


def localise(desk: Desk, state: RunState) -> RunState:
    """Rank places by what ran in failing and passing tests, by tracebacks and by recent changes."""
    desk.notify(Progress("looking for the fault"))
    observed = desk.saved("observed")
    files = sorted({path for test in observed.tests for path in test.lines})
    recent = recent_lines(desk.workspace, files)
    places = suspicious_places(observed, desk.workspace.tree, recent, state["targets"])
    if not places:
        return {"status": Status.UNFIXED, "reason": "no line of the repository's own code ran in the failing tests"}
    tiers = ["memory", "syntax", "templates"]
    if desk.request.model != "none":
        tiers += ["fim", "function"]
    return {"diagnosis": [asdict(place) for place in places], "tiers": [*tiers, "pairs"]}


def places_of(state: RunState) -> tuple[Place, ...]:
    """Return the diagnosis as places."""
    return tuple(
        Place(
            path=str(row["path"]),
            line=int(str(row["line"])),
            function=str(row["function"]),
            score=float(str(row["score"])),
            reasons=tuple(map(str, row["reasons"] if isinstance(row["reasons"], list | tuple) else ())),
        )
        for row in state.get("diagnosis", [])
    )
