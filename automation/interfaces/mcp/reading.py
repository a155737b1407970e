"""What the resources hold, as plain data or text: read from disk, bounded, and asking nobody.

Sessions and candles bring compiled code with them, so they load when they are first asked for.
"""

from __future__ import annotations

import io
from collections import deque
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from automation.interfaces.mcp.command_tools import Runner
from automation.interfaces.mcp.schemas import tool_name
from automation.pipeline.run_list import RunList
from automation.pipeline.runs import RunStore
from trading.commands import Permission, Registry
from trading.errors import UsageError

MOST_ROWS = 2_000
_MOST_RUNS = 100
_MOST_REPORTS = 500
_MOST_CHARACTERS = 200_000
_LOG_BYTES = 4_000_000
_REPORT_KINDS = frozenset({".html", ".json", ".md", ".txt", ".csv", ".diff", ".log"})


def command_rows(registry: Registry, runner: Runner) -> dict[str, object]:
    """Return every command, with what a program may do with it."""
    rows: list[dict[str, object]] = []
    for command in registry:
        allowed = runner.permission(command)
        rows.append(
            {
                "command": command.name,
                "tool": None if allowed is Permission.REFUSED else tool_name(command),
                "permission": allowed.value,
                "summary": command.summary,
                "risk": command.risk.value,
                "examples": [f"gridbot {example}" for example in command.examples],
                "phrases": list(command.phrases),
            }
        )
    return {"commands": rows}


def run_rows(home: Path) -> dict[str, object]:
    """Return the newest runs, one row each."""
    store = RunStore(home)
    return RunList(tuple(store.result(run) for run in islice(store, _MOST_RUNS))).as_json()


def run_state(home: Path, run: str) -> dict[str, object]:
    """Return how one run stands.

    Raises
    ------
    RunNotFound
        When there is none of that id, or several begin so.
    """
    store = RunStore(home)
    return store.result(store.find(run)).as_json()


def run_patch(home: Path, run: str) -> str:
    """Return the diff of one run, empty when it made none."""
    store = RunStore(home)
    return store.result(store.find(run)).patch[:_MOST_CHARACTERS]


def report_rows(folder: Path) -> dict[str, object]:
    """Return the files of the reports' folder, newest first."""
    root = folder / "reports"
    found = [path for path in root.rglob("*") if path.suffix in _REPORT_KINDS and path.is_file()]
    newest = sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)[:_MOST_REPORTS]
    return {
        "reports": [
            {
                "path": path.relative_to(root).as_posix(),
                "bytes": path.stat().st_size,
                "written": datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds"),
            }
            for path in newest
        ]
    }


def report_text(folder: Path, path: str) -> str:
    """Return the beginning of a report.

    Raises
    ------
    UsageError
        When it is none, or lies elsewhere.
    """
    root = (folder / "reports").resolve()
    file = (root / path).resolve()
    if not file.is_relative_to(root) or file.suffix not in _REPORT_KINDS or not file.is_file():
        raise UsageError(f"there is no report {path!r}; gridbot://reports lists them")
    with file.open(encoding="utf-8", errors="replace") as stream:
        text = stream.read(_MOST_CHARACTERS + 1)
    if len(text) <= _MOST_CHARACTERS:
        return text
    return f"{text[:_MOST_CHARACTERS]}\n… cut after {_MOST_CHARACTERS:,} characters; the whole is {file}"


def session_states(home: Path) -> dict[str, object]:
    """Return every session of the data home."""
    from trading.sessions.catalog import SessionCatalog
    from trading.sessions.session_results import SessionList

    return SessionList(tuple(SessionCatalog(home).list())).as_json()


def session_state(home: Path, session: str) -> dict[str, object]:
    """Return what one session did.

    Raises
    ------
    UsageError
        When there is none of that name.
    """
    from trading.sessions.catalog import SessionCatalog
    from trading.sessions.session_results import shown

    catalog = SessionCatalog(home)
    with catalog.read(session) as journal:
        return shown(journal, is_running=catalog.is_running(session)).as_json()


def session_log(home: Path, session: str, lines: int) -> str:
    """Return the last lines of a session's log.

    Raises
    ------
    UsageError
        When there is no such session, or the number of lines is out of range.
    """
    from trading.sessions.catalog import SessionCatalog
    from trading.sessions.logs import LOG_FILE

    _require_count("lines", lines)
    catalog = SessionCatalog(home)
    catalog.require(session)
    file = catalog.files_of(session).log / LOG_FILE
    if not file.is_file():
        return ""
    with file.open("rb") as stream:
        size = stream.seek(0, io.SEEK_END)
        start = stream.seek(max(0, size - _LOG_BYTES))
        if start:
            stream.readline()
        last = deque(stream, maxlen=lines)
    return b"".join(last).decode(errors="replace")


def stored_candles(home: Path) -> dict[str, object]:
    """Return which candles are stored."""
    from trading.market.sources import home_store

    return {"candles": [asdict(series) for series in home_store(home).contents()]}


def candle_rows(home: Path, symbol: str, timeframe: str, limit: int) -> str:
    """Return the last candles of a stored symbol as CSV, oldest first.

    Raises
    ------
    UsageError
        When the symbol is none, or the number of candles is out of range.
    DataError
        When nothing is stored of it.
    """
    from trading.market.names import parse_symbol
    from trading.market.sources import home_store
    from trading.market.timeframes import timeframe_ms

    _require_count("limit", limit)
    store, name = home_store(home), parse_symbol(symbol)
    last_ms = store.last_timestamp(name, timeframe)
    # gaps may lie between; where the timeframe is made from a shorter one, all of it is read
    start_ms = None if last_ms is None else last_ms - 2 * limit * timeframe_ms(timeframe)
    candles = store.read(name, timeframe, start_ms)
    columns = (candles.timestamp, candles.open, candles.high, candles.low, candles.close, candles.volume)
    rows = zip(*(column[-limit:].tolist() for column in columns), strict=True)
    lines = (",".join(str(value) for value in row) for row in rows)
    return "\n".join(("timestamp,open,high,low,close,volume", *lines)) + "\n"


def _require_count(name: str, value: int) -> None:
    if not 1 <= value <= MOST_ROWS:
        raise UsageError(f"{name} cannot be {value}; take 1 to {MOST_ROWS}")
