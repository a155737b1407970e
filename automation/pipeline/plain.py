"""Records as plain JSON and back, for the state of a run."""

from __future__ import annotations

from dataclasses import asdict

from automation.incidents.records import Incident


def incident_json(incident: Incident | None) -> dict[str, object] | None:
    """Return an incident as plain JSON."""
    if incident is None:
        return None
    return {**asdict(incident), "kind": incident.kind.value}
