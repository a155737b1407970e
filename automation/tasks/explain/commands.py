"""The explain command: find the error, then say what it is, why, where, and what helps."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

from automation.errors import RepositoryUnusable
from automation.incidents.records import TestReport
from automation.tasks.explain.evidence import Evidence, read_text
from automation.tasks.explain.explaining import explained
from automation.tasks.explain.requests import NONE, STDIN, ExplainRequest
from automation.tasks.explain.results import ExplainResult
from trading.commands import Progress
from trading.errors import UsageError
from trading.setting_sources import data_home

_LONGEST_INPUT = 4_000_000


def explain(request: ExplainRequest) -> Generator[Progress, None, ExplainResult]:
    """Explain an error that is given, that a log or a test shows, or the newest one."""
    root = request.path.expanduser().resolve()
    if not root.is_dir():
        raise RepositoryUnusable(f"{request.path} is no folder; name a repository")
    home = data_home(request.home)
    evidence, searched = yield from _evidence(request, root, home)
    if evidence is None:
        return ExplainResult(root, searched, None)
    yield Progress("explaining", 1, 2)
    found = explained(evidence, root, home, request.home)
    if request.model == NONE:
        return ExplainResult(root, searched, found)
    yield Progress("asking a model")
    from automation.tasks.explain.remarks import ask_for_words

    return ExplainResult(root, searched, found, ask_for_words(found, root, request.model, request.home))


def _evidence(
    request: ExplainRequest, root: Path, home: Path
) -> Generator[Progress, None, tuple[Evidence | None, str]]:
    if request.test is not None:
        return (yield from _of_tests(request, root))
    if request.log is not None:
        yield Progress("reading the log", 0, 2)
        if not request.log.is_file():
            raise RepositoryUnusable(f"{request.log} is no file; name a log with --log")
        from automation.tasks.explain.last import newest_in_log

        return newest_in_log(request.log, root), str(request.log)
    text = request.error.strip()
    if not text:
        return (yield from _newest(request, root, home))
    yield Progress("reading the error", 0, 2)
    if text == STDIN:
        text = sys.stdin.read(_LONGEST_INPUT)
        if not text.strip():
            raise UsageError("stdin holds no error; pipe one in, such as `pytest 2>&1 | gridbot explain -`")
    return read_text(text, root), "the text"


def _newest(request: ExplainRequest, root: Path, home: Path) -> Generator[Progress, None, tuple[Evidence | None, str]]:
    yield Progress("looking for the newest error", 0, 2)
    from automation.tasks.explain.last import last_failed_test, newest_trouble

    trouble = newest_trouble(home, root)
    failed = last_failed_test(root)
    if failed is not None and (trouble is None or failed[1] > trouble.when_ms):
        asked = request.model_copy(update={"test": shlex.quote(failed[0])})
        evidence, searched = yield from _of_tests(asked, root)
        if evidence is not None:
            return replace(evidence, when_ms=failed[1]), searched
    return trouble, f"the runs, sessions and logs of {home}, and pytest's last run"


def _of_tests(request: ExplainRequest, root: Path) -> Generator[Progress, None, tuple[Evidence | None, str]]:
    yield Progress("running the tests", 0, 2)
    from automation.incidents.suites import run_suite, suite_settings

    tests = request.test or ""
    report = run_suite(root, suite_settings(root, root, tests, request.python), stop_after=1)
    searched = f"the tests {tests}".strip()
    if report.problem:
        return Evidence(searched, said=report.problem), searched
    return _of_report(report), searched


def _of_report(report: TestReport) -> Evidence | None:
    first = next(iter(report.failures), None)
    if first is None:
        return None
    notes = (f"run it alone: `pytest {first.node_id}`",)
    return Evidence(f"test {first.node_id}", first.chain, first.assertion, test=first, notes=notes)
