"""The command `clean`."""

from __future__ import annotations

import time
from collections.abc import Generator

from automation.codebase.folders import remove
from automation.codebase.workspaces import sweep
from automation.config import load_automation_config
from automation.pipeline.runs import RunStore
from automation.tasks.clean.policy import leftovers
from automation.tasks.clean.requests import CleanRequest
from automation.tasks.clean.results import CleanResult
from trading.commands import Progress
from trading.setting_sources import data_home


def clean(request: CleanRequest) -> Generator[Progress, None, CleanResult]:
    """List what is old and made by GridBot, and remove it with ``--yes``; models, candles and journals stay."""
    home = data_home(request.home)
    yield Progress("looking for what is old")
    found = tuple(leftovers(home, load_automation_config().cleaning, request.older_than, time.time()))
    kept: dict[str, str] = {}
    if request.yes:
        # by the lock that running repairs hold too
        sweep(home, RunStore(home).resumable())
        for number, each in enumerate(found):
            yield Progress("removing", number, len(found), "things")
            try:
                remove(each.path)
            except OSError as error:
                kept[str(each.path)] = error.strerror or str(error)
    return CleanResult(home, found, request.yes, kept)
