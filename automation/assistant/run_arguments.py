"""Which repair run a sentence means."""

from __future__ import annotations

import re

from automation.assistant.filling import Filling
from automation.assistant.moments import Span
from automation.assistant.names import StoredRun

# What a run must be so that a command can be meant for it.
_STATES = {
    "runs approve": "awaiting_approval", "runs reject": "awaiting_approval", "runs edit": "awaiting_approval",
    "runs resume": "running",
}  # fmt: skip
_SAID = (
    ("running", (r"interrupted|stopped|unfinished|never finished|not finished|killed|broken off|half[ -]done|incomplete"
     r"|died|hung|hanging|stuck|aborted|crashed|power|laptop|reboot\w*")),
    ("awaiting_approval", (r"wait(?:s|ing|ed)?|pending|awaiting|open|proposed|blessing|approval"
     r"|my (?:yes|ok|okay|nod|go)|undecided|held|on hold")),
    ("fixed", r"fixed|successful|succeeded|landed|worked|solved|cured|done"),
)  # fmt: skip
_OLDEST = re.compile(r"\b(?:oldest|earliest|first|very first)\b", re.IGNORECASE)
_IT = re.compile(r"\b(?:it|its|that one|this one|the same)\b", re.IGNORECASE)
_NEWEST = re.compile(r"\b(?:last|latest|newest|most recent|youngest)\b", re.IGNORECASE)
_BEFORE_LAST = re.compile(
    r"\b(?:second (?:to )?last|last but one|penultimate|(?:one )?before (?:the )?last|middle|second)\b", re.IGNORECASE
)


def fill_run(filling: Filling) -> None:
    """Fill the run's id: as it is named, by its day, its place or its state; else the one that can be meant.

    Parameters
    ----------
    filling : Filling
        Its field ``run`` is set where the sentence leaves no doubt.
    """
    named = filling.reading.mentions.first("run")
    if named is None and _IT.search(filling.reading.text) and not _NEWEST.search(filling.reading.text):
        named = filling.before.get("run")
    filling.put("run", named if named is not None else _meant(filling))


def _meant(filling: Filling) -> str | None:
    runs, text = list(filling.names.runs), filling.lowered
    careful = filling.command != "runs show"
    span = filling.reading.mentions.first("span")
    if isinstance(span, Span) and span.start is not None and not re.search(r"\blast (?:week|month)", text):
        day = span.start[:10].replace("-", "")
        runs = [run for run in runs if run.name.startswith(day)]
        return runs[0].name if len(runs) == 1 or (runs and not careful) else None
    of_month = re.search(r"\bthe (\d{1,2})(?:st|nd|rd|th)\b", text)
    if of_month is not None:
        runs = [run for run in runs if run.name[6:8] == f"{int(of_month[1]):02d}"]
        return runs[0].name if len(runs) == 1 else None
    clock = re.search(r"\b(\d{1,2}):(\d\d)\b", text)
    if clock is not None:
        runs = [run for run in runs if run.name.partition("-")[2].startswith(f"{int(clock[1]):02d}{clock[2]}")]
        return runs[0].name if len(runs) == 1 else None
    state = _STATES.get(filling.command) or next(
        (state for state, words in _SAID if re.search(rf"\b(?:{words})\b", text)), None
    )
    fitting = [run for run in runs if run.status == state] if state else runs
    if not state or not fitting:
        placed = _by_place(runs, text)
        if placed is not None:
            return placed.name
    if len(fitting) == 1 or (fitting and (not careful or _NEWEST.search(text))):
        return fitting[0].name
    return None


def _by_place(runs: list[StoredRun], text: str) -> StoredRun | None:
    if _BEFORE_LAST.search(text):
        return runs[1] if len(runs) > 1 else None
    if _OLDEST.search(text):
        return runs[-1] if runs else None
    return runs[0] if runs and _NEWEST.search(text) else None
