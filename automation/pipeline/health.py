"""Health before a night's work: what must be there, and what would help."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from automation.codebase.isolation import isolation
from automation.config_sections import AutomationConfig
from automation.errors import AutomationError
from automation.models.selection import open_backends

_LEAST_FREE = 1 << 30


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Parameters
    ----------
    name : str
        What it is.
    ok : bool
        Whether it is as it should be.
    detail : str
        What was found, in one sentence or less.
    needed : bool
        Whether nothing can begin without it.
    hint : str
        What to do when it is not as it should be.
    """

    name: str
    ok: bool
    detail: str
    needed: bool = True
    hint: str = ""


def health_checks(target: Path, home: Path, config: AutomationConfig) -> tuple[Check, ...]:
    """Look at git, disk, the data home, the sandbox and the models."""
    return (_git(), _disk(home), _home(home), _sandbox(), *_models(config))


def first_failure(checks: Sequence[Check]) -> Check | None:
    """Return the first needed check that failed."""
    return next((check for check in checks if check.needed and not check.ok), None)


def _git() -> Check:
    found = shutil.which("git")
    return Check("git", found is not None, found or "the git program is not on PATH", hint="install git")


def _disk(home: Path) -> Check:
    place = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    detail = f"{free / (1 << 30):.1f} GiB are free below {place}; 1 GiB is needed"
    return Check("disk", free >= _LEAST_FREE, detail, hint="`gridbot clean` lists what can go")


def _home(home: Path) -> Check:
    place = next(folder for folder in (home, *home.parents) if folder.exists())
    writable = os.access(place, os.W_OK)
    detail = f"{home} {'can' if writable else 'cannot'} be written"
    return Check("data home", writable, detail, hint="name another folder with --home or GRIDBOT_HOME")


def _sandbox() -> Check:
    found = isolation()
    hint = "allow user namespaces; until then name no repository that you do not trust"
    return Check("sandbox", found.namespaces, found.describe(), needed=False, hint=hint)


def _models(config: AutomationConfig) -> list[Check]:
    checks = []
    for backend in open_backends(config):
        try:
            health = backend.health()
            checks.append(Check(f"models: {backend.name}", health.ok, health.detail, needed=False))
        except AutomationError as error:
            checks.append(Check(f"models: {backend.name}", False, str(error), needed=False))
    return checks
