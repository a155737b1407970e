"""Approve: a person's word where the policy asks for it. Nothing here has a side effect before the interrupt."""

from __future__ import annotations

from langgraph.types import interrupt

from automation.pipeline.approval import needs_person
from automation.pipeline.change import change_of
from automation.pipeline.desk import Desk
from automation.pipeline.state import RunState, Status


def approve(desk: Desk, state: RunState) -> RunState:
    """Let the change pass by policy, or wait for a person."""
    patch = change_of(state)
    kind = str(state.get("proposal", {}).get("kind", ""))
    why = state.get("ask") or needs_person(patch, desk.request, desk.config.approval, desk.home, kind)
    if why is None:
        return {"approval": "by policy", "patch": patch.diff()}
    answer = interrupt({"why": why, "patch": patch.diff()})
    if answer.get("approved"):
        return {"approval": "by a person", "approver": str(answer.get("by", "")), "patch": patch.diff()}
    reason = str(answer.get("reason") or "a person rejected the change")
    return {"status": Status.REJECTED, "reason": reason, "approval": "rejected", "patch": patch.diff()}
