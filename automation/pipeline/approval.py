"""The approval policy: which changes may land without a person."""

from __future__ import annotations

import tempfile
from pathlib import Path, PurePosixPath

from automation.codebase.landing import Land
from automation.codebase.patches import Patch
from automation.config_sections import ApprovalConfig
from automation.pipeline.requests import FixRequest

_LEAVE_CODE = ("tests", "document")


def needs_person(patch: Patch, request: FixRequest, policy: ApprovalConfig, home: Path, kind: str = "") -> str | None:
    """Say why a person must approve a change, or None when the policy lets it pass.

    A change that lands on a branch of its own, in a separate worktree or in a patch file alters nothing that anybody
    uses, so it passes; one that is applied to the files at hand asks, unless ``--approve`` said yes beforehand. Paths
    that always ask do so in every case, except with ``--approve`` in a throw-away copy.

    Parameters
    ----------
    patch : Patch
        What would land.
    request : FixRequest
        How it would land.
    policy : ApprovalConfig
        GridBot's own.
    home : Path
        GridBot's data home; copies below it are throw-away.
    kind : str
        Of a proposed change. Tests and docstrings leave the code that runs as it is, so their length asks nobody.
    """
    guarded = [path for path in patch.paths if _within(path, policy.always_ask)]
    if guarded and not (request.approve and throw_away(request.path, home)):
        return f"{guarded[0]} always asks for a person's approval"
    changed = sum(line[:1] in "+-" and line[:3] not in ("+++", "---") for line in patch.diff().splitlines())
    if changed > policy.max_changed_lines and not request.approve and kind not in _LEAVE_CODE:
        return f"the change touches {changed} lines; above {policy.max_changed_lines} a person is asked"
    if request.land is Land.APPLY and not request.approve:
        return "applying a change to the files at hand asks for approval (or --approve)"
    return None


def throw_away(target: Path, home: Path) -> bool:
    """Say whether a folder is a copy that nobody keeps: it lies in the system's or GridBot's temporary folders."""
    place = target.resolve()
    temporary = (Path(tempfile.gettempdir()).resolve(), home.resolve())
    return any(folder in place.parents for folder in temporary)


def _within(path: str, folders: list[str] | tuple[str, ...]) -> bool:
    parts = PurePosixPath(path)
    return any(PurePosixPath(folder) in (parts, *parts.parents) for folder in folders)
