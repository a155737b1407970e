"""Which line of the repository says the words of a log line or an exit message."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

from automation.codebase.files import python_files
from automation.codebase.suite_files import is_test_path

_WORD = re.compile(r"[A-Za-z][A-Za-z'-]*")
_FEWEST_WORDS = 3
_MOST_WORDS = 8
_LARGEST_BYTES = 1_000_000


def said_where(said: str, root: Path) -> tuple[str, int] | None:
    """Return the file and line whose text a message was made from, None when no three of its words stand anywhere.

    Parameters
    ----------
    said : str
        What was said, with values where the code has places for them.
    root : Path
        The repository; its tests are not asked.
    """
    pieces = _pieces(said)
    best: tuple[int, str, int] = (0, "", 0)
    for path in python_files(root) if pieces else ():
        if is_test_path(path):
            continue
        text = _text(root / path)
        for piece in pieces:
            if len(piece) <= best[0]:
                break
            line = _line_of(piece, text)
            if line:
                best = (len(piece), path, line)
                break
    return (best[1], best[2]) if best[0] else None


def _pieces(said: str) -> tuple[str, ...]:
    """Return runs of three to eight words that follow each other with one blank between, the longest first."""
    words = list(_WORD.finditer(said))
    runs: list[list[re.Match[str]]] = [[]]
    for word in words[:1]:
        runs[-1].append(word)
    for before, word in pairwise(words):
        if said[before.end() : word.start()] != " ":
            runs.append([])
        runs[-1].append(word)
    found = {
        said[run[start].start() : run[start + count - 1].end()]
        for run in runs
        for count in range(_FEWEST_WORDS, _MOST_WORDS + 1)
        for start in range(len(run) - count + 1)
    }
    return tuple(sorted(found, key=len, reverse=True))


def _line_of(piece: str, text: str) -> int:
    """Return the first line that has the words and a quote, 0 without one."""
    at = text.find(piece)
    while at >= 0:
        start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
        if any(quote in text[start : end if end >= 0 else len(text)] for quote in "\"'"):
            return text.count("\n", 0, at) + 1
        at = text.find(piece, at + 1)
    return 0


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > _LARGEST_BYTES:
            return ""
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
