"""A rewrite as edits of whole lines, so that several of one file go together."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class LineEdit:
    """Lines of a file that are replaced.

    Parameters
    ----------
    first, last : int
        Lines from 1, both included; ``last`` is ``first - 1`` where only something is put before ``first``.
    text : str
        What stands there instead, with line ends.
    """

    first: int
    last: int
    text: str


@dataclass(frozen=True, slots=True)
class Draft:
    """One rewrite that might be faster.

    Parameters
    ----------
    proposer : str
        ``template:<name>`` or ``function:<model>``.
    description : str
        What it does, in a few words.
    path, function : str
        Where.
    line : int
        First line that it changes inside the function.
    edits : tuple of LineEdit
        Of the file as it is.
    remembers : bool
        Whether it saves whole calls, so that single calls with new arguments say nothing about its gain.
    """

    proposer: str
    description: str
    path: str
    function: str
    line: int
    edits: tuple[LineEdit, ...]
    remembers: bool = False


def applied(text: str, edits: Iterable[LineEdit]) -> str:
    """Return a text with edits made; what two of them put at the same place, such as an import, is put there once."""
    lines = text.splitlines(keepends=True)
    for edit in sorted(set(edits), reverse=True):
        if edit.text and edit.last >= len(lines) and lines and not lines[-1].endswith("\n"):
            lines[-1] += "\n"
        lines[edit.first - 1 : edit.last] = [edit.text]
    return "".join(lines)


def fit(ones: Iterable[LineEdit], others: Iterable[LineEdit]) -> bool:
    """Say whether two rewrites of a file touch different lines."""
    # An insertion that both make is made once.
    shared = {edit for edit in set(ones) & set(others) if edit.last < edit.first}
    spans = [(edit.first, edit.last) for edit in ones if edit not in shared]
    taken = [(edit.first, edit.last) for edit in others if edit not in shared]
    return not any(_overlap(a, b) for a in spans for b in taken)


def edits_between(before: str, after: str) -> tuple[LineEdit, ...]:
    """Return the edits that lead from one text to another."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    blocks = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return tuple(LineEdit(a + 1, b, "".join(new[c:d])) for tag, a, b, c, d in blocks if tag != "equal")


def texts_with(sources: dict[str, str], drafts: Sequence[Draft]) -> dict[str, str]:
    """Return the texts of the files that drafts change, with all of them made."""
    paths = sorted({draft.path for draft in drafts})
    return {path: applied(sources[path], _edits(drafts, path)) for path in paths}


def _edits(drafts: Sequence[Draft], path: str) -> list[LineEdit]:
    return [edit for draft in drafts if draft.path == path for edit in draft.edits]


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    (a, b), (c, d) = one, other
    if b < a and d < c:
        # Two insertions at one place would have no order.
        return a == c
    if b < a or d < c:
        at, (start, end) = (a, other) if b < a else (c, one)
        return start < at <= end
    return a <= d and c <= b
