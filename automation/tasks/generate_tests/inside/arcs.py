"""Which lines of one file run after which, call by call."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Callable, Optional, Set, Tuple  # noqa: UP035 - read at run time by Python 3.9

Arc = Tuple[int, int]  # noqa: UP006 - the same
Hook = Callable[[FrameType, str, object], Optional[object]]  # noqa: UP045 - the same

ENTRY, EXIT = -1, -2


class ArcTracer:
    """Steps from line to line inside one file's functions.

    Parameters
    ----------
    path : str
        The file, as its code objects name it.
    """

    def __init__(self, path: str) -> None:
        self.seen: Set[Arc] = set()  # noqa: UP006
        self._path = path

    def start(self) -> None:
        """Begin."""
        sys.settrace(self.on_call)  # type: ignore[arg-type]

    def stop(self) -> None:
        """End."""
        sys.settrace(None)

    def take(self) -> Set[Arc]:  # noqa: UP006
        """Return the arcs since the last call, and start anew."""
        found = set(self.seen)
        self.seen.clear()
        return found

    def on_call(self, frame: FrameType, event: str, argument: object) -> Optional[object]:  # noqa: UP045
        """Follow a call when it is inside the file."""
        if frame.f_code.co_filename != self._path:
            return None
        add, last = self.seen.add, ENTRY

        def on_line(frame: FrameType, event: str, argument: object) -> object:
            nonlocal last
            if event == "line":
                add((last, frame.f_lineno))
                last = frame.f_lineno
            elif event == "return":
                add((last, EXIT))
            return on_line

        return on_line
