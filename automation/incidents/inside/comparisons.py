"""What a failing assertion compared: told by pytest for its own assertions, found in frames for those of libraries."""

from __future__ import annotations

import sys
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from automation.incidents.inside import describe
else:
    # by path: the target may hold a package of the same name as ours
    describe = sys.modules["_gridbot_describe"]

_OPERAND_NAMES = (("first", "second"), ("actual", "desired"), ("left", "right"), ("member", "container"))

Pairs = list[tuple[str, str]]


class Comparisons:
    """The comparisons of one assertion at a time.

    Parameters
    ----------
    places : Places
        Tells the repository's own files.
    """

    def __init__(self, places: describe.Places) -> None:
        self._places = places
        self.begin()

    def begin(self) -> None:
        """Forget what the test before compared."""
        self._place: tuple[str, int] | None = None
        self._failing: Pairs = []
        self._holding: Pairs = []

    def note(self, left: object, right: object, frame: FrameType | None) -> None:
        """Take a comparison that pytest explains in a frame; one at another place belongs to another assertion."""
        place, holds = self._asserting(frame)
        if place != self._place:
            self.begin()
            self._place = place
        (self._holding if holds else self._failing).append((describe.shown(left), describe.shown(right)))

    def operands(self, error: BaseException) -> Pairs:
        """Return what did not compare as it should, as text."""
        return self._failing or self._holding or _operands_in(error)

    def _asserting(self, frame: FrameType | None) -> tuple[tuple[str, int] | None, bool]:
        holds = False
        while frame is not None:
            code = frame.f_code
            if self._places.own(code.co_filename) is not None:
                return (code.co_filename, frame.f_lineno), holds
            if code.co_name == "_call_reprcompare":
                # pytest explains every comparison of an `and`, and knows here which of them failed
                holds = frame.f_locals.get("done") is False
            frame = frame.f_back
        return None, holds


def _operands_in(error: BaseException) -> Pairs:
    walk, found = error.__traceback__, []
    while walk is not None:
        values = walk.tb_frame.f_locals
        for left, right in _OPERAND_NAMES:
            if walk.tb_frame.f_code.co_name.startswith(("assert", "_assert")) and left in values and right in values:
                found.append((describe.shown(values[left]), describe.shown(values[right])))
        walk = walk.tb_next
    return found[:1]
