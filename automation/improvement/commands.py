"""The improvement commands: the report on repair runs, and two commands timed against each other."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Generator
from datetime import UTC, datetime

from automation.improvement.command_timing import command_steps
from automation.improvement.ledger import Ledger, ledger_path
from automation.improvement.page import write_files
from automation.improvement.records import DAY_MS, RepairRecord
from automation.improvement.report import ImprovementReport, improvement_report
from automation.improvement.requests import CompareRequest, ReportRequest
from automation.improvement.verdicts import CompareResult
from trading.commands import Progress
from trading.errors import UsageError

_AGES_MS = {"m": 60_000, "h": 3_600_000, "d": DAY_MS, "w": 7 * DAY_MS}


def report(request: ReportRequest) -> Generator[Progress, None, ImprovementReport]:
    """Report what the repair runs tried, fixed and cost."""
    now_ms = time.time_ns() // 1_000_000
    since_ms = since_in_ms(request.since, now_ms)
    path = ledger_path(request.home)
    yield Progress("ledger", 0, 2)
    records: tuple[RepairRecord, ...] = ()
    if path.is_file():
        with Ledger(path) as ledger:
            records = ledger.records(since_ms)
    found = improvement_report(records, since_ms, now_ms)
    yield Progress("report", 1, 2)
    return write_files(found, request.out)


def compare_two(request: CompareRequest) -> Generator[Progress, None, CompareResult]:
    """Time two commands in turns and say whether the second is really faster."""
    argv_a, argv_b = _words(request.a), _words(request.b)
    found = yield from command_steps(argv_a, argv_b, request.pairs, request.seed, timeout_s=request.timeout)
    return CompareResult(found, request.minimum)


def since_in_ms(text: str | None, now_ms: int) -> int:
    """Return the time that an age (``30d``) or an ISO date stands for.

    Parameters
    ----------
    text : str, optional
        None stands for 0, the beginning.
    now_ms : int
        Milliseconds UTC.

    Returns
    -------
    int
        Milliseconds UTC.

    Raises
    ------
    UsageError
        When the text is neither.
    """
    if text is None:
        return 0
    if age := re.fullmatch(r"(\d{1,6})\s*([mhdw])", text.strip()):
        return max(0, now_ms - int(age[1]) * _AGES_MS[age[2]])
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--since {text!r} is neither an age such as 30d nor a date such as 2026-01-31") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000)


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"{command!r} cannot be split into words ({error}); check its quotes") from None
    if not words:
        raise UsageError("a command to compare is empty; put a program and its arguments in quotes")
    return words
