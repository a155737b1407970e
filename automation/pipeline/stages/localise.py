"""Localise: which lines are to be suspected, best first."""

from __future__ import annotations

from dataclasses import asdict

from automation.codebase.history import recent_lines
from automation.pipeline.desk import Desk
from automation.pipeline.stages.reproduce import traced
from automation.pipeline.state import RunState, Status
from automation.repair.localise import localise as suspicious_places
from automation.repair.records import Place
from automation.repair.verify import passes
from trading.commands import Progress


def localise(desk: Desk, state: RunState) -> RunState:
    """Rank places by what ran in failing and passing tests, by tracebacks and by recent changes."""
    desk.notify(Progress("looking for the fault"))
    changes = _still_failing(desk, state)
    targets = changes.get("targets", state["targets"])
    if not targets:
        return changes
    observed = desk.saved("observed")
    files = sorted({path for test in observed.tests for path in test.lines})
    recent = recent_lines(desk.workspace, files)
    places = suspicious_places(observed, desk.workspace.tree, recent, [*targets, *state.get("beside", [])])
    if not places:
        reason = "no line of the repository's own code ran in the failing tests"
        return {**changes, "status": Status.UNFIXED, "reason": reason}
    tiers = ["memory", "syntax", "templates"]
    if desk.request.model != "none":
        tiers += ["fim", "function"]
    together = state["group"] < 0 and len(state["groups"]) > 1
    if not together:
        # What two edits mend in several groups of tests is found sooner by taking one group after the other.
        tiers += ["pairs"]
    return {**changes, "diagnosis": [asdict(place) for place in places], "tiers": tiers}


def _still_failing(desk: Desk, state: RunState) -> RunState:
    """Go to the first group that still fails; what was changed for one group may have mended another."""
    group = state["group"]
    if group < 0:
        return {}
    while group < len(state["groups"]):
        observed = traced(desk, state["groups"][group])
        failing = [test for test in state["groups"][group] if not passes(observed, test)]
        if failing:
            desk.save("observed", observed)
            return {"group": group, "targets": failing}
        group += 1
    return {"group": group, "targets": []}


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
