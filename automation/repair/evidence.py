"""Evidence for the proposers: the failure in words, the values that were seen, the failing test's own text."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path

from automation.incidents.records import TestReport, TestResult
from automation.repair.records import Evidence

_LONGEST_TEST = 3000
_LONGEST_FAILURE = 1200


def evidence_of(report: TestReport, targets: Sequence[str], tree: Path) -> Evidence:
    """Return what a traced run says about failing tests.

    Parameters
    ----------
    report : TestReport
        A traced run that holds the failing tests.
    targets : sequence of str
        Their node ids; the first one found speaks for all.
    tree : Path
        Folder of the repository, for the test's text.
    """
    wanted = set(targets)
    shown = [test for test in report.tests if test.node_id in wanted and test.failed]
    if not shown:
        return Evidence(tuple(targets), "")
    first = min(shown, key=_talkative)
    return Evidence(
        tests=tuple(targets),
        failure=_failure(first),
        values=first.values,
        test_source=_test_source(tree, first.node_id),
        exception=first.chain[0].type if first.chain else first.outcome.value,
    )


def _talkative(test: TestResult) -> tuple[bool, int, float]:
    return not test.values, len(test.chain[0].frames) if test.chain else 99, test.duration_s


def _failure(test: TestResult) -> str:
    lines = [test.node_id]
    if test.assertion:
        lines.append(test.assertion)
    lines += [f"left: {left}  right: {right}" for left, right in test.operands[:2]]
    lines += [f"{raised.type}: {raised.message}" for raised in test.chain[:2] if raised.message not in test.assertion]
    return "\n".join(lines)[:_LONGEST_FAILURE]


def _test_source(tree: Path, node_id: str) -> str:
    path, _, rest = node_id.partition("::")
    try:
        text = (tree / path).read_text(encoding="utf-8")
        body: Sequence[ast.stmt] = ast.parse(text).body
    except (OSError, ValueError, SyntaxError):
        return ""
    found: ast.stmt | None = None
    for name in rest.partition("[")[0].split("::"):
        found = next((node for node in body if getattr(node, "name", None) == name), None)
        if found is None:
            return ""
        body = getattr(found, "body", [])
    return (ast.get_source_segment(text, found) or "")[:_LONGEST_TEST] if found is not None else ""
