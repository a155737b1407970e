"""The change of a run: what its workspace holds now against what it held at first."""

from __future__ import annotations

import base64

from automation.codebase.patches import FileChange, Patch
from automation.pipeline.desk import Desk
from automation.pipeline.state import RunState


def change_of(desk: Desk, state: RunState) -> Patch:
    """Return the patch that a run has accepted so far, with paths relative to the target."""
    changes = []
    for path, text in sorted(state.get("originals", {}).items()):
        before = base64.b64decode(text)
        after = (desk.workspace.tree / path).read_bytes()
        if before != after:
            changes.append(FileChange(path, before, after))
    return Patch(tuple(changes))
