"""What went wrong: the incidents that runs were about, and sessions that crashed and nobody has repaired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from automation.interfaces.console.data.run_records import IncidentRow, RunRow
from automation.pipeline.result import FixResult
from automation.pipeline.runs import Run
from trading.errors import GridBotError
from trading.sessions.catalog import SessionCatalog, SessionFiles

_MOST_INCIDENTS = 100


@dataclass(frozen=True, slots=True)
class Crash:
    """A session that ended because its core raised.

    Parameters
    ----------
    session : str
        Its name.
    time_ms : int
        The session's clock, milliseconds UTC.
    error : str
        What was raised.
    """

    session: str
    time_ms: int
    error: str


class CrashReader:
    """Finds the crashed sessions of a data home; a journal that did not change is not read again.

    Parameters
    ----------
    home : Path
        The data home; it need not exist yet.
    """

    def __init__(self, home: Path) -> None:
        self._catalog = SessionCatalog(home)
        self._known: dict[str, tuple[tuple[int, ...], Crash | None]] = {}

    def read(self) -> tuple[Crash, ...]:
        """Return the sessions whose newest sitting ended in a crash."""
        found = []
        for name in self._catalog.names():
            stamp = _stamp(self._catalog.files_of(name))
            known = self._known.get(name)
            if known is None or known[0] != stamp:
                try:
                    known = stamp, self._crash(name)
                except GridBotError:
                    # the screen Trading says what is wrong with a journal
                    known = stamp, None
                self._known[name] = known
            if known[1] is not None:
                found.append(known[1])
        return tuple(found)

    def _crash(self, name: str) -> Crash | None:
        with self._catalog.read(name) as journal:
            last = next((event for event in reversed(journal.events()) if event.kind in ("crashed", "started")), None)
        if last is None or last.kind != "crashed":
            return None
        return Crash(name, last.time_ms, " ".join(str(last.data.get("error")).split()))


def incident_rows(
    results: Mapping[str, FixResult], runs: Sequence[Run], rows: Sequence[RunRow], crashes: Sequence[Crash]
) -> tuple[IncidentRow, ...]:
    """Return the incidents, newest first.

    Parameters
    ----------
    results : mapping of str to FixResult
        By the run's id.
    runs : sequence of Run
        Newest first.
    rows : sequence of RunRow
        Of the same runs in the same order.
    crashes : sequence of Crash
        Of sessions.
    """
    about: dict[str, list[RunRow]] = {}
    for run, row in zip(runs, rows, strict=True):
        incident = results[run.run_id].incident
        key = str(incident.get("fingerprint", "")) if incident else ""
        if run.request.session is not None:
            key = f"session {run.request.session}"
        if key:
            about.setdefault(key, []).append(row)
    found = {key: _of_runs(key, of_it, results) for key, of_it in about.items()}
    for crash in crashes:
        key = f"session {crash.session}"
        tried = about.get(key, [])
        found[key] = IncidentRow(
            key,
            "session",
            f"{crash.session}: {crash.error}",
            max([crash.time_ms, *(row.started_ms for row in tried)]),
            len(tried),
            tried[0].status if tried else "open",
            tried[0].run_id if tried else "",
        )
    return tuple(sorted(found.values(), key=lambda row: (-row.last_ms, row.key))[:_MOST_INCIDENTS])


def _of_runs(key: str, rows: Sequence[RunRow], results: Mapping[str, FixResult]) -> IncidentRow:
    newest = rows[0]
    incident = results[newest.run_id].incident or {}
    kind = "session" if key.startswith("session ") else str(incident.get("kind", ""))
    return IncidentRow(key, kind, newest.title, newest.started_ms, len(rows), newest.status, newest.run_id)


def _stamp(files: SessionFiles) -> tuple[int, ...]:
    stamps = []
    for path in (files.journal, files.journal.with_name(f"{files.journal.name}-wal")):
        try:
            found = path.stat()
        except OSError:
            stamps.append(0)
        else:
            stamps += [found.st_mtime_ns, found.st_size]
    return tuple(stamps)
