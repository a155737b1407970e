"""How everything stands at one moment, read from the data home."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from automation.improvement.ledger import Ledger, ledger_path
from automation.improvement.records import RepairRecord
from automation.improvement.report import ImprovementReport, improvement_report
from automation.pipeline.health import Check
from automation.pipeline.result import FixResult
from automation.pipeline.runs import RunStore
from automation.pipeline.state import Status
from trading.errors import GridBotError
from trading.orders.journal_reader import JournalReader
from trading.sessions.catalog import SessionCatalog, SessionEntry
from trading.sessions.session_results import shown

_NEWEST_RUNS = 20


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One session in a line.

    Parameters
    ----------
    name, state : str
        ``state`` is running, stopped, halted with its reason, or what is wrong with its journal.
    running : bool
        Whether a living process holds it.
    figures : mapping of str to object
        As `gridbot sessions show` tells them; empty when the journal cannot be read.
    """

    name: str
    state: str
    running: bool
    figures: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Overview:
    """How everything stands.

    Parameters
    ----------
    now_ms, since_ms : int
        The moment, and from when on repair runs count; milliseconds UTC.
    sessions : tuple of SessionLine
        All of the data home.
    runs : tuple of FixResult
        The newest runs since then.
    waiting : tuple of FixResult
        Every run that awaits a person, whatever its age.
    improvement : ImprovementReport
        What the runs achieved and cost.
    checks : tuple of Check
        The health of everything.
    """

    now_ms: int
    since_ms: int
    sessions: tuple[SessionLine, ...]
    runs: tuple[FixResult, ...]
    waiting: tuple[FixResult, ...]
    improvement: ImprovementReport
    checks: tuple[Check, ...]


def overview(home: Path, checks: tuple[Check, ...], since_ms: int, now_ms: int) -> Overview:
    """Read how everything stands."""
    store = RunStore(home)
    results = [(run.started_ms, store.result(run)) for run in store]
    return Overview(
        now_ms,
        since_ms,
        tuple(_sessions(home)),
        tuple(result for started, result in results if started >= since_ms)[:_NEWEST_RUNS],
        tuple(result for _, result in results if result.status is Status.AWAITING_APPROVAL),
        improvement_report(_records(home, since_ms), since_ms, now_ms),
        checks,
    )


def _sessions(home: Path) -> Iterator[SessionLine]:
    catalog = SessionCatalog(home)
    for entry in catalog.list():
        if entry.problem:
            yield SessionLine(entry.name, entry.problem, entry.running, {})
            continue
        try:
            with catalog.read(entry.name) as journal:
                yield _line(entry, journal)
        except GridBotError as error:
            yield SessionLine(entry.name, str(error), entry.running, {})


def _line(entry: SessionEntry, journal: JournalReader) -> SessionLine:
    figures = shown(journal, is_running=entry.running).data
    halted = figures.get("halted")
    state = f"halted: {halted}" if halted else str(figures["state"])
    return SessionLine(entry.name, state, entry.running, figures)


def _records(home: Path, since_ms: int) -> tuple[RepairRecord, ...]:
    path = ledger_path(home)
    if not path.is_file():
        return ()
    with Ledger(path) as ledger:
        return ledger.records(since_ms)
