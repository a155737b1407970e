"""Incidents that logs show, grouped by fingerprint in bounded memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from automation.errors import RepositoryUnusable
from automation.incidents.classify import fingerprint, kind_of, title_of
from automation.incidents.log_following import LogReader
from automation.incidents.log_frames import LogPlaces
from automation.incidents.log_parsing import LoggedError, LogParser
from automation.incidents.records import Incident

GROUPS_LIMIT = 500
_SEVERITIES = ("warning", "error", "critical")


class IncidentGroups:
    """Counts what a log shows; of more kinds than it may hold, those seen longest ago are forgotten.

    Parameters
    ----------
    root : Path
        The repository that the log's program was made from.
    limit : int
        Groups held at a time.
    """

    def __init__(self, root: Path, limit: int = GROUPS_LIMIT) -> None:
        self._parser = LogParser(LogPlaces(root))
        self._groups: OrderedDict[str, Incident] = OrderedDict()
        self._limit = limit

    def feed(self, line: str) -> tuple[Incident, ...]:
        """Take one line and return the incidents that it completes, as they stand now."""
        return tuple(self._add(error) for error in self._parser.feed(line))

    def finish(self) -> tuple[Incident, ...]:
        """Take the end of the log and return the incidents that it completes."""
        return tuple(self._add(error) for error in self._parser.finish())

    def incidents(self) -> tuple[Incident, ...]:
        """Return all groups, the worst and most frequent first."""
        return tuple(sorted(self._groups.values(), key=lambda each: (-_SEVERITIES.index(each.severity), -each.count)))

    def _add(self, error: LoggedError) -> Incident:
        mark = fingerprint(error.chain)
        known = self._groups.get(mark)
        self._groups[mark] = found = _first(mark, error) if known is None else _again(known, error)
        self._groups.move_to_end(mark)
        if len(self._groups) > self._limit:
            self._groups.popitem(last=False)
        return found


def _first(mark: str, error: LoggedError) -> Incident:
    kind, confidence = kind_of(error.chain)
    return Incident(
        mark,
        kind,
        confidence,
        title_of(error.chain),
        "log",
        chain=error.chain,
        first_seen=error.time_ms,
        last_seen=error.time_ms,
        severity=error.severity,
    )


def _again(known: Incident, error: LoggedError) -> Incident:
    times = [time for time in (known.first_seen, known.last_seen, error.time_ms) if time]
    worst = max(known.severity, error.severity, key=_SEVERITIES.index)
    return replace(
        known,
        count=known.count + 1,
        first_seen=min(times, default=0),
        last_seen=max(times, default=0),
        severity=worst,
        # the latest values are those that the program's inputs of today give
        chain=error.chain,
    )


def incidents_in(paths: Path | Iterable[Path], root: Path) -> tuple[Incident, ...]:
    """Return the incidents of log files, the worst and most frequent first.

    Parameters
    ----------
    paths : Path or iterable of Path
        Read once, from the beginning, one after the other.
    root : Path
        The repository that the logs' programs were made from.

    Raises
    ------
    RepositoryUnusable
        When a file cannot be read.
    """
    groups = IncidentGroups(root)
    for path in [paths] if isinstance(paths, Path) else paths:
        if not path.is_file():
            raise RepositoryUnusable(f"{path} is no file; name a log with --log")
        reader = LogReader(path)
        for line in reader.read():
            groups.feed(line)
        groups.feed(reader.last() or "")
        groups.finish()
        reader.close()
    return groups.incidents()
