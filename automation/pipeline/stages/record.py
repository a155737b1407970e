"""Record: the ledger, the memory and the report; then the private copy goes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from automation.improvement.ledger import FILE_NAME, Ledger
from automation.improvement.records import RepairRecord
from automation.improvement.records import Status as Outcome
from automation.pipeline.change import change_of
from automation.pipeline.desk import Desk
from automation.pipeline.state import RunState, Status
from automation.repair.memory import RepairMemory

_SETTLED = {
    Status.REJECTED: Outcome.UNFIXED,
    Status.ABANDONED: Outcome.UNFIXED,
}


def record(desk: Desk, state: RunState) -> RunState:
    """Write down how the run ended; repeating it changes nothing."""
    changes: RunState = {}
    if not state.get("patch") and state.get("after"):
        # Some of several faults were mended: not landed, but not lost either.
        changes["patch"] = change_of(state).diff()
    if state["status"] == Status.FIXED and desk.config.repair.memory:
        _remember(desk, state)
    keep_in_ledger(desk.home, state)
    desk.discard()
    return changes


def keep_in_ledger(home: Path, state: RunState) -> None:
    """Write one row for the run, or replace it."""
    with Ledger(home / FILE_NAME) as ledger:
        ledger.record(_row(state))


def _remember(desk: Desk, state: RunState) -> None:
    fingerprint = str((state.get("incident") or {}).get("fingerprint", ""))
    memory = RepairMemory(desk.home / "repair_memory.db")
    for change in change_of(state).changes:
        here = [each for each in state["chosen"] if each["place"].rpartition(":")[0] == change.path]
        proposer, description = ("; ".join(each[name] for each in here) for name in ("proposer", "description"))
        memory.remember(fingerprint, change, proposer, description=description)


def _row(state: RunState) -> RepairRecord:
    incident = state.get("incident") or {}
    proposal: Mapping[str, object] = state.get("proposal", {})
    landed = state.get("landed") or {}
    status = Status(state["status"])
    return RepairRecord(
        run_id=state["run_id"],
        started_ms=state["started_ms"],
        target=state["target"],
        fingerprint=str(incident.get("fingerprint", "")),
        kind=str(proposal.get("kind") or incident.get("kind", "")),
        title=str(proposal.get("title") or incident.get("title", "")),
        status=_SETTLED.get(status) or Outcome(status.value),
        proposer=_proposers(state) if status in (Status.FIXED, Status.LANDED) else "",
        candidates=state.get("tried", {}),
        plausible=len(state.get("alternatives", [])) + len(state.get("chosen", [])),
        seconds=state.get("seconds", {}),
        model=state.get("model", ""),
        model_calls=state.get("model_calls", 0),
        model_tokens=state.get("model_tokens", 0),
        commit=str(landed.get("commit") or ""),
        branch=str(landed.get("branch") or ""),
    )


def _proposers(state: RunState) -> str:
    return "; ".join(dict.fromkeys(each["proposer"] for each in state.get("chosen", [])))
