"""What the incident command hands back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from automation.incidents.log_parsing import moment_text
from automation.incidents.records import Incident
from trading.errors import ExitCode

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True, slots=True)
class IncidentsResult:
    """Incidents, and what was read for them.

    Parameters
    ----------
    incidents : tuple of Incident
        The worst and most frequent first.
    source : str
        Files or folder.
    counts : mapping of str to int
        Tests by outcome; empty for a log.
    problem : str
        Why the tests could not run, else empty.
    interrupted : bool
        Whether a person ended it.
    """

    incidents: tuple[Incident, ...]
    source: str
    counts: Mapping[str, int] = field(default_factory=dict)
    problem: str = ""
    interrupted: bool = False

    @property
    def exit_code(self) -> ExitCode:
        """What the shell is told."""
        if self.interrupted:
            return ExitCode.INTERRUPTED
        return ExitCode.FAILED if self.problem else ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        """Return the incidents as plain JSON data."""
        return {
            "source": self.source,
            "counts": dict(self.counts),
            "problem": self.problem,
            "incidents": [_plain(incident) for incident in self.incidents],
        }

    def as_text(self) -> RenderableType:
        """Return a table of incidents."""
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        if self.problem:
            return Text(self.problem, "red")
        if not self.incidents:
            return Text(f"No incident in {self.source}.", "green")
        table = Table("kind", "seen", "last", "where and what", box=None, pad_edge=False)
        for incident in self.incidents:
            kind = Text(incident.kind.value, "red" if incident.severity == "critical" else "")
            table.add_row(kind, str(incident.count), moment_text(incident.last_seen), Text(incident.title))
        return Group(table, Text(f"{len(self.incidents)} in {self.source}", "dim"))


def _plain(incident: Incident) -> dict[str, object]:
    return {
        "fingerprint": incident.fingerprint,
        "kind": incident.kind.value,
        "confidence": incident.confidence,
        "title": incident.title,
        "source": incident.source,
        "severity": incident.severity,
        "count": incident.count,
        "first_seen": incident.first_seen,
        "last_seen": incident.last_seen,
        "tests": list(incident.tests),
        "chain": [
            {
                "type": raised.type,
                "message": raised.message,
                "frames": [
                    {"path": frame.path, "line": frame.line, "function": frame.function, "own": frame.own}
                    for frame in raised.frames
                ],
            }
            for raised in incident.chain
        ],
    }
