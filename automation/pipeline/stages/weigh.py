"""Weigh: a change that somebody proposes, by the guard and by the whole suite without and with it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from automation.codebase.guard import Finding, GuardPolicy
from automation.codebase.patches import Patch, resolve_inside
from automation.codebase.workspaces import Workspace
from automation.errors import StaleSource
from automation.incidents.records import TestReport, TestResult
from automation.pipeline.baseline import baseline, was_cut_short, whole_suite
from automation.pipeline.change import encoded, kept_proposal, proposed_patch
from automation.pipeline.desk import Desk
from automation.pipeline.proposal_rules import findings_of
from automation.pipeline.state import RunState, Status
from trading.commands import Progress

# Code that changes without a test needs somebody who looks at it.
_NEEDS_TESTS = ("edit", "optimize")


def weigh(desk: Desk, state: RunState) -> RunState:
    """Refuse the change for what it does or breaks; else it becomes the run's change."""
    kind = str(state["proposal"]["kind"])
    patch = _patch(desk)
    _require_fresh(desk.workspace, patch)
    findings = findings_of(kind, patch)
    changes: RunState = {"findings": [_finding_json(each) for each in findings]}
    blocking = [each for each in findings if each.blocking]
    if blocking:
        first = blocking[0]
        return {**changes, "status": Status.REFUSED, "reason": f"{first.path}:{first.line} {first.message}"}
    desk.notify(Progress("running the tests as they are"))
    before = baseline(desk)
    desk.save("baseline", before)
    changes["tests_before"] = before.counts()
    desk.notify(Progress("running the tests with the change"))
    files = {change.path: change.after for change in patch.changes}
    after = whole_suite(desk, files)
    desk.save("weighed", after)
    changes["tests_after"] = after.counts()
    reason = _broken(desk, before, after) or _unproven_tests(desk, patch, before, after, must_add=kind == "tests")
    if reason:
        return {**changes, "status": Status.REFUSED, "reason": reason}
    return {
        **changes,
        "ask": _why_ask(kind, before, findings),
        "before": {each.path: encoded(each.before) for each in patch.changes if each.before is not None},
        "after": {each.path: encoded(each.after) for each in patch.changes if each.after is not None},
    }


def _patch(desk: Desk) -> Patch:
    kept = kept_proposal(desk.folder)
    if kept is None:
        raise StaleSource(f"{desk.folder} lost the change that it was to weigh; propose it again")
    return proposed_patch(kept)


def _require_fresh(workspace: Workspace, patch: Patch) -> None:
    for change in patch.changes:
        place = resolve_inside(workspace.pristine, f"{workspace.prefix}{change.path}")
        if (place.read_bytes() if place.is_file() else None) != change.before:
            raise StaleSource(f"{change.path} is not what the change was made for; propose it anew")


def _broken(desk: Desk, before: TestReport, after: TestReport) -> str:
    """Say what the change breaks of what held before; empty when nothing."""
    if after.problem:
        return f"the tests cannot run with the change: {after.problem}"
    fails = {test.node_id for test in before.failures}
    failed = [test.node_id for test in after.failures]
    reasons = (
        *(
            f"{test} passed before and fails with the change{_said(after, test)}"
            for test in failed
            if test in before.passed
        ),
        *(f"{test} is a test before the change and is none with it" for test in _gone(before, after)),
        *(f"{test} is new and fails{_said(after, test)}" for test in failed if test not in fails),
    )
    if reasons:
        return reasons[0]
    if was_cut_short(desk, after) or (before.complete and not after.complete):
        return "the tests did not reach their end with the change"
    return next(
        (f"{test} passed before and does not with the change" for test in sorted(before.passed - after.passed)), ""
    )


def _gone(before: TestReport, after: TestReport) -> list[str]:
    return sorted(set(before.collected) - set(after.collected))


def _unproven_tests(desk: Desk, patch: Patch, before: TestReport, after: TestReport, *, must_add: bool) -> str:
    """Say which test of the change does not hold when its file is run by name; empty when all do."""
    files = [change.path for change in patch.changes if _is_test_file(change.path) and change.after is not None]
    if not files:
        return ""
    already = set(before.collected) | {test.node_id for test in before.tests}
    report, added = after, _added(after, files, already)
    if not added:
        # The arguments of the suite need not select what was added.
        desk.notify(Progress("running the new tests"))
        held = [change.path for change in patch.changes if change.path in files and change.before is not None]
        earlier = whole_suite(desk, tests=held) if held else None
        report = whole_suite(desk, {change.path: change.after for change in patch.changes}, tests=files)
        if earlier is not None and earlier.passed - report.passed:
            return f"{min(earlier.passed - report.passed)} passed before and does not with the change"
        added = _added(report, files, already | {test.node_id for test in (earlier.tests if earlier else ())})
    failed = [test for test in added if test.failed]
    if failed:
        return f"{failed[0].node_id} is new and fails{_said(report, failed[0].node_id)}"
    if must_add and not any(test.node_id in report.passed for test in added):
        return f"no new test of {files[0]} runs and passes"
    return ""


def _added(report: TestReport, files: Sequence[str], already: Collection[str]) -> list[TestResult]:
    inside = (test for test in report.tests if test.node_id.split("::")[0] in files)
    return [test for test in inside if test.node_id not in already]


def _is_test_file(path: str) -> bool:
    name = path.rpartition("/")[2]
    return GuardPolicy().is_test(path) and path.endswith(".py") and name not in ("conftest.py", "__init__.py")


def _why_ask(kind: str, before: TestReport, findings: Sequence[Finding]) -> str:
    if findings:
        return f"{findings[0].path} {findings[0].message}, so a person decides"
    if kind in _NEEDS_TESTS and not before.passed:
        return "no passing test watches over this folder, so that a person must approve a change of its code"
    return ""


def _said(report: TestReport, node_id: str) -> str:
    chain = next((test.chain for test in report.tests if test.node_id == node_id), ())
    message = " ".join(chain[0].message.split())[:160] if chain else ""
    return f" ({chain[0].type}{': ' + message if message else ''})" if chain else ""


def _finding_json(finding: Finding) -> dict[str, object]:
    return {
        "rule": finding.rule,
        "path": finding.path,
        "line": finding.line,
        "message": finding.message,
        "blocking": finding.blocking,
    }
