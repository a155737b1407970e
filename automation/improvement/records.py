"""One repair run as the ledger keeps it, and how often runs succeed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

DAY_MS = 86_400_000
# What a run may land beside a repair; its record has this for a kind.
CHANGE_KINDS = ("tests", "document", "optimize", "edit")


class Status(StrEnum):
    """How a run ended."""

    FIXED = "fixed"
    LANDED = "landed"
    UNFIXED = "unfixed"
    NOTHING_TO_FIX = "nothing_to_fix"
    REFUSED = "refused"
    AWAITING_APPROVAL = "awaiting_approval"


@dataclass(frozen=True, slots=True)
class RepairRecord:
    """One repair run.

    Parameters
    ----------
    run_id : str
        Names the run; a second record of the same run replaces the first.
    started_ms : int
        Milliseconds UTC.
    target : str
        The repository.
    fingerprint : str
        Of the incident.
    kind : str
        Of the incident, such as ``logic``; of the change, such as ``optimize``, where no failure was repaired.
    title : str
        Of the incident, one line.
    status : Status
        How the run ended.
    proposer : str
        Whose candidate was accepted, such as ``template:comparison``; empty when none was.
    candidates : mapping of str to int
        Candidates that were verified, by proposer.
    plausible : int
        Candidates that passed the failing tests.
    seconds : mapping of str to float
        Wall time by stage.
    model : str
        The model that was asked; empty when none was.
    model_calls, model_tokens : int
        Calls, and tokens written and read.
    commit, branch : str
        Where the patch landed; empty when it did not.
    """

    run_id: str
    started_ms: int
    target: str
    fingerprint: str
    kind: str
    title: str
    status: Status
    proposer: str = ""
    candidates: Mapping[str, int] = field(default_factory=dict)
    plausible: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
    model: str = ""
    model_calls: int = 0
    model_tokens: int = 0
    commit: str = ""
    branch: str = ""

    @property
    def is_repair(self) -> bool:
        """Whether it set out to repair a failure, and not to land a change that was proposed."""
        return self.kind not in CHANGE_KINDS

    @property
    def total_seconds(self) -> float:
        """Wall time of all stages."""
        return sum(self.seconds.values())


@dataclass(frozen=True, slots=True)
class Success:
    """How many runs ended in which way.

    Parameters
    ----------
    fixed, awaiting, unfixed : int
        Runs with a landed patch, with a verified patch that a person has to approve, and without a patch.
    other : int
        Runs that were refused or had nothing to fix.
    """

    fixed: int = 0
    awaiting: int = 0
    unfixed: int = 0
    other: int = 0

    @property
    def repaired(self) -> int:
        """Runs with a verified patch."""
        return self.fixed + self.awaiting

    @property
    def attempts(self) -> int:
        """Runs that had something to repair and tried."""
        return self.repaired + self.unfixed

    @property
    def rate(self) -> float | None:
        """Share of the attempts with a verified patch, 0..1; None without attempts."""
        return self.repaired / self.attempts if self.attempts else None


@dataclass(frozen=True, slots=True)
class ProposerShare:
    """What one proposer contributed: candidates that were verified, and repairs."""

    candidates: int
    repairs: int


def success_of(records: Iterable[RepairRecord]) -> Success:
    """Return how many of some repairs ended in which way; other runs do not count."""
    statuses = [record.status for record in records if record.is_repair]
    fixed, awaiting, unfixed = (
        statuses.count(status) for status in (Status.FIXED, Status.AWAITING_APPROVAL, Status.UNFIXED)
    )
    return Success(fixed, awaiting, unfixed, len(statuses) - fixed - awaiting - unfixed)


def success_by_kind(records: Iterable[RepairRecord]) -> dict[str, Success]:
    """Return the success of each kind of incident, kinds with most runs first."""
    groups: dict[str, list[RepairRecord]] = {}
    for record in filter(_is_repair, records):
        groups.setdefault(record.kind, []).append(record)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return {kind: success_of(group) for kind, group in ordered}


def success_over_time(records: Iterable[RepairRecord], bucket_ms: int = DAY_MS) -> dict[int, Success]:
    """Return the success of each stretch of time that has runs.

    Parameters
    ----------
    records : iterable of RepairRecord
        In any order.
    bucket_ms : int
        Length of a stretch; stretches begin at whole multiples since 1970, so days are UTC days.

    Returns
    -------
    dict of int to Success
        By the stretch's begin in milliseconds UTC, in order.
    """
    groups: dict[int, list[RepairRecord]] = {}
    for record in filter(_is_repair, records):
        groups.setdefault(record.started_ms // bucket_ms * bucket_ms, []).append(record)
    return {start: success_of(groups[start]) for start in sorted(groups)}


def proposer_shares(records: Iterable[RepairRecord]) -> dict[str, ProposerShare]:
    """Return what each proposer contributed, those with most repairs first."""
    candidates: dict[str, int] = {}
    repairs: dict[str, int] = {}
    for record in filter(_is_repair, records):
        for proposer, count in record.candidates.items():
            candidates[proposer] = candidates.get(proposer, 0) + count
        if record.proposer and record.status in (Status.FIXED, Status.AWAITING_APPROVAL):
            repairs[record.proposer] = repairs.get(record.proposer, 0) + 1
    names = sorted({*candidates, *repairs}, key=lambda name: (-repairs.get(name, 0), -candidates.get(name, 0), name))
    return {name: ProposerShare(candidates.get(name, 0), repairs.get(name, 0)) for name in names}


def landed_by_kind(records: Iterable[RepairRecord]) -> dict[str, int]:
    """Return how many proposed changes of each kind landed, kinds without any left out."""
    landed = [record.kind for record in records if record.status is Status.LANDED]
    return {kind: landed.count(kind) for kind in CHANGE_KINDS if kind in landed}


def _is_repair(record: RepairRecord) -> bool:
    return record.is_repair
