"""Land: hand the proven change over, in the way that was asked for."""

from __future__ import annotations

from automation.codebase.landing import Land
from automation.codebase.landing import land as land_patch
from automation.pipeline.change import landing_of
from automation.pipeline.desk import Desk
from automation.pipeline.evidence import evidence_lines
from automation.pipeline.state import RunState, Status
from trading.commands import Progress

_MOST_LINES = 12


def land(desk: Desk, state: RunState) -> RunState:
    """Commit to a branch, leave a worktree, apply, or write a patch file."""
    desk.notify(Progress("landing the change"))
    patch = landing_of(state)
    how = desk.request.land or (Land.BRANCH if desk.workspace.is_git else Land.PATCH)
    landed = land_patch(
        desk.workspace,
        patch,
        how,
        branch=f"gridbot/{state.get('proposal', {}).get('kind', 'fix')}-{state['run_id']}",
        message=_message(state),
        patch_folder=desk.folder,
    )
    return {
        "status": Status.LANDED if "proposal" in state else Status.FIXED,
        "landed": {
            "how": landed.how.value,
            "branch": landed.branch,
            "commit": landed.commit,
            "path": str(landed.path) if landed.path is not None else None,
        },
    }


def _message(state: RunState) -> str:
    if "proposal" in state:
        return _proposed_message(state)
    incident = state.get("incident") or {}
    edits = "\n".join(f"- {each['place']}: {each['description']} ({each['proposer']})" for each in state["chosen"])
    before, after = state["tests_before"], state["tests_after"]
    shown = "".join(f"- {path}: shows the failure\n" for path in state.get("regression", []) if "/test_" in path)
    return (
        f"Fix {incident.get('title', 'a failing test')}\n\n{edits}\n{shown}\n"
        f"Tests before: {_counts(before)}; after: {_counts(after)}.\n"
    )


def _proposed_message(state: RunState) -> str:
    proposal = state["proposal"]
    edits = [f"- {each['place']}: {each['description']} ({each['proposer']})" for each in state["chosen"]]
    if len(edits) > _MOST_LINES:
        edits[_MOST_LINES:] = [f"- and {len(edits) - _MOST_LINES} more"]
    evidence = [f"{name}: {text}" for name, text in evidence_lines(proposal["evidence"])][:_MOST_LINES]
    before, after = state.get("tests_before", {}), state.get("tests_after", {})
    told = f"Tests before: {_counts(before)}; after: {_counts(after)}."
    parts = (str(proposal["title"]), "\n".join(edits), "\n".join(evidence), told)
    return "\n\n".join(part for part in parts if part) + "\n"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {outcome}" for outcome, number in counts.items() if number) or "none"
