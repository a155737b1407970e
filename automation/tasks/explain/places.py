"""Where an error is: lines of the repository, with their text, column and function."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from automation.incidents.classify import innermost_own
from automation.incidents.records import Frame, Raised

_MOST = 8


@dataclass(frozen=True, slots=True)
class Place:
    """One line that an error goes through.

    Parameters
    ----------
    path : str
        Relative to the repository where it is its own, else as the error tells it.
    line, column : int
        From 1.
    function : str
        Around the line; empty at the top of a file.
    source : str
        The line's text without its indentation; empty where the file is not at hand.
    own : bool
        Whether the file belongs to the repository.
    """

    path: str
    line: int
    column: int
    function: str
    source: str
    own: bool


def places_of(chain: Sequence[Raised], root: Path, token: str = "", column: int = 0) -> tuple[Place, ...]:
    """Return the lines that an error goes through: the repository's own first, innermost first.

    Parameters
    ----------
    chain : sequence of Raised
        The exception first, then its causes.
    root : Path
        The repository.
    token : str
        A word that the first line is searched for, to tell its column.
    column : int
        The first line's column where a tool told it, from 1.

    Returns
    -------
    tuple of Place
        The first is where to look. Where nothing is the repository's own, the innermost line of all.
    """
    frames = list(_ordered(chain))
    if not frames:
        # a frame such as <string> has no file that could be opened
        files = [frame for raised in chain for frame in raised.frames if not frame.path.startswith("<")]
        frames = files[-1:]
    shown: dict[tuple[str, int], Place] = {}
    for frame in frames:
        first = not shown
        place = _place(frame, root, token if first else "", column if first else 0)
        shown.setdefault((place.path, place.line), place)
    return tuple(shown.values())[:_MOST]


def _ordered(chain: Sequence[Raised]) -> Iterator[Frame]:
    first = innermost_own(chain[::-1])
    if first is not None:
        yield first
    for raised in reversed(chain):
        yield from (frame for frame in reversed(raised.frames) if frame.own)


def _place(frame: Frame, root: Path, token: str, column: int) -> Place:
    text = _text(root / frame.path) if frame.own else ""
    lines = text.splitlines()
    line = lines[frame.line - 1] if 0 < frame.line <= len(lines) else ""
    return Place(
        frame.path,
        frame.line,
        column or _column(line, token),
        frame.function or _function_at(text, frame.line),
        line.strip(),
        frame.own,
    )


def _column(line: str, token: str) -> int:
    """Return where a word stands, as a text first, from 1; without it the first character that is no blank."""
    spellings = (f'"{token}"', f"'{token}'", token) if token else ()
    found = next((at for at in map(line.find, spellings) if at >= 0), len(line) - len(line.lstrip()))
    return found + 1


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _function_at(text: str, line: int) -> str:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return ""
    around = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.lineno <= line <= (node.end_lineno or 0)
    ]
    return max(around, key=lambda node: node.lineno).name if around else ""
