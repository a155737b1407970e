"""Observe: copy the target, run its whole suite once, and read the log or the session if there is one."""

from __future__ import annotations

from dataclasses import replace

from automation.incidents.log_incidents import incidents_in
from automation.incidents.records import Incident, Kind, TestReport
from automation.incidents.reproduce import Reproduction, reproduction_for
from automation.incidents.suites import run_suite
from automation.pipeline.baseline import baseline
from automation.pipeline.change import encoded
from automation.pipeline.desk import Desk
from automation.pipeline.plain import incident_json
from automation.pipeline.state import RunState, Status
from trading.commands import Progress
from trading.setting_sources import data_home

# Fewer inputs make every candidate's run shorter, but the search for the fault needs its time too.
_REDUCTION_SHARE, _LONGEST_REDUCTION_S = 0.25, 120.0


def observe(desk: Desk, state: RunState) -> RunState:
    """Run the suite as it is; the incident of a log or a session first gets a failing test of its own."""
    changes: RunState = {}
    if desk.request.model not in ("auto", "none"):
        # A model that was asked for by name and is not there must be told before the work, not after it.
        desk.model()
    if desk.request.log is not None:
        incident, reproduction, reason = _from_log(desk)
        if reproduction is None:
            return {"status": Status.UNFIXED, "reason": reason, "incident": incident_json(incident)}
        content = reproduction.text.encode()
        desk.accept(reproduction.path, content)
        changes["added"] = {reproduction.path: encoded(content)}
    if desk.request.session is not None:
        changes = _from_session(desk, desk.request.session)
        if "status" in changes:
            return changes
    desk.notify(Progress("running the tests as they are"))
    report = baseline(desk)
    made = changes.get("reproduction")
    if made is not None:
        report = _with_plain(desk, report, str(made["test"]))
    desk.save("baseline", report)
    changes["tests_before"] = report.counts()
    if not report.failures:
        found = f"all {len(report.tests)} tests pass" if report.tests else "no test was collected"
        return {**changes, "status": Status.NOTHING_TO_FIX, "reason": found}
    return changes


def _with_plain(desk: Desk, report: TestReport, test: str) -> TestReport:
    # Compiled code reads past an array's end in silence; what a session's test says in plain Python counts.
    path = test.partition("::")[0]
    plain = run_suite(desk.workspace.tree, desk.seen_settings, tests=[path])
    shown = {result.node_id: result for result in plain.tests if result.failed}
    return replace(report, tests=tuple(shown.get(result.node_id, result) for result in report.tests))


def _from_session(desk: Desk, name: str) -> RunState:
    # What reads a session needs the core, which takes a second to import.
    from automation.incidents.session_records import failed_session
    from automation.incidents.session_reproduction import reproduce_session

    session = failed_session(name, data_home())
    budget_s = min(_LONGEST_REDUCTION_S, desk.seconds_left * _REDUCTION_SHARE)

    def notify(label: str, done: int, total: int) -> None:
        desk.notify(Progress(label, done, total, "inputs" if total else ""))

    found = reproduce_session(session, desk.workspace.tree, desk.settings, budget_s, notify)
    made = found.reproduction
    if made is None:
        status = Status.UNFIXED if found.is_wrong else Status.NOTHING_TO_FIX
        return {"status": status, "reason": found.reason, "incident": incident_json(found.incident)}
    for path, content in made.files.items():
        desk.accept(path, content)
    return {
        "incident": incident_json(found.incident),
        "reproduction": made.as_json(),
        "added": {path: encoded(content) for path, content in made.files.items()},
        "regression": list(made.files),
    }


def _from_log(desk: Desk) -> tuple[Incident | None, Reproduction | None, str]:
    found = incidents_in([desk.request.log] if desk.request.log else [], desk.workspace.target)
    own = [incident for incident in found if incident.kind is not Kind.EXTERNAL]
    if not found:
        return None, None, f"{desk.request.log} holds no traceback"
    if not own:
        return found[0], None, "every incident in the log comes from outside (network, exchange); code cannot mend it"
    for incident in sorted(own, key=lambda each: -each.count):
        reproduction = reproduction_for(incident, desk.workspace.tree, desk.settings)
        if reproduction is not None:
            return incident, reproduction, ""
    return own[0], None, "the traceback could not be reproduced by a test, so that no change could be proven"
