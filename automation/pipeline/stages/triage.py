"""Triage: which failures are faults of the code, and which belong together."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from automation.codebase.characterisation import characterisations
from automation.incidents.classify import incidents_of
from automation.incidents.records import Incident, Kind
from automation.pipeline.desk import Desk
from automation.pipeline.plain import incident_json
from automation.pipeline.state import RunState, Status


def triage(desk: Desk, state: RunState) -> RunState:
    """Group the failures into incidents; those from outside are reported and left alone."""
    incidents = incidents_of(desk.saved("baseline"))
    own = [incident for incident in incidents if incident.kind is not Kind.EXTERNAL]
    outside = [incident.title for incident in incidents if incident.kind is Kind.EXTERNAL]
    if not own:
        reason = "every failure comes from outside (network, exchange, missing keys); code cannot mend it"
        return {"status": Status.UNFIXED, "reason": reason, "incident": incident_json(incidents[0]), "others": outside}
    reproduced = str((state.get("reproduction") or {}).get("test", ""))
    own.sort(key=lambda incident: (reproduced not in incident.tests, *_most_telling(incident)))
    if reproduced in own[0].tests:
        own[0] = replace(own[0], source="session", first_seen=_seen_ms(state), last_seen=_seen_ms(state))
    groups = [list(incident.tests) for incident in own]
    also: list[str] = []
    if reproduced in own[0].tests:
        # Other failures may be of the same fault, and then go with it; they are not what the session died of.
        also = [test for group in groups[1:] for test in group]
        groups = [[reproduced]]
    targets = [test for group in groups for test in group]
    return {
        "incident": incident_json(own[0]),
        "others": outside + [incident.title for incident in own[1:]],
        "groups": groups,
        "group": -1,
        "also_failing": also,
        "targets": targets,
        "ask": _why_ask(desk, targets),
    }


def _why_ask(desk: Desk, targets: Collection[str]) -> str:
    # Such a test says what the code did, not what it was meant to do: the code may have been changed on purpose.
    if len(characterisations(desk.workspace.tree, targets)) < len(targets):
        return ""
    return "the tests that fail only record what the code once did (characterisation), so a person decides"


def _seen_ms(state: RunState) -> int:
    return int(str((state.get("incident") or {}).get("last_seen", 0)))


def _most_telling(incident: Incident) -> tuple[bool, int]:
    # A file that does not even import hides whatever else is wrong in it.
    return incident.kind not in (Kind.SYNTAX, Kind.IMPORT, Kind.NAME), -len(incident.tests)
