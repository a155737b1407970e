"""Delta debugging: of many inputs, the few without which a failure does not come back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

Fails = Callable[[Sequence[int]], "int | None"]


@dataclass(frozen=True)
class Reduction:
    """How far a reduction has come.

    Parameters
    ----------
    kept : tuple of int
        Inputs, by number, that still fail together.
    parts : int
        Into how many parts they are cut next.
    tried : int
        Sequences that were run.
    tail : int
        Length of the end of the sequence that is run next on its own; 0 when no end of it was enough, or one was.
    at : int
        The part that is left out next.
    in_vain : int
        How many parts in a row could not be left out.
    done : bool
        Whether it has ended: leave out any one of ``kept``, and the failure is gone.
    """

    kept: tuple[int, ...]
    parts: int = 2
    tried: int = 0
    tail: int = 1
    at: int = 0
    in_vain: int = 0
    done: bool = False


def reduce(start: Reduction, fails: Fails, is_over: Callable[[], bool] = lambda: False) -> Reduction:
    """Leave out inputs as long as the failure stays.

    First the shortest end of the sequence that fails on its own is looked for, in doubling steps: a failure rarely
    hangs on what was long ago. The rest is ddmin without its subsets (Zeller and Hildebrandt 2002), which goes on at
    the part where it was after one was left out.

    Parameters
    ----------
    start : Reduction
        Where to begin, or to go on.
    fails : callable
        Runs a sequence of inputs and returns how many of them it took to fail in the same way, None when it does not.
    is_over : callable
        Whether time is up; asked before each run.

    Returns
    -------
    Reduction
        ``done`` unless time was up.
    """
    kept, tried, tail = start.kept, start.tried, start.tail
    while 0 < tail < len(kept):
        if is_over():
            return replace(start, kept=kept, tried=tried, tail=tail)
        needed = fails(kept[-tail:])
        tried += 1
        if needed is not None:
            kept = kept[-tail:][:needed]
            break
        tail *= 2
    return _left_out(replace(start, kept=kept, tried=tried, tail=0), fails, is_over)


def _left_out(start: Reduction, fails: Fails, is_over: Callable[[], bool]) -> Reduction:
    kept, parts, tried, at, in_vain = start.kept, start.parts, start.tried, start.at, start.in_vain
    while len(kept) > 1:
        parts = min(parts, len(kept))
        if in_vain >= parts:
            if parts == len(kept):
                break
            parts, at, in_vain = 2 * parts, 0, 0
            continue
        if is_over():
            return Reduction(kept, parts, tried, 0, at, in_vain)
        rest = _without(kept, at % parts, parts)
        needed = fails(rest)
        tried += 1
        if needed is None:
            at, in_vain = at + 1, in_vain + 1
        else:
            kept, parts, in_vain = rest[:needed], max(parts - 1, 2), 0
    return Reduction(kept, parts, tried, tail=0, done=True)


def _without(kept: tuple[int, ...], part: int, parts: int) -> tuple[int, ...]:
    return kept[: len(kept) * part // parts] + kept[len(kept) * (part + 1) // parts :]
