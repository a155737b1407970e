"""What stands before, what each draft would gain, and how well tests hold a function."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from automation.tasks.generate_tests.branches import Branch, Shape
from automation.tasks.generate_tests.mutants import Mutant
from automation.tasks.generate_tests.records import Arc, Draft, Score


@dataclass(frozen=True, slots=True)
class Judged:
    """What stands before the first draft is chosen.

    Parameters
    ----------
    shape : Shape
        Of the file.
    covered : frozenset of Arc
        Steps of the tests that are there.
    before : mapping of Mutant to bool
        Whether those notice it, for the mutants that were judged.
    unjudged : int
        Mutants for which there was no time.
    """

    shape: Shape
    covered: frozenset[Arc]
    before: Mapping[Mutant, bool]
    unjudged: int

    def missing(self, branches: Iterable[Branch]) -> list[Branch]:
        """Return the branches that no test takes yet."""
        return [each for each in branches if not each.covered_by(self.covered)]


def gains_of(
    drafts: Sequence[Draft],
    steps: Mapping[str, frozenset[Arc]],
    matrix: Mapping[Mutant, frozenset[str]],
    missing: Sequence[Branch],
) -> dict[str, set[Hashable]]:
    """Return, by draft, the mutants that it notices and the branches that it takes where no test did.

    Parameters
    ----------
    drafts : sequence of Draft
        Those that hold.
    steps : mapping of str to frozenset
        Where each goes.
    matrix : mapping of Mutant to frozenset
        Names of the drafts that notice a mutant that survived so far.
    missing : sequence of Branch
        What is not covered yet.
    """
    gains: dict[str, set[Hashable]] = {draft.name: set() for draft in drafts}
    for mutant, names in matrix.items():
        for name in names:
            gains[name].add(mutant)
    for draft in drafts:
        gains[draft.name] |= {branch for branch in missing if branch.covered_by(steps[draft.name])}
    return gains


def score_of(
    name: str, shape: Shape, arcs: frozenset[Arc], mutants: Iterable[Mutant], noticed: Mapping[Mutant, bool]
) -> Score:
    """Return how well a function is held.

    Parameters
    ----------
    name : str
        The function.
    shape : Shape
        Of its file.
    arcs : frozenset of (int, int)
        Steps of the tests.
    mutants : iterable of Mutant
        Those that were judged, of any function.
    noticed : mapping of Mutant to bool
        Whether a test notices them.
    """
    branches = [each for each in shape.branches if each.function == name]
    own = [mutant for mutant in mutants if mutant.function == name]
    return Score(
        lines=len(shape.lines[name]),
        lines_run=shape.run(name, arcs),
        branches=len(branches),
        branches_run=sum(each.covered_by(arcs) for each in branches),
        mutants=len(own),
        killed=sum(noticed[mutant] for mutant in own),
    )
