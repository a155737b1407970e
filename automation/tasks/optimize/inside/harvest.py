"""Different calls of one function, seen while a workload runs; loaded by path in the sandbox."""

from __future__ import annotations

import copy
import itertools
import random
import sys
import types
import typing
from collections.abc import Callable, Sequence

if typing.TYPE_CHECKING:
    from automation.repair.inside import calls
    from automation.tasks.optimize.inside import shapes
else:
    # loaded by whoever loaded this one
    calls, shapes = sys.modules["_gridbot_calls"], sys.modules["_gridbot_shapes"]

_MOST_CALLS = 2_000
# Of different calls: the first ones, some of all later ones, and the largest.
_FIRST, _DRAWN, _LARGEST = 20, 24, 16


class Enough(BaseException):
    """All calls that are wanted were seen; no ``except Exception`` of the program catches it."""


class Harvest:
    """Copies the arguments of one function whenever it is called.

    Parameters
    ----------
    path : str
        Of its file, absolute.
    name : str
        Without what is before a dot.
    lines : frozenset of int
        First lines that its code object may have.
    """

    def __init__(self, path: str, name: str, lines: frozenset[int]) -> None:
        self.count = 0
        self._raised = ""
        self._watch = calls.Watch(path, name, lines, self._note)
        self._texts: set[object] = set()
        self._full = False
        self._first: list[calls.Arguments] = []
        self._drawn: list[calls.Arguments] = []
        self._largest: list[tuple[int, calls.Arguments]] = []
        self._rng = random.Random(0)  # noqa: S311 - repeatable, not secret

    @property
    def seen(self) -> list[calls.Arguments]:
        """The calls that are kept, small and large ones in turn; some may be there twice."""
        largest = [arguments for _, arguments in self._largest]
        turns = itertools.zip_longest(self._first, largest, self._drawn)
        return [each for turn in turns for each in turn if each is not None]

    @property
    def kept(self) -> int:
        """Different calls that are kept."""
        return len(self.seen)

    @property
    def distinct(self) -> int:
        """Different calls among all that were counted."""
        return len(self._texts)

    @property
    def scope(self) -> dict[str, object]:
        """The module of the function, as it was loaded."""
        return self._watch.scope

    @property
    def problem(self) -> str:
        """Why calls could not be kept, or how the workload failed."""
        return self._watch.problem or self._raised

    def watch(self, work: Callable[[], object]) -> None:
        """Do some work and look at it; a failure of it is none of ours, what was seen before it counts."""
        if self._full:
            return
        sys.setprofile(self._on_event)
        try:
            work()
        except Enough:
            pass
        except Exception as error:  # noqa: BLE001 - a workload may raise anything
            self._raised = self._raised or f"the workload raises {type(error).__name__}: {error}"[:200]
        finally:
            sys.setprofile(None)

    def _on_event(self, frame: types.FrameType, event: str, argument: object) -> None:
        self._watch.on_event(frame, event, argument)
        if self._full:
            sys.setprofile(None)
            raise Enough

    def _note(self, arguments: calls.Arguments) -> bool:
        self.count += 1
        self._full = self.count >= _MOST_CALLS
        try:
            shape = shapes.shape_of(arguments)
            is_new = shape not in self._texts
            if is_new:
                self._texts.add(shape)
                self._keep(arguments)
        except Exception:
            self._full = self._full or (self.count > _FIRST and not self.seen)
            raise
        return is_new

    def _keep(self, arguments: calls.Arguments) -> None:
        """Copy a call that is new, when it is among the first, is drawn, or is larger than others."""
        if len(self._first) < _FIRST:
            self._first.append(copy.deepcopy(arguments))
            return
        at = self._rng.randrange(len(self._texts) - _FIRST)
        if len(self._drawn) < _DRAWN:
            self._drawn.append(copy.deepcopy(arguments))
        elif at < _DRAWN:
            self._drawn[at] = copy.deepcopy(arguments)
        size = _size(arguments)
        if len(self._largest) < _LARGEST or size > self._largest[-1][0]:
            self._largest = [*self._largest, (size, copy.deepcopy(arguments))]
            self._largest.sort(key=lambda kept: -kept[0])
            del self._largest[_LARGEST:]


def _size(arguments: calls.Arguments) -> int:
    """Return how much arguments hold: items of collections and letters of texts, or a number's size."""
    found = 0
    for value in arguments.values():
        if hasattr(value, "__len__"):
            found += len(typing.cast("Sequence[object]", value))
        elif isinstance(value, int):
            found += abs(value).bit_length()
    return found
