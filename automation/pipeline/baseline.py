"""The target's whole suite as it stands before any change, kept by the content that it ran on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from automation.codebase.workspaces import content_key
from automation.errors import RepositoryUnusable
from automation.incidents.classify import incidents_of
from automation.incidents.records import Kind, Outcome, TestReport
from automation.incidents.suites import run_suite
from automation.pipeline.desk import Desk

_LEAST_S = 5.0


def baseline(desk: Desk) -> TestReport:
    """Return how the whole suite ends on the target as it is.

    Raises
    ------
    RepositoryUnusable
        When the tests cannot run, or did not end in time.
    """
    report = _cached_run(desk)
    if report.problem:
        raise RepositoryUnusable(f"the tests of {desk.workspace.target} cannot run: {report.problem}")
    if was_cut_short(desk, report):
        raise RepositoryUnusable(
            f"the tests of {desk.workspace.target} did not end within {_within(desk):.0f} s; "
            "name fewer with --tests, or allow more with --max-minutes and sandbox.wall_s"
        )
    return report


def whole_suite(
    desk: Desk, files: Mapping[str, bytes | None] = {}, *, tests: Sequence[str] | None = None
) -> TestReport:
    """Run the suite once in a fresh sandboxed process, within the time of the run.

    Parameters
    ----------
    desk : Desk
        Of the run.
    files : mapping of str to bytes or None
        Files as this run alone sees them; None deletes.
    tests : sequence of str, optional
        Node ids or files; None takes what the request selects.
    """
    limits = replace(desk.settings.limits, wall_s=_within(desk))
    return run_suite(desk.workspace.tree, replace(desk.settings, limits=limits), tests=tests, files=files)


def was_cut_short(desk: Desk, report: TestReport) -> bool:
    """Say whether time ran out on a suite that is long, and not on a test that hangs."""
    if report.complete or not report.tests:
        return False
    last = report.tests[-1]
    return last.outcome is Outcome.TIMEOUT and last.duration_s < desk.settings.test_timeout_s


def _cached_run(desk: Desk) -> TestReport:
    settings = desk.settings
    asked = json.dumps([settings.arguments, str(settings.python), settings.python_path, settings.test_timeout_s])
    key = hashlib.sha256(f"{content_key(desk.workspace)} {asked}".encode()).hexdigest()
    cached = desk.home / "baselines" / f"{key}.json"
    # A reproduction stands in the workspace only, so its run is no property of the target's content.
    is_plain = desk.request.log is None and desk.request.session is None
    if is_plain and cached.is_file():
        return desk.read(cached)
    report = whole_suite(desk)
    if is_plain and _lasts(report):
        desk.write(cached, report)
    return report


def _within(desk: Desk) -> float:
    budget = desk.request.max_minutes * 60
    return min(desk.settings.limits.wall_s, max(_LEAST_S, budget))


def _lasts(report: TestReport) -> bool:
    # What a network did, or a package that is not installed, may be otherwise the next time with the same content.
    passing = {Kind.EXTERNAL, Kind.IMPORT, Kind.RESOURCE, Kind.TIMEOUT}
    return report.complete and not any(incident.kind in passing for incident in incidents_of(report))
