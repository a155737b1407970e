"""Searching the text of a repository's Python files for a pattern."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from automation.codebase.files import python_files
from automation.codebase.sources import read_source
from automation.errors import EditRefused
from trading.errors import UsageError

_LONGEST_PATTERN = 400
_LONGEST_LINE = 400
# A line that a pattern would have to be tried on for ever is cut before it is searched.
_SEARCHED_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class PatternHit:
    """One line that fits a pattern.

    Parameters
    ----------
    path : str
        File, relative to the repository.
    line : int
        From 1.
    text : str
        The line with those around it that were asked for, each with its number.
    """

    path: str
    line: int
    text: str

    def as_json(self) -> dict[str, object]:
        """Return it as plain JSON."""
        return {"path": self.path, "line": self.line, "text": self.text}


def search_pattern(
    root: Path, pattern: str, *, glob: str = "*.py", around: int = 0, limit: int = 100
) -> tuple[PatternHit, ...]:
    """Find the lines of a repository's Python files that a regular expression matches.

    Parameters
    ----------
    root : Path
        The repository's folder.
    pattern : str
        Regular expression, matched within one line.
    glob : str
        Which files, by their path from the root: ``"trading/*"``, ``"*ledger*"``.
    around : int
        Lines told before and after each hit.
    limit : int
        Most hits.

    Raises
    ------
    UsageError
        When the pattern is none, or too long.
    """
    if len(pattern) > _LONGEST_PATTERN:
        raise UsageError(f"the pattern has {len(pattern)} characters; use at most {_LONGEST_PATTERN}")
    try:
        wanted = re.compile(pattern)
    except re.error as error:
        raise UsageError(f"{pattern!r} is no regular expression: {error}; mend or escape it") from None
    hits: list[PatternHit] = []
    for path in python_files(root):
        if fnmatch(path, glob):
            hits += _hits(root, path, wanted, around, limit - len(hits))
        if len(hits) >= limit:
            break
    return tuple(hits)


def _hits(root: Path, path: str, wanted: re.Pattern[str], around: int, room: int) -> Iterator[PatternHit]:
    try:
        lines = read_source(root, path).text.splitlines()
    except EditRefused:
        return
    for number, line in enumerate(lines, 1):
        if room <= 0:
            return
        if wanted.search(line[:_SEARCHED_CHARACTERS]):
            first, last = max(1, number - around), min(len(lines), number + around)
            shown = (f"{each}: {lines[each - 1][:_LONGEST_LINE]}" for each in range(first, last + 1))
            yield PatternHit(path, number, "\n".join(shown) if around else line.strip()[:_LONGEST_LINE])
            room -= 1
