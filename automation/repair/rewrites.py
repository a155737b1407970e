"""The smallest edits that lead from one version of a file to another."""

from __future__ import annotations

import difflib

from automation.repair.records import TextEdit


def minimal_edits(before: str, after: str) -> tuple[TextEdit, ...]:
    """Return the smallest line-wise edits that lead from one text to another.

    Parameters
    ----------
    before, after : str
        Two versions of a file.

    Returns
    -------
    tuple of TextEdit
        In order, not overlapping; within a changed run of lines what begins and ends alike is left out.
    """
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line))
    edits = []
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            edits.append(_trimmed(before, starts[i1], starts[i2], "".join(new[j1:j2])))
    return tuple(edits)


def _trimmed(text: str, start: int, end: int, new: str) -> TextEdit:
    while start < end and new and text[start] == new[0]:
        start, new = start + 1, new[1:]
    while start < end and new and text[end - 1] == new[-1]:
        end, new = end - 1, new[:-1]
    return TextEdit(start, end, new)
