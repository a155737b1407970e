"""A text that does not compile, and the edits that may mend it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from automation.codebase.edit_text import LineTable
from automation.repair.records import TextEdit

CLOSING = {"(": ")", "[": "]", "{": "}"}
OPENING = {close: opened for opened, close in CLOSING.items()}


@dataclass(frozen=True, slots=True)
class BrokenText:
    """A text that does not compile, with what the parser said.

    Parameters
    ----------
    text : str
        The file's text.
    table : LineTable
        Its lines.
    unit : str
        One level of indentation.
    message : str
        The parser's message.
    line, column : int
        The parser's place, line from 1, characters from 0.
    near : mapping of int to float
        Lines to look at, with a closeness of 0..1.
    """

    text: str
    table: LineTable
    unit: str
    message: str
    line: int
    column: int
    near: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class SyntaxEdit:
    """A possible repair: where, what, and how likely among its like."""

    edits: tuple[TextEdit, ...]
    line: int
    prior: float
    description: str


def edit_at(start: int, end: int, new: str, line: int, prior: float, description: str) -> SyntaxEdit:
    """Return the replacement of one stretch of the text; offsets count characters."""
    return SyntaxEdit((TextEdit(start, end, new),), line, prior, description)


def code_of(line: str) -> str:
    """Return a line without a trailing comment, as far as quotes tell."""
    quote = ""
    for at, char in enumerate(line):
        if quote:
            quote = "" if char == quote and line[at - 1] != "\\" else quote
        elif char in "\"'":
            quote = char
        elif char == "#":
            return line[:at].rstrip()
    return line.rstrip()
