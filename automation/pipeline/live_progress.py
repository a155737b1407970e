"""What a run is doing at this moment, in one small file that anybody may read while it works."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

FILE_NAME = "progress.json"
_SHORTEST_S = 0.3


class LiveProgress:
    """The file ``progress.json`` of a run's folder, replaced as a whole and at most a few times a second.

    Parameters
    ----------
    folder : Path
        The run's own folder.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._written = 0.0

    @property
    def is_due(self) -> bool:
        """Whether enough time went by since the file was written."""
        return time.monotonic() - self._written >= _SHORTEST_S

    def write(self, data: Mapping[str, object]) -> None:
        """Write the file with the time of writing, ``updated_ms`` (milliseconds UTC)."""
        self._written = time.monotonic()
        part = self._path.with_name(f"{FILE_NAME}.part")
        # It only shows; a full disk is found by what must be kept.
        with suppress(OSError):
            part.write_text(json.dumps({**data, "updated_ms": time.time_ns() // 1_000_000}), encoding="utf-8")
            part.replace(self._path)


def read_progress(folder: Path) -> dict[str, object] | None:
    """Return what a run's folder says about the run's work, or None when it says nothing.

    Parameters
    ----------
    folder : Path
        The run's own folder.

    Returns
    -------
    dict of str to object or None
        ``stage``, ``title``, ``seconds`` (by stage, of those that have ended), ``label``, ``done``, ``total``,
        ``unit``, ``tried`` (by proposer), ``candidates_per_second``, ``model``, ``model_calls``,
        ``model_tokens`` and ``updated_ms``.
    """
    try:
        found = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
