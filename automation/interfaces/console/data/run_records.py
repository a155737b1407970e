"""What the screen Maintenance shows, as plain records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from automation.pipeline.result import FixResult

REPAIR_STAGES = ("observe", "triage", "reproduce", "localise", "propose", "verify", "approve", "land", "record")
CHANGE_STAGES = ("weigh", "approve", "land", "record")


class StageState(StrEnum):
    """How a stage of a run stands."""

    WAITING = "waiting"
    AT_WORK = "at work"
    DONE = "done"
    ASKS = "asks a person"
    STOPPED = "stopped"
    SKIPPED = "skipped"


class RunState(StrEnum):
    """How a run without a result stands; one with a result stands as its status says."""

    AT_WORK = "at work"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class RunStage:
    """One stage of a run.

    Parameters
    ----------
    name : str
        Such as ``verify``.
    state : StageState
        How it stands.
    seconds : float or None
        What it took, all rounds together; for the one at work, since it began; None where it is not known.
    """

    name: str
    state: StageState
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run in the list.

    Parameters
    ----------
    run_id : str
        Its id.
    started_ms : int
        Milliseconds UTC.
    kind : str
        ``fix``, or the kind of the change that was proposed.
    status : str
        A status of the pipeline in words, ``at work`` or ``interrupted``.
    title : str
        Of its incident or its change; empty while it is not known.
    proposer : str
        Whose candidate was accepted; empty when none was.
    seconds : float
        Of all its stages; while it is at work, since it began.
    target : str
        The repository.
    """

    run_id: str
    started_ms: int
    kind: str
    status: str
    title: str
    proposer: str
    seconds: float
    target: str

    @property
    def is_at_work(self) -> bool:
        """Whether a living process works on it."""
        return self.status == RunState.AT_WORK

    @property
    def awaits_approval(self) -> bool:
        """Whether a person is to decide on it."""
        return self.status == "awaiting approval"

    @property
    def is_interrupted(self) -> bool:
        """Whether it can be resumed."""
        return self.status == RunState.INTERRUPTED


@dataclass(frozen=True, slots=True)
class RunWork:
    """What a run does, or has done, in figures.

    Parameters
    ----------
    label : str
        What is done at this moment; empty when nothing is.
    done, total : float
        How much of it, in ``unit``; a total of 0 is not known.
    candidates_per_second : float
        Over the last seconds while it searches, else over the whole search.
    tried : mapping of str to int
        Candidates by proposer.
    model : str
        Which was asked; empty when none was.
    model_calls, model_tokens : int
        Calls, and tokens read and written.
    """

    label: str = ""
    done: float = 0.0
    total: float = 0.0
    unit: str = ""
    candidates_per_second: float = 0.0
    tried: Mapping[str, int] = field(default_factory=dict)
    model: str = ""
    model_calls: int = 0
    model_tokens: int = 0

    @property
    def candidates(self) -> int:
        """How many were tried."""
        return sum(self.tried.values())


@dataclass(frozen=True, slots=True)
class RunView:
    """One run in full.

    Parameters
    ----------
    row : RunRow
        As in the list.
    stages : tuple of RunStage
        In their order.
    work : RunWork
        Its figures.
    result : FixResult
        How it ended or stands.
    """

    row: RunRow
    stages: tuple[RunStage, ...]
    work: RunWork
    result: FixResult


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """Something that went wrong, with all runs about it.

    Parameters
    ----------
    key : str
        Its fingerprint, or the session that crashed.
    kind : str
        Such as ``logic``; ``session`` for a crash.
    title : str
        One line.
    last_ms : int
        When it was seen last, milliseconds UTC.
    runs : int
        Repairs that were tried.
    status : str
        How the newest of them stands; ``open`` when there is none.
    run_id : str
        The newest of them; empty when there is none.
    """

    key: str
    kind: str
    title: str
    last_ms: int
    runs: int
    status: str
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class MaintenanceFacts:
    """Everything on the screen Maintenance.

    Parameters
    ----------
    runs : tuple of RunRow
        Newest first.
    run_count : int
        All there are.
    shown : RunView or None
        The run that is looked at.
    incidents : tuple of IncidentRow
        Newest first.
    clock_ms : int
        When this was read.
    """

    runs: tuple[RunRow, ...]
    run_count: int
    shown: RunView | None
    incidents: tuple[IncidentRow, ...]
    clock_ms: int

    @property
    def waiting(self) -> tuple[RunRow, ...]:
        """The runs that await a person's approval, newest first."""
        return tuple(row for row in self.runs if row.awaits_approval)
