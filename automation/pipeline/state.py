"""The state that travels through the pipeline's graph: plain JSON, so that any checkpoint can be read and resumed."""

from __future__ import annotations

from enum import StrEnum
from typing import TypedDict


class Status(StrEnum):
    """How a run stands."""

    RUNNING = "running"
    FIXED = "fixed"
    LANDED = "landed"
    UNFIXED = "unfixed"
    NOTHING_TO_FIX = "nothing_to_fix"
    REFUSED = "refused"
    AWAITING_APPROVAL = "awaiting_approval"
    REJECTED = "rejected"
    ABANDONED = "abandoned"


class Chosen(TypedDict):
    """One change that was accepted: who proposed it, what it does, and where."""

    proposer: str
    description: str
    place: str


class RunState(TypedDict, total=False):
    """One run.

    ``request`` is the `FixRequest` as JSON; ``seconds`` is the time of each stage; ``groups`` are the failing tests
    by fault, ``group`` the one at work (-1: all at once); ``also_failing`` are tests beside that of a session,
    which a change need not mend and had better mend, ``beside`` those of them that are quick in plain Python;
    ``before`` and ``after`` hold, in base64, the files that the run changed, ``added`` those that it needs beside
    them, such as a log's reproduction, and ``regression`` those of them that land with the change; ``reproduction``
    says what a session's failure was reduced to; ``proposal`` is the kind, title and evidence of a change that somebody
    proposed, of a run that weighs it instead of looking for one; ``ask`` is why a person must decide on it; ``tiers``
    are the proposers still to be asked, ``tier`` the one that is asked now; ``rivals`` are changes that pass and
    between which nothing decides, ``refuters`` passing tests that the whole suite showed candidates to break.
    """

    run_id: str
    started_ms: int
    target: str
    request: dict[str, object]
    status: str
    reason: str
    seconds: dict[str, float]
    incident: dict[str, object] | None
    others: list[str]
    groups: list[list[str]]
    group: int
    targets: list[str]
    also_failing: list[str]
    beside: list[str]
    before: dict[str, str]
    after: dict[str, str]
    added: dict[str, str]
    regression: list[str]
    reproduction: dict[str, object] | None
    proposal: dict[str, object]
    ask: str
    diagnosis: list[dict[str, object]]
    tiers: list[str]
    tier: str
    tried: dict[str, int]
    search_seconds: float
    model: str
    model_calls: int
    model_tokens: int
    chosen: list[Chosen]
    alternatives: list[dict[str, object]]
    rivals: list[dict[str, object]]
    refuters: list[str]
    findings: list[dict[str, object]]
    patch: str
    approval: str
    approver: str
    landed: dict[str, object] | None
    tests_before: dict[str, int]
    tests_after: dict[str, int]
