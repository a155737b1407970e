"""What mended which fault before, kept in SQLite and tried first when the same fault comes back."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from time import time

from automation.codebase.patches import FileChange, Patch
from automation.codebase.sources import SourceFile, source_of
from automation.databases import database
from automation.repair.records import Candidate, Place, TextEdit
from automation.repair.rewrites import minimal_edits

_MOST = 20
_CONTEXT_LINES = 2
_PRIOR = 0.95
_LOOSE_PRIOR = 0.6
_LONGEST_DESCRIPTION = 160
_SCHEMA = """
CREATE TABLE IF NOT EXISTS repairs (
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    kind TEXT NOT NULL,
    path TEXT NOT NULL,
    proposer TEXT NOT NULL,
    description TEXT NOT NULL,
    hunks TEXT NOT NULL,
    diff TEXT NOT NULL,
    times INTEGER NOT NULL DEFAULT 1,
    last_ms INTEGER NOT NULL,
    UNIQUE (fingerprint, path, hunks)
) STRICT;
CREATE INDEX IF NOT EXISTS repairs_by_fingerprint ON repairs (fingerprint);
"""


class RepairMemory:
    """Repairs that were verified, by the fingerprint of the fault.

    Parameters
    ----------
    path : Path
        The database; made with its folder when it is missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def remember(
        self,
        fingerprint: str,
        change: FileChange,
        proposer: str,
        kind: str = "",
        now_ms: int | None = None,
        *,
        description: str = "",
    ) -> None:
        """Keep a verified repair; the same one again only counts up.

        Parameters
        ----------
        fingerprint : str
            Of the incident.
        change : FileChange
            What mended it; a file that was made or deleted is not kept.
        proposer : str
            Who proposed it.
        kind : str
            Of the incident.
        now_ms : int, optional
            Milliseconds UTC; None takes the clock.
        description : str
            What the change does, in one line.
        """
        if change.before is None or change.after is None or not fingerprint:
            return
        before, after = source_of(change.path, change.before).text, source_of(change.path, change.after).text
        edits = minimal_edits(before, after)
        hunks = json.dumps([_hunk(before, edit) for edit in edits])
        moment = int(time() * 1000) if now_ms is None else now_ms
        diff = Patch((change,)).diff()
        row = (fingerprint, kind, change.path, proposer, description[:_LONGEST_DESCRIPTION], hunks, diff, moment)
        with database(self._path, _SCHEMA) as connection:
            connection.execute(
                "INSERT INTO repairs (fingerprint, kind, path, proposer, description, hunks, diff, last_ms)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET times = times + 1, last_ms = excluded.last_ms",
                row,
            )

    def recall(self, fingerprint: str, source: SourceFile, places: Sequence[Place]) -> Iterator[Candidate]:
        """Yield what mended this fault before, as far as it applies to a file as it is now.

        Parameters
        ----------
        fingerprint : str
            Of the incident.
        source : SourceFile
            The file.
        places : sequence of Place
            Suspicious lines of that file, best first.

        Yields
        ------
        Candidate
            With the proposer ``memory``: the same change of the same text. Where the lines around it changed since,
            the changed lines alone must be found, once, and the prior is lower.
        """
        if not self._path.is_file() or not places:
            return
        with database(self._path, _SCHEMA) as connection:
            rows = connection.execute(
                "SELECT description, proposer, hunks FROM repairs WHERE fingerprint = ? AND path = ?"
                " ORDER BY times DESC, last_ms DESC LIMIT ?",
                (fingerprint, source.path, _MOST),
            ).fetchall()
        for description, proposer, hunks in rows:
            found = [_located(source.text, *hunk) for hunk in json.loads(hunks)]
            edits = [edit for edit, _ in filter(None, found)]
            if len(edits) != len(found) or not _in_order(edits):
                continue
            prior = _PRIOR if all(exact for _, exact in filter(None, found)) else _LOOSE_PRIOR
            place = _nearest(source.text, edits[0], places)
            shown = f"{description or 'the same change'}, as {proposer} did before"
            candidate = Candidate(source, tuple(edits), "memory", place, shown, prior)
            if _parses(candidate.text()):
                yield candidate


def _hunk(text: str, edit: TextEdit) -> tuple[str, str, str, str]:
    """Return the lines before, the whole lines that change, what they become, and the lines after."""
    start = text.rfind("\n", 0, edit.start) + 1
    insertion = edit.start == edit.end == start and edit.new.endswith("\n")
    stop = text.find("\n", max(start, edit.end - 1) if edit.end > start else start)
    end = edit.end if insertion else len(text) if stop < 0 else stop + 1
    old = text[start:end]
    new = text[start : edit.start] + edit.new + text[edit.end : end]
    before = "".join(text[:start].splitlines(keepends=True)[-_CONTEXT_LINES:])
    after = "".join(text[end:].splitlines(keepends=True)[:_CONTEXT_LINES])
    return before, old, new, after


def _located(text: str, before: str, old: str, new: str, after: str) -> tuple[TextEdit, bool] | None:
    whole = before + old + after
    at = text.find(whole)
    if at >= 0 and (at == 0 or text[at - 1] == "\n") and text.find(whole, at + 1) < 0:
        start = at + len(before)
        return TextEdit(start, start + len(old), new), True
    if old.strip() and text.count(old) == 1:
        start = text.find(old)
        if start == 0 or text[start - 1] == "\n":
            return TextEdit(start, start + len(old), new), False
    return None


def _in_order(edits: Sequence[TextEdit]) -> bool:
    return bool(edits) and all(one.end <= two.start for one, two in pairwise(edits))


def _nearest(text: str, edit: TextEdit, places: Sequence[Place]) -> Place:
    line = text.count("\n", 0, edit.start) + 1
    return min(places, key=lambda place: (abs(place.line - line), -place.score))


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True
