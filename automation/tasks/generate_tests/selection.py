"""The smallest set of drafts that notices the same faults and covers the same branches."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from collections.abc import Set as AbstractSet


def smallest(gains: Mapping[str, AbstractSet[Hashable]], costs: Mapping[str, float]) -> tuple[str, ...]:
    """Choose greedily by what is gained for the cost, then leave out what the others gain too.

    Parameters
    ----------
    gains : mapping of str to set
        By draft, what it alone would gain over the tests that are there: mutants and branches.
    costs : mapping of str to float
        How much a reader has to take in.

    Returns
    -------
    tuple of str
        In the order of their choice; together they gain what all of them do.
    """
    chosen: list[str] = []
    gained: set[Hashable] = set()
    waiting = {name: set(gain) for name, gain in gains.items() if gain}
    while waiting:
        best = min(waiting, key=lambda name: (-len(waiting[name]) / costs[name], costs[name], name))
        gained |= waiting.pop(best)
        chosen.append(best)
        waiting = {name: rest for name, gain in waiting.items() if (rest := gain - gained)}
    for name in sorted(chosen, key=lambda each: -costs[each]):
        others = {gain for other in chosen if other != name for gain in gains[other]}
        if gains[name] <= others:
            chosen.remove(name)
    return tuple(chosen)
