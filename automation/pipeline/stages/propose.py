"""Propose: which proposer is asked next, and for how long."""

from __future__ import annotations

from automation.pipeline.desk import Desk
from automation.pipeline.state import RunState, Status

# The share of the time left that each proposer may take; the last one takes the rest.
_SHARES = {"memory": 0.1, "syntax": 0.3, "templates": 0.5, "fim": 0.4, "function": 0.7, "pairs": 0.95}
_LEAST_S = 1.0


def propose(desk: Desk, state: RunState) -> RunState:
    """Choose the next proposer; none left, or no time, ends the search for these tests."""
    tiers = list(state.get("tiers", []))
    if desk.seconds_left < _LEAST_S:
        return {"status": Status.UNFIXED, "reason": "the time budget is spent", "tier": ""}
    if tiers:
        return {"tier": tiers[0], "tiers": tiers[1:]}
    if state["group"] < 0 and len(state["groups"]) > 1:
        # No single change mends all of it: there may be several faults, so each is taken on its own.
        return {"tier": "", "group": 0, "targets": state["groups"][0]}
    rivals = state.get("rivals", [])
    if not rivals:
        return {"status": Status.UNFIXED, "reason": "no candidate passed all tests", "tier": ""}
    return {
        "status": Status.UNFIXED,
        "reason": (
            f"{len(rivals)} changes pass the tests and do different things, so that none can be trusted; add a test "
            "that tells them apart"
        ),
        "tier": "",
        "alternatives": rivals,
    }


def share_of(tier: str) -> float:
    """Return the share of the time left that a proposer may take."""
    return _SHARES[tier]
