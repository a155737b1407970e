"""Small repositories that the tests of incidents run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

from automation.codebase.limits import Limits
from automation.incidents.records import TestReport, TestResult
from automation.incidents.suites import run_suite, suite_settings

LIMITS = Limits(wall_s=60, cpu_s=60, memory_bytes=2 << 30)


def write_tree(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
    return root


def run_tree(
    root: Path,
    *,
    arguments: str = "",
    test_timeout_s: float = 20.0,
    limits: Limits = LIMITS,
    tests: list[str] | None = None,
    trace: Mapping[str, object] | None = None,
    stop_after: int = 0,
    deselect: tuple[str, ...] = (),
) -> TestReport:
    settings = suite_settings(root, root, arguments, test_timeout_s=test_timeout_s, limits=limits)
    settings = replace(settings, plugins={})
    return run_suite(root, settings, tests=tests, trace=trace, stop_after=stop_after, deselect=deselect)


def result(report: TestReport, node_id: str) -> TestResult:
    found = [test for test in report.tests if test.node_id == node_id]
    assert len(found) == 1, (node_id, report)
    return found[0]
