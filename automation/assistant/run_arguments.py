"""Which repair run a sentence means."""

from __future__ import annotations

import re
from pathlib import Path

from automation.assistant.filling import Filling

# What a run must be so that a command can be meant for it.
_STATES = {
    "runs approve": ("awaiting_approval",),
    "runs reject": ("awaiting_approval",),
    "runs edit": ("awaiting_approval",),
    "runs resume": ("running",),
}
_INTERRUPTED = re.compile(r"\b(?:interrupted|stopped|unfinished|killed|broken off|half[ -]done)\b")
_WAITING = re.compile(r"\b(?:waiting|waits|pending|awaiting|open|proposed)\b")


def fill_run(filling: Filling) -> None:
    """Fill the run's id: as it is named, else the newest that the command can be meant for.

    Parameters
    ----------
    filling : Filling
        Its fields ``run`` and ``edited`` are set where the sentence leaves no doubt.
    """
    folder = filling.reading.mentions.first("folder")
    filling.put("edited", None if folder is None else Path(str(folder)))
    named = filling.reading.mentions.first("run")
    if named is not None:
        filling.put("run", named)
        return
    states = _STATES.get(filling.command, ())
    if not states and _INTERRUPTED.search(filling.lowered):
        states = ("running",)
    elif not states and _WAITING.search(filling.lowered):
        states = ("awaiting_approval",)
    fitting = [run for run in filling.names.runs if not states or run.status in states]
    careful = filling.command != "runs show"
    if (
        len(fitting) == 1
        or (fitting and not careful)
        or (fitting and re.search(r"\b(?:last|latest|newest|most recent)\b", filling.lowered))
    ):
        filling.put("run", fitting[0].name)
