"""Which file of a repository a path in a log means, wherever the program that wrote it was deployed."""

from __future__ import annotations

import functools
import re
from pathlib import Path, PurePosixPath

from automation.codebase.suite_files import is_test_path
from automation.incidents.inside.describe import Places, is_secret_name, masked_cut
from automation.incidents.records import Frame

_LIBRARIES = re.compile(r"/(?:site|dist)-packages/|/lib(?:64)?/python\d|/(?:\.venv|venv|\.tox|node_modules)/|^<")
_VALUE_LIMIT = 200
_NAMES_LIMIT = 20


class LogPlaces:
    """Finds the repository's own files by what tracebacks call them.

    Parameters
    ----------
    root : Path
        Folder of the repository.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._places = Places(str(root))
        self.own = functools.lru_cache(maxsize=4096)(self._own)

    def _own(self, path: str) -> str | None:
        """Return the path relative to the repository; None for any other file.

        A program may have run elsewhere (``/app/shop/price.py``), so the longest end of the path that the repository
        has counts too.
        """
        path = path.replace("\\", "/")
        known = self._places.own(path) if PurePosixPath(path).is_absolute() else None
        if known is not None:
            return known
        if _LIBRARIES.search(path):
            return None
        parts = [part for part in PurePosixPath(path).parts if part not in ("/", "..", ".")]
        for start in range(len(parts)):
            end = "/".join(parts[start:])
            if (self._root / end).is_file():
                return end
        return None

    def frame(self, path: str, line: int, function: str, values: dict[str, str] | None = None) -> Frame:
        """Return a frame with its path settled and its values bounded and masked."""
        own = self.own(path)
        function = "" if function == "<module>" else function
        if own is None:
            return Frame(path, line, function, own=False)
        return Frame(own, line, function, own=True, test=is_test_path(own), values=_bounded(values or {}))


def _bounded(values: dict[str, str]) -> dict[str, str]:
    kept = list(values.items())[:_NAMES_LIMIT]
    return {name: "***" if is_secret_name(name) else masked_cut(text, _VALUE_LIMIT) for name, text in kept}
