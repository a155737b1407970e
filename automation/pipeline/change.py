"""The change of a run: what it made of files against what they held at first."""

from __future__ import annotations

import base64

from automation.codebase.patches import Patch
from automation.pipeline.state import RunState


def change_of(state: RunState) -> Patch:
    """Return the patch that a run has accepted so far, with paths relative to the target."""
    return Patch.of(_decoded(state.get("before", {})), _decoded(state.get("after", {})))


def landing_of(state: RunState) -> Patch:
    """Return what lands: the change, and with it the test that shows why."""
    added = _decoded(state.get("added", {}))
    tests = {path: added[path] for path in state.get("regression", [])}
    return Patch.of(_decoded(state.get("before", {})), {**_decoded(state.get("after", {})), **tests})


def files_of(state: RunState) -> dict[str, bytes]:
    """Return the files of the private copy that differ from the target's."""
    return {**_decoded(state.get("added", {})), **_decoded(state.get("after", {}))}


def encoded(content: bytes) -> str:
    """Return a file's content as text for the state."""
    return base64.b64encode(content).decode()


def _decoded(files: dict[str, str]) -> dict[str, bytes]:
    return {path: base64.b64decode(text) for path, text in files.items()}
