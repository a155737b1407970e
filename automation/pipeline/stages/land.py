"""Land: hand the proven change over, in the way that was asked for."""

from __future__ import annotations

from automation.codebase.landing import Land
from automation.codebase.landing import land as land_patch
from automation.pipeline.change import landing_of
from automation.pipeline.desk import Desk
from automation.pipeline.state import RunState, Status
from trading.commands import Progress


def land(desk: Desk, state: RunState) -> RunState:
    """Commit to a branch, leave a worktree, apply, or write a patch file."""
    desk.notify(Progress("landing the change"))
    patch = landing_of(state)
    how = desk.request.land or (Land.BRANCH if desk.workspace.is_git else Land.PATCH)
    landed = land_patch(
        desk.workspace,
        patch,
        how,
        branch=f"gridbot/fix-{state['run_id']}",
        message=_message(state),
        patch_folder=desk.folder,
    )
    return {
        "status": Status.FIXED,
        "landed": {
            "how": landed.how.value,
            "branch": landed.branch,
            "commit": landed.commit,
            "path": str(landed.path) if landed.path is not None else None,
        },
    }


def _message(state: RunState) -> str:
    incident = state.get("incident") or {}
    edits = "\n".join(f"- {each['place']}: {each['description']} ({each['proposer']})" for each in state["chosen"])
    before, after = state["tests_before"], state["tests_after"]
    shown = "".join(f"- {path}: shows the failure\n" for path in state.get("regression", []) if "/test_" in path)
    return (
        f"Fix {incident.get('title', 'a failing test')}\n\n{edits}\n{shown}\n"
        f"Tests before: {_counts(before)}; after: {_counts(after)}.\n"
    )


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {outcome}" for outcome, number in counts.items() if number) or "none"
