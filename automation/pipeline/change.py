"""The change of a run: what it made of files against what they held at first."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from automation.codebase.patches import Patch
from automation.pipeline.state import Chosen, RunState

PROPOSAL_NAME = "proposal.json"


def change_of(state: RunState) -> Patch:
    """Return the patch that a run has accepted so far, with paths relative to the target."""
    return Patch.of(_decoded(state.get("before", {})), _decoded(state.get("after", {})))


def landing_of(state: RunState) -> Patch:
    """Return what lands: the change, and with it the test that shows why."""
    added = _decoded(state.get("added", {}))
    tests = {path: added[path] for path in state.get("regression", [])}
    return Patch.of(_decoded(state.get("before", {})), {**_decoded(state.get("after", {})), **tests})


def kept_proposal(folder: Path) -> dict[str, object] | None:
    """Return the change that a run is to weigh, as plain JSON from its folder; None when it looks for one itself."""
    file = folder / PROPOSAL_NAME
    if not file.is_file():
        return None
    found: dict[str, object] = json.loads(file.read_text(encoding="utf-8"))
    return found


def proposed_patch(proposal: Mapping[str, object]) -> Patch:
    """Return the patch of a proposal as the run's folder keeps it."""
    before, after = (_decoded(cast("dict[str, str]", proposal[name])) for name in ("before", "after"))
    return Patch.of(before, after)


def beginning_of(proposal: Mapping[str, object] | None) -> RunState:
    """Return what the state of a run says from the start of the change that it weighs; nothing when it weighs none."""
    if proposal is None:
        return {}
    edits = cast("list[Chosen]", proposal["edits"])
    return {
        "proposal": {name: proposal[name] for name in ("kind", "title", "evidence")},
        "chosen": edits,
        "patch": proposed_patch(proposal).diff(),
    }


def files_of(state: RunState) -> dict[str, bytes]:
    """Return the files of the private copy that differ from the target's."""
    return {**_decoded(state.get("added", {})), **_decoded(state.get("after", {}))}


def encoded(content: bytes) -> str:
    """Return a file's content as text for the state."""
    return base64.b64encode(content).decode()


def _decoded(files: dict[str, str]) -> dict[str, bytes]:
    return {path: base64.b64decode(text) for path, text in files.items()}
