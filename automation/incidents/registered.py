"""The incident command as plain data for the registry."""

from __future__ import annotations

from trading.commands import Command, Risk

INCIDENT_COMMANDS = (
    Command(
        name="incidents",
        summary="List what went wrong, grouped by fault: in a log, or in a run of a repository's tests.",
        run="automation.incidents.commands:incidents",
        request="automation.incidents.requests:IncidentsRequest",
        risk=Risk.READ,
        examples=(
            "incidents",
            'incidents ../shop --tests "tests -q" --json',
            "incidents --log service.log",
            "incidents --log service.log --follow",
        ),
        phrases=(
            "what went wrong",
            "which errors are in the log",
            "watch the log for errors",
            "run the tests",
            "which tests fail",
        ),
    ),
)
