"""The incident command: what a log or a run of the tests shows."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from automation.errors import RepositoryUnusable
from automation.incidents.classify import incidents_of
from automation.incidents.log_following import LogFollower
from automation.incidents.log_incidents import IncidentGroups, incidents_in
from automation.incidents.requests import IncidentsRequest
from automation.incidents.results import IncidentsResult
from automation.incidents.suites import run_suite, suite_settings
from trading.commands import Progress
from trading.errors import UsageError


def incidents(request: IncidentsRequest) -> Generator[Progress, None, IncidentsResult]:
    """List incidents of logs when some are named, else of a run of the tests."""
    root = request.path.resolve()
    if not root.is_dir():
        raise RepositoryUnusable(f"{request.path} is no folder; name a repository")
    if request.follow:
        if len(request.log) != 1:
            raise UsageError("--follow reads one log; name it with --log")
        return (yield from _followed(request.log[0], root))
    if request.log:
        yield Progress("reading the log", 0, 1)
        found = incidents_in(request.log, root)
        return IncidentsResult(found, ", ".join(str(path) for path in request.log))
    yield Progress("running the tests", 0, 1)
    report = run_suite(root, suite_settings(root, root, request.tests, request.python))
    return IncidentsResult(incidents_of(report), str(request.path), report.counts(), report.problem)


def _followed(log: Path, root: Path) -> Generator[Progress, None, IncidentsResult]:
    groups = IncidentGroups(root)
    yield Progress(f"waiting for {log}")
    try:
        with LogFollower(log) as follower:
            for line in follower.lines():
                for incident in groups.feed(line):
                    yield Progress(f"{incident.count} x {incident.title}")
    except KeyboardInterrupt:
        groups.finish()
        return IncidentsResult(groups.incidents(), str(log), interrupted=True)
    return IncidentsResult(groups.incidents(), str(log))
