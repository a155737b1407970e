"""The newest thing that went wrong: a repair run, a session or a log of the data home, or a test of the repository."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from automation.incidents.log_following import LogReader
from automation.incidents.records import Frame, Raised
from automation.pipeline.result import FixResult
from automation.pipeline.runs import Run, RunStore
from automation.pipeline.state import Status
from automation.tasks.explain.evidence import Evidence, newest_logged, read_text
from trading.errors import GridBotError
from trading.orders.journal_rows import JournalEvent
from trading.sessions.catalog import SessionCatalog

_NEWEST_RUNS = 20
_MOST_LOGS = 20
_WENT_WRONG = {Status.UNFIXED, Status.REFUSED}
_LOG_PATTERNS = ("*.log", "logs/*", "sessions/*/log/*.jsonl", "reports/*.log")


def newest_trouble(home: Path, root: Path) -> Evidence | None:
    """Return the newest thing that went wrong, None when nothing did.

    Parameters
    ----------
    home : Path
        The data home.
    root : Path
        The repository that tracebacks may belong to.
    """
    sessions = dict(_sessions(home, root))
    found = [*_runs(home), *sessions.values(), *_logs(home, root, frozenset(sessions))]
    return max(found, key=lambda each: each.when_ms, default=None)


def last_failed_test(root: Path) -> tuple[str, int] | None:
    """Return the first test that failed when pytest ran last in a repository, and when; None when none did.

    Parameters
    ----------
    root : Path
        The repository, with pytest's cache in it.

    Returns
    -------
    tuple of (str, int) or None
        pytest's node id, and milliseconds UTC.
    """
    file = root / ".pytest_cache" / "v" / "cache" / "lastfailed"
    try:
        failed = json.loads(file.read_text(encoding="utf-8"))
        when_ms = int(file.stat().st_mtime * 1_000)
    except (OSError, ValueError):
        return None
    node = next(iter(failed), None) if isinstance(failed, dict) else None
    return None if node is None else (str(node), when_ms)


def newest_in_log(log: Path, root: Path) -> Evidence | None:
    """Return the newest error of a log file, None when it shows none.

    Parameters
    ----------
    log : Path
        Read from its beginning, in bounded memory.
    root : Path
        The repository that its program was made from.
    """
    reader = LogReader(log)
    try:
        return newest_logged(_lines(reader), root, str(log))
    finally:
        reader.close()


def _lines(reader: LogReader) -> Iterator[str]:
    yield from reader.read()
    yield reader.last() or ""


def _runs(home: Path) -> Iterator[Evidence]:
    store = RunStore(home)
    for _, run in zip(range(_NEWEST_RUNS), store, strict=False):
        result = store.result(run)
        if result.status in _WENT_WRONG:
            yield _of_run(run, result)
            return


def _of_run(run: Run, result: FixResult) -> Evidence:
    incident = result.incident or {}
    rows = incident.get("chain")
    chain = tuple(_raised(row) for row in rows if isinstance(row, dict)) if isinstance(rows, list | tuple) else ()
    file = run.folder / "result.json"
    when_ms = int(file.stat().st_mtime * 1_000) if file.is_file() else run.started_ms
    note = f"`gridbot runs show {run.run_id}` tells all of the run: {result.reason or result.status.value}"
    return Evidence(f"run {run.run_id}", chain, result.reason, when_ms=when_ms, notes=(note,))


def _raised(row: dict[str, object]) -> Raised:
    rows = row.get("frames")
    frames = tuple(Frame(**frame) for frame in rows) if isinstance(rows, list | tuple) else ()
    return Raised(str(row.get("type", "")), str(row.get("message", "")), frames)


def _sessions(home: Path, root: Path) -> Iterator[tuple[str, Evidence]]:
    catalog = SessionCatalog(home)
    for name in catalog.names():
        journal_ms = int(catalog.files_of(name).journal.stat().st_mtime * 1_000)
        try:
            with catalog.read(name) as journal:
                kinds = ("crashed", "halted", "started", "resumed")
                events = [event for event in journal.events() if event.kind in kinds]
        except GridBotError as error:
            yield name, Evidence(f"session {name}", said=str(error), code=error.code or "", when_ms=journal_ms)
            continue
        if not events or events[-1].kind not in {"crashed", "halted"}:
            continue
        # a session may trade in a time of its own; its file does not
        when_ms = min(events[-1].time_ms, journal_ms) if catalog.is_running(name) else journal_ms
        yield name, replace(_of_event(name, events[-1], root), when_ms=when_ms)


def _of_event(name: str, event: JournalEvent, root: Path) -> Evidence:
    origin = f"session {name}"
    if event.kind == "crashed":
        note = f"`gridbot fix --session {name}` repairs the core with the session's own recording as the test"
        told = str(event.data.get("traceback") or "")
        if told:
            return replace(read_text(told, root, origin), notes=(note,))
        return Evidence(origin, said=str(event.data.get("error") or event.data.get("reason") or ""), notes=(note,))
    note = f"`gridbot sessions show {name}` tells what it holds"
    reason = str(event.data.get("reason") or "halted")
    code = str(event.data.get("code") or "E006")
    return Evidence(origin, said=f"halted: {reason}", code=code, exit_code=4, notes=(note,))


def _logs(home: Path, root: Path, told: frozenset[str]) -> Iterator[Evidence]:
    """Yield the newest error of the logs, without those of sessions whose journals tell it, and better."""
    files = [file for pattern in _LOG_PATTERNS for file in home.glob(pattern) if file.is_file()]
    files = [file for file in files if not (file.parent.name == "log" and file.parent.parent.name in told)]
    files.sort(key=lambda file: file.stat().st_mtime, reverse=True)
    for file in files[:_MOST_LOGS]:
        found = newest_in_log(file, root)
        if found is not None:
            yield replace(found, when_ms=found.when_ms or int(file.stat().st_mtime * 1_000))
            return
